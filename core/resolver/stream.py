"""One question over TCP (RFC 7766): connect, send, read until the answer is there, close.

Owns: the socket and the two bytes of length before each message. Must not know: what a message says. Invariant: after
`close` nothing of it is called, and the loop has forgotten the socket.

A connection per question: it is used where an answer does not fit a datagram, and by name servers of `tcp@`.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

CHUNK = 65536


class Stream:
    """`received(packet) -> bool`: is that the answer? If not, the next message is read. `failed()`: there will be none.
    Either ends it."""

    __slots__ = ("_failed", "_loop", "_received", "_rest", "_socket", "_unsent")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        address: tuple[str, int],
        packet: bytes,
        received: Callable[[bytes], bool],
        failed: Callable[[], None],
    ) -> None:
        """OSError: it cannot be tried."""
        self._loop = loop
        self._received = received
        self._failed = failed
        self._rest = b""
        self._unsent = len(packet).to_bytes(2, "big") + packet
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._socket: socket.socket | None = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            with suppress(BlockingIOError):
                self._socket.connect(address)
        except OSError:
            self._socket.close()
            raise
        loop.add_writer(self._socket, self._write)
        loop.add_reader(self._socket, self._read)

    def _write(self) -> None:
        if self._socket is None:
            return
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            self._fail()
            return
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        if self._socket is None:
            return
        try:
            piece = self._socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._fail()
            return
        self._rest += piece
        while len(self._rest) >= 2:
            end = 2 + int.from_bytes(self._rest[:2], "big")
            if len(self._rest) < end:
                return
            packet, self._rest = self._rest[2:end], self._rest[end:]
            if self._received(packet):
                self.close()
                return

    def _fail(self) -> None:
        self.close()
        self._failed()

    def close(self) -> None:
        """Give it up. May be called twice."""
        sock = self._socket
        if sock is not None:
            self._socket = None
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
            sock.close()
