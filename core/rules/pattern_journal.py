"""What the rules of one thread changed in maps and ACLs, on its way to all threads and back.

Owns: batches, and which of two changes of one key holds. Must not know: channels, processes, what rules do.

A change that a rule makes holds in its own thread at once. It goes to the supervisor with others, at most one batch in
`DELAY`, of each key the last; the supervisor puts the batches of all threads in one order and tells them to everybody,
also to whom they come from. A thread that waits for a change of its own to come back leaves other changes of that key
out: its own stands behind them in that order. So all threads end with the last change of each key, and a thread never
goes back to a value that it has replaced.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence

from .pattern_changes import Change, carry_out, check_changes
from .pattern_files import PatternFiles

DELAY = 0.005
"""Seconds that a change waits for others."""
Place = tuple[str, bytes]
"""A file and a key."""


class Journal:
    """Of one thread. `arm(flush)` has `flush` called after DELAY; `send` gets a batch."""

    __slots__ = ("_arm", "_armed", "_files", "_outgoing", "_send", "_waiting")

    def __init__(
        self,
        files: PatternFiles,
        arm: Callable[[Callable[[], None]], object],
        send: Callable[[list[Change]], None],
    ) -> None:
        self._files = files
        self._arm = arm
        self._send = send
        self._armed = False
        self._outgoing: dict[Place, bytes | None] = {}
        """What was not sent yet."""
        self._waiting: dict[Place, int] = {}
        """How often a place was sent that has not come back."""

    def note(self, name: str, key: bytes, value: bytes | None) -> None:
        """A rule has changed it: `value` None is gone."""
        self._outgoing[name, key] = value
        if not self._armed:
            self._armed = True
            self._arm(self.flush)

    def flush(self) -> None:
        """Sends what is noted."""
        self._armed = False
        for place in self._outgoing:
            self._waiting[place] = self._waiting.get(place, 0) + 1
        batch = [Change(name, key, value) for (name, key), value in self._outgoing.items()]
        self._outgoing.clear()
        if batch:
            self._send(batch)

    def take(self, changes: Iterable[Change], *, own: bool = False) -> None:
        """Carries out what the supervisor tells; `own`: this journal has sent it."""
        for change in changes:
            if change.key is None:
                self._replace(change)
                continue
            place = change.name, change.key
            if own:
                left = self._waiting.pop(place, 1) - 1
                if left > 0:
                    self._waiting[place] = left
            if place not in self._waiting and place not in self._outgoing:
                # What another thread could carry out we can.
                with contextlib.suppress(ValueError):
                    carry_out(self._files, change)

    def _replace(self, change: Change) -> None:
        """All entries, but for those on whose way back we are waiting."""
        file = self._files.files.get(change.name)
        if file is None:
            return
        mine = [key for name, key in {**self._waiting, **self._outgoing} if name == change.name]
        kept = {key: file.entries.get(key) for key in mine}
        carry_out(self._files, change)
        for key, value in kept.items():
            carry_out(self._files, Change(change.name, key, value))


def take(files: PatternFiles, changes: Sequence[Change], own: bool | None) -> None:
    """Changes that come to a thread. `own`: its rules have made them, another thread's rules have (False), or an
    operator wants them (None): then ValueError says why they cannot be, and nothing has changed."""
    if own is None:
        check_changes(files, changes)
    journal = files.journal
    if journal is not None:
        journal.take(changes, own=bool(own))
    else:
        for change in changes:
            carry_out(files, change)
