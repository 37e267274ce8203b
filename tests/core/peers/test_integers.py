"""Numbers of variable length: the bounds of the protocol's text, round trips, damage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.peers.faults import MalformedFault, PeerFault, SizeFault
from maniple.core.peers.integers import LIMIT, LONGEST, decode_integer, encode_integer, read_integer

CASES = [
    (0, "00"),
    (239, "ef"),
    (240, "f000"),
    (2287, "ff7f"),
    (2288, "f08000"),
    (264431, "ffff7f"),
    (264432, "f0808000"),
    (33818863, "ffffff7f"),
    (33818864, "f080808000"),
    (1234, "f23e"),
    (300, "fc03"),
    (60000, "f0971c"),
    (600000, "f0eda301"),
]
"""The last four as seen between two HAProxies."""


@pytest.mark.parametrize(("value", "encoded"), CASES)
def test_known_numbers(value: int, encoded: str) -> None:
    assert encode_integer(value).hex() == encoded
    assert decode_integer(bytes.fromhex(encoded)) == (value, len(encoded) // 2)


@given(st.integers(0, LIMIT - 1), st.binary(max_size=3), st.binary(max_size=3))
def test_round_trip_anywhere(value: int, before: bytes, after: bytes) -> None:
    encoded = encode_integer(value)
    assert len(encoded) <= LONGEST
    assert decode_integer(before + encoded + after, len(before)) == (value, len(before) + len(encoded))
    for length in range(len(encoded)):
        assert read_integer(encoded[:length], 0)[1] == -1
        with pytest.raises(MalformedFault):
            decode_integer(encoded[:length])


@given(st.binary(max_size=16))
def test_whatever_bytes(data: bytes) -> None:
    try:
        value, after = decode_integer(data)
    except PeerFault:
        return
    assert encode_integer(value) == data[:after]


@pytest.mark.parametrize("value", [-1, LIMIT])
def test_numbers_out_of_range(value: int) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        encode_integer(value)


def test_too_many_bits() -> None:
    assert decode_integer(encode_integer(LIMIT - 1))[0] == LIMIT - 1
    for data in (b"\xff" * 11, b"\xff" * 200, bytes((*encode_integer(LIMIT - 1)[:-1], 0x7F))):
        with pytest.raises(SizeFault):
            decode_integer(data)
