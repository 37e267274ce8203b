"""Listening sockets to and from HAProxy: the same sockets, and no client that is refused while they change hands."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from maniple.core.config.model import Address, BindSpec, Configuration, Place, ProxySpec
from maniple.groups.inheritance import ask_for_sockets, send_sockets
from maniple.groups.listening import Listening, open_listeners
from maniple.groups.placement import GroupPlace, Placement
from maniple.tests.groups.listening_rig import HOST, free_port

ORACLES = {
    "2.6": shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin"),
    "3.0": os.environ.get("HAPROXY3") or str(Path.home() / ".cache/haproxy3/haproxy"),
}
PLACEMENT = Placement((GroupPlace(1, 1, 1, ()), GroupPlace(2, 1, 2, ())))
PATIENCE = 10.0


@pytest.fixture(params=sorted(ORACLES))
def oracle(request: pytest.FixtureRequest) -> str:
    path = ORACLES[request.param]
    if path is None or not os.access(path, os.X_OK):
        if os.environ.get("CI"):
            pytest.fail(f"haproxy {request.param} is missing")
        pytest.skip(f"haproxy {request.param} is not installed")
    return path


class Addresses:
    """An address of each kind, as HAProxy and we write it."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port(2)
        self.folder = folder
        self.abstract = f"maniple-against-{os.getpid()}-{self.port}"

    def configuration(self, shards: str = "") -> str:
        return f"""
global
    stats socket {self.folder}/stats expose-fd listeners level admin
    nbthread 3
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend web
    bind {HOST}:{self.port} {shards}
    bind {HOST}:{self.port + 1} interface lo
    bind ipv6@::1:{self.port} v6only
    bind {self.folder}/web.sock
    bind abns@{self.abstract}
    monitor-uri /
"""

    def binds(self, shards: str | None) -> tuple[BindSpec, ...]:
        def line(*addresses: Address, interface: str | None = None, v6only: bool = False) -> BindSpec:
            return BindSpec(Place("f", 1), "text", addresses, interface=interface, v6only=v6only, shards=shards)

        port = self.port
        return (
            line(Address("inet", HOST, port, port)),
            line(Address("inet", HOST, port + 1, port + 1), interface="lo"),
            line(Address("inet6", "::1", port, port), v6only=True),
            line(Address("unix", f"{self.folder}/web.sock")),
            line(Address("abns", self.abstract)),
        )

    def targets(self) -> list[tuple[int, object]]:
        return [
            (socket.AF_INET, (HOST, self.port)),
            (socket.AF_INET, (HOST, self.port + 1)),
            (socket.AF_INET6, ("::1", self.port)),
            (socket.AF_UNIX, f"{self.folder}/web.sock"),
            (socket.AF_UNIX, b"\0" + self.abstract.encode().ljust(107, b"\0")),
        ]

    def open(self, activated: list[socket.socket] | None = None, shards: str | None = None) -> Listening:
        proxy = ProxySpec(Place("f", 1), "web", "frontend", binds=self.binds(shards))
        listening, errors = open_listeners(
            Configuration(proxies=(proxy,)), PLACEMENT, None, activated or [], itertools.count(1)
        )
        errors = errors or listening.start()
        assert [error.message for error in errors] == []
        return listening


@pytest.fixture
def addresses(tmp_path: Path) -> Addresses:
    if os.getuid() != 0:
        pytest.skip("`interface` needs root")
    return Addresses(tmp_path)


