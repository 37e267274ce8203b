from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.config.model import Address, Configuration
from maniple.core.errors import ConfigError
from maniple.groups.listeners import Listener
from maniple.groups.thread import Thread


class Recorder:
    """A runtime that remembers what it was asked."""

    connection_count = 0

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.asked: list[tuple[str, object]] = []
        self.os_threads: set[int] = set()

    def _ask(self, what: str, of: object) -> None:
        self.asked.append((what, of))
        self.os_threads.add(threading.get_ident())

    def listen(self, frontend_name: str, bind_index: int, sock: socket.socket) -> None:
        self._ask("listen", (frontend_name, bind_index, sock))

    def unlisten(self, sock: socket.socket) -> None:
        self._ask("unlisten", sock)

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def drain(self, deadline_ms: int | None, done: Callable[[], None]) -> None: ...
    def abort(self) -> None: ...
    def report(self, severity: int, message: str) -> None: ...


def record(configuration: Configuration, *, loop: Any, **_: Any) -> Recorder:
    return Recorder(loop)


def thread_of(number: int, listeners: list[Listener], build: Any = record) -> Thread:
    return Thread(
        Configuration(), build, group=1, number=number, part=0, parts=1, pid=1, column=None, listeners=listeners
    )


def listeners_of(*places: tuple[int, int]) -> list[Listener]:
    # The socket is only handed on: a word is easier to read in a failure.
    return [
        Listener("web", 0, Address("inet", ""), group, thread, f"{group}/{thread}")  # type: ignore[arg-type]
        for group, thread in places
    ]


def asked(thread: Thread) -> list[tuple[str, object]]:
    runtime = thread.runtime
    assert isinstance(runtime, Recorder)
    return runtime.asked


def finish(thread: Thread) -> None:
    thread.finish()
    if not thread.loop.is_closed():
        thread.loop.close()


def test_a_thread_listens_on_its_own_and_on_shared_sockets() -> None:
    thread = thread_of(2, listeners_of((1, 1), (1, 2), (2, 2), (0, 0)))
    thread.build()
    thread.listen()
    assert asked(thread) == [("listen", ("web", 0, "1/2")), ("listen", ("web", 0, "0/0"))]
    thread.loop.close()


def test_threads_share_the_sockets_of_an_adopted_group() -> None:
    listeners = listeners_of((1, 1), (2, 1), (2, 2), (2, 3), (0, 0))
    for number, own in ((1, ["2/1", "2/3"]), (2, ["2/2"])):
        thread = thread_of(number, listeners)
        thread.build()
        thread.adopt(2, 2)
        thread.unadopt(2, 2)
        assert asked(thread) == [("listen", ("web", 0, word)) for word in own] + [("unlisten", word) for word in own]
        thread.loop.close()


def test_a_started_thread_is_called_in_its_own_os_thread() -> None:
    thread = thread_of(1, listeners_of((1, 1)))
    thread.start()
    assert thread.built.wait(10)
    did = threading.Event()
    thread.call(thread.listen)
    thread.call(did.set)
    assert did.wait(10)
    finish(thread)
    assert thread.loop.is_closed()
    thread.call(did.set)  # too late, and harmless
    runtime = thread.runtime
    assert isinstance(runtime, Recorder)
    assert threading.get_ident() not in runtime.os_threads


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
def test_a_build_that_fails_is_told_not_raised(build: Any, text: str) -> None:
    thread = thread_of(1, [], build)
    thread.build()
    assert thread.built.is_set()
    assert text in thread.failure
    thread.loop.close()


def test_the_threads_that_accept_share_the_limit() -> None:
    """Not those that have no socket of the frontend; where there is a shared socket all threads have it."""
    seen: list[Any] = []

    def build(configuration: Configuration, *, loop: Any, shares: Any, **_: Any) -> Recorder:
        seen.append((shares.of_frontend("web", 9), shares.of_bind("web", 0, 9)))
        return Recorder(loop)

    for places in (((1, 1), (1, 2), (2, 1)), ((1, 1), (1, 2), (0, 0)), ((1, 2),), ((2, 1),)):
        thread = thread_of(2, listeners_of(*places), build)
        thread.build()
        thread.loop.close()
    assert seen == [(3, 3), (9, 9), (9, 9), (9, 9)]
