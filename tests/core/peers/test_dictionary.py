"""Texts by number: a recorded case, overflow of the cache against a model, damage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.peers.dictionary import LONGEST, SIZE, ReceivedTexts, SentTexts
from maniple.core.peers.faults import MalformedFault, PeerFault


def test_as_recorded() -> None:
    sent = SentTexts()
    assert sent.encode(b"s1").hex() == "0401027331"
    assert sent.encode(b"s1").hex() == "0101"
    assert sent.encode(None).hex() == "00"


@given(st.lists(st.integers(0, 3 * SIZE), max_size=600))
def test_more_texts_than_the_cache_holds(numbers: list[int]) -> None:
    sent, received = SentTexts(), ReceivedTexts()
    for number in numbers:
        text = b"server%d" % number
        encoded = sent.encode(text)
        assert received.decode(b"xy" + encoded + b"z", 2) == (text, 2 + len(encoded))


@pytest.mark.parametrize(
    "encoded",
    ["01", "0100", "0205", "01f0", "020181", "0401037331", "0401017331", "0102", "04f000", "02f000", "", "0300"],
)
def test_malformed(encoded: str) -> None:
    with pytest.raises(MalformedFault):
        ReceivedTexts().decode(bytes.fromhex(encoded), 0)


def test_too_long() -> None:
    with pytest.raises(MalformedFault):
        ReceivedTexts().decode(SentTexts().encode(b"x" * (LONGEST + 1)), 0)


@given(st.binary(max_size=20))
def test_whatever_bytes(data: bytes) -> None:
    try:
        ReceivedTexts().decode(data, 0)
    except PeerFault:
        return
