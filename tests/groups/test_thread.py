from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from maniple.core.config.model import Configuration
from maniple.core.errors import ConfigError
from maniple.groups.thread import Thread
from maniple.tests.groups.seats import Echo, seat_of


class Recorder(Echo):
    """Remembers what it was asked, and in which OS threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop, **given: Any) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.os_threads: set[int] = set()
        self.given = given

        def say(*words: object) -> None:
            self.asked.append(words)
            self.os_threads.add(threading.get_ident())

        super().__init__(loop, say)


def record(configuration: Configuration, *, loop: Any, **given: Any) -> Recorder:
    return Recorder(loop, **given)


@pytest.fixture
def thread_of() -> Iterator[Callable[..., Thread]]:
    """Makes threads; nothing of them is left after the test."""
    ends = []

    def make(build: Any = record, number: int = 1, **words: Any) -> Thread:
        lent = seat_of(build, 2, **words)
        thread = Thread(lent.__enter__(), number)
        ends.append((thread, lent))
        return thread

    yield make
    for thread, lent in ends:
        if thread._loop is not None:
            if not thread.loop.is_closed():
                thread.finish()
            if not thread.loop.is_closed():
                thread.loop.close()
        thread._runtime = None
        lent.__exit__(None, None, None)


def recorder(thread: Thread) -> Recorder:
    runtime = thread.runtime
    assert isinstance(runtime, Recorder)
    return runtime


def test_a_runtime_is_given_its_place_and_its_rows(thread_of: Callable[..., Thread]) -> None:
    thread = thread_of(number=2)
    thread.build()
    given = recorder(thread).given
    assert {name: given[name] for name in ("group", "thread", "part", "parts")} == {
        "group": 1,
        "thread": 2,
        "part": 1,
        "parts": 2,
    }
    seat = thread._seat
    assert given["pid"] == seat.supervisor
    assert given["shares"] is seat.shares[2]
    assert given["inboxes"] is seat.senders
    # Slot 6 counts from 0; the pulse rows count from 1.
    given["pulse"].begin(77, 1)
    assert seat.pulses.row(7).pid == 77
    given["pulse"].words.release()


def test_it_listens_once_and_lets_go(thread_of: Callable[..., Thread]) -> None:
    thread = thread_of()
    thread.build()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        mine, again = sock.dup(), sock.dup()
        thread.listen(3, "web", 1, mine)
        thread.listen(3, "web", 1, again)
        assert recorder(thread).asked == [("listen", "web", 1, port)]
        assert (mine.fileno() >= 0, again.fileno()) == (True, -1)
        thread.leave(4)
        thread.leave(3)
        thread.leave(3)
        assert recorder(thread).asked[1:] == [("unlisten", port)]
        assert mine.fileno() == -1


def test_a_drain_leaves_lingering_sockets_to_the_runtime(
    thread_of: Callable[..., Thread], monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = thread_of()
    thread.build()
    socks = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [sock.getsockname()[1] for sock in socks]
    open_at_drain: list[list[bool]] = []
    runtime = recorder(thread)
    drain = runtime.drain

    def look(deadline: int | None, done: Callable[[], None], lingering: Any = ()) -> None:
        open_at_drain.append([sock.fileno() >= 0 for sock in socks])
        drain(deadline, done, lingering)

    monkeypatch.setattr(runtime, "drain", look)
    for number, sock in enumerate(socks, 1):
        thread.listen(number, "web", 0, sock)
    thread.drain(500, (2, 9), lambda: None)
    assert runtime.asked[3:] == [("drain", 500, ports[1])]
    # The runtime is told before they are closed: it watches them.
    assert open_at_drain == [[True, True, True]]
    assert [sock.fileno() for sock in socks] == [-1, -1, -1]


def test_an_inbox_is_taken_where_there_is_one(thread_of: Callable[..., Thread]) -> None:
    thread = thread_of()
    thread.build()
    thread.open_inbox()
    assert recorder(thread).asked == []
    with socket.socket() as inbox:
        other = thread_of(inboxes={1: inbox})
        other.build()
        other.open_inbox()
        assert recorder(other).asked == [("inbox",)]


def test_a_started_thread_is_called_in_its_own_os_thread(thread_of: Callable[..., Thread]) -> None:
    thread = thread_of()
    thread.start()
    assert thread.built.wait(10)
    did = threading.Event()
    thread.call(lambda: thread.runtime.pause())
    thread.call(did.set)
    assert did.wait(10)
    thread.finish()
    assert thread.loop.is_closed()
    thread.call(did.set)  # too late, and harmless
    assert threading.get_ident() not in recorder(thread).os_threads


def refuse(*_: Any, **__: Any) -> Recorder:
    raise ConfigError("no such algorithm", file="test.cfg", line=7)


def refuse_without_place(*_: Any, **__: Any) -> Recorder:
    raise ConfigError("too few descriptors")


def stumble(*_: Any, **__: Any) -> Recorder:
    raise ZeroDivisionError("a bug")


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (refuse, "config : [test.cfg:7] : no such algorithm"),
        (refuse_without_place, "config : too few descriptors"),
        (stumble, "ZeroDivisionError: a bug"),
    ],
)
def test_a_build_that_fails_is_told_not_raised(thread_of: Callable[..., Thread], build: Any, text: str) -> None:
    thread = thread_of(build)
    thread.build()
    assert thread.built.is_set()
    assert text in thread.failure


def test_a_thread_that_cannot_build_ends(thread_of: Callable[..., Thread]) -> None:
    thread = thread_of(refuse)
    thread.start()
    assert thread.built.wait(10)
    assert thread._os_thread is not None
    thread._os_thread.join(10)
    assert not thread._os_thread.is_alive()
