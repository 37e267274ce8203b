"""Chunked bodies in all cuts, against a plain model and against bad framing."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ClientProtocolError, ExchangeError, ServerProtocolError
from maniple.core.http.framing import LAST_CHUNK, ChunkedBody
from maniple.core.http.limits import Limits

LIMITS = Limits()


def run(pieces: list[bytes]) -> tuple[bytes, bytes, bool]:
    """(payload, rest, done)"""
    body = ChunkedBody(LIMITS)
    out: list[bytes] = []
    rest = b""
    for piece in pieces:
        if body.done:
            rest += piece
        else:
            end = body.decode(piece, 0, out)
            assert body.done or end == len(piece)
            rest += piece[end:]
    return b"".join(out), rest, body.done


def cuts(raw: bytes) -> list[list[bytes]]:
    ways = [[raw], [bytes([byte]) for byte in raw]]
    return ways + [[raw[:cut], raw[cut:]] for cut in range(1, len(raw))]


@pytest.mark.parametrize(
    ("raw", "payload"),
    [
        (b"0\r\n\r\n", b""),
        (b"1\r\nx\r\n0\r\n\r\n", b"x"),
        (b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", b"abc0123456789"),
        (b'2;a=b;c="d\\"\\e;"\r\n\r\n\r\n0;x\r\n\r\n', b"\r\n"),
        (b"1 \t\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\n", b"x"),
        (b"0000000000001\r\nx\r\n0000000000000\r\n\r\n", b"x"),
    ],
)
def test_good(raw: bytes, payload: bytes) -> None:
    for pieces in cuts(raw):
        assert run(pieces) == (payload, b"", True), pieces
    for pieces in cuts(raw + b"GET"):
        assert run(pieces) == (payload, b"GET", True), pieces


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n",
        b" 1\r\n",
        b"g\r\n",
        b"+1\r\n",
        b"0x1\r\n",
        b"1_0\r\n",
        b"10000000000000\r\n",
        b"00000000000000",
        b"1\n",
        b"1\rx",
        b"1 1\r\n",
        b"1;a\nx",
        b"1;\x00\r\n",
        b"1;\\a\r\n",
        b'1;"a\r\n',
        b'1;"\\\r\n"\r\n',
        b"1;" + b"a" * 1100,
        b"1\r\nxx",
        b"1\r\nx\n",
        b"1\r\nx\rx",
        b"0\r\n\n",
        b"0\r\nA\r\n",
        b"0\r\nA : b\r\n",
        b"0\r\nA: b\nC: d\r\n",
        b"0\r\nA: \x00\r\n",
        b"0\r\nA: b\r\n c\r\n",
        b"0\r\nContent-Length: 1\r\n",
        b"0\r\nTRANSFER-ENCODING: chunked\r\n",
        b"0\r\n" + b"A: b\r\n" * 101,
        b"0\r\nA: " + b"b" * 16000,
    ],
)
def test_bad(raw: bytes) -> None:
    for pieces in ([raw], [bytes([byte]) for byte in raw]):
        with pytest.raises(ClientProtocolError) as caught:
            run(pieces)
        assert caught.value.status == 400


def test_bad_response() -> None:
    with pytest.raises(ServerProtocolError) as caught:
        ChunkedBody(LIMITS, request=False).feed(b"x\r\n", 0)
    assert (caught.value.status, caught.value.termination) == (502, b"PD")


def test_feed_starts_anywhere() -> None:
    body = ChunkedBody(LIMITS)
    assert body.feed(b"head1\r\nx\r\n0\r\n\r\nnext", 4) == 15
    assert body.done


def test_last_chunk_ends_a_body() -> None:
    assert run([LAST_CHUNK]) == (b"", b"", True)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.lists(st.integers(0, 300), max_size=6), st.binary())
def test_any_payload_in_any_pieces(chunks: list[bytes], places: list[int], behind: bytes) -> None:
    raw = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n" + behind
    bounds = [0, *sorted(place for place in places if place < len(raw)), len(raw)]
    pieces = [raw[left:right] for left, right in pairwise(bounds)]
    assert run(pieces) == (b"".join(chunks), behind, True)


@given(
    st.lists(
        st.sampled_from([b"1", b"a", b"\r\n", b"\n", b"\r", b";", b'"', b"\\", b"0", b" ", b":", b"X"]), max_size=14
    )
)
def test_pieces_do_not_matter(parts: list[bytes]) -> None:
    raw = b"".join(parts)

    def outcome(pieces: list[bytes]) -> object:
        try:
            return run(pieces)
        except ExchangeError:
            return "refused"

    whole = outcome([raw])
    single = outcome([bytes([byte]) for byte in raw])
    # An error may show sooner in one piece than in the other, but never a different end.
    assert whole == single or "refused" in (whole, single)
    if isinstance(whole, tuple) and whole[2]:
        assert whole == single
