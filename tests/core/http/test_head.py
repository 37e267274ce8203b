"""Whole heads: random valid ones go through unchanged, random bytes never raise anything unexpected, and what is
remembered reads as what is not. The corpus in test_head_cases.py has the rules one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ClientProtocolError, ExchangeError, ServerProtocolError
from maniple.core.http.head import (
    CHUNKED,
    TO_CLOSE,
    HeadReader,
    Limits,
    RequestHead,
    ResponseHead,
    find_head_end,
)

TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
NAMES = st.text(TOKEN, min_size=1, max_size=12).filter(
    lambda name: (
        name.lower() not in ("host", "connection", "te", "upgrade", "expect", "content-length", "transfer-encoding")
    )
)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=20).map(
    lambda text: text.encode("latin-1").strip(b" \t")
)
METHODS = st.text(TOKEN, min_size=1, max_size=8).filter(lambda method: method not in ("CONNECT", "PRI"))
TARGETS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#"), max_size=20)

REMEMBERING = HeadReader(Limits())
FORGETTING = HeadReader(Limits(cache_size=0))
NOISE = st.lists(
    st.one_of(
        st.binary(max_size=6),
        st.sampled_from(
            [
                b"\r\n",
                b"\r\n\r\n",
                b" ",
                b":",
                b"GET / HTTP/1.1\r\n",
                b"HTTP/1.1 200 OK\r\n",
                b"Host: a\r\n",
                b"Connection: ",
                b"Content-Length: 1\r\n",
                b"Transfer-Encoding: chunked\r\n",
                b"\n",
                b"http://a",
                b"CONNECT ",
            ]
        ),
    ),
    max_size=10,
).map(b"".join)


def everything(head: RequestHead | ResponseHead) -> list[object]:
    names = [
        name for kind in type(head).__mro__ for name in getattr(kind, "__slots__", ()) if name not in ("block", "parts")
    ]
    # `bound` comes with the index.
    slots = [name for name in head.block.__slots__ if not name.startswith("_") and name != "bound"]
    block = [getattr(head.block, name) for name in ("fields", *slots)]
    return [getattr(head, name) for name in names] + block


@given(METHODS, TARGETS, st.lists(st.tuples(NAMES, VALUES), max_size=8))
def test_valid_heads_go_through(method: str, target: str, pairs: list[tuple[str, bytes]]) -> None:
    lines = [(name.encode(), value) for name, value in pairs]
    start = f"{method} /{target} HTTP/1.1\r\n".encode()
    head = REMEMBERING.read_request(start + b"".join(b"%b: %b\r\n" % line for line in lines) + b"\r\n")
    assert head.start == start
    assert head.block.fields == tuple((name.lower(), value) for name, value in lines)
    assert head.block.wire == b"".join(b"%b: %b\r\n" % (name.lower(), value) for name, value in lines)
    assert (head.length, head.keep_alive, head.close_after, head.expect, head.upgrade) == (0, True, False, False, b"")


@given(NOISE)
def test_random_requests(raw: bytes) -> None:
    outcomes = []
    for reader in (REMEMBERING, REMEMBERING, REMEMBERING, FORGETTING):
        try:
            outcomes.append(everything(reader.read_request(raw)))
        except ClientProtocolError as error:
            outcomes.append([error.status])
    assert outcomes[0] == outcomes[1] == outcomes[2] == outcomes[3]


@given(NOISE, st.sampled_from([b"GET", b"HEAD", b"CONNECT"]))
def test_random_responses(raw: bytes, method: bytes) -> None:
    outcomes = []
    for reader in (REMEMBERING, REMEMBERING, REMEMBERING, FORGETTING):
        try:
            outcomes.append(everything(reader.read_response(raw, method)))
        except ServerProtocolError as error:
            outcomes.append([error.status])
    assert outcomes[0] == outcomes[1] == outcomes[2] == outcomes[3]


@given(NOISE)
def test_unsafe_readers_are_as_quiet(raw: bytes) -> None:
    reader = HeadReader(Limits(accept_unsafe_request=True, accept_unsafe_response=True))
    for read in (reader.read_request, lambda text: reader.read_response(text, b"GET")):
        try:
            head = read(raw)
        except ExchangeError:
            continue
        assert b"\n" not in (head.start + head.block.wire).replace(b"\r\n", b"")
        assert b"\0" not in head.block.wire


@given(NOISE)
def test_a_head_ends_where_it_says(raw: bytes) -> None:
    end = find_head_end(raw)
    assert find_head_end(bytearray(raw)) == end
    if end >= 0:
        assert raw[:end].strip(b"\r\n")
        assert raw[:end].endswith((b"\r\n\r\n", b"\n\n", b"\n\r\n"))


@pytest.mark.parametrize(
    ("raw", "end"),
    [
        (b"", -1),
        (b"\r\n\r\n", -1),
        (b"A\r\n\r\nB", 5),
        (b"\r\n\r\nA\r\n\r\nB\r\n\r\n", 9),
        (b"A\r\n\r", -1),
        (b"A\n\nB", 3),
        (b"A\n\r\nB", 4),
        (b"A\r\n\nB", 4),
    ],
)
def test_find_head_end(raw: bytes, end: int) -> None:
    assert find_head_end(raw) == end
    assert find_head_end(b"xx" + raw, 2) == (end + 2 if end >= 0 else -1)


def test_small_heads_are_shared() -> None:
    reader = HeadReader(Limits())
    raw = b"GET /shared HTTP/1.1\r\nHost: a\r\n\r\n"
    heads = [reader.read_request(raw) for _ in range(4)]
    assert heads[2] is heads[3]


def test_blocks_are_shared_between_targets_and_lines_between_clients() -> None:
    reader = HeadReader(Limits())
    padding = b"X: " + b"a" * 300 + b"\r\n"
    for number in range(3):
        reader.read_request(b"GET /%d HTTP/1.1\r\nHost: a\r\n%b\r\n" % (number, padding))
        reader.read_request(b"GET /same HTTP/1.1\r\nHost: %d\r\n%b\r\n" % (number, padding))
    first = reader.read_request(b"GET /1 HTTP/1.1\r\nHost: a\r\n%b\r\n" % padding)
    second = reader.read_request(b"GET /same HTTP/1.1\r\nHost: a\r\n%b\r\n" % padding)
    assert first.block is second.block
    assert (first.target, second.target) == (b"/1", b"/same")
    assert reader.read_request(b"GET /same HTTP/1.1\r\nHost: a\r\n%b\r\n" % padding) is second


def test_a_line_is_not_judged_by_another_head() -> None:
    """The request line is remembered, the refusal of its first block is not, nor the other way round."""
    reader = HeadReader(Limits())
    line = b"GET http://a/ HTTP/1.1\r\n"
    for _ in range(3):
        with pytest.raises(ClientProtocolError):
            reader.read_request(line + b"Host: b\r\n\r\n")
        assert reader.read_request(line + b"Host: a\r\n\r\n").block.host == b"a"


def test_response_depends_on_the_method() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    for _ in range(3):
        assert REMEMBERING.read_response(raw, b"GET").length == 5
        assert REMEMBERING.read_response(raw, b"HEAD").length == 0
        connected = REMEMBERING.read_response(raw, b"CONNECT")
        assert (connected.length, connected.block.wire) == (0, b"")


@pytest.mark.parametrize(
    ("raw", "length", "keep_alive", "close_after"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", TO_CLOSE, False, False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", CHUNKED, True, False),
        (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n", CHUNKED, False, True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", CHUNKED, False, False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", 1, False, False),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 0, True, False),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\n", 0, False, False),
    ],
)
def test_response_framing(raw: bytes, length: int, keep_alive: bool, close_after: bool) -> None:
    head = REMEMBERING.read_response(raw, b"GET")
    assert (head.length, head.keep_alive, head.close_after) == (length, keep_alive, close_after)


@pytest.mark.parametrize(("size", "status"), [(200, None), (201, 431)])
def test_size_of_a_whole_head(size: int, status: int | None) -> None:
    reader = HeadReader(Limits(max_head=200))
    raw = b"GET / HTTP/1.1\r\nHost: "
    raw += b"a" * (size - len(raw) - 4) + b"\r\n\r\n"
    if status is None:
        assert reader.read_request(raw).block.host
    else:
        with pytest.raises(ClientProtocolError) as caught:
            reader.read_request(raw)
        assert caught.value.status == status


@pytest.mark.parametrize(
    ("raw", "status"), [(b"GET /" + b"a" * 300, 414), (b"GET / HTTP/1.1\r\nX: " + b"a" * 300, 431)]
)
def test_oversized(raw: bytes, status: int) -> None:
    reader = HeadReader(Limits(max_head=200))
    assert reader.oversized_request(raw).status == status
    with pytest.raises(ClientProtocolError) as caught:
        reader.read_request(raw + b"\r\n\r\n")
    assert caught.value.status == status


UNSAFE = Limits(accept_unsafe_request=True, accept_unsafe_response=True)


def test_bare_line_feeds_where_they_are_accepted() -> None:
    reader = HeadReader(UNSAFE)
    for raw in (b"GET / HTTP/1.1\nHost: a\n\n", b"\nGET / HTTP/1.1\r\nHost: a\n\r\n", b"GET / HTTP/1.1\nHost: a\r\n\n"):
        assert find_head_end(raw) == len(raw)
        head = reader.read_request(raw)
        assert head.start + head.block.wire == b"GET / HTTP/1.1\r\nhost: a\r\n"
    head = reader.read_response(b"HTTP/1.1 200 OK\nX: y\n\n", b"GET")  # type: ignore[assignment]
    assert head.block.wire == b"x: y\r\n"


def test_a_hidden_blank_line_is_refused_even_there() -> None:
    with pytest.raises(ClientProtocolError):
        HeadReader(UNSAFE).read_request(b"GET / HTTP/1.1\nHost: a\n\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
    with pytest.raises(ServerProtocolError):
        HeadReader(UNSAFE).read_response(b"HTTP/1.1 200 OK\n\nHTTP/1.1 200 OK\r\nX: y\r\n\r\n", b"GET")


def test_memory_is_bounded() -> None:
    reader = HeadReader(Limits(cache_size=16))
    for number in range(200):
        for _ in range(2):
            reader.read_request(b"GET /%d HTTP/1.1\r\nHost: h%d\r\nX: %d\r\n\r\n" % (number, number, number))
            reader.read_response(b"HTTP/1.1 200 OK %d\r\nX: %d\r\n\r\n" % (number, number), b"GET")
    for memo in (reader._requests, reader._lines, reader._responses, reader._statuses, reader._request_blocks._memo):
        assert 0 < len(memo.table) <= 16
