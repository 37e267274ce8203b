"""The memory is bounded, admits on second sight, and never answers for another key."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from maniple.core.http.memo import Memo


def test_second_sight() -> None:
    memo: Memo[int] = Memo(8, 100)
    memo.offer(b"a", 1)
    assert memo.table == {}
    memo.offer(b"a", 2)
    assert memo.table == {b"a": 2}


def test_too_long_is_never_admitted() -> None:
    memo: Memo[int] = Memo(8, 3)
    for _ in range(3):
        memo.offer(b"abcd", 1)
        memo.offer(b"abc", 1)
    assert memo.table == {b"abc": 1}


def test_no_entries_no_memory() -> None:
    memo: Memo[int] = Memo(0, 100)
    for _ in range(3):
        memo.offer(b"", 1)
        memo.offer(b"a", 1)
    assert memo.table == {}


def test_the_oldest_go_first() -> None:
    memo: Memo[int] = Memo(16, 100)
    keys = [b"%d" % number for number in range(17)]
    for key in keys:
        memo.offer(key, 0)
        memo.offer(key, 0)
    assert list(memo.table) == keys[3:]


def test_the_dict_keeps_its_identity() -> None:
    memo: Memo[int] = Memo(4, 100)
    get = memo.table.get
    for number in range(100):
        memo.offer(b"%d" % number, number)
        memo.offer(b"%d" % number, number)
    assert get(b"99") == 99


@given(st.lists(st.binary(max_size=3), max_size=300))
def test_bounded_and_true(keys: list[bytes]) -> None:
    memo: Memo[bytes] = Memo(10, 2)
    for key in keys:
        memo.offer(key, key)
        assert len(memo.table) <= 10
    assert all(key == value and len(key) <= 2 for key, value in memo.table.items())
