"""A running fake proxy (fake_proxy.py) as tests see it: its streams, its control socket, its clients."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

FAKE_PROXY = Path(__file__).with_name("fake_proxy.py")
PATIENCE = 10.0
"""Seconds until a condition that never comes fails a test."""


def until(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Waits for it; returns what it returned."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.005)
    raise AssertionError(f"waited {patience} s in vain: {what}")


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie that nobody reaps yet does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Nursery:
    """The process that forks fake proxies (fake_proxy.serve)."""

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._requests.settimeout(30)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, str(FAKE_PROXY), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def ask(self, request: dict[str, Any], descriptors: Sequence[int] = ()) -> Any:
        socket.send_fds(self._requests, [json.dumps(request).encode()], descriptors)
        return json.loads(self._requests.recv(1000))

    def close(self) -> None:
        self._requests.close()
        self._process.wait(PATIENCE)


class Process:
    """One that the nursery forked."""

    def __init__(self, nursery: Nursery, path: Path, errors: Path, fds: Sequence[int]) -> None:
        self._nursery = nursery
        self._code: int | None = None
        self.output, writer = os.pipe()
        with errors.open("wb") as stream:
            self.pid: int = nursery.ask({"path": str(path), "fds": fds}, [writer, stream.fileno(), *fds])
        os.close(writer)

    def poll(self) -> int | None:
        if self._code is None:
            self._code = self._nursery.ask({"pid": self.pid})
        return self._code

    def wait(self) -> int:
        until(lambda: self.poll() is not None, "the end of the process")
        assert self._code is not None
        return self._code


class Proxy:
    """A running fake proxy. `wanted` is its configuration (fake_proxy)."""

    def __init__(self, process: Process, wanted: dict[str, Any], path: Path, errors: Path) -> None:
        self.process = process
        self.wanted = wanted
        self.errors = errors
        self.addresses: list[str] = []
        self.reports: list[list[Any]] = []
        self._path = path
        self._unread = b""
        self._connections: list[socket.socket] = []

    def read_line(self, patience: float = PATIENCE) -> dict[str, Any] | None:
        """The next JSON line of stdout; None at its end."""
        deadline = time.monotonic() + patience
        while b"\n" not in self._unread:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.process.output], [], [], max(0, left))
            assert ready, f"no line on stdout in time; stderr: {self.stderr}"
            received = os.read(self.process.output, 65536)
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

    # The control socket.

    def say(self, command: str) -> socket.socket:
        """Sends a command, whose answer `answer` waits for."""
        sock = socket.socket(socket.AF_UNIX)
        self._connections.append(sock)
        sock.settimeout(PATIENCE)
        sock.connect(self.wanted["options"]["control"][0])
        sock.sendall(f"result {command}\n".encode())
        return sock

    @staticmethod
    def answer(sock: socket.socket) -> tuple[bool, str]:
        received = b""
        while more := sock.recv(65536):
            received += more
        sock.close()
        head, _, text = received.decode().partition("\n--\n")
        return head == "Success=1", text.strip("\n")

    def ask(self, command: str) -> tuple[bool, str]:
        """Whether it was done, and the answer's text."""
        return self.answer(self.say(command))

    def status(self) -> dict[str, Any]:
        ok, text = self.ask("show status json")
        assert ok
        status: dict[str, Any] = json.loads(text)
        return status

    def pids(self) -> dict[int, int]:
        """Process ids of the groups in service, by their numbers; 0 for one that is dead."""
        return {group["number"]: group["pid"] for group in self.status()["groups"]}

    def wait_groups(self, count: int) -> dict[int, int]:
        """Waits until so many groups are in service, all of them ready, and nobody drains."""

        def there() -> bool:
            status = self.status()
            states = [group["state"] for group in status["groups"]]
            return states == ["ready"] * count and not status["draining"]

        until(there, f"{count} groups")
        return self.pids()

    def wait_in_service(self, count: int) -> dict[int, int]:
        """The same, whoever drains."""

        def there() -> bool:
            return [group["state"] for group in self.status()["groups"]] == ["ready"] * count

        until(there, f"{count} groups")
        return self.pids()

    def change(self, **wanted: Any) -> None:
        """Writes another configuration, for the next reload; None removes a part."""
        self.wanted = {key: value for key, value in (self.wanted | wanted).items() if value is not None}
        self._path.write_text(json.dumps(self.wanted))

    def reload(self, **wanted: Any) -> tuple[bool, str]:
        self.change(**wanted)
        return self.ask("reload")

    # Clients.

    def target(self, index: int = 0) -> Any:
        address = self.addresses[index]
        if address.startswith("abns@"):
            return b"\0" + address[5:].encode().ljust(107, b"\0")
        if address.startswith("/"):
            return address
        host, _, port = address.rpartition(":")
        return host, int(port)

    def call(self, index: int = 0) -> socket.socket:
        """A connection of which the kernel knows; who accepts it greets it."""
        target = self.target(index)
        sock = socket.socket(socket.AF_INET if isinstance(target, tuple) else socket.AF_UNIX)
        self._connections.append(sock)
        sock.settimeout(PATIENCE)
        sock.connect(target)
        return sock

    def connect(self, index: int = 0) -> tuple[socket.socket, str, int]:
        """A connection that was accepted and greeted: (socket, "group/thread", pid)."""
        sock = self.call(index)
        place, pid = greeting(sock)
        return sock, place, pid

    def connect_to(self, group: str) -> socket.socket:
        """A connection to that "group/thread"."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            sock, place, _ = self.connect()
            if place == group:
                return sock
            sock.close()
        raise AssertionError(f"no connection came to {group} in {PATIENCE} s")

    def refuses(self, index: int = 0) -> bool:
        """Whether a client that comes now is refused (a client of a door that just closes waits a second for that)."""
        try:
            self.call(index).close()
        except (ConnectionError, FileNotFoundError):
            return True
        return False

    def close(self) -> None:
        """Kills it if it lives, and closes all that a test had of it."""
        for sock in self._connections:
            sock.close()
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.process.wait()
        os.close(self.process.output)

    def signal(self, number: int) -> None:
        assert self.process.poll() is None
        os.kill(self.pid, number)

    def wait(self) -> int:
        return self.process.wait()


def greeting(sock: socket.socket) -> tuple[str, int]:
    """ "group/thread" and process id of whoever accepted."""
    place, pid = sock.recv(100).decode().split()
    return place, int(pid)


def echoed(sock: socket.socket, text: bytes = b"still here") -> bool:
    """Whether the connection lives."""
    try:
        sock.sendall(text)
        return sock.recv(1000) == text
    except ConnectionError:
        return False


def tell(sock: socket.socket) -> dict[str, Any]:
    """What the runtime at the other end knows (fake_proxy)."""
    sock.sendall(b"tell\n")
    told: dict[str, Any] = json.loads(sock.recv(65536))
    return told
