"""Dates in cookies: there and back, and what was measured with HAProxy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.balance.cookie_dates import NO_DATES, read_date, rewrite_date, signed, split_value, write_date

SPLIT = [
    (b"a", (b"a", 0, 0)),
    (b"a|", (b"a", 0, 0)),
    (b"a|AAAB", (b"a", 0, 0)),
    (b"a|AAAAB", (b"a", 4, 0)),
    (b"a|AAAAA", (b"a", 0, 0)),
    (b"a|AAAABzz|AAAACz", (b"a", 4, 8)),
    (b"a||AAAAC", (b"a", 0, 8)),
    (b"a|zz|AAAAC", (b"a", 0, 8)),
    (b"a|AAAAB|AAAC", (b"a", 4, 0)),
    (b"a|/////", (b"a", -4, 0)),
    (b"a|=====", (b"a", 0, 0)),
    (b"|AAAAB", (b"", 4, 0)),
]


@pytest.mark.parametrize(("value", "parts"), SPLIT)
def test_split(value: bytes, parts: tuple[bytes, int, int]) -> None:
    assert split_value(value, NO_DATES) == parts


def test_what_is_not_said_stays() -> None:
    assert split_value(b"b", (4, 8)) == (b"b", 4, 8)
    assert split_value(b"b|AAAAD", (4, 8)) == (b"b", 12, 8)


@given(st.integers(1, 2**31 - 8))
def test_there_and_back(seconds: int) -> None:
    text = write_date(seconds)
    assert len(text) == 5
    assert seconds <= read_date(text) < seconds + 4
    assert rewrite_date(read_date(text)) == text


def test_signed() -> None:
    assert [signed(one) for one in (0, 2**31 - 1, 2**31, -1, 2**32 + 5)] == [0, 2**31 - 1, -(2**31), -1, 5]
