"""Load by a process of our own: idle keep-alive client connections, which wrk cannot hold.

Run as `python -m maniple.perf.load PORT COUNT PATH`. Opens COUNT connections, sends one request on each and reads the
whole answer, prints `ready COUNT`, and holds them. When its standard input ends it looks how many the proxy closed
meanwhile, prints `closed N`, and ends. Knows nothing of the target. Costs nothing while it holds: it sleeps in one
read.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time
from pathlib import Path

from .processes import Child, ProcessFault, module_command, raise_descriptor_limit

AT_ONCE = 64
"""Connections being opened at a time: below any sensible listen backlog."""
SECONDS = 60.0


class IdleClients:
    """The same seen from the bench: `with IdleClients(...)` the connections are open; `released` ends them."""

    __slots__ = ("_child",)

    def __init__(self, folder: Path, port: int, count: int, path: str, cpus: frozenset[int] | None) -> None:
        command = module_command("load", str(port), str(count), path)
        self._child = Child("idle-clients", command, folder, cpus=cpus, piped=True)

    def __enter__(self) -> IdleClients:
        return self

    def __exit__(self, *exception: object) -> None:
        self._child.end()

    def wait_ready(self) -> int:
        """Connections held, once all have been answered; ProcessFault when that fails."""
        return self._number("ready")

    def released(self) -> int:
        """End them; how many had been closed by the proxy before."""
        self._child.stdin.close()
        return self._number("closed")

    def _number(self, word: str) -> int:
        line = self._child.stdout.readline().decode().split()
        if len(line) != 2 or line[0] != word:
            self._child.wait(5)
            raise ProcessFault(f"idle connections: {self._child.last_words()}")
        return int(line[1])


def open_connections(port: int, count: int, path: str) -> list[socket.socket]:
    """Open and use each connection once; all are non-blocking and idle afterwards. Raises OSError or TimeoutError."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    opened: list[socket.socket] = []
    deadline = time.monotonic() + SECONDS
    with selectors.DefaultSelector() as selector:
        waiting = 0
        while waiting or len(opened) < count:
            while waiting < AT_ONCE and len(opened) < count:
                connection = socket.create_connection(("127.0.0.1", port), 10)
                connection.sendall(request)
                connection.setblocking(False)
                selector.register(connection, selectors.EVENT_READ, bytearray())
                opened.append(connection)
                waiting += 1
            if time.monotonic() > deadline:
                raise TimeoutError(f"{waiting} of {len(opened)} connections not answered within {SECONDS:g} s")
            for key, _ in selector.select(1.0):
                connection = key.fileobj  # type: ignore[assignment]
                piece = connection.recv(65536)
                if not piece:
                    raise ConnectionError("closed before its answer was complete")
                key.data.extend(piece)
                if complete(key.data):
                    selector.unregister(connection)
                    waiting -= 1
    return opened


def complete(answer: bytes | bytearray) -> bool:
    """A whole answer with status 200 and a Content-Length has come; ConnectionError for another status."""
    head, blank, body = bytes(answer).partition(b"\r\n\r\n")
    if not blank:
        return False
    if head.split(b" ", 2)[1] != b"200":
        raise ConnectionError(f"answered with {head.splitlines()[0].decode(errors='replace')}")
    for line in head.splitlines()[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(body) >= int(value)
    raise ConnectionError("an answer without Content-Length")


def count_closed(connections: list[socket.socket]) -> int:
    """How many of them the other side has closed or reset."""
    closed = 0
    for connection in connections:
        try:
            closed += not connection.recv(1)
        except BlockingIOError:
            continue
        except OSError:
            closed += 1
    return closed


def main(arguments: list[str]) -> int:
    port, count, path = int(arguments[0]), int(arguments[1]), arguments[2]
    raise_descriptor_limit(count + 100)
    try:
        connections = open_connections(port, count, path)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    print("ready", len(connections), flush=True)
    sys.stdin.buffer.read()
    print("closed", count_closed(connections), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
