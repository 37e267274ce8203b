"""Both ends of the inboxes of a generation's threads, by pulse row, as the supervisor holds them for whom it forks.

Owns: when they are opened and closed, and who keeps which end in a forked group. Must not know: what is sent through
them (core/relay/handing), who is told of them.

Invariant: a row has both ends, or none.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence

from ..core.relay.handing import Inboxes, open_inbox


class InboxEnds:
    """The supervisor's, until a fork; it keeps both ends, so that a thread's successor finds what was sent to it."""

    __slots__ = ("_ends",)

    def __init__(self) -> None:
        self._ends: dict[int, tuple[socket.socket, socket.socket]] = {}

    def open(self, rows: Sequence[int]) -> None:
        """For a group's threads. Raises OSError when there are no descriptors, and then none of them is open."""
        try:
            for row in rows:
                self._ends[row] = open_inbox()
        except OSError:
            for row in rows:
                self.close(row)
            raise

    def sending(self, row: int) -> int:
        """The descriptor to send to it; KeyError where there is none."""
        return self._ends[row][0].fileno()

    def close(self, row: int) -> bool:
        """False: there was none."""
        ends = self._ends.pop(row, ())
        for end in ends:
            end.close()
        return bool(ends)

    def close_all(self) -> None:
        for row in list(self._ends):
            self.close(row)

    def hand_out(self, own: Mapping[int, int]) -> tuple[dict[int, socket.socket], Inboxes]:
        """In a forked group: the ends that its threads read, by `own[row]`, and all ends to send to. Inboxes that are
        not its own are let go of."""
        reading = {}
        senders = Inboxes()
        for row, (sending, receiving) in self._ends.items():
            senders.add(row, sending)
            if row in own:
                reading[own[row]] = receiving
            else:
                receiving.close()
        return reading, senders
