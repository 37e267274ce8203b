"""Writes past the transport: order and completeness with a kernel that takes only part, and the life of descriptors."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
import uvloop
from maniple.core.net.sockets import unread, write_now, write_pair_now

PATTERN = bytes(range(256)) * 4096
"""A MiB that shows each misplaced byte."""


class Rest(asyncio.Transport):
    """A transport that notes what the kernel did not take."""

    def __init__(self) -> None:
        super().__init__()
        self.left = bytearray()

    def get_write_buffer_size(self) -> int:
        return len(self.left)

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.left += data

    def writelines(self, pieces: Any) -> None:
        self.left += b"".join(pieces)


@pytest.fixture
def pipe() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection with little room on its way."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


def drain(sock: socket.socket) -> bytes:
    """All that has arrived."""
    received = bytearray()
    while True:
        try:
            data = sock.recv(1 << 20)
        except BlockingIOError:
            return bytes(received)
        if not data:
            return bytes(received)
        received += data


def pair(descriptor: int, transport: asyncio.Transport, data: bytes, cut: int) -> None:
    write_pair_now(descriptor, transport, data[:cut], memoryview(data)[cut:])


WRITES: dict[str, Callable[[int, asyncio.Transport, bytes], None]] = {
    "one": write_now,
    "pair, first small": lambda descriptor, transport, data: pair(descriptor, transport, data, 100),
    "pair, first large": lambda descriptor, transport, data: pair(descriptor, transport, data, len(data) - 100),
    "pair, halves": lambda descriptor, transport, data: pair(descriptor, transport, data, len(data) // 2),
}


@pytest.mark.parametrize("how", WRITES)
def test_all_at_once(pipe: tuple[socket.socket, socket.socket], how: str) -> None:
    ours, theirs = pipe
    transport = Rest()
    WRITES[how](ours.fileno(), transport, PATTERN[:1000])
    assert drain(theirs) == PATTERN[:1000]
    assert not transport.left


@pytest.mark.parametrize("how", WRITES)
def test_kernel_takes_a_part(pipe: tuple[socket.socket, socket.socket], how: str) -> None:
    ours, theirs = pipe
    transport = Rest()
    WRITES[how](ours.fileno(), transport, PATTERN)
    arrived = drain(theirs)
    assert 0 < len(arrived) < len(PATTERN)
    assert arrived + transport.left == PATTERN


@pytest.mark.parametrize("how", WRITES)
def test_kernel_takes_nothing(pipe: tuple[socket.socket, socket.socket], how: str) -> None:
    ours, theirs = pipe
    with pytest.raises(BlockingIOError):
        while True:
            ours.send(PATTERN)
    transport = Rest()
    WRITES[how](ours.fileno(), transport, b"after all that")
    assert transport.left == b"after all that"
    assert not drain(theirs).endswith(b"after all that")


@pytest.mark.parametrize("how", WRITES)
def test_waits_behind_what_waits(pipe: tuple[socket.socket, socket.socket], how: str) -> None:
    ours, theirs = pipe
    transport = Rest()
    transport.left += b"first "
    WRITES[how](ours.fileno(), transport, b"second")
    assert transport.left == b"first second"
    assert drain(theirs) == b""


@pytest.mark.parametrize("how", WRITES)
def test_unknown_descriptor(how: str) -> None:
    transport = Rest()
    WRITES[how](-1, transport, b"x" * 200)
    assert transport.left == b"x" * 200


@pytest.mark.parametrize("how", WRITES)
def test_errors_are_the_transports(pipe: tuple[socket.socket, socket.socket], how: str) -> None:
    ours, theirs = pipe
    theirs.close()
    transport = Rest()
    WRITES[how](ours.fileno(), transport, b"nobody there")
    assert transport.left == b"nobody there"


# With uvloop: order with its own buffer, and when it closes descriptors.


class Side(asyncio.Protocol):
    """Looks at its descriptor in connection_lost."""

    def __init__(self) -> None:
        self.descriptor = -1
        self.identity: tuple[int, int] = (0, 0)
        self.open_in_lost: bool | None = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.descriptor = transport.get_extra_info("socket").fileno()
        self.identity = identity_of(self.descriptor)

    def connection_lost(self, error: Exception | None) -> None:
        try:
            self.open_in_lost = identity_of(self.descriptor) == self.identity
        except OSError:
            self.open_in_lost = False
        self.closed.set_result(None)


def identity_of(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def reset(sock: socket.socket) -> None:
    """Close with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def reset_under_writes(side: Side, peer: socket.socket) -> None:
    """The error comes to light in a write of the transport's own."""
    side.transport.write(PATTERN)
    reset(peer)
    side.transport.write(PATTERN)


