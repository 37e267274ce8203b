"""Formats of logs and of rules through HAProxy and through maniple: the same lines, bytes and headers.

The formats are data (formats.txt): one a line, after the mode and the lines of the section that it needs. What differs
between two runs of one program (ports, dates, times) is replaced by names before lines are compared; such fields are
compared with facts in core/report/test_log_format.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from maniple.tests.wire.rig.haproxy import Oracle
from maniple.tests.wire.rig.ours import LoopThread

FILE = Path(__file__).parent / "formats.txt"
ANSWER = (
    b"HTTP/1.1 200 OK\r\nX-Answer: first\r\nX-Answer: the answer\r\nSet-Cookie: other=1; path=/\r\n"
    b"Set-Cookie: sid=from-server-0123456789; path=/\r\nContent-Length: 5\r\n\r\nhello"
)
REQUESTS = {
    "http": [
        b'GET /a/b?c=d HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: A "b" {c|d} #1\r\n'
        b"Cookie: x=1; sid=0123456789; sid=2\r\nX-Two: one\r\nX-Two: two, three\r\nConnection: close\r\n\r\n",
        b"POST /%41?x=y HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nX-Odd: a\tb\xe9\\]\r\nConnection: close\r\n\r\nabc",
        b"HEAD /deny HTTP/1.0\r\nHost: h\r\nCookie: sid=zz\r\n\r\n",
        b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"BAD\x01 / HTTP/1.1\r\n\r\n",
    ],
    "tcp": [b"GET / HTTP/1.0\r\n\r\n"],
}


@dataclass(slots=True)
class Format:
    """One frontend under test."""

    number: int
    line: int
    mode: str
    text: str
    extra: list[str] = field(default_factory=list)
    backend: list[str] = field(default_factory=list)


def read_formats() -> list[Format]:
    """Blocks of a format and of indented lines: those of the frontend, and after `>` those of the backend."""
    found: list[Format] = []
    for number, line in enumerate(FILE.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("    >"):
            found[-1].backend.append(line[5:].strip())
        elif line.startswith("    "):
            found[-1].extra.append(line.strip())
        else:
            mode, _, text = line.partition(" ")
            found.append(Format(len(found), number, mode, text))
    return found


FORMATS = read_formats()


class Origin:
    """A server that answers each head with ANSWER, and keeps the heads."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.heard: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            data = b""
            while piece := connection.recv(65536):
                data += piece
                while b"\r\n\r\n" in data:
                    head, _, data = data.partition(b"\r\n\r\n")
                    if b"content-length: 3" in head.lower():
                        while len(data) < 3:
                            data += connection.recv(65536)
                        data = data[3:]
                    self.heard.append(head)
                    connection.sendall(ANSWER)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def configuration(ports: list[int], origin: int, log: list[int], ours: bool) -> str:
    lines = [
        "global",
        "    tune.http.logurilen 2000",
        "defaults",
        "    timeout client 3s",
        "    timeout server 3s",
        "    timeout connect 3s",
    ]
    for one in FORMATS:
        lines += [
            f"frontend f{one.number}",
            f"    mode {one.mode}",
            f"    bind {'127.0.0.1:1' if ours else f'fd@{ports[one.number]}'} name door",
            f"    log 127.0.0.1:{log[one.number]} len 65000 format raw local0",
            *[f"    {line}" for line in one.extra],
            *(
                [f"    {one.text}"]
                if one.text.startswith("option ")
                else [f"    log-format {quoted(one.text + ' B=%B')}"]
            ),
            f"    default_backend b{one.number}",
            f"backend b{one.number}",
            f"    mode {one.mode}",
            *[f"    {line}" for line in one.backend],
            f"    server s1 127.0.0.1:{origin}",
        ]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


@dataclass(slots=True)
class Played:
    """What came of one frontend's requests."""

    lines: list[bytes]
    answers: list[bytes]
    heard: list[bytes]


