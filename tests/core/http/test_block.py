"""Header blocks: what several lines say together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ClientProtocolError, ExchangeError, ServerProtocolError
from maniple.core.http.block import BlockReader, HeaderBlock
from maniple.core.http.limits import Limits

READER = BlockReader(Limits(), request=True)


def read(*lines: bytes, reader: BlockReader = READER) -> HeaderBlock:
    return reader.read(b"".join(line + b"\r\n" for line in lines) + b"\r\n")


@pytest.mark.parametrize(
    ("lines", "wire", "said"),
    [
        ((), b"", {"plain": True, "host": None}),
        ((b"Host: a", b"X: y"), b"host: a\r\nx: y\r\n", {"plain": True, "host": b"a"}),
        ((b"Host: a", b"Connection: keep-alive"), b"host: a\r\n", {"plain": True, "keep_alive": True, "host": b"a"}),
        ((b"Host: a", b"Host: a"), b"host: a\r\n", {"plain": True, "host": b"a"}),
        ((b"Connection: close",), b"", {"plain": False, "close": True}),
        ((b"Connection: close", b"Connection: keep-alive"), b"", {"close": True, "keep_alive": True}),
        ((b"Content-Length: 3",), b"content-length: 3\r\n", {"plain": False, "content_length": 3}),
        (
            (b"Content-Length: 3", b"X: y", b"Content-Length: 03"),
            b"content-length: 3\r\nx: y\r\n",
            {"content_length": 3},
        ),
        ((b"Transfer-Encoding: Chunked",), b"transfer-encoding: chunked\r\n", {"plain": False, "chunked": True}),
        (
            (b"Content-Length: 3", b"Transfer-Encoding: chunked"),
            b"transfer-encoding: chunked\r\n",
            {"chunked": True, "conflict": True, "content_length": -1},
        ),
        ((b"Connection: upgrade", b"Upgrade: a"), b"upgrade: a\r\n", {"plain": False, "upgrade": b"a"}),
        ((b"Upgrade: a",), b"upgrade: a\r\n", {"plain": True, "upgrade": b""}),
        ((b"Connection: upgrade", b"Upgrade: h2c"), b"", {"plain": True, "upgrade": b""}),
        ((b"Connection: upgrade", b"Upgrade: a", b"Upgrade: b"), b"upgrade: a\r\nupgrade: b\r\n", {"upgrade": b"a, b"}),
        ((b"Expect: 100-Continue",), b"expect: 100-Continue\r\n", {"plain": False, "expect_continue": True}),
        ((b"Expect: other",), b"expect: other\r\n", {"plain": True, "expect_continue": False}),
    ],
)
def test_read(lines: tuple[bytes, ...], wire: bytes, said: dict[str, Any]) -> None:
    block = read(*lines)
    assert block.wire == wire
    assert {name: getattr(block, name) for name in said} == said


@pytest.mark.parametrize(
    ("lines", "request_status", "response_status"),
    [
        ((b"Content-Length: 3", b"Content-Length: 4"), 400, 502),
        ((b"Content-Length: x",), 400, 502),
        ((b"Transfer-Encoding: gzip",), 400, 502),
        ((b"Transfer-Encoding: gzip, chunked",), 422, 502),
        ((b"Transfer-Encoding: chunked, chunked",), 400, 502),
        ((b" X: y",), 400, 502),
        ((b"X",), 400, 502),
        ((b"X: y",) * 101, 400, 502),
    ],
)
def test_refused(lines: tuple[bytes, ...], request_status: int, response_status: int) -> None:
    with pytest.raises(ClientProtocolError) as client:
        read(*lines)
    with pytest.raises(ServerProtocolError) as server:
        read(*lines, reader=BlockReader(Limits(), request=False))
    assert (client.value.status, server.value.status) == (request_status, response_status)


@pytest.mark.parametrize("raw", [b"", b"X: y", b"X: y\r\n", b"\r\nX: y\r\n\r\n"])
def test_no_whole_block(raw: bytes) -> None:
    with pytest.raises(ClientProtocolError):
        READER.read(raw)


def test_fold() -> None:
    block = read(b"X: a ", b" \tb", b"Y: c")
    assert block.fields == ((b"x", b"a    \tb"), (b"y", b"c"))
    assert block.wire == b"x: a    \tb\r\ny: c\r\n"


def test_fields_and_get() -> None:
    block = read(b"A: 1", b"B: 2", b"a: 3", b"Connection: close")
    assert block.fields == ((b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (b"connection", b"close"))
    assert block.fields is block.fields
    assert (block.get(b"a"), block.get(b"c")) == (b"1", None)


def test_copy_is_equal_and_apart() -> None:
    block = read(b"Content-Length: 3", b"Connection: close, upgrade", b"Upgrade: a", b"Expect: 100-continue")
    copy = block.copy()
    names = [name for name in HeaderBlock.__slots__ if name not in ("_fields", "bound")]
    assert [getattr(copy, name) for name in names] == [getattr(block, name) for name in names]
    copy.wire = b""
    assert block.wire


def test_with_another_line() -> None:
    block = read(b"A: 1", b"Bcookie: x", b"Cookie: x", b"C: 2")
    other = block.with_line(b"cookie", b"y")
    assert other.wire == b"a: 1\r\nbcookie: x\r\ncookie: y\r\nc: 2\r\n"
    assert other.fields == ((b"a", b"1"), (b"bcookie", b"x"), (b"cookie", b"y"), (b"c", b"2"))
    without = other.with_line(b"a", None)
    assert without.wire == b"bcookie: x\r\ncookie: y\r\nc: 2\r\n"
    assert without.make_index() == {b"bcookie": b"x", b"cookie": b"y", b"c": b"2"}
    assert block.wire == b"a: 1\r\nbcookie: x\r\ncookie: x\r\nc: 2\r\n" and len(block.fields) == 4


def test_shared_once_remembered() -> None:
    reader = BlockReader(Limits(), request=True)
    raw = b"Host: a\r\n\r\n"
    assert reader.block_of(raw) is None
    reader.read(raw)
    second = reader.read(raw)
    assert reader.block_of(raw) is second


NAMES = st.sampled_from([b"Host", b"Content-Length", b"Transfer-Encoding", b"Connection", b"Upgrade", b"X", b"Expect"])
VALUES = st.sampled_from([b"a", b"1", b"2", b"1, 1", b"chunked", b"gzip", b"close", b"upgrade", b"h2c", b"", b"\r\n x"])


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6))
def test_what_is_forwarded_reads_the_same(pairs: list[tuple[bytes, bytes]]) -> None:
    """The server must see the framing that we saw, or we are the gap that smuggling needs."""
    try:
        block = read(*(b"%b: %b" % pair for pair in pairs))
    except ExchangeError:
        return
    again = READER.read(block.wire + b"\r\n")
    assert (again.content_length, again.chunked, again.host) == (block.content_length, block.chunked, block.host)
    assert not again.conflict
    assert not again.close
    assert again.wire == block.wire
    assert len([name for name, _ in again.fields if name in (b"content-length", b"transfer-encoding")]) <= 1