def close_with_unsent(side: Side, peer: socket.socket) -> None:
    """Not all can be written until the peer reads; then it does not, and leaves."""
    side.transport.write(PATTERN * 8)
    side.transport.close()
    asyncio.get_running_loop().call_later(0.01, peer.close)


def abort_paused(side: Side, peer: socket.socket) -> None:
    side.transport.pause_reading()
    peer.close()
    side.transport.abort()


ENDS: dict[str, Callable[[Side, socket.socket], None]] = {
    "close": lambda side, peer: side.transport.close(),
    "abort": lambda side, peer: side.transport.abort(),
    "end of file": lambda side, peer: peer.close(),
    "reset": lambda side, peer: reset(peer),
    "write error": reset_under_writes,
    "close with bytes unsent": close_with_unsent,
    "end of file while reading is paused": abort_paused,
}


@contextmanager
def connection() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a TCP connection over loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
    with peer, accepted:
        yield accepted, peer


def taken(sock: socket.socket) -> socket.socket:
    """The same connection, owned by nobody but the loop from now on."""
    return socket.socket(fileno=sock.detach())


@pytest.mark.parametrize("how", ENDS)
def test_descriptor_is_open_until_connection_lost(how: str) -> None:
    """What makes it safe to write to a number: until then it cannot be anybody else's."""

    async def run() -> bool | None:
        with connection() as (accepted, peer):
            _, side = await asyncio.get_running_loop().create_connection(Side, sock=taken(accepted))
            ENDS[how](side, peer)
            assert identity_of(side.descriptor) == side.identity
            await asyncio.wait_for(side.closed, 5.0)
            return side.open_in_lost

    assert run_in_uvloop(run) is True


def run_in_uvloop(coroutine: Callable[[], Any]) -> Any:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(coroutine())


@pytest.mark.parametrize("how", WRITES)
def test_order_with_uvloop(how: str) -> None:
    """Writes past the transport and through it, with a peer that reads slowly: all arrives, in order."""

    async def run() -> bytes:
        loop = asyncio.get_running_loop()
        received = bytearray()
        with connection() as (accepted, peer):
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
            peer.setblocking(False)
            _, side = await loop.create_connection(Side, sock=taken(accepted))
            for number in range(40):
                piece = b"%03d" % number + PATTERN[: 20_000 + number]
                if number % 3:
                    WRITES[how](side.descriptor, side.transport, piece)
                else:
                    side.transport.write(piece)
                if number % 5 == 4:
                    received += await loop.sock_recv(peer, 65536)
            side.transport.close()
            while data := await loop.sock_recv(peer, 1 << 20):
                received += data
            await side.closed
        return bytes(received)

    expected = b"".join(b"%03d" % number + PATTERN[: 20_000 + number] for number in range(40))
    assert run_in_uvloop(run) == expected


def test_unread(pipe: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pipe
    assert unread(ours.fileno()) == 0
    theirs.send(b"12345")
    assert unread(ours.fileno()) == 5
    ours.recv(2)
    assert unread(ours.fileno()) == 3
    theirs.close()
    ours.recv(3)
    assert unread(ours.fileno()) == 0


@pytest.mark.parametrize("descriptor", [-1, 1 << 20])
def test_nothing_unread_where_there_is_no_descriptor(descriptor: int) -> None:
    assert unread(descriptor) == 0
