"""Hashes: known vectors, and slow models for what has another shape in the standard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ConfigError
from maniple.core.rules.hashes import avalanche, crc32c, djb2, wt6

VECTORS: list[tuple[str, int]] = [
    # "123456789" is the check value of every CRC.
    ("str(123456789),crc32", 0xCBF43926),
    ("str(123456789),crc32c", 0xE3069283),
    ("str(),crc32c", 0),
    ("str(abc),djb2", 193485963),
    ("str(abc),sdbm", 807794786),
    ("str(),wt6", 4187620192),
    ("bin(ff00fe8877665544332211),wt6", 2117442655),
    ("str(),xxh32", 0x02CC5D05),
    ("str(),xxh64", 0xEF46DB3751D8E999 - (1 << 64)),
    ("str(),xxh3", 0x2D06800538D394C2),
    ("str(abc),xxh32(-1)", 2989167648),
    ("str(abc),xxh64(-5)", -2898957986373359945),
    ("str(abc),xxh3(-5)", -6165315974102190573),
    ("str(abc),crc32(1)", 930845320),
    ("str(abc),crc32(0)", 891568578),
    ("str(abc),djb2(1)", 2235766107),
    ("str(abc),wt6(1)", 266135527),
]


@pytest.mark.parametrize(("text", "expected"), VECTORS)
def test_vectors(text: str, expected: int, value_of: Callable[..., Any]) -> None:
    assert value_of(text, None) == expected


@given(st.binary(max_size=40))
def test_crc32c_bit_by_bit(value: bytes) -> None:
    number = 0xFFFFFFFF
    for byte in value:
        number ^= byte
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
    assert crc32c(value) == number ^ 0xFFFFFFFF


@given(st.binary(max_size=40))
def test_djb2_without_its_modulus(value: bytes) -> None:
    number = 5381
    for byte in value:
        number = number * 33 + byte
    assert djb2(value) == number % (1 << 32)


@given(st.binary(max_size=40))
def test_all_are_32_bits(value: bytes) -> None:
    assert 0 <= wt6(value) < 1 << 32 and 0 <= avalanche(wt6(value)) < 1 << 32


WRONG: list[tuple[str, int, str]] = [
    ("str(a),crc32(x)", 14, "an integer is expected"),
    ("str(a),xxh64(1,2)", 16, "at most 1 argument"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column
