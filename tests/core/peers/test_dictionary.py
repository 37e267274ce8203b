"""Texts by number: a recorded case, overflow of the cache against a model, damage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.peers.dictionary import LONGEST, SIZE, ReceivedTexts, SentTexts
from maniple.core.peers.faults import MalformedFault, PeerFault
from maniple.core.peers.integers import encode_integer


def test_as_recorded() -> None:
    sent = SentTexts()
    assert sent.encode(b"s1", "t").hex() == "0401027331"
    assert sent.encode(b"s1", "t").hex() == "0101"
    assert sent.encode(None, "t").hex() == "00"


def test_a_text_is_told_in_every_table() -> None:
    """Whoever passes over the updates of one has not read it there."""
    sent = SentTexts()
    sent.encode(b"s1", "unknown to the peer")
    assert sent.encode(b"s1", "t").hex() == "0401027331"


@given(st.lists(st.integers(0, 3 * SIZE), max_size=600))
def test_more_texts_than_the_cache_holds(numbers: list[int]) -> None:
    sent, received = SentTexts(), ReceivedTexts()
    for number in numbers:
        text = b"server%d" % number
        encoded = sent.encode(text, "t")
        assert received.decode(b"xy" + encoded + b"z", 2) == (text, 2 + len(encoded))


@pytest.mark.parametrize(
    "encoded",
    ["01", "0100", "0205", "01f0", "020181", "0401037331", "0401017331", "0102", "04f000", "02f000", "", "0300"],
)
def test_malformed(encoded: str) -> None:
    with pytest.raises(MalformedFault):
        ReceivedTexts().decode(bytes.fromhex(encoded), 0)


def test_too_long() -> None:
    text = b"x" * (LONGEST + 1)
    assert ReceivedTexts().decode(SentTexts().encode(text, "t"), 0)[0] == text[:-1]
    body = b"\1" + encode_integer(len(text)) + text
    with pytest.raises(MalformedFault):
        ReceivedTexts().decode(encode_integer(len(body)) + body, 0)


@given(st.binary(max_size=20))
def test_whatever_bytes(data: bytes) -> None:
    try:
        ReceivedTexts().decode(data, 0)
    except PeerFault:
        return
