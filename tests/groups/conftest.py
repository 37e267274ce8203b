from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

FAKE_PROXY = Path(__file__).with_name("fake_proxy.py")
PATIENCE = 10.0
"""Seconds until a condition that never comes fails a test."""


class Proxy:
    """A running fake proxy."""

    def __init__(self, process: subprocess.Popen[bytes], errors: Path) -> None:
        self.process = process
        self.errors = errors
        self.addresses: list[str] = []
        self.reports: list[list[Any]] = []
        self._unread = b""
        self._connections: list[socket.socket] = []

    def read_line(self, patience: float = PATIENCE) -> dict[str, Any] | None:
        """The next JSON line of stdout; None at its end."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + patience
        while b"\n" not in self._unread:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, left))
            assert ready, f"no line on stdout in time; stderr: {self.stderr}"
            received = os.read(self.process.stdout.fileno(), 65536)
            if not received:
                return None
            self._unread += received
        line, _, self._unread = self._unread.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        if "report" in message:
            self.reports.append(message["report"])
        return message

    def wait_ready(self) -> None:
        while not self.addresses:
            message = self.read_line()
            assert message is not None, f"ended before it was ready: {self.stderr}"
            self.addresses = message.get("ready", [])

    def wait_end_of_output(self, patience: float = PATIENCE) -> None:
        """Nobody holds its stdout any more."""
        while self.read_line(patience) is not None:
            pass

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def stderr(self) -> str:
        return self.errors.read_text()

    def groups(self) -> list[int]:
        """Process ids of the children, in the order of their start."""
        text = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(word) for word in text.split()]

    def connect(self, index: int = 0) -> tuple[socket.socket, str, int]:
        """A connection that was accepted and greeted: (socket, "group/thread", pid)."""
        address = self.addresses[index]
        target: Any = address
        if address.startswith("abns@"):
            target = b"\0" + address[5:].encode().ljust(107, b"\0")
        elif not address.startswith("/"):
            host, _, port = address.rpartition(":")
            target = (host, int(port))
        sock = socket.socket(socket.AF_INET if isinstance(target, tuple) else socket.AF_UNIX)
        self._connections.append(sock)
        sock.settimeout(PATIENCE)
        sock.connect(target)
        place, pid = sock.recv(100).decode().split()
        return sock, place, int(pid)

    def connect_to(self, group: str) -> socket.socket:
        """A connection to that "group/thread"."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            sock, place, _ = self.connect()
            if place == group:
                return sock
            sock.close()
        raise AssertionError(f"no connection came to {group} in {PATIENCE} s")

    def close(self) -> None:
        """Kills it if it lives, and closes all that a test had of it."""
        for sock in self._connections:
            sock.close()
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.process.wait(PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        return self.process.wait(PATIENCE)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Compiles the package once for all proxies, wherever Python is told to keep no byte code."""
    environment = dict(os.environ, PYTHONPYCACHEPREFIX=str(tmp_path_factory.mktemp("bytecode")))
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


@pytest.fixture
def start_proxy(tmp_path: Path, environment: dict[str, str]) -> Iterator[Callable[..., Proxy]]:
    """Starts fake proxies; nothing of them is left after the test."""
    started: list[Proxy] = []

    def start(*, ready: bool = True, **wanted: Any) -> Proxy:
        wanted.setdefault("binds", [["inet", "127.0.0.1", 0]])
        errors = tmp_path / f"stderr-{len(started)}"
        with errors.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, str(FAKE_PROXY), json.dumps(wanted)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stream,
                env=environment,
                pass_fds=wanted.get("pass_fds", ()),
            )
        proxy = Proxy(process, errors)
        started.append(proxy)
        if ready:
            proxy.wait_ready()
        return proxy

    yield start
    for proxy in started:
        proxy.close()
