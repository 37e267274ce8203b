"""Expressions through HAProxy: many at once, each value told apart from no value and compared byte by byte.

A case file has blocks: a line `request` (or `response`) with the start line, indented header lines, an indented `|body`
maybe, and then expressions, one a line, which apply to that message. `# ...` is a comment. In heads and bodies `\\xHH`,
`\\r`, `\\n`, `\\t` and `\\\\` are what they are in Python. Before an expression may stand marks in brackets:

    [3]          only where the oracle is HAProxy 3 or later
    [no] text    the value is compared with nothing, for the reason given after `##` (and must be one that is told)
    [is VALUE]   where we differ: our value is VALUE, for the reason given after `##`; HAProxy's must be another

`KEYS/` in an expression is the folder of that name beside the case file.

HAProxy puts each value into a variable, appends an `x` (so that the empty text is not nothing) and returns them all in
hexadecimal digits, one a line.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from maniple.core.config.lexer import quote_word

_LINE = re.compile(r"(?:\[(3|no|is [^]]*)\]\s+)?(.*?)(?:\s+##\s*(.*))?")


@dataclass(slots=True)
class Case:
    """One expression."""

    text: str
    line: int
    mark: str = ""
    reason: str = ""


@dataclass(slots=True)
class Block:
    """One message and the expressions that look at it."""

    kind: str
    head: bytes
    line: int
    body: bytes = b""
    cases: list[Case] = field(default_factory=list)

    @property
    def request(self) -> bytes:
        return self.head if self.kind == "request" else b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


def _unescaped(text: str) -> bytes:
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


def read_cases(path: Path) -> list[Block]:
    """The blocks of a case file."""
    blocks: list[Block] = []
    for number, line in enumerate(path.read_text(encoding="latin-1").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        kind, _, rest = line.partition(" ")
        if kind in ("request", "response"):
            blocks.append(Block(kind, _unescaped(rest) + b"\r\n", number))
        elif line.startswith("    |"):
            blocks[-1].body += _unescaped(line[5:])
        elif line.startswith("    "):
            blocks[-1].head += _unescaped(line[4:]) + b"\r\n"
        else:
            match = _LINE.fullmatch(line)
            assert match is not None
            text = match[2].replace("KEYS/", f"{path.parent}/keys/")
            blocks[-1].cases.append(Case(text, number, match[1] or "", match[3] or ""))
    for block in blocks:
        block.head += b"\r\n"
    return blocks


def find_haproxy() -> tuple[str, int]:
    """The program and its major version; a skip with the reason where there is none, a failure on CI."""
    named = os.environ.get("HAPROXY3")
    newer = Path(named) if named else Path.home() / ".cache" / "haproxy3" / "haproxy"
    program = str(newer) if newer.exists() else shutil.which("haproxy")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("haproxy is not installed")
        pytest.skip("haproxy is not installed")
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"version (\d+)\.", said)
    assert match is not None
    return program, int(match[1])


def configuration(block: Block, cases: list[Case], origin: int) -> str:
    """One frontend that answers with the values of all expressions."""
    rules = "http-request" if block.kind == "request" else "http-response"
    lines = [
        "global",
        "    tune.bufsize 262144",
        "    setenv COLOUR red",
        "defaults",
        "    mode http",
        "    timeout client 5s",
        "    timeout server 5s",
        "    timeout connect 5s",
        "    option http-buffer-request",
        "frontend web",
        '    bind "fd@${LISTENER}" name door',
        "    capture request header Host len 32",
        "    capture response header X-Seen len 32",
        "    http-request set-var(txn.text) str(abc)",
        "    http-request set-var(txn.number) int(5)",
        "    http-request set-var(txn.address) ipv4(10.1.2.3)",
        "    http-request set-var(sess.flag) bool(true)",
        "    http-request set-var(req.bytes) bin(00ff)",
        "    default_backend origin",
    ]
    shown = []
    for number, case in enumerate(cases):
        lines.append(f"    {rules} set-var(txn.v{number}) {quote_word(case.text)}")
        lines.append(f"    {rules} set-var(txn.w{number}) var(txn.v{number}),concat(x)")
        shown.append(f"%[var(txn.w{number}),hex]")
    text = "|".join(shown)
    lines.append(f'    {rules} return status 200 content-type text/plain lf-string "{text}"')
    lines += ["backend origin", f"    server one 127.0.0.1:{origin} weight 3"]
    return "\n".join(lines) + "\n"


def ask(program: str, block: Block, cases: list[Case], folder: Path) -> tuple[list[bytes | None], tuple[str, int]]:
    """HAProxy's value of each expression as a text (None: no value), and the client's address."""
    with _origin(block) as port, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        config = folder / f"block{block.line}.cfg"
        config.write_text(configuration(block, cases, port), encoding="latin-1")
        process = subprocess.Popen(
            [program, "-db", "-f", str(config)],
            env={**os.environ, "LISTENER": str(listener.fileno())},
            pass_fds=[listener.fileno()],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            with socket.create_connection(listener.getsockname(), 5) as client:
                client.settimeout(5)
                client.sendall(block.request + block.body)
                try:
                    answer = _whole_answer(client)
                except TimeoutError:
                    process.kill()
                    assert process.stderr is not None
                    pytest.fail(f"no answer from HAProxy: {process.stderr.read()}")
                here = client.getsockname()
        finally:
            process.kill()
            process.wait()
            if process.stderr is not None:
                process.stderr.close()
    values: list[bytes | None] = []
    for shown in answer.split(b"|"):
        raw = bytes.fromhex(shown.decode())
        values.append(raw[:-1] if raw else None)
    assert len(values) == len(cases), answer
    return values, here


def _whole_answer(client: socket.socket) -> bytes:
    received = b""
    while True:
        head, found, body = received.partition(b"\r\n\r\n")
        if found:
            length = re.search(rb"content-length: (\d+)", head.lower())
            assert length is not None, received
            if len(body) >= int(length[1]):
                assert head.startswith(b"HTTP/1.1 200"), received
                return body
        data = client.recv(1 << 18)
        assert data, received
        received += data


class _origin:
    """A server that answers one request with the block's response."""

    def __init__(self, block: Block) -> None:
        self._answer = block.head + block.body if block.kind == "response" else b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(5)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> int:
        if self._answer:
            self._thread.start()
        port: int = self._listener.getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        if self._answer:
            self._thread.join(10)

    def _serve(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(5)
            try:
                connection.recv(65536)
                connection.sendall(self._answer)
                connection.recv(1)
            except OSError:
                return


def batches(block: Block, cases: list[Case], size: int = 150) -> Iterator[list[Case]]:
    for start in range(0, len(cases), size):
        yield cases[start : start + size]
