"""One header line: what it says, what is forwarded of it, and that it is remembered only when it repeats."""

from __future__ import annotations

import pytest
from maniple.core.errors import ClientProtocolError, ExchangeError, ServerProtocolError
from maniple.core.http.fields import HOST, KEEP_ALIVE, LENGTH, NAMES, OTHER, PLAIN, FieldLines, Folded


def lines(*, request: bool = True, unsafe: bool = False, entries: int = 8) -> FieldLines:
    return FieldLines(request=request, unsafe=unsafe, entries=entries)


@pytest.mark.parametrize(
    ("raw", "wire", "mark", "pair"),
    [
        (b"Accept: */*", b"accept: */*\r\n", PLAIN, (b"accept", b"*/*")),
        (b"ACCEPT:*/*\t", b"accept: */*\r\n", PLAIN, (b"accept", b"*/*")),
        (b"aCcEpT:  */* ", b"accept: */*\r\n", PLAIN, (b"accept", b"*/*")),
        (b"X-Own:", b"x-own: \r\n", PLAIN, (b"x-own", b"")),
        (b"X: a:b", b"x: a:b\r\n", PLAIN, (b"x", b"a:b")),
        (b"Host: a", b"host: a\r\n", HOST, (b"host", b"a")),
        (b"Connection: Keep-Alive", b"", KEEP_ALIVE, (b"connection", b"Keep-Alive")),
        (b"Connection: close", b"", OTHER, (b"connection", b"close")),
        (b"Connection: a, Close,b", b"connection: a, b\r\n", OTHER, (b"connection", b"a, Close,b")),
        (b"Connection:", b"", OTHER, (b"connection", b"")),
        (b"Content-Length: 5", b"content-length: 5\r\n", LENGTH, (b"content-length", b"5")),
        (b"Content-Length: 0", b"content-length: 0\r\n", LENGTH, (b"content-length", b"0")),
        (b"Content-Length: 05", b"content-length: 5\r\n", OTHER, (b"content-length", b"05")),
        (b"Content-Length: 5,5", b"content-length: 5\r\n", OTHER, (b"content-length", b"5,5")),
        (b"Upgrade: h2c", b"", OTHER, (b"upgrade", b"h2c")),
        (b"Upgrade: h2, a , H2C", b"upgrade: a\r\n", OTHER, (b"upgrade", b"h2, a , H2C")),
        (b"TE: gzip, trailers", b"te: trailers\r\n", PLAIN, (b"te", b"gzip, trailers")),
        (b"TE: Trailers", b"", PLAIN, (b"te", b"Trailers")),
    ],
)
def test_read(raw: bytes, wire: bytes, mark: int, pair: tuple[bytes, bytes]) -> None:
    assert lines()[raw] == (wire, mark, pair)


@pytest.mark.parametrize("raw", [b"", b"X", b": a", b"X : a", b"X\t: a", b"X(: a", b"X: \0", b"X: a\rb", b"X: \x7f"])
def test_refused(raw: bytes) -> None:
    with pytest.raises(ClientProtocolError):
        lines()[raw]
    with pytest.raises(ServerProtocolError):
        lines(request=False)[raw]


@pytest.mark.parametrize("raw", [b" a", b"\ta: b", b" : b", b" "])
def test_folded(raw: bytes) -> None:
    with pytest.raises(Folded):
        lines()[raw]


def test_host_is_free_in_a_response() -> None:
    assert lines(request=False)[b"Host: a,b"] == (b"host: a,b\r\n", PLAIN, (b"host", b"a,b"))
    with pytest.raises(ClientProtocolError):
        lines()[b"Host: a,b"]


@pytest.mark.parametrize("raw", [b"X(\xe9: a", b"X: \x01\x7f", b'"X"/: a'])
def test_unsafe_lets_through(raw: bytes) -> None:
    name, _, value = raw.lower().partition(b": ")
    assert lines(unsafe=True)[raw][2] == (name, value)


@pytest.mark.parametrize(
    "raw", [b"X: \0", b"X: a\rb", b"X: a\nb", b"X : a", b"X Y: a", b"\x01: a", b"Content-Length: +1"]
)
def test_unsafe_still_refuses(raw: bytes) -> None:
    with pytest.raises(ExchangeError):
        lines(unsafe=True)[raw]


def test_known_names_are_one_object() -> None:
    read = lines()
    assert read[b"Accept: a"][2][0] is read[b"ACCEPT: b"][2][0] is read[b"aCCept: c"][2][0] is NAMES[b"accept"][0]


def test_remembered_at_the_second_sight() -> None:
    read = lines()
    first = read[b"X: a"]
    assert b"X: a" not in dict(read)
    assert read[b"X: a"] == first
    assert dict(read) == {b"X: a": first}


def test_never_remembered() -> None:
    read = lines()
    for _ in range(3):
        read[b"Cookie: a=b"]
        read[b"X: " + b"a" * 300]
    assert dict(read) == {}
