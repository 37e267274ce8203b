"""The child's side of the conversation, with the test as its supervisor."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from maniple.core.config.model import Configuration
from maniple.core.errors import ConfigError
from maniple.groups.child import Child
from maniple.groups.group import FAULT, STACKS, run_group
from maniple.groups.messages import Kind, Message
from maniple.groups.placement import GroupPlace
from maniple.tests.groups.seats import Echo, seat_of

NOBODY: Any = None


class Conversation:
    def __init__(
        self, pipe: tuple[int, int], threads: int, build: Any = None, *, number: int = 1, **words: Any
    ) -> None:
        self.exits = ExitStack()
        self.reader, self.writer = pipe
        self.threads = threads
        self.child = Child(GroupPlace(number, threads, 1, ()), NOBODY)
        seat = self.exits.enter_context(seat_of(build or self.build, threads, number=number, **words))
        self.child.start(0.0, lambda channel, stacks: run_group(replace(seat, channel=channel, stacks=stacks)))
        # It has none of these but those that it is given.
        self.sockets = [self.exits.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        self.ports = [sock.getsockname()[1] for sock in self.sockets]

    def build(self, configuration: Configuration, *, loop: Any, group: int, thread: int, **_: Any) -> Echo:
        def say(*words: object) -> None:
            os.write(self.writer, f"{group}/{thread} {' '.join(map(str, words))}\n".encode())

        return Echo(loop, say)

    def tell(self, message: Message, descriptors: tuple[int, ...] = ()) -> None:
        assert self.child.channel is not None
        self.child.channel.send(message, descriptors)

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

    def all(self, words: str) -> list[str]:
        return [f"1/{thread} {words}" for thread in range(1, self.threads + 1)]

    def accept(self, **threads: list[int]) -> None:
        """`socket0=[1, 2]`: these threads shall accept on the first socket, which is listener 10."""
        numbers = [int(name[-1]) for name in threads]
        content = [[10 + n, on, n, f"web{n}"] for n, on in zip(numbers, threads.values(), strict=True)]
        self.tell(Message.of(Kind.LISTEN, content), tuple(self.sockets[n].fileno() for n in numbers))

    def begin(self) -> None:
        assert self.hear() == Message(Kind.BORN)
        assert self.hear() == Message(Kind.BUILT)
        self.tell(Message(Kind.GO))
        assert self.hear() == Message(Kind.READY)

    def code(self) -> int:
        while self.hear() is not None:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.child.pid, 0)[1])

    def close(self) -> None:
        self.child.kill()
        self.child.close()
        self.exits.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """What runtimes write to."""
    ends = os.pipe()
    yield ends
    for fd in ends:
        os.close(fd)


@pytest.fixture
def start(pipe: tuple[int, int]) -> Iterator[Callable[..., Conversation]]:
    conversations: list[Conversation] = []

    def begin(*arguments: Any, **words: Any) -> Conversation:
        conversations.append(Conversation(pipe, *arguments, **words))
        return conversations[-1]

    yield begin
    for one in conversations:
        one.close()


@pytest.fixture(params=[1, 2])
def talk(request: pytest.FixtureRequest, start: Callable[..., Conversation]) -> Conversation:
    return start(request.param)


def test_it_builds_waits_accepts_and_drains(talk: Conversation) -> None:
    talk.begin()
    everybody = list(range(1, talk.threads + 1))
    talk.accept(socket0=everybody, socket1=[1], socket2=everybody)
    assert talk.lines(2 * talk.threads + 1) == sorted(
        [
            *talk.all(f"listen web0 0 {talk.ports[0]}"),
            f"1/1 listen web1 1 {talk.ports[1]}",
            *talk.all(f"listen web2 2 {talk.ports[2]}"),
        ]
    )
    # The same again changes nothing; another set of threads does.
    talk.accept(socket0=everybody, socket1=everybody[-1:])
    if talk.threads > 1:
        assert talk.lines(2) == [f"1/1 unlisten {talk.ports[1]}", f"1/2 listen web1 1 {talk.ports[1]}"]
    talk.tell(Message.of(Kind.LEAVE, [11, 99]))
    assert talk.lines(1) == [f"1/{everybody[-1]} unlisten {talk.ports[1]}"]
    talk.tell(Message(Kind.PAUSE))
    assert talk.lines(talk.threads) == talk.all("pause")
    talk.tell(Message(Kind.RESUME))
    assert talk.lines(talk.threads) == talk.all("resume")
    talk.tell(Message(Kind.REPORT, 5, "Proxy web started."))
    assert talk.lines(1) == ["1/1 report 5 Proxy web started."]
    talk.tell(Message.of(Kind.PEERS, [["web", 0, [6, 7]], ["web", 1, []]]))
    assert talk.lines(2 * talk.threads) == sorted([*talk.all("peers web 0 6 7"), *talk.all("peers web 1")])
    shares = [[one, one + 3, 7, [["web", -1, 0, 2]]] for one in everybody]
    talk.tell(Message.of(Kind.DEAL, shares))
    assert talk.lines(talk.threads) == [f"1/{one} deal {one + 3} 7 50" for one in everybody]
    talk.tell(Message.of(Kind.DRAIN, [10], number=700, ticket=9))
    assert talk.lines(talk.threads) == talk.all(f"drain 700 {talk.ports[0]}")
    heard = [talk.hear(), talk.hear()]
    assert sorted(heard, key=str) == sorted([Message(Kind.DONE, ticket=9), Message(Kind.DRAINED)], key=str)
    assert talk.code() == 0


def test_streams_are_left_where_there_is_no_null_device_any_more(start: Callable[..., Conversation]) -> None:
    """A daemon's group in a chroot: it is entered before GO."""
    talk = start(1, leave_streams=True, enter=lambda: setattr(os, "devnull", "/nonexistent"))
    talk.begin()
    talk.tell(Message(Kind.STOP))
    assert talk.code() == 0


