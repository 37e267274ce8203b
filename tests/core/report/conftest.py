"""Exchanges made of facts, and HAProxy as the oracle of log lines."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from maniple.core.config.model import LogSpec, Place
from maniple.core.session import NOT_REACHED, Exchange, Session

SESSION_FACTS: dict[str, Any] = {
    "accept_at": 5000.0,
    "accept_date": 1234567890.25,
    "client_host": "192.0.2.7",
    "client_port": 40000,
    "frontend_host": "192.0.2.1",
    "frontend_port": 80,
    "frontend_name": "web",
    "listener_name": "1",
    "tls": False,
}

EXCHANGE_FACTS: dict[str, Any] = {
    "number": 0,
    "unique_id": b"",
    "request_cookie": "",
    "response_cookie": "",
    "request_number": 0,
    "method": b"GET",
    "target": b"/a?b=c",
    "version": b"HTTP/1.1",
    "request_line": b"GET /a?b=c HTTP/1.1",
    "backend_name": "back",
    "server_name": "s1",
    "source_host": "192.0.2.1",
    "source_port": 50000,
    "server_host": "192.0.2.9",
    "server_port": 8080,
    "retries": 0,
    "redispatched": False,
    "status": 200,
    "termination": b"--",
    "cookie_state": b"--",
    "bytes_to_client": 5000,
    "bytes_from_client": 70,
    "idle_since": 5000.0,
    "first_byte_at": 5010.0,
    "first_byte_date": 1234567890.26,
    "head_at": 5011.0,
    "slot_at": 5013.0,
    "connect_at": 5016.0,
    "response_at": 5020.0,
    "end_at": 5025.0,
    "process_connections": 9,
    "frontend_connections": 8,
    "backend_connections": 7,
    "server_connections": 6,
    "server_queue": 5,
    "backend_queue": 4,
}


@pytest.fixture(scope="session")
def make_exchange() -> Callable[..., Exchange]:
    """An ordinary exchange; keyword arguments replace facts of it and of its session."""

    def make(**facts: Any) -> Exchange:
        session, exchange = Session(), Exchange()
        session.number = 1
        exchange.session = session
        exchange.request_captures = facts.pop("request_captures", [])
        exchange.response_captures = facts.pop("response_captures", [])
        for target, known in ((session, SESSION_FACTS), (exchange, EXCHANGE_FACTS)):
            for name, value in known.items():
                setattr(target, name, facts.pop(name, value))
        assert not facts, f"no such facts: {facts}"
        return exchange

    return make


@pytest.fixture(scope="session")
def log_spec() -> Callable[..., LogSpec]:
    def make(target: str, address: str = "", **words: Any) -> LogSpec:
        return LogSpec(Place("test.cfg", 3, 5), target, address, **words)

    return make


@pytest.fixture(scope="session")
def moments() -> Callable[..., dict[str, float]]:
    """The moments that have the given timers (milliseconds, -1 where a phase was not reached), as facts of an exchange.
    For tcp there is no first byte and no head."""

    def make(mode: str, timers: dict[str, int], total: int, accept_date: float) -> dict[str, float]:
        at = 1000.0 + timers["Th"]
        facts = {"accept_at": 1000.0, "idle_since": at, "accept_date": accept_date}
        facts["first_byte_at"] = facts["head_at"] = NOT_REACHED
        facts["first_byte_date"] = 0.0
        facts["response_at"] = NOT_REACHED
        steps = [("slot_at", "Tw"), ("connect_at", "Tc")]
        if mode == "http":
            steps = [("first_byte_at", "Ti"), ("head_at", "TR"), *steps, ("response_at", "Tr")]
        for moment, timer in steps:
            reached = timers[timer] >= 0
            at += timers[timer] if reached else 0
            facts[moment] = at if reached else NOT_REACHED
        if facts["first_byte_at"] >= 0:
            facts["first_byte_date"] = accept_date + (facts["first_byte_at"] - 1000.0) / 1000
        facts["end_at"] = 1000.0 + total
        return facts

    return make


class Oracle:
    """A running HAProxy whose sockets we made, an origin server, and the UDP socket for its log."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.log = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.log.bind(("127.0.0.1", 0))
        self.log.settimeout(5)
        self.log_port: int = self.log.getsockname()[1]
        self._origin = socket.create_server(("127.0.0.1", 0))
        self.origin_port: int = self._origin.getsockname()[1]
        self.listeners: dict[str, socket.socket] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        self.delay = 0.0
        threading.Thread(target=self._serve, daemon=True).start()

    def listener(self, name: str) -> str:
        """The address of a bind line: a socket that the kernel chose the port for."""
        made = self.listeners[name] = socket.create_server(("127.0.0.1", 0))
        os.set_inheritable(made.fileno(), True)
        return f"fd@{made.fileno()}"

    def start(self, text: str, program: str, stdout: Any = subprocess.DEVNULL) -> None:
        path = self._folder / "oracle.cfg"
        path.write_text(text)
        descriptors = [made.fileno() for made in self.listeners.values()]
        complaints = self._folder / "oracle.err"
        with complaints.open("wb") as stderr:
            self.process = subprocess.Popen(
                [program, "-db", "-f", str(path)], pass_fds=descriptors, stdout=stdout, stderr=stderr
            )
        if self.process.poll() is not None:
            raise RuntimeError(complaints.read_text())

    def connect(self, name: str) -> socket.socket:
        made = socket.create_connection(self.listeners[name].getsockname(), timeout=5)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def ask(self, name: str, *pieces: bytes, gap: float = 0.0) -> bytes:
        """Send the pieces, read what comes until the end of file; the reply."""
        with self.connect(name) as connection:
            for number, piece in enumerate(pieces):
                if number and gap:
                    time.sleep(gap)
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
            reply = b""
            while block := connection.recv(65536):
                reply += block
            return reply

    def line(self) -> bytes:
        """The next datagram of the log."""
        return self.log.recv(65536)

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._origin.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            received = b""
            while block := connection.recv(65536):
                received += block
                while b"\r\n\r\n" in received:
                    _head, _end, received = received.partition(b"\r\n\r\n")
                    if self.delay:
                        time.sleep(self.delay)
                    connection.sendall(self.answer)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self._origin.shutdown(socket.SHUT_RDWR)
        for made in (self._origin, self.log, *self.listeners.values()):
            made.close()


@pytest.fixture(scope="session")
def haproxy_program() -> str:
    """The program, or a skip with the reason; on CI its absence is a failure."""
    program = shutil.which("haproxy")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("haproxy is not installed (Debian: apt-get install haproxy)")
        pytest.skip("haproxy is not installed (Debian: apt-get install haproxy)")
    return program


@pytest.fixture(scope="module")
def oracle(haproxy_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    made = Oracle(tmp_path_factory.mktemp("oracle"))
    yield made
    made.stop()


@pytest.fixture
def fresh_oracle(haproxy_program: str, tmp_path: Path) -> Iterator[Oracle]:
    made = Oracle(tmp_path)
    yield made
    made.stop()
