from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ClientProtocolError, ServerProtocolError
from maniple.core.report.captures import Captures, dump, dump_bytes
from maniple.core.session import Exchange

Make = Callable[..., Exchange]


@pytest.fixture
def captures() -> Captures:
    return Captures(limit=3, bufsize=16, clock=lambda: 1234567890.5)


def test_request(captures: Captures, make_exchange: Make) -> None:
    exchange = make_exchange()
    error = ClientProtocolError("bad method")
    error.position = 3  # type: ignore[attr-defined]
    captures.keep(exchange.session, exchange, b"BAD\x01 /\r\n\r\n", error)
    text = dump({"web": captures}, 1234567890.75)
    stamp = r"\[\d\d/Feb/2009:\d\d:\d\d:30\.%s\]"
    assert re.fullmatch(
        rf"Total events captured on {stamp % 750} : 1\n \n{stamp % 500} frontend web: invalid request\n"
        r"  frontend web, backend <NONE>, server <NONE>, event #0, src 192\.0\.2\.7:40000\n"
        r"  bad method\n  len 10, error at position 3:\n  \n"
        r"  00000  BAD\\x01 /\\r\\n\n  00008  \\r\\n\n\n",
        text,
    )


def test_response(captures: Captures, make_exchange: Make) -> None:
    exchange = make_exchange()
    captures.keep(exchange.session, exchange, memoryview(b"HTTP/9\r\n"), ServerProtocolError("what version?"))
    text = dump({"web": captures}, 0.0)
    assert "backend back: invalid response\n  frontend web, backend back, server s1, event #0" in text
    assert "position of the error unknown" in text


def test_without_an_exchange(captures: Captures, make_exchange: Make) -> None:
    captures.keep(make_exchange().session, None, b"x", ClientProtocolError())
    assert "not understood" in dump({"web": captures}, 0.0)


def test_bounded_in_number_and_size(captures: Captures, make_exchange: Make) -> None:
    exchange = make_exchange()
    buffer = bytearray(b"y" * 40)
    for _ in range(5):
        captures.keep(exchange.session, exchange, buffer, ClientProtocolError("x"))
    buffer[:] = b"z" * 40
    assert [message.number for message in captures.messages()] == [2, 3, 4]
    assert {(message.data, message.length) for message in captures.messages()} == {(b"y" * 16, 40)}
    assert (captures.total, len(captures)) == (5, 3)
    assert "len 16, 24 more not kept, position" in dump({"web": captures}, 0.0)
    captures.clear()
    assert (captures.total, len(captures)) == (5, 0)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"", ""),
        (b"a\tb\x1b\\\xff\n", "  00000  a\\tb\\e\\\\\\xff\\n\n"),
        (b"a\nb", "  00000  a\\n\n  00002  b\n"),
        (b"x" * 71, "  00000  " + "x" * 70 + "\n  00070+ x\n"),
    ],
)
def test_dump_of_bytes(data: bytes, shown: str) -> None:
    assert dump_bytes(data) == shown


@given(st.binary(max_size=500))
def test_dump_loses_nothing(data: bytes) -> None:
    text = ""
    at = 0
    for line in dump_bytes(data).splitlines():
        assert len(line) <= 79
        assert int(line[2:7]) == at
        chunk = line[9:].encode().decode("unicode_escape") if "\\e" not in line else None
        if chunk is None:
            chunk = re.sub(r"\\(\\|e)", lambda m: "\\\\" if m[1] == "\\" else "\\x1b", line[9:])
            chunk = chunk.encode().decode("unicode_escape")
        text += chunk
        at += len(chunk)
    assert text.encode("latin-1") == data