class Side:
    """The proxy under test or the oracle, with sockets of its own for all frontends."""

    def __init__(self) -> None:
        self.listeners = [socket.create_server(("127.0.0.1", 0), backlog=64) for _ in FORMATS]
        self.logs = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in FORMATS]
        for log in self.logs:
            log.bind(("127.0.0.1", 0))
            log.settimeout(3)
        for sock in self.listeners:
            os.set_inheritable(sock.fileno(), True)
        self.origin = Origin()

    def text(self, ours: bool) -> str:
        ports = [sock.fileno() for sock in self.listeners]
        return configuration(ports, self.origin.port, [log.getsockname()[1] for log in self.logs], ours)

    def play(self, one: Format) -> Played:
        lines, answers = [], []
        self.origin.heard.clear()
        names = {self.listeners[one.number].getsockname()[1]: b"FP", self.origin.port: b"SP"}
        listener = self.listeners[one.number]
        silent = any("silent" in line for line in one.extra)
        for request in REQUESTS[one.mode]:
            with socket.create_connection(listener.getsockname(), 3) as client:
                client.settimeout(3)
                client.sendall(request)
                if one.mode == "tcp":
                    client.shutdown(socket.SHUT_WR)
                answer = b""
                while piece := client.recv(65536):
                    answer += piece
                names[client.getsockname()[1]] = b"CP"
            answers.append(masked(answer, names))
            if not silent or b"BAD" in request:
                lines.append(masked(self.logs[one.number].recv(65536), names))
        heard = [masked(head, names) for head in self.origin.heard]
        return Played(lines, answers, heard)

    def close(self) -> None:
        self.origin.close()
        for sock in (*self.listeners, *self.logs):
            sock.close()


_SIZES = re.compile(rb"(?<= (?:200|400|403|418|503) )\+?\d+|B=\+?\d+$", re.MULTILINE)
"""HAProxy counts what it has in its buffers: other spellings of the head than those that leave."""
_CLF_TIMES = re.compile(rb"(?<= CP )\d+( .*? )(-?\d+) (-?\d+) (-?\d+) (-?\d+) (\+?\d+)(?= ....? )")
_DATES = re.compile(rb"\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d(\.\d{3})?")
_TIMES = re.compile(rb"(?<![\d.])(\+?-?\d+)(/\+?-?\d+){2,4}(?![\d.])")


def masked(text: bytes, ports: dict[int, bytes]) -> bytes:
    """Without what no two runs have in common; -1 among the times stays."""
    for port, name in ports.items():
        text = re.sub(rb"(?<!\d)%d(?!\d)" % port, name, text)
        text = re.sub(rb"(?<![0-9A-F])%04X(?![0-9A-F])" % port, name, text)
    text = _SIZES.sub(b"B", text)
    text = _DATES.sub(lambda found: b"DATE.ms" if found[1] else b"DATE", text)
    text = _CLF_TIMES.sub(rb"ms\1n n n n n", text)
    return _TIMES.sub(_times, text)


def _times(found: re.Match[bytes]) -> bytes:
    return b"/".join(
        [
            one if one.startswith((b"-", b"+-")) else b"+n" if one.startswith(b"+") else b"n"
            for one in found[0].split(b"/")
        ]
    )


@pytest.fixture(scope="module")
def sides(loop_thread: LoopThread, oracle: Oracle) -> Iterator[tuple[Side, Side]]:
    with contextlib.ExitStack() as stack:
        ours, theirs = Side(), Side()
        stack.callback(ours.close)
        stack.callback(theirs.close)
        run = loop_thread.start(ours.text(True), ours.listeners)
        stack.callback(run.stop)
        process = oracle.start(theirs.text(False), [sock.fileno() for sock in theirs.listeners])
        stack.callback(process.stop)
        yield ours, theirs


@pytest.mark.parametrize("one", FORMATS, ids=[f"line {one.line}" for one in FORMATS])
def test_format(one: Format, sides: tuple[Side, Side]) -> None:
    ours, theirs = sides[0].play(one), sides[1].play(one)
    assert ours.lines == theirs.lines, one.text
    assert ours.heard == theirs.heard
    assert ours.answers == theirs.answers
