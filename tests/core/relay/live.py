"""Runtimes on real loops and sockets, each in an OS thread of its own, and a server for them."""

from __future__ import annotations

import asyncio
import concurrent.futures
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest.mock import Mock

import pytest
import uvloop
from maniple.core import build as build_module
from maniple.core.build import build
from maniple.core.config.model import Configuration
from maniple.core.config.parser import load
from maniple.core.relay.handing import Inboxes, open_inbox
from maniple.core.runtime import Runtime
from maniple.pools.pulses import Pulses

PATIENCE = 10.0
"""Seconds until a condition that never comes fails a test."""
T = TypeVar("T")
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"

DEFAULTS = """
defaults
    timeout client 20s
    timeout server 20s
    timeout connect 5s
"""


def until(condition: Callable[[], object], what: str = "it") -> None:
    """Waits for a condition."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"{what} never came true"
        time.sleep(0.005)


class LoopThread:
    """An event loop in an OS thread of its own."""

    def __init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self.faults: list[dict[str, Any]] = []
        self.loop.set_exception_handler(self._fault)
        self._os_thread = threading.Thread(target=self._run, daemon=True)
        self._os_thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def _fault(self, _: asyncio.AbstractEventLoop, fault: dict[str, Any]) -> None:
        if not self.loop.is_closed():
            self.faults.append(fault)

    def call(self, what: Callable[..., T], *arguments: Any) -> T:
        """Does it in the loop's OS thread, and waits for the result."""
        outcome: concurrent.futures.Future[T] = concurrent.futures.Future()

        def do() -> None:
            try:
                outcome.set_result(what(*arguments))
            except BaseException as error:
                outcome.set_exception(error)

        self.loop.call_soon_threadsafe(do)
        return outcome.result(PATIENCE)

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.call_later, 0.02, self.loop.stop)
        self._os_thread.join(PATIENCE)
        self.loop.close()
        assert self.faults == [], self.faults


class Answering(asyncio.Protocol):
    """A server's connection: 200 to each request, of which it counts the heads."""

    served = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        for _ in range(data.count(b"\r\n\r\n")):
            type(self).served += 1
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


class Echo(Answering):
    """A server's connection that says what it hears."""

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


@contextmanager
def a_server(kind: type[Answering]) -> Iterator[int]:
    """Its port."""
    thread = LoopThread()
    sock = socket.create_server(("127.0.0.1", 0))
    ready = asyncio.run_coroutine_threadsafe(thread.loop.create_server(kind, sock=sock), thread.loop)
    server = ready.result(PATIENCE)
    try:
        yield sock.getsockname()[1]
    finally:
        thread.call(server.close)
        thread.end()


def reuseport(port: int = 0) -> socket.socket:
    """A listening socket of a set that shares a port."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(500)
    return sock


def configured(text: str) -> Configuration:
    configuration, said = load([("test.cfg", text)], {})
    assert configuration is not None, said.render()
    return configuration


class Whole:
    """Threads that serve the first bind line of the frontend `f` on one port, with pulses and inboxes."""

    def __init__(self, text: str, threads: int, *, inboxes: bool = True) -> None:
        configuration = configured(text)
        self.pulses = Pulses(memoryview(bytearray(Pulses.size(threads))), threads)
        self.threads = [LoopThread() for _ in range(threads)]
        self.sockets = [reuseport()]
        self.port = self.sockets[0].getsockname()[1]
        self.sockets += [reuseport(self.port) for _ in range(threads - 1)]
        self.inboxes = [open_inbox() for _ in range(threads)]
        self.senders: list[Inboxes] = []
        self.runtimes: list[Runtime] = []
        numbers = range(1, threads + 1)
        for number, thread in zip(numbers, self.threads, strict=True):
            senders = Inboxes()
            self.senders.append(senders)
            for other, (sending, _) in zip(numbers, self.inboxes, strict=True):
                senders.add(other, sending.dup())

            def make(thread: LoopThread = thread, number: int = number, senders: Inboxes = senders) -> Runtime:
                return build(
                    configuration,
                    loop=thread.loop,
                    thread=number,
                    part=number - 1,
                    parts=threads,
                    pulse=self.pulses.pulse(number),
                    inboxes=senders if inboxes else None,
                )

            # build() freezes what is there: not in a process that lives on.
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(build_module, "gc", Mock())
                self.runtimes.append(thread.call(make))
        for thread, runtime, sock, (_, reading) in zip(
            self.threads, self.runtimes, self.sockets, self.inboxes, strict=True
        ):
            thread.call(runtime.take_inbox, reading)
            thread.call(runtime.set_peers, "f", 0, list(numbers))
            thread.call(runtime.listen, "f", 0, sock)
        until(lambda: all(self.pulses.row(number).accepting for number in numbers), "accepting")

    def connections(self) -> list[int]:
        return [self.pulses.row(number).connections for number in range(1, len(self.threads) + 1)]

    def connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        client.settimeout(PATIENCE)
        return client

    def end(self) -> None:
        for thread, runtime in zip(self.threads, self.runtimes, strict=True):
            thread.call(runtime.abort)
            thread.end()
        for senders in self.senders:
            for number in list(senders.ends):
                senders.remove(number)
        for sock in (*self.sockets, *(end for pair in self.inboxes for end in pair)):
            sock.close()


def answer(client: socket.socket) -> bytes:
    """One whole response with a body of two bytes."""
    got = b""
    while not got.endswith(b"\r\n\r\nok"):
        piece = client.recv(65536)
        assert piece, f"end of file after {got!r}"
        got += piece
    return got