def test_a_fault_before_it_serves_ends_it(start: Callable[..., Conversation]) -> None:
    """The supervisor would wait for READY for ever; later it is answered, or not."""
    talk = start(1)
    assert [talk.hear(), talk.hear()] == [Message(Kind.BORN), Message(Kind.BUILT)]
    without_its_descriptor = Message.of(Kind.LISTEN, [[10, [1], 0, "web"]])
    talk.tell(without_its_descriptor)
    assert talk.code() == FAULT


def test_a_fault_while_it_serves_does_not(start: Callable[..., Conversation]) -> None:
    talk = start(1)
    talk.begin()
    talk.tell(Message.of(Kind.LISTEN, [[10, [1], 0, "web"]]))
    talk.accept(socket0=[1])
    assert talk.lines(1) == [f"1/1 listen web0 0 {talk.ports[0]}"]
    talk.tell(Message(Kind.STOP))
    assert talk.code() == 0


def test_without_a_deadline_a_drain_has_none(talk: Conversation) -> None:
    talk.tell(Message(Kind.DRAIN, -1))
    assert talk.lines(talk.threads) == talk.all("drain None")
    assert talk.code() == 0


def test_stop_aborts(talk: Conversation) -> None:
    talk.tell(Message(Kind.STOP))
    assert talk.code() == 0
    assert talk.lines(talk.threads) == talk.all("abort")


def test_what_is_asked_with_a_ticket_is_answered(talk: Conversation) -> None:
    talk.begin()
    last = talk.threads
    talk.tell(Message.of(Kind.SERVER, [["app", "a", "drain", None], ["app", "b", None, "50%"]], ticket=1))
    assert talk.hear() == Message(Kind.DONE, ticket=1)
    told = talk.lines(2 * last)
    assert "1/1 server app/a drain None loud" in told
    assert f"1/{last} server app/b None 50% {'loud' if last == 1 else 'quiet'}" in told
    talk.tell(Message.of(Kind.SERVER, [["app", "none", "drain", None]], ticket=2))
    assert talk.hear() == Message(Kind.DONE, text="No such server.", ticket=2)
    talk.tell(Message(Kind.PAUSE, ticket=3))
    assert talk.hear() == Message(Kind.DONE, ticket=3)
    assert talk.lines(last) == talk.all("pause")
    talk.tell(Message.of(Kind.PIN, [sorted(os.sched_getaffinity(0))] * last, ticket=4))
    assert talk.hear() == Message(Kind.DONE, ticket=4)


def test_a_fault_is_told_to_who_asked_and_ends_nothing(
    start: Callable[..., Conversation], capfd: pytest.CaptureFixture[str]
) -> None:
    talk = start(1)
    talk.begin()
    talk.tell(Message.of(Kind.SERVER, [["app", "bug", "drain", None]], ticket=2))
    assert talk.hear() == Message(Kind.DONE, text="ZeroDivisionError('a bug')", ticket=2)
    assert "ZeroDivisionError: a bug" in capfd.readouterr().err
    talk.tell(Message(Kind.PAUSE))
    assert talk.lines(1) == ["1/1 pause"]


def test_only_the_first_group_says_what_became_of_a_server(start: Callable[..., Conversation]) -> None:
    talk = start(1, number=2)
    talk.tell(Message.of(Kind.SERVER, [["app", "a", "ready", None]]))
    assert talk.lines(1) == ["2/1 server app/a ready None quiet"]


def test_inboxes_come_and_go(start: Callable[..., Conversation], pipe: tuple[int, int]) -> None:
    received: list[Any] = []

    def build(configuration: Configuration, *, loop: Any, inboxes: Any, **_: Any) -> Echo:
        received.append(inboxes)

        def say(*words: object) -> None:
            os.write(pipe[1], f"{words[0]} {sorted(received[0].ends)}\n".encode())

        return Echo(loop, say)

    talk = start(1, build)
    talk.begin()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for number in (9, 8, 9):
            talk.tell(Message(Kind.INBOX, number), (theirs.fileno(),))
        talk.tell(Message(Kind.PAUSE))
        assert talk.lines(1) == ["pause [8, 9]"]
        talk.tell(Message(Kind.INBOX, 8))
        talk.tell(Message(Kind.PAUSE))
        assert talk.lines(1) == ["pause [9]"]
        talk.tell(Message(Kind.INBOX, 9))
        talk.tell(Message(Kind.PAUSE))
        assert talk.lines(1) == ["pause []"]
        # It keeps no copy.
        theirs.close()
        ours.settimeout(10)
        assert ours.recv(1) == b""


