"""The floor: a process that copies bytes between two sockets with uvloop and looks at none of them.

Run as `python -m maniple.perf.pump LISTEN_PORT SERVER_PORT [PROCESSES]`. Each client connection gets a server
connection of its own. What a request costs here is what the event loop and the kernel ask of any proxy built on them;
the rest of a proxy's time is its own. Several processes have a listening socket each (SO_REUSEPORT), and a CPU in turn.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import cast

import uvloop


class Side(asyncio.Protocol):
    """One socket of a pair; `other` is the one that its bytes go to, None until the server has been reached."""

    __slots__ = ("other", "transport")

    def __init__(self, other: Side | None = None) -> None:
        self.other = other
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from it

    def data_received(self, data: bytes) -> None:
        self.other.transport.write(data)  # type: ignore[union-attr]

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, exception: Exception | None) -> None:
        if self.other is not None:
            self.other.transport.close()


class ClientSide(Side):
    """The accepted socket. What comes before its server connection is there waits in `early`: uvloop starts to read
    after connection_made, so that pausing there would be undone."""

    __slots__ = ("dial", "early", "server_port")

    def __init__(self, server_port: int) -> None:
        super().__init__()
        self.server_port = server_port
        self.early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.dial = asyncio.ensure_future(self._dial())

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self.early.append(data)
        else:
            self.other.transport.write(data)

    async def _dial(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, other = await loop.create_connection(lambda: Side(self), "127.0.0.1", self.server_port)
        except OSError:
            self.transport.close()
            return
        self.other = other
        if self.transport.is_closing():
            other.transport.close()
        elif self.early:
            other.transport.write(b"".join(self.early))
            self.early.clear()


async def serve(listen_port: int, server_port: int, several: bool = False) -> None:
    loop = asyncio.get_running_loop()
    end = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, end.set)
    server = await loop.create_server(
        lambda: ClientSide(server_port), "127.0.0.1", listen_port, backlog=4096, reuse_port=several or None
    )
    await end.wait()
    server.close()


def serve_with(processes: int, listen_port: int, server_port: int) -> None:
    """Forks all but one, which is this."""
    cpus = sorted(os.sched_getaffinity(0))
    children: list[int] = []
    for number in range(1, processes):
        child = os.fork()
        if child == 0:
            children.clear()
            os.sched_setaffinity(0, {cpus[number % len(cpus)]})
            break
        children.append(child)
    else:
        if processes > 1:
            os.sched_setaffinity(0, {cpus[0]})
    uvloop.run(serve(listen_port, server_port, several=processes > 1))
    for child in children:
        os.kill(child, signal.SIGTERM)


if __name__ == "__main__":
    serve_with(int(sys.argv[3]) if len(sys.argv) > 3 else 1, int(sys.argv[1]), int(sys.argv[2]))
