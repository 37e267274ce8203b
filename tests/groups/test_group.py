"""The child's side of the conversation, with the test as its supervisor."""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from maniple.core.config.model import Address, Configuration
from maniple.groups.child import Child
from maniple.groups.group import Seat, run_group
from maniple.groups.listeners import Listener
from maniple.groups.messages import Channel, Kind, Message
from maniple.groups.placement import GroupPlace
from maniple.groups.shared import create_counters

CONFIGURATION = Configuration()


class Echo:
    """A runtime that says through a pipe what it is asked."""

    connection_count = 0

    def __init__(self, name: str, pipe: int, loop: Any) -> None:
        self.name = name
        self.pipe = pipe
        self.loop = loop

    def say(self, *words: object) -> None:
        os.write(self.pipe, f"{self.name} {' '.join(map(str, words))}\n".encode())

    def listen(self, frontend_name: str, bind_index: int, sock: socket.socket) -> None:
        self.say("listen", frontend_name)

    def unlisten(self, sock: socket.socket) -> None:
        self.say("unlisten")

    def pause(self) -> None:
        self.say("pause")

    def resume(self) -> None:
        self.say("resume")

    def drain(self, deadline_ms: int | None, done: Callable[[], None]) -> None:
        self.say("drain", deadline_ms)
        self.loop.call_soon(done)

    def abort(self) -> None:
        self.say("abort")

    def report(self, severity: int, message: str) -> None:
        self.say("report", severity, message)


class Conversation:
    def __init__(self, threads: int) -> None:
        self.reader, self.writer = os.pipe()
        self.segment, self.columns = create_counters(CONFIGURATION, threads)
        self.sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(threads + 1)]
        listeners = [
            Listener(f"own{thread}", 0, Address("inet", ""), 1, thread, self.sockets[thread - 1])
            for thread in range(1, threads + 1)
        ]
        listeners.append(Listener("other", 0, Address("inet", ""), 2, 1, self.sockets[-1]))
        self.child = Child(GroupPlace(1, threads, 1, ()))
        supervisor = os.getpid()

        def build(
            configuration: Configuration,
            *,
            loop: Any,
            group: int,
            thread: int,
            part: int,
            parts: int,
            pid: int,
            **_: Any,
        ) -> Echo:
            assert (part, parts, pid) == (thread - 1, threads, supervisor)
            return Echo(f"{group}/{thread}", self.writer, loop)

        def run(channel: Channel) -> int:
            place = self.child.place
            return run_group(Seat(place, CONFIGURATION, build, listeners, self.columns, channel, supervisor))

        self.child.start(0.0, run)

    def hear(self) -> Message | None:
        assert self.child.channel is not None
        assert select.select([self.child.channel], [], [], 10)[0], "the group says nothing"
        return self.child.channel.receive()

    def lines(self, count: int) -> list[str]:
        """So many lines of what the runtimes were asked, sorted: threads go at their own pace."""
        raw = b""
        while raw.count(b"\n") < count:
            assert select.select([self.reader], [], [], 10)[0], f"only {raw!r}"
            raw += os.read(self.reader, 4096)
        return sorted(raw.decode().splitlines())

    def code(self) -> int:
        assert self.hear_end()
        return os.waitstatus_to_exitcode(os.waitpid(self.child.pid, 0)[1])

    def hear_end(self) -> bool:
        while True:
            if self.hear() is None:
                return True

    def close(self) -> None:
        self.child.kill()
        self.child.close()
        for sock in self.sockets:
            sock.close()
        for fd in (self.reader, self.writer):
            os.close(fd)
        self.columns.close()
        self.segment.close()


@pytest.fixture(params=[1, 2])
def talk(request: pytest.FixtureRequest) -> Iterator[Conversation]:
    conversation = Conversation(request.param)
    yield conversation
    conversation.close()


def names(talk: Conversation) -> list[str]:
    return [f"1/{thread}" for thread in range(1, talk.child.place.threads + 1)]


def test_it_builds_waits_accepts_adopts_and_drains(talk: Conversation) -> None:
    count = len(names(talk))
    assert talk.hear() == Message(Kind.BUILT)
    talk.child.say(Message(Kind.GO))
    assert talk.lines(count) == [f"{name} listen own{name[2:]}" for name in names(talk)]
    assert talk.hear() == Message(Kind.READY)
    talk.child.say(Message(Kind.ADOPT, 2))
    assert talk.lines(1) == ["1/1 listen other"]
    talk.child.say(Message(Kind.UNADOPT, 2))
    assert talk.lines(1) == ["1/1 unlisten"]
    talk.child.say(Message(Kind.PAUSE))
    assert talk.lines(count) == [f"{name} pause" for name in names(talk)]
    talk.child.say(Message(Kind.RESUME))
    assert talk.lines(count) == [f"{name} resume" for name in names(talk)]
    talk.child.say(Message(Kind.REPORT, 5, "Proxy web started."))
    assert talk.lines(1) == ["1/1 report 5 Proxy web started."]
    talk.child.say(Message(Kind.DRAIN, 700))
    assert talk.lines(count) == [f"{name} drain 700" for name in names(talk)]
    assert talk.hear() == Message(Kind.DRAINED)
    assert talk.code() == 0


def test_without_a_deadline_a_drain_has_none(talk: Conversation) -> None:
    talk.child.say(Message(Kind.DRAIN, -1))
    assert talk.lines(len(names(talk))) == [f"{name} drain None" for name in names(talk)]
    assert talk.code() == 0


def test_stop_aborts(talk: Conversation) -> None:
    talk.child.say(Message(Kind.STOP))
    assert talk.code() == 0
    assert talk.lines(len(names(talk))) == [f"{name} abort" for name in names(talk)]


def test_the_end_of_the_supervisor_is_the_end_of_the_group(talk: Conversation) -> None:
    assert talk.hear() == Message(Kind.BUILT)
    talk.child.close()
    assert os.waitstatus_to_exitcode(os.waitpid(talk.child.pid, 0)[1]) == 0
    assert talk.lines(len(names(talk))) == [f"{name} abort" for name in names(talk)]


def test_sigterm_stops_it_and_the_terminals_signals_do_not(talk: Conversation) -> None:
    assert talk.hear() == Message(Kind.BUILT)
    for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGHUP, signal.SIGTTOU, signal.SIGUSR2):
        os.kill(talk.child.pid, number)
    talk.child.say(Message(Kind.GO))
    assert talk.hear() == Message(Kind.READY)
    os.kill(talk.child.pid, signal.SIGTERM)
    assert talk.code() == 0
