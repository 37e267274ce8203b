"""An event loop with a virtual clock, and transports that only remember: what the relay's tests drive.

The transports follow uvloop where it matters (measured with 0.23): `connection_lost` comes in a later turn, writing
after it or after `write_eof` raises, what a closing connection receives is dropped, pausing twice does nothing, and
pausing in `connection_made` has no effect (reading begins after it).
"""

from __future__ import annotations

import asyncio
import heapq
import socket
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterable
from contextvars import Context
from itertools import count
from typing import Any, cast


class Handle:
    """A call to come."""

    __slots__ = ("args", "callback", "cancelled")

    def __init__(self, callback: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.callback = callback
        self.args = args
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def run(self) -> None:
        if not self.cancelled:
            self.callback(*self.args)


class FakeLoop:
    """Counts in `asked` what it is asked for; `answer` says what becomes of attempts to connect (None: they wait in
    `dials` for the test to decide)."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked: Counter[str] = Counter()
        self.faults: list[BaseException] = []
        self.dials: list[FakeDial] = []
        self.answer: Callable[[FakeDial], object] | None = FakeDial.accept
        self.listeners: list[FakeListener] = []
        self._ready: deque[Handle] = deque()
        self._later: list[tuple[float, int, Handle]] = []
        self._numbers = count()

    # What asyncio offers.

    def time(self) -> float:
        return self.now

    def get_debug(self) -> bool:
        return False

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Handle:
        self.asked["call_soon"] += 1
        return self.soon(callback, *args)

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Handle:
        self.asked["call_later"] += 1
        return self._at(self.now + delay, callback, args)

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any) -> Handle:
        self.asked["call_at"] += 1
        return self._at(when, callback, args)

    def create_future(self) -> asyncio.Future[Any]:
        self.asked["create_future"] += 1
        return self.future()

    def create_task(self, coroutine: Coroutine[Any, Any, Any]) -> Handle:
        """Good for coroutines that never really wait."""
        self.asked["create_task"] += 1

        def run() -> None:
            try:
                coroutine.send(None)
            except StopIteration:
                return
            raise AssertionError("a coroutine that waits")

        return self.soon(run)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.faults.append(context["exception"])

    async def create_connection(
        self,
        made: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
        *,
        local_addr: tuple[str, int] | None = None,
    ) -> tuple[FakeTransport, asyncio.Protocol]:
        return await self._dialled(FakeDial(self, made, (host, port), local_addr))

    async def create_unix_connection(
        self, made: Callable[[], asyncio.Protocol], path: str | None = None, *, sock: socket.socket | None = None
    ) -> tuple[FakeTransport, asyncio.Protocol]:
        """`sock` is connected already, and closed here: its peer's name stands for the address."""
        if sock is not None:
            path = cast(str, sock.getpeername())
            sock.close()
        assert path is not None
        return await self._dialled(FakeDial(self, made, path, None))

    async def create_server(self, factory: Callable[[], asyncio.Protocol], *, sock: Any, backlog: int) -> FakeListener:
        listener = FakeListener(self, factory, sock, backlog)
        self.listeners.append(listener)
        return listener

    # What tests use.

    @property
    def as_loop(self) -> asyncio.AbstractEventLoop:
        return cast(asyncio.AbstractEventLoop, self)

    def future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self.as_loop)

    def soon(self, callback: Callable[..., Any], *args: Any) -> Handle:
        """call_soon of the fakes' own, which is not counted."""
        handle = Handle(callback, args)
        self._ready.append(handle)
        return handle

    def run(self) -> None:
        """Until nothing is left that needs no time."""
        for _ in range(100_000):
            if not self._ready:
                return
            self._ready.popleft().run()
        raise AssertionError("the loop never comes to rest")

    def advance(self, milliseconds: float) -> None:
        """Let time pass, calling what is due at its own time."""
        end = self.now + milliseconds / 1000.0
        self.run()
        while self._later and self._later[0][0] <= end:
            when, _, handle = heapq.heappop(self._later)
            self.now = max(self.now, when)
            handle.run()
            self.run()
        self.now = end

    @property
    def pending(self) -> int:
        """Calls that are still to come."""
        return len(self._ready) + sum(not handle.cancelled for _, _, handle in self._later)

    def _at(self, when: float, callback: Callable[..., Any], args: tuple[Any, ...]) -> Handle:
        handle = Handle(callback, args)
        heapq.heappush(self._later, (when, next(self._numbers), handle))
        return handle

    async def _dialled(self, dial: FakeDial) -> tuple[FakeTransport, asyncio.Protocol]:
        self.dials.append(dial)
        if self.answer is not None:
            self.soon(self.answer, dial)
        return await dial.outcome  # type: ignore[no-any-return]


