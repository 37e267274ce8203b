"""What maniple makes of every request of the corpus, and what HAProxy 3.0 makes of it.

HAProxy runs on a port that the kernel chose, before a server that records the heads that reach it. Differences that are
meant are in tests/http_cases/differences.txt, each with its reason; any other is a failure, and so is one that is gone.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from maniple.core.http.head import HeadReader, Limits

LIMITS = Limits()
DIFFERENCES = Path(__file__).resolve().parents[2] / "http_cases" / "differences.txt"
DEADLINE = 5.0
CONFIGURATION = """
global
    tune.h2.max-concurrent-streams 1
defaults
    mode http
    timeout client 500ms
    timeout server 500ms
    timeout connect 5s
    http-reuse never
frontend f
    bind fd@{descriptor}
    option disable-h2-upgrade
    default_backend b
backend b
    server s 127.0.0.1:{port}
"""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def differences() -> dict[str, tuple[str, str]]:
    """Case -> (what HAProxy does, our reason)."""
    found = {}
    for line in DIFFERENCES.read_text().splitlines():
        if line and not line.startswith("#"):
            name, theirs, reason = line.split(None, 2)
            found[name] = (theirs, reason)
    return found


class RecordingServer:
    """Answers each request with 200 and remembers its head. The body is waited for, so that bad bodies are noticed."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self._busy = 0
        self._changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._changed:
                self._busy += 1
            threading.Thread(target=self._serve_and_count, args=(connection,), daemon=True).start()

    def wait_until_idle(self) -> None:
        """No connection is open: a case's late head cannot be taken for the next case's."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._busy == 0, DEADLINE)

    def _serve_and_count(self, connection: socket.socket) -> None:
        self._serve(connection)
        with self._changed:
            self._busy -= 1
            self._changed.notify_all()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(DEADLINE)
            received = b""
            try:
                while b"\r\n\r\n" not in received:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    received += piece
                head, _, body = received.partition(b"\r\n\r\n")
                self.heads.append(head + b"\r\n")
                length = re.search(rb"\r\ncontent-length: (\d+)", head)
                while not (
                    body.endswith(b"\r\n\r\n") and re.search(rb"(?:\A|\r\n)0\r\n", body)
                    if b"transfer-encoding: chunked" in head and not head.startswith(b"CONNECT")
                    else len(body) >= int(length[1] if length else 0)
                ):
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    body += piece
                connection.sendall(ANSWER)
            except OSError:
                return

    def close(self) -> None:
        self._listener.close()


class Oracle:
    """HAProxy before a RecordingServer."""

    def __init__(self, program: str, folder: Path) -> None:
        self.server = RecordingServer()
        with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
            self.port = listener.getsockname()[1]
            path = folder / "oracle.cfg"
            path.write_text(CONFIGURATION.format(descriptor=listener.fileno(), port=self.server.port))
            self._process = subprocess.Popen(
                [program, "-db", "-f", str(path)], pass_fds=[listener.fileno()], stderr=subprocess.DEVNULL
            )
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        limit = time.monotonic() + DEADLINE
        while True:
            try:
                if self.ask(b"GET /ready HTTP/1.1\r\n\r\n", 1)[0]:
                    return
            except OSError:
                pass
            if time.monotonic() > limit:
                pytest.fail("HAProxy does not answer")

    def ask(self, raw: bytes, answers: int, patience: float = DEADLINE) -> tuple[list[int], list[bytes]]:
        """Send bytes; the statuses of the answers (as many are waited for), and the heads that reached the server."""
        self.server.heads.clear()
        received = b""
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.settimeout(patience)
            client.sendall(raw)
            while len(statuses(received)) < answers:
                try:
                    piece = client.recv(65536)
                except (ConnectionResetError, TimeoutError):
                    break
                if not piece:
                    break
                received += piece
        self.server.wait_until_idle()
        return statuses(received), list(self.server.heads)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(DEADLINE)
        self.server.close()


def statuses(received: bytes) -> list[int]:
    return [int(digits) for digits in re.findall(rb"HTTP/1\.[01] (\d{3}) [^\r]*\r\n(?:[^\r]+\r\n)*\r\n", received)]


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    named = os.environ.get("HAPROXY3")
    program = Path(named) if named else Path.home() / ".cache" / "haproxy3" / "haproxy"
    if not program.exists():
        pytest.skip("no HAProxy 3.0 (name one in HAPROXY3)")
    oracle = Oracle(str(program), tmp_path_factory.mktemp("oracle"))
    yield oracle
    oracle.close()


def comparable(head: bytes) -> tuple[list[bytes], set[bytes]]:
    """(lines without Connection, tokens of Connection without the proxy's own): the proxy says the latter its own
    way, and at the head's end."""
    lines = head.split(b"\r\n")
    tokens = {
        token.strip()
        for line in lines
        if line.startswith(b"connection: ")
        for token in line[12:].lower().split(b",")
        if token.strip()
    }
    others = [re.sub(rb", +", b",", line) for line in lines if not line.startswith(b"connection: ")]
    return others, tokens - {b"close", b"keep-alive"}


def test_as_haproxy(push_class: Any, request_case: Any, oracle: Oracle) -> None:
    push = push_class(HeadReader(LIMITS), LIMITS)
    push.push(request_case.raw)
    complete = [message for message in push.messages if message.complete]
    ours = [200] * len(complete) + ([push.error.status] if push.error is not None else [])
    expected, _ = differences().get(request_case.name, ("same", ""))
    theirs, heads = oracle.ask(request_case.raw, len(ours), 0.2 if expected == "nothing" else DEADLINE)
    wanted = []
    for message in complete:
        upgrade = b"connection: upgrade\r\n" if message.head.upgrade else b""
        wanted.append(comparable(message.forwarded() + upgrade))
    outcome = "same"
    if theirs != ours:
        outcome = ",".join(str(status) for status in theirs) or "nothing"
    elif [comparable(head) for head in heads[: len(wanted)]] != wanted:
        outcome = "head"
    assert outcome == expected, (ours, wanted, theirs, heads)


def test_differences_name_cases(request: pytest.FixtureRequest) -> None:
    cases = {f"{path.parent.name}/{path.stem}" for path in DIFFERENCES.parent.glob("*/*.http")}
    assert set(differences()) <= cases
