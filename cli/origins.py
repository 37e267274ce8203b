"""The small servers that the demo stands maniple in front of.

Owns: what they answer, and how they tell of each request that arrives. Must not know: maniple. Each is a process; its
port is the kernel's choice.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket

from .children import ChildProcess

_MAX_HEAD = 16384


class Origin:
    """A running server. It tells of each request with a line `name<TAB>connection number<TAB>GET /target` in `reports`,
    a pipe; a report that does not fit is dropped, for nobody may be delayed by it."""

    def __init__(self, name: str, reports: int) -> None:
        self.name = name
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            self.port: int = listener.getsockname()[1]
            self.process = ChildProcess(lambda: _serve(name, listener, reports))

    def end(self) -> None:
        self.process.end()


def _serve(name: str, listener: socket.socket, reports: int) -> int:
    """The child's life."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(null, descriptor)
    os.set_blocking(reports, False)
    numbers = iter(range(1, 1 << 62))

    async def forever() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(name, next(numbers), reports), sock=listener)
        await server.serve_forever()

    asyncio.run(forever())
    return 0


class Connection(asyncio.Protocol):
    """One client: requests without body, one after the other, each answered with who answered."""

    def __init__(self, name: str, number: int, reports: int) -> None:
        self._name = name
        self._number = number
        self._reports = reports
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._buffer += data
        while True:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                break
            self._buffer = rest
            self._transport.write(self._answer(head))
        if len(self._buffer) > _MAX_HEAD:
            self._transport.abort()

    def _answer(self, head: bytes) -> bytes:
        line = head.partition(b"\r\n")[0].decode("latin-1")
        what = " ".join(line.split()[:2])
        # The pipe may be full, or nobody read it any more.
        with contextlib.suppress(OSError):
            os.write(self._reports, f"{self._name}\t{self._number}\t{what}\n".encode("latin-1"))
        body = f"{what} answered by server {self._name}\n".encode("latin-1")
        length = len(body)
        if line.startswith("HEAD "):
            body = b""
        return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b" % (length, body)
