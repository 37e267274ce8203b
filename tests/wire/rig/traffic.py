"""An origin and many clients in a process of their own, for tests of what must not disturb them.

Told by lines of JSON on standard input (rig/serving.Traffic), answers with lines of JSON. Every client checks every
byte: an answer carries the number that was asked for. What went wrong is counted by kind:

  refused, unreachable   the connection could not be made
  no answer              the connection ended, or was reset, after the request had left and before its answer began
  truncated              the same in mid-answer
  status N               another answer than 200
  wrong                  an answer that is not this request's
  late                   nothing for 5 s
  closed idle            not an error: a kept connection ended while nothing was asked for

A client that keeps its connection thinks for at most half a second between two requests, so that an idle connection
must never be closed right when it asks (HTTP allows that race; a soft stop promises not to run it).
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections import Counter

import uvloop

PATIENCE = 5.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
BLOCK = b"0123456789abcdef" * 128


class Origin(asyncio.Protocol):
    """Answers GET /n with n, and some bytes after it: of known length, or in chunks that come one by one."""

    def __init__(self) -> None:
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            number = int(self.buffer[: self.buffer.index(b" HTTP/1.1")].rpartition(b"/")[2])
            self.buffer = self.buffer[end + 4 :]
            body = body_of(number)
            if number % 4:
                self.transport.write(HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            else:
                self.transport.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body[:10])
                loop = asyncio.get_running_loop()
                loop.call_later(0.02, self.transport.write, body[10:] + b"\r\n0\r\n\r\n")


def body_of(number: int) -> bytes:
    return b"%d:%b" % (number, BLOCK[: number % 1999])


class Wrong(Exception):
    """What a client met, by kind."""


class Clients:
    def __init__(self, plan: dict[str, object]) -> None:
        self.ports: list[int] = plan["ports"]  # type: ignore[assignment]
        self.think = float(plan["think"])  # type: ignore[arg-type]
        self.counts: Counter[str] = Counter()
        self.over = asyncio.Event()
        self.number = 0
        self.tasks = [asyncio.create_task(self.keep()) for _ in range(int(plan["keep"]))]  # type: ignore[call-overload]
        self.tasks += [asyncio.create_task(self.connect()) for _ in range(int(plan["connect"]))]  # type: ignore[call-overload]

    async def keep(self) -> None:
        """One connection, as long as it is kept."""
        await self.pause(self.think)
        while not self.over.is_set():
            connection = None
            try:
                connection = Connection(self)
                await connection.open()
                while not self.over.is_set() and await connection.ask(""):
                    if connection.reader.at_eof() or not await self.pause_connected(connection):
                        self.counts["closed idle"] += 1
                        break
            except Wrong as wrong:
                self.counts[str(wrong)] += 1
                await self.pause(self.think)
            finally:
                if connection is not None:
                    connection.close()

    async def connect(self) -> None:
        """One connection a request."""
        while not self.over.is_set():
            await self.pause(self.think)
            connection = Connection(self)
            try:
                await connection.open()
                await connection.ask("Connection: close\r\n")
            except Wrong as wrong:
                self.counts[str(wrong)] += 1
            finally:
                connection.close()

    async def pause(self, mean: float) -> None:
        await asyncio.sleep(min(random.expovariate(1 / mean), 0.5))

    async def pause_connected(self, connection: Connection) -> bool:
        """Whether the connection is still there after a pause."""
        waiting = asyncio.ensure_future(connection.reader.read(1))
        try:
            await asyncio.wait([waiting], timeout=min(random.expovariate(1 / self.think), 0.5))
            if not waiting.done():
                return True
            try:
                if waiting.result():
                    raise Wrong("wrong")
            except OSError:
                raise Wrong("reset while idle") from None
            return False
        finally:
            if not waiting.done():
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)

    async def end(self) -> None:
        self.over.set()
        await asyncio.gather(*self.tasks)


class Connection:
    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self.number = clients.number
        self.writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        self.clients.number += 1
        port = self.clients.ports[self.clients.number % len(self.clients.ports)]
        try:
            async with asyncio.timeout(PATIENCE):
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            raise Wrong("refused") from None
        except OSError:
            raise Wrong("unreachable") from None

    async def ask(self, line: str) -> bool:
        """Whether the connection is kept after the answer."""
        assert self.writer is not None
        self.clients.number += 1
        number = self.clients.number
        began = False
        try:
            async with asyncio.timeout(PATIENCE):
                self.writer.write(f"GET /{number} HTTP/1.1\r\nHost: any\r\n{line}\r\n".encode())
                head = await self.reader.readline()
                if not head:
                    raise Wrong("no answer")
                began = True
                head += await self.reader.readuntil(b"\r\n\r\n")
                fields = head.lower().split(b"\r\n")
                body = await self.body(fields)
        except TimeoutError:
            raise Wrong("late") from None
        except (OSError, asyncio.IncompleteReadError):
            raise Wrong("truncated" if began else "no answer") from None
        if not head.startswith(b"HTTP/1.1 200 "):
            raise Wrong(f"status {head[9:12].decode()}")
        if body != body_of(number):
            raise Wrong("wrong")
        self.clients.counts["ok"] += 1
        return b"connection: close" not in fields

    async def body(self, fields: list[bytes]) -> bytes:
        for field in fields:
            if field.startswith(b"content-length: "):
                return await self.reader.readexactly(int(field[16:]))
        body = b""
        while size := int(await self.reader.readline() or b"0", 16):
            body += await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        await self.reader.readexactly(2)
        return body

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()


def say(what: dict[str, object]) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


async def main() -> None:
    loop = asyncio.get_running_loop()
    origin = await loop.create_server(Origin, "127.0.0.1", 0, backlog=1024)
    say({"origin": origin.sockets[0].getsockname()[1]})
    clients: Clients | None = None
    while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
        told = json.loads(line)
        if "end" in told:
            assert clients is not None
            await clients.end()
            say(dict(clients.counts))
            break
        if "counts" in told:
            assert clients is not None
            say(dict(clients.counts))
        elif clients is None:
            clients = Clients(told)
            say({"begun": True})
        else:
            clients.ports = told["ports"]
            say({"used": True})


if __name__ == "__main__":
    uvloop.run(main())
