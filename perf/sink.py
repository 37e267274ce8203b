"""Syslog sink: a UDP socket in a process of its own that counts the lines it is sent.

Run as `python -m maniple.perf.sink`: prints `port N`, counts until its standard input ends, prints `lines N` and
ends. What the kernel dropped because the sink was slow is not counted, so the figure is a lower bound of what the
target sent.
"""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path

from .processes import Child, ProcessFault, module_command

SO_RCVBUFFORCE = 33
ROOM = 64 * 1024 * 1024
"""Bytes of receive buffer asked for; the kernel gives less to anyone but root."""


class Sink:
    """The same seen from the bench."""

    __slots__ = ("_child", "port")

    def __init__(self, folder: Path, cpus: frozenset[int] | None) -> None:
        self._child = Child("sink", module_command("sink"), folder, cpus=cpus, piped=True)
        try:
            self.port = self._number("port")
        except BaseException:
            self._child.end()
            raise

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *exception: object) -> None:
        self._child.end()

    def count(self) -> int:
        """Lines so far, by asking on standard input."""
        self._child.stdin.write(b"?\n")
        self._child.stdin.flush()
        return self._number("lines")

    def _number(self, word: str) -> int:
        line = self._child.stdout.readline().decode().split()
        if len(line) != 2 or line[0] != word:
            raise ProcessFault(f"syslog sink: {self._child.last_words()}")
        return int(line[1])


class Counter:
    """Receives on a thread; `lines` has one writer."""

    __slots__ = ("lines", "socket")

    def __init__(self) -> None:
        self.lines = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
        except PermissionError:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
        self.socket.bind(("127.0.0.1", 0))

    def receive(self) -> None:
        buffer = bytearray(65536)
        receive = self.socket.recv_into
        while True:
            receive(buffer)
            self.lines += 1


def main() -> int:
    counter = Counter()
    print("port", counter.socket.getsockname()[1], flush=True)
    threading.Thread(target=counter.receive, daemon=True).start()
    for _ in sys.stdin.buffer:
        print("lines", counter.lines, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
