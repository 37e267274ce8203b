from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.thread_groups import divide, group_sizes, thread_range

SIZES = [
    # nbgroup, nbthread, thread-group lines, sizes (TG7; HAProxy 3.0 agrees on all with lines)
    (4, 28, "", "7 7 7 7"),
    (2, 5, "", "3 2"),
    (3, None, "", "1 1 1"),
    (None, 3, "", "1 1 1"),
    (2, 128, "", "64 64"),
    (256, 256, "", " ".join(["1"] * 256)),
    (2, 8, "1 1-3", "3 5"),
    (3, 8, "1 1-3", "3 3 2"),
    (None, 8, "1 1-3|2 4-8", "3 5"),
    (None, None, "1 1-3|2 4-8", "3 5"),
    (None, None, "2 5 6 7-8", "4 4"),
    (3, None, "1 1-2", "2 1 1"),
    (2, 8, "1 1-4|2 4-8", "3 5"),
    (2, 8, "1", "4 4"),
]
REFUSED = [
    (4, 2, "", "4 groups cannot share 2 threads"),
    (2, 1, "", "2 groups cannot share 1 thread:"),
    (1, 65, "", "group 1 has 65 threads, and 64 are the most: write nbgroup 2 or more"),
    (None, None, "1 1-65", "write nbgroup 2"),
    (2, 8, "1 1-3|2 4-7", "1 of 8 threads are in no thread-group"),
    (3, 3, "1 1-2", "2 groups without a thread-group line cannot share 1 threads"),
    (2, 8, "1 5-8|2 1-4", "thread-group 2 has thread 4 and thread-group 1 thread 5"),
    (2, 4, "1 1 3|2 2 4", "thread-group 2 has thread 2 and thread-group 1 thread 3"),
    (2, 4, "3 1", "thread-group 3 does not exist: nbgroup is 2"),
    (2, 4, "1 1-5", "thread 5 of thread-group 1 does not exist: nbthread is 4"),
]


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in filter(None, text.split("|"))]


@pytest.mark.parametrize(("groups", "threads", "text", "sizes"), SIZES)
def test_sizes(groups: int | None, threads: int | None, text: str, sizes: str) -> None:
    assert " ".join(map(str, group_sizes(groups, threads, lines(text)))) == sizes


@pytest.mark.parametrize(("groups", "threads", "text", "complaint"), REFUSED)
def test_refused(groups: int | None, threads: int | None, text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        group_sizes(groups, threads, lines(text))


@given(st.integers(0, 400), st.integers(1, 60))
def test_division_is_even(total: int, parts: int) -> None:
    shares = divide(total, parts)
    assert sum(shares) == total and len(shares) == parts
    assert max(shares) - min(shares) <= 1
    assert list(shares) == sorted(shares, reverse=True)


def test_thread_ranges() -> None:
    assert list(thread_range("5")) == [5]
    assert list(thread_range("4-2")) == [2, 3, 4]
    for text in ("", "0", "257", "1,2", "odd", "1-"):
        with pytest.raises(ValueError):
            thread_range(text)