def test_it_keeps_no_socket_that_it_has_left(start: Callable[..., Conversation]) -> None:
    talk = start(2)
    talk.begin()
    talk.accept(socket0=[1, 2], socket1=[3])
    assert len(talk.lines(2)) == 2
    talk.tell(Message.of(Kind.LEAVE, [10], ticket=1))
    assert talk.hear() == Message(Kind.DONE, ticket=1)
    for sock in talk.sockets[:2]:
        sock.close()
    for port in talk.ports[:2]:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=10)


def test_a_build_that_fails_is_told(start: Callable[..., Conversation]) -> None:
    def build(*_: Any, thread: int, **__: Any) -> Echo:
        if thread == 2:
            raise ConfigError("no such algorithm")
        return Echo(_, print)

    talk = start(2, build)
    assert talk.hear() == Message(Kind.BORN)
    assert talk.hear() == Message(Kind.FAILED, text="config : no such algorithm")
    assert talk.code() == 1


def test_it_becomes_who_it_shall_be_once_all_is_built(
    start: Callable[..., Conversation], pipe: tuple[int, int]
) -> None:
    order: list[str] = []

    def build(configuration: Configuration, *, loop: Any, **_: Any) -> Echo:
        order.append("built")
        return Echo(loop, lambda *words: os.write(pipe[1], f"{words[0]} {order}\n".encode()))

    talk = start(1, build, enter=lambda: order.append("entered"))
    talk.begin()
    talk.tell(Message(Kind.PAUSE))
    assert talk.lines(1) == ["pause ['built', 'entered']"]


def test_one_that_may_not_become_who_it_shall_be_ends(start: Callable[..., Conversation]) -> None:
    def refuse() -> None:
        raise PermissionError("not allowed")

    talk = start(1, enter=refuse)
    assert talk.hear() == Message(Kind.BORN)
    assert talk.hear() == Message(Kind.FAILED, text="not allowed")
    assert talk.code() == 1


def test_its_title_says_that_it_drains(start: Callable[..., Conversation], pipe: tuple[int, int]) -> None:
    talk = start(1, title=lambda state: os.write(pipe[1], f"title {state}\n".encode()))
    talk.begin()
    talk.tell(Message(Kind.DRAIN, 5))
    assert "title draining" in talk.lines(4)
    assert talk.code() == 0


def test_stacks_are_written_even_where_nobody_turns(start: Callable[..., Conversation], pipe: tuple[int, int]) -> None:
    def block(*words: object) -> None:
        os.write(pipe[1], b"blocked\n")
        time.sleep(1000)

    def build(configuration: Configuration, *, loop: Any, **_: Any) -> Echo:
        return Echo(loop, block)

    talk = start(1, build)
    talk.begin()
    talk.tell(Message(Kind.PAUSE))
    assert talk.lines(1) == ["blocked"]
    os.kill(talk.child.pid, STACKS)
    assert select.select([talk.child.stacks], [], [], 10)[0]
    text = ""
    while "run_group" not in text:
        assert select.select([talk.child.stacks], [], [], 10)[0], text
        text += os.read(talk.child.stacks, 65536).decode()
    assert "in block" in text


def test_the_end_of_the_supervisor_is_the_end_of_the_group(talk: Conversation) -> None:
    assert talk.hear() == Message(Kind.BORN)
    assert talk.hear() == Message(Kind.BUILT)
    talk.child.close()
    assert os.waitstatus_to_exitcode(os.waitpid(talk.child.pid, 0)[1]) == 0
    assert talk.lines(talk.threads) == talk.all("abort")


def test_sigterm_stops_it_and_the_terminals_signals_do_not(talk: Conversation) -> None:
    assert talk.hear() == Message(Kind.BORN)
    assert talk.hear() == Message(Kind.BUILT)
    for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGHUP, signal.SIGTTOU, signal.SIGPIPE):
        os.kill(talk.child.pid, number)
    talk.tell(Message(Kind.GO))
    assert talk.hear() == Message(Kind.READY)
    os.kill(talk.child.pid, signal.SIGTERM)
    assert talk.code() == 0


def test_it_says_everything_even_to_one_who_reads_late(start: Callable[..., Conversation]) -> None:
    """More answers than the kernel keeps, and nobody reads them until all are given."""
    talk = start(1)
    talk.begin()
    assert talk.child.channel is not None
    count = 3000
    for ticket in range(1, count + 1):
        while talk.child.channel.pending:
            talk.child.channel.flush()
        talk.tell(Message(Kind.RESUME, ticket=ticket))
    heard = 0
    while heard < count:
        message = talk.hear()
        assert message is not None
        heard += 1
        assert message == Message(Kind.DONE, ticket=heard)
        talk.child.channel.flush()
        if select.select([talk.reader], [], [], 0)[0]:
            os.read(talk.reader, 65536)
