"""Servers that say who they are, and one maniple in this process before them."""

from __future__ import annotations

import re
import socket
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from maniple.tests.wire.rig.ours import LoopThread, ManipleRun

HOST = "127.0.0.1"
PATIENCE = 10.0
DEFAULTS = """
defaults
    mode http
    timeout client 10s
    timeout connect 5s
    timeout server 10s
    timeout queue 5s
"""


class Answer(NamedTuple):
    """A response: `by` is who the server says it is, "" for answers of the proxy's own."""

    status: int
    by: str
    fields: dict[str, list[str]]
    head: str

    def cookie(self, name: str) -> str | None:
        """What the response sets of a cookie, without its attributes."""
        for line in self.fields.get("set-cookie", []):
            found, _, rest = line.partition("=")
            if found == name:
                return rest.partition(";")[0]
        return None


class NamedServer:
    """Answers each request with its name. `?say=Name:+value` in the path adds a header; `/hold` waits for `release`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.requests: list[str] = []
        self.held = threading.Event()
        self.release = threading.Event()
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock, sock.makefile("rb") as lines, suppress(OSError):
            while True:
                head = ""
                for line in lines:
                    head += line.decode("latin-1")
                    if line == b"\r\n":
                        break
                else:
                    return
                self.requests.append(head)
                if head.split(" ", 2)[1].startswith("/hold"):
                    self.held.set()
                    self.release.wait(PATIENCE)
                said = "".join(f"{one.replace('+', ' ')}\r\n" for one in re.findall(r"[?&]say=([^& ]*)", head))
                sock.sendall(f"HTTP/1.1 200 OK\r\nX-By: {self.name}\r\n{said}Content-Length: 0\r\n\r\n".encode())
                if "\r\nconnection: close" in head.lower():
                    return

    def close(self) -> None:
        self.release.set()
        # Closing it alone would not wake who accepts.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def ask(port: int, path: str = "/", fields: Sequence[str] = (), method: str = "GET") -> Answer:
    """A request on a connection of its own."""
    with socket.create_connection((HOST, port), PATIENCE) as sock:
        lines = [f"{method} {path} HTTP/1.1", "Host: x.test", *fields, "Connection: close"]
        sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        raw = b""
        while piece := sock.recv(65536):
            raw += piece
    head = raw.partition(b"\r\n\r\n")[0].decode("latin-1")
    start, *rest = head.split("\r\n")
    found: dict[str, list[str]] = {}
    for line in rest:
        name, _, value = line.partition(":")
        found.setdefault(name.lower(), []).append(value.strip())
    return Answer(int(start.split(" ")[1]), found.get("x-by", [""])[0], found, head)


class Farm:
    """Servers by name, and proxies before them. `$name` in a configuration is a server's address."""

    def __init__(self, thread: LoopThread, *names: str) -> None:
        self.thread = thread
        self.servers = {name: NamedServer(name) for name in names}
        self.runs: list[ManipleRun] = []
        self._listeners: list[socket.socket] = []

    def text(self, text: str) -> str:
        for name, server in self.servers.items():
            text = text.replace(f"${name} ", f"{name} {HOST}:{server.port} ")
            text = text.replace(f"${name}\n", f"{name} {HOST}:{server.port}\n")
        return DEFAULTS + text

    def start(self, text: str) -> Proxy:
        """One more proxy, with a listener for its first frontend."""
        listener = socket.create_server((HOST, 0))
        self._listeners.append(listener)
        run = ManipleRun(self.thread, self.text(text), [listener])
        self.runs.append(run)
        return Proxy(run, listener.getsockname()[1])

    def close(self) -> None:
        for server in self.servers.values():
            server.close()
        left = [run.settle() for run in self.runs]
        for run in self.runs:
            run.stop()
        for listener in self._listeners:
            listener.close()
        assert left == [{}] * len(left), left
        complaints = self.thread.take_complaints()
        assert complaints == [], complaints


class Proxy:
    """One maniple in service."""

    def __init__(self, run: ManipleRun, port: int) -> None:
        self.run = run
        self.port = port

    def ask(self, path: str = "/", *fields: str, method: str = "GET") -> Answer:
        return ask(self.port, path, fields, method)

    def who(self, times: int = 1, *fields: str) -> Counter[str]:
        """Who has answered so many requests."""
        return Counter(self.ask("/", *fields).by for _ in range(times))

    def set(self, state: str, *servers: str) -> None:
        """`set server`: ready, drain, maint."""
        for name in servers:
            backend, _, server = name.partition("/")
            self.run.thread.call(self.run.runtime.set_server, backend, server, state)

    def down(self, *servers: str) -> None:
        self.set("maint", *servers)

    def up(self, *servers: str) -> None:
        self.set("ready", *servers)
