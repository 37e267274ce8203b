"""Request lines and status lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ClientProtocolError, ServerProtocolError
from maniple.core.http.start_line import RequestLine, StatusLine, read_request_line, read_status_line


def request(text: bytes, unsafe: bool = False) -> RequestLine:
    line = RequestLine()
    read_request_line(line, text, unsafe)
    return line


def status(text: bytes) -> StatusLine:
    line = StatusLine()
    read_status_line(line, text)
    return line


@pytest.mark.parametrize(
    ("text", "method", "target", "version", "start"),
    [
        (b"GET / HTTP/1.1", b"GET", b"/", 11, b"GET / HTTP/1.1"),
        (b"GET / HTTP/1.0", b"GET", b"/", 10, b"GET / HTTP/1.0"),
        (b"GET / HTTP/1.9", b"GET", b"/", 11, b"GET / HTTP/1.1"),
        (b"GET / HTTP/3.0", b"GET", b"/", 11, b"GET / HTTP/1.1"),
        (b"X-Y\t /?a  HTTP/1.1", b"X-Y", b"/?a", 11, b"X-Y /?a HTTP/1.1"),
        (b"GET http://a:80 HTTP/1.0", b"GET", b"http://a:80", 10, b"GET http://a/ HTTP/1.0"),
        (b"CONNECT a:1 HTTP/1.1", b"CONNECT", b"a:1", 11, b"CONNECT a:1 HTTP/1.1"),
        (b"OPTIONS * HTTP/1.1", b"OPTIONS", b"*", 11, b"OPTIONS * HTTP/1.1"),
    ],
)
def test_request(text: bytes, method: bytes, target: bytes, version: int, start: bytes) -> None:
    line = request(text + b"\r\n")
    assert (line.line, line.method, line.target, line.version) == (text, method, target, version)
    assert line.start == start + b"\r\n"
    assert (line.parts is None) == (target[:1] == b"/")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", 400),
        (b"GET", 400),
        (b"GET /", 400),
        (b" GET / HTTP/1.1", 400),
        (b"GET / HTTP/1.1 ", 400),
        (b"GET / HTTP/0.9", 400),
        (b"GET / HTTP/1.1\n", 400),
        (b"G:T / HTTP/1.1", 400),
        (b"GET /\x80 HTTP/1.1", 400),
        (b"GET /# HTTP/1.1", 400),
        (b"GET /\n HTTP/1.1", 400),
        (b"GET * HTTP/1.1", 400),
        (b"PRI /x HTTP/1.1", 400),
        (b"PRI * HTTP/2.0", 405),
    ],
)
def test_bad_request(text: bytes, code: int) -> None:
    with pytest.raises(ClientProtocolError) as caught:
        request(text + b"\r\n")
    assert caught.value.status == code


def test_unsafe_targets() -> None:
    assert request(b"GET /\x80#a HTTP/1.1\r\n", unsafe=True).target == b"/\x80#a"
    for target in (b"/\x00", b"/\x7f", b"/\n"):
        with pytest.raises(ClientProtocolError):
            request(b"GET %b HTTP/1.1\r\n" % target, unsafe=True)


@pytest.mark.parametrize(
    ("text", "code", "reason", "version", "start"),
    [
        (b"HTTP/1.1 200 OK", 200, b"OK", 11, b"HTTP/1.1 200 OK"),
        (b"HTTP/1.0 404 Not here \xe9", 404, b"Not here \xe9", 10, b"HTTP/1.0 404 Not here \xe9"),
        (b"HTTP/1.1 204", 204, b"No Content", 11, b"HTTP/1.1 204 No Content"),
        (b"HTTP/2.0  999  ", 999, b"Unknown", 11, b"HTTP/1.1 999 Unknown"),
    ],
)
def test_status(text: bytes, code: int, reason: bytes, version: int, start: bytes) -> None:
    line = status(text + b"\r\n")
    assert (line.line, line.status, line.reason, line.version, line.start) == (
        text,
        code,
        reason,
        version,
        start + b"\r\n",
    )


@pytest.mark.parametrize(
    "text",
    [b"", b"HTTP/1.1", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"HTTP/1.1 099 OK", b"http/1.1 200 OK", b"ICY 200 OK"],
)
def test_bad_status(text: bytes) -> None:
    with pytest.raises(ServerProtocolError):
        status(text + b"\r\n")


@given(st.binary(max_size=30))
def test_any_bytes(text: bytes) -> None:
    try:
        line = request(text + b"\r\n")
    except ClientProtocolError:
        return
    again = request(line.start)
    assert (again.method, again.start, again.version) == (line.method, line.start, line.version)