class FakeDial:
    """An attempt to connect. `transport` is there once it was accepted."""

    def __init__(
        self,
        loop: FakeLoop,
        made: Callable[[], asyncio.Protocol],
        address: tuple[str, int] | str,
        source: tuple[str, int] | None,
    ) -> None:
        self.loop = loop
        self.made = made
        self.address = address
        self.source = source
        self.outcome = loop.future()
        self.transport: FakeTransport | None = None

    def accept(self) -> FakeTransport:
        protocol = self.made()
        transport = self.transport = FakeTransport(self.loop, protocol)
        protocol.connection_made(transport)
        transport.reading = True
        if not self.outcome.done():
            self.outcome.set_result((transport, protocol))
        return transport

    def refuse(self, error: OSError | None = None) -> None:
        self.outcome.set_exception(error or ConnectionRefusedError(111, "refused"))


class FakeListener:
    """What create_server returns. `arrive` makes a client connection if it still accepts."""

    def __init__(self, loop: FakeLoop, factory: Callable[[], asyncio.Protocol], sock: Any, backlog: int) -> None:
        self.loop = loop
        self.factory = factory
        self.sock = sock
        self.backlog = backlog
        self.closed = False

    def close(self) -> None:
        self.closed = True
        self.sock.close()

    def arrive(self) -> FakeTransport | None:
        if self.closed:
            return None
        protocol = self.factory()
        transport = FakeTransport(self.loop, protocol)
        protocol.connection_made(transport)
        transport.reading = True
        return transport


class FakeSocket:
    """`descriptor` -1: write_now goes the transport's way, so that all is seen there."""

    def __init__(self) -> None:
        self.descriptor = -1
        self.family = socket.AF_INET
        self.options: list[tuple[int, int, int]] = []

    def fileno(self) -> int:
        return self.descriptor

    def setsockopt(self, level: int, name: int, value: int) -> None:
        self.options.append((level, name, value))


class FakeTransport(asyncio.Transport):
    """One end of a connection; the test is the other end: `feed`, `feed_eof`, `lose`, `hold`, `release`, `take`."""

    def __init__(self, loop: FakeLoop, protocol: asyncio.BaseProtocol) -> None:
        super().__init__({"peername": ("192.0.2.1", 4000), "sockname": ("192.0.2.9", 80), "socket": FakeSocket()})
        self.loop = loop
        self.protocol = cast(asyncio.Protocol, protocol)
        self.sent = bytearray()
        """All that was written and can still arrive."""
        self.writes = 0
        self.reading = True
        self.closing = False
        self.aborted = False
        self.lost = False
        self.eof_written = False
        self.held = False
        self.calls: list[str] = []
        """Calls other than writes, in order."""
        self._taken = 0
        self._incoming: deque[bytes | None] = deque()

    # What asyncio offers.

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = cast(asyncio.Protocol, protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol

    def is_closing(self) -> bool:
        return self.closing

    def is_reading(self) -> bool:
        return self.reading

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        assert not self.lost, "write after connection_lost"
        assert not self.eof_written, "write after write_eof"
        self.writes += 1
        if not self.closing or (self.held and not self.aborted):
            self.sent += data

    def writelines(self, pieces: Iterable[Any]) -> None:
        self.write(b"".join(pieces))

    def write_eof(self) -> None:
        assert not self.lost, "write_eof after connection_lost"
        self.calls.append("write_eof")
        self.eof_written = True

    def can_write_eof(self) -> bool:
        return True

    def get_write_buffer_size(self) -> int:
        return 100_000 if self.held else 0

    def close(self) -> None:
        self.calls.append("close")
        if not self.closing:
            self.closing = True
            if not self.held:
                self.loop.soon(self._lost, None)

    def abort(self) -> None:
        self.calls.append("abort")
        if not self.aborted:
            self.closing = self.aborted = True
            self.loop.soon(self._lost, None)

    def pause_reading(self) -> None:
        self.calls.append("pause")
        self.reading = False

    def resume_reading(self) -> None:
        self.calls.append("resume")
        if not self.reading:
            self.reading = True
            if self._incoming:
                self.loop.soon(self._deliver)

    # What tests use.

    @property
    def socket(self) -> FakeSocket:
        return cast(FakeSocket, self.get_extra_info("socket"))

    def feed(self, *pieces: bytes) -> None:
        """The peer sends; each piece arrives by itself."""
        self._incoming.extend(pieces)
        self._deliver()

    def feed_eof(self) -> None:
        """The peer shuts its sending side."""
        self._incoming.append(None)
        self._deliver()

    def lose(self, error: Exception | None = None) -> None:
        """The connection breaks."""
        self.closing = True
        self._lost(error)

    def hold(self) -> None:
        """The peer reads no more: the write buffer fills up."""
        self.held = True
        self.protocol.pause_writing()

    def release(self) -> None:
        """The peer has read everything."""
        self.held = False
        if self.closing:
            self.loop.soon(self._lost, None)
        else:
            self.protocol.resume_writing()

    def take(self) -> bytes:
        """What was written since the last call."""
        data = bytes(self.sent[self._taken :])
        self._taken = len(self.sent)
        return data

    def _deliver(self) -> None:
        while self._incoming and self.reading and not self.closing:
            data = self._incoming.popleft()
            if data is not None:
                self.protocol.data_received(data)
            elif not self.protocol.eof_received():
                self.close()

    def _lost(self, error: Exception | None) -> None:
        if not self.lost:
            self.lost = self.closing = True
            self._incoming.clear()
            self.protocol.connection_lost(error)
