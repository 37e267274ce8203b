"""A seat to try threads and groups in, and a runtime that says what it is asked."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from maniple.core.config.model import Configuration
from maniple.core.relay.handing import Inboxes
from maniple.core.rules.pattern_changes import Change
from maniple.groups.messages import Channel
from maniple.groups.placement import GroupPlace
from maniple.groups.seat import Seat
from maniple.groups.shared import create_counters, create_pulses
from maniple.pools.slots import Shares

CONFIGURATION = Configuration()


class Echo:
    """Calls `say` with the words of what it is asked."""

    connection_count = 0

    def __init__(self, loop: Any, say: Callable[..., object]) -> None:
        self.loop = loop
        self.say = say
        self.lingering: list[socket.socket] = []

    def listen(self, frontend_name: str, bind_index: int, sock: socket.socket) -> None:
        self.say("listen", frontend_name, bind_index, sock.getsockname()[1])

    def unlisten(self, sock: socket.socket) -> None:
        self.say("unlisten", sock.getsockname()[1])

    def pause(self) -> None:
        self.say("pause")

    def resume(self) -> None:
        self.say("resume")

    def drain(
        self, deadline_ms: int | None, done: Callable[[], None], lingering: Collection[socket.socket] = ()
    ) -> None:
        self.say("drain", deadline_ms, *sorted(sock.getsockname()[1] for sock in lingering))
        for sock in lingering:
            sock.close()
        self.loop.call_soon(done)

    def set_peers(self, frontend_name: str, bind_index: int, numbers: Sequence[int]) -> None:
        self.say("peers", frontend_name, bind_index, *numbers)

    def take_inbox(self, sock: socket.socket) -> None:
        self.say("inbox")

    def deal(self, part: int, parts: int, shares: Shares) -> None:
        self.say("deal", part, parts, shares.of_frontend("web", 100))

    def set_server(
        self, backend: str, server: str, state: str | None = None, weight: str | None = None, *, quiet: bool = False
    ) -> None:
        if server == "none":
            raise ValueError("No such server.")
        if server == "bug":
            raise ZeroDivisionError("a bug")
        self.say("server", f"{backend}/{server}", state, weight, "quiet" if quiet else "loud")

    def watch_patterns(self, send: Callable[[list[Change]], None]) -> None:
        self.send = send

    def change_patterns(self, changes: Sequence[Change], *, own: bool | None) -> None:
        self.say("patterns", own, *[(one.name, one.key, one.value) for one in changes])

    def ask(self, question: Sequence[Any]) -> str:
        return "answer to " + " ".join(question)

    def abort(self) -> None:
        self.say("abort")

    def report(self, severity: int, message: str) -> None:
        self.say("report", severity, message)


@contextmanager
def seat_of(
    build: Any,
    threads: int = 1,
    *,
    number: int = 1,
    channel: Channel | None = None,
    inboxes: Mapping[int, socket.socket] | None = None,
    **words: Any,
) -> Iterator[Seat]:
    """Slots are not the threads' numbers, as after scaling."""
    segment, columns = create_counters(CONFIGURATION)
    pulse_segment, pulses = create_pulses(CONFIGURATION)
    ours, theirs = Channel.pair()
    yield Seat(
        place=GroupPlace(number, threads, 1, ()),
        configuration=CONFIGURATION,
        build=build,
        columns=columns,
        pulses=pulses,
        channel=channel or ours,
        supervisor=os.getpid(),
        shares={local: Shares(local - 1, threads) for local in range(1, threads + 1)},
        slots=tuple(range(5, 5 + threads)),
        inboxes=inboxes or {},
        senders=Inboxes(),
        **words,
    )
    ours.close()
    theirs.close()
    columns.close()
    segment.close()
    pulses.close()
    pulse_segment.close()