@pytest.fixture
def start(oracle: str, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def run(configuration: str, *flags: str) -> subprocess.Popen[bytes]:
        file = tmp_path / f"{len(started)}.cfg"
        file.write_text(configuration)
        log = (tmp_path / f"{len(started)}.log").open("wb")
        with log:
            started.append(subprocess.Popen([oracle, "-db", *flags, "-f", str(file)], stdout=log, stderr=log))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait(PATIENCE)


def sockets_of(pid: int) -> set[int]:
    """Numbers of the sockets that a process holds."""
    found = set()
    for entry in os.scandir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(entry.path)
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            found.add(int(target[8:-1]))
    return found


def ask(family: int, target: object) -> bytes:
    """The first bytes of the answer to a request; raises OSError where there is none."""
    with socket.socket(family) as client:
        client.settimeout(PATIENCE)
        client.connect(target)  # type: ignore[arg-type]
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return client.recv(12)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Clients:
    """Ask all addresses over and over, one after the other, and note what goes wrong."""

    def __init__(self, targets: list[tuple[int, object]]) -> None:
        self.failures: list[str] = []
        self.answers = 0
        self._targets = targets
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(4)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        for family, target in itertools.cycle(self._targets):
            if self._ended.is_set():
                return
            try:
                answer = ask(family, target)
            except OSError as error:
                self.failures.append(f"{target!r}: {error!r}")
                return
            if not answer.endswith(b" 200"):
                self.failures.append(f"{target!r}: {answer!r}")
            self.answers += 1

    def more(self, count: int) -> None:
        """Waits for so many answers more."""
        wanted = self.answers + count
        wait_for(lambda: self.answers >= wanted or bool(self.failures))

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(PATIENCE)


class Acceptor:
    """Answers on listening sockets, in a thread for each."""

    def __init__(self, listening: Listening) -> None:
        self.accepted = {listener.number: 0 for listener in listening.listeners}
        self._ended = False
        self._threads = []
        for listener in listening.listeners:
            thread = threading.Thread(target=self._run, args=(listener.number, listener.sock), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self, number: int, sock: socket.socket) -> None:
        # Polls: a thread that waits in `accept` cannot be ended.
        while not self._ended:
            try:
                client, _ = sock.accept()
            except BlockingIOError:
                time.sleep(0.002)
                continue
            with client:
                client.settimeout(PATIENCE)
                client.recv(1000)
                client.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
            self.accepted[number] += 1

    def end(self) -> None:
        self._ended = True
        for thread in self._threads:
            thread.join(PATIENCE)


@pytest.mark.parametrize("shards", ["", "shards 3"])
def test_from_haproxy(start: Callable[..., subprocess.Popen[bytes]], addresses: Addresses, shards: str) -> None:
    """With three sockets for our two threads too."""
    process = start(addresses.configuration(shards))
    stats = addresses.folder / "stats"
    wait_for(lambda: all_answer(addresses))
    clients = Clients(addresses.targets())
    try:
        theirs = sockets_of(process.pid)
        listening = addresses.open(ask_for_sockets(str(stats)))
        inodes = [os.fstat(listener.sock.fileno()).st_ino for listener in listening.listeners]
        assert len(theirs.intersection(inodes)) == (7 if shards else 5)
        # HAProxy's own stats socket was given too, and serves none of our addresses.
        kinds = [listener.address.kind for listener in listening.listeners]
        assert kinds == ["inet"] * (3 if shards else 2) + ["inet"] * 2 + ["inet6"] * 2 + ["unix", "abns"]
        acceptor = Acceptor(listening)
        clients.more(50)
        process.send_signal(signal.SIGUSR1)
        process.wait(PATIENCE)
        clients.more(50)
    finally:
        clients.end()
    acceptor.end()
    listening.close()
    assert clients.failures == []
    for family in ("inet", "inet6", "unix", "abns"):
        assert sum(acceptor.accepted[one.number] for one in listening.listeners if one.address.kind == family) > 0


def all_answer(addresses: Addresses) -> bool:
    try:
        return all(ask(*target) for target in addresses.targets())
    except OSError:
        return False


def test_to_haproxy(start: Callable[..., subprocess.Popen[bytes]], addresses: Addresses) -> None:
    """HAProxy takes as many sockets of an address as it wants itself, so we have one of each here: what waits in others
    is reset when we end."""
    listening = addresses.open(shards="1")
    acceptor = Acceptor(listening)
    clients = Clients(addresses.targets())
    path = addresses.folder / "ours"
    sent: list[bool] = []
    try:
        with socket.socket(socket.AF_UNIX) as stats:
            stats.bind(str(path))
            stats.listen()
            stats.settimeout(PATIENCE)
            process = start(addresses.configuration(), "-x", str(path))
            connection, _ = stats.accept()
            with connection:
                assert connection.recv(100) == b"_getsocks\n"
                sent.append(send_sockets(connection, listening.listeners))
        wait_for(lambda: (addresses.folder / "stats").exists())
        inodes = {os.fstat(listener.sock.fileno()).st_ino for listener in listening.listeners}
        assert sockets_of(process.pid) >= inodes
        clients.more(20)
    finally:
        acceptor.end()
    listening.close()
    clients.more(20)
    clients.end()
    assert sent == [True]
    assert clients.failures == []
    assert all_answer(addresses)
