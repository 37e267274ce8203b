"""The corpus of HTTP cases, and a reader that is pushed bytes as a connection would be."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from maniple.core.errors import ExchangeError, ServerProtocolError
from maniple.core.http.framing import ChunkedBody
from maniple.core.http.head import CHUNKED, TO_CLOSE, HeadReader, Limits, RequestHead, ResponseHead, find_head_end

CASES = Path(__file__).resolve().parents[2] / "http_cases"
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|\*(\d+)\{([^}]*)\}|(.))")
_SHORT = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}


def unescape(text: bytes) -> bytes:
    """What a .http file stands for."""

    def one(match: re.Match[bytes]) -> bytes:
        if match[1] is not None:
            return bytes([int(match[1], 16)])
        if match[2] is not None:
            return unescape(match[3]) * int(match[2])
        return _SHORT[match[4]]

    return _ESCAPE.sub(one, text.replace(b"\n", b""))


def escape(raw: bytes) -> str:
    """The bytes in one line of an .expected file; long runs of one byte shortened."""
    out: list[str] = []
    for match in re.finditer(rb"(.)\1{39,}|.", raw, re.DOTALL):
        byte = match[0][:1]
        names = {b"\r": "\\r", b"\n": "\\n", b"\t": "\\t", b"\\": "\\\\"}
        text = names.get(byte) or (byte.decode() if 0x20 <= byte[0] < 0x7F else f"\\x{byte[0]:02x}")
        out.append(text if len(match[0]) == 1 else f"\\*{len(match[0])}{{{text}}}")
    return "".join(out)


@dataclass
class Message:
    """One message that was read."""

    head: RequestHead | ResponseHead
    body: bytearray = field(default_factory=bytearray)
    complete: bool = False

    def forwarded(self) -> bytes:
        """The head as the next hop gets it, without the proxy's own lines and the blank line."""
        return self.head.start + self.head.block.wire

    def describe(self) -> list[str]:
        head = self.head
        lines = [escape(line) for line in self.forwarded().split(b"\r\n")[:-1]]
        length = {CHUNKED: "chunked", TO_CLOSE: "to-close"}.get(head.length, str(head.length))
        flags = ["keep-alive"] if head.keep_alive else []
        flags += ["close-after"] if head.close_after else []
        flags += ["expect"] if isinstance(head, RequestHead) and head.expect else []
        flags += [f"upgrade={head.upgrade.decode()}"] if head.upgrade else []
        text = [f"start {lines[0]}", *(f"field {line}" for line in lines[1:]), f"length {length}"]
        text += [f"flags {' '.join(flags)}"] if flags else []
        text += [f"body {escape(bytes(self.body))}"] if self.body else []
        return text


class Push:
    """Reads the messages of one direction of one connection from pieces."""

    def __init__(self, reader: HeadReader, limits: Limits, answers: bytes | None = None) -> None:
        """`answers`: the request method that responses answer; None to read requests."""
        self.messages: list[Message] = []
        self.error: ExchangeError | None = None
        self.rest = b""
        self._reader = reader
        self._limits = limits
        self._answers = answers
        self.held = b""
        self._over = False
        self._left = 0
        self._chunks: ChunkedBody | None = None

    def push(self, data: bytes) -> None:
        try:
            while data and self.error is None:
                data = self._step(data)
        except ExchangeError as error:
            self.error = error
            if self.messages and not self.messages[-1].complete:
                # How much of a bad body was passed on before depends on the pieces.
                self.messages[-1].body.clear()

    def _step(self, data: bytes) -> bytes:
        if self._over:
            self.rest += data
            return b""
        message = self.messages[-1] if self.messages else None
        if message is None or message.complete:
            return self._head(data)
        if self._chunks is not None:
            end = self._chunks.feed(data, 0)
            message.body += data[:end]
            if self._chunks.done:
                self._chunks = None
                self._complete(message)
        elif self._left >= 0:
            end = min(self._left, len(data))
            message.body += data[:end]
            self._left -= end
            if self._left == 0:
                self._complete(message)
        else:
            end = len(data)
            message.body += data
        return data[end:]

    def _head(self, data: bytes) -> bytes:
        data = self.held + data
        self.held = b""
        end = find_head_end(data, 0)
        if end < 0:
            if len(data) > self._limits.max_head:
                if self._answers is not None:
                    raise ServerProtocolError("response head too large")
                raise self._reader.oversized_request(data)
            self.held = data
            return b""
        head: RequestHead | ResponseHead
        if self._answers is None:
            head = self._reader.read_request(data[:end])
        else:
            head = self._reader.read_response(data[:end], self._answers)
        message = Message(head)
        self.messages.append(message)
        self._left = head.length
        if head.length == CHUNKED:
            self._chunks = ChunkedBody(self._limits, request=self._answers is None)
        elif head.length == 0:
            self._complete(message)
        return data[end:]

    def _complete(self, message: Message) -> None:
        message.complete = True
        head = message.head
        if isinstance(head, RequestHead):
            self._over = not head.keep_alive or head.upgrade != b"" or head.method == b"CONNECT"
        else:
            connected = self._answers == b"CONNECT" and 200 <= head.status < 300
            self._over = head.status == 101 or connected or not (head.keep_alive or head.status < 200)

    def describe(self) -> list[str]:
        lines = [f"response {self._answers.decode()}" if self._answers is not None else "request"]
        for message in self.messages:
            lines += message.describe()
        lines += [f"error {self.error.status}"] if self.error is not None else []
        lines += [f"rest {escape(self.rest)}"] if self.rest else []
        return lines


@dataclass(frozen=True)
class Case:
    """One pair of files."""

    name: str
    raw: bytes
    expected: list[str]

    @property
    def answers(self) -> bytes | None:
        kind, _, method = self.expected[0].partition(" ")
        return method.encode() if kind == "response" else None


def load_cases(folder: str) -> list[Case]:
    """All cases of a folder, by number."""
    return [
        Case(
            f"{folder}/{path.stem}", unescape(path.read_bytes()), path.with_suffix(".expected").read_text().splitlines()
        )
        for path in sorted((CASES / folder).glob("*.http"))
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`case` is each case; `request_case` each that is a request."""
    for argument in ("case", "request_case"):
        if argument in metafunc.fixturenames:
            cases = [case for folder in ("valid", "invalid", "smuggling") for case in load_cases(folder)]
            chosen = [case for case in cases if argument == "case" or case.answers is None]
            metafunc.parametrize(argument, chosen, ids=[case.name for case in chosen])


@pytest.fixture(scope="session")
def push_class() -> type[Push]:
    """The class that reads messages from pieces."""
    return Push
