from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.groups.shards import Claim, Owners, deal, split

FIVE: Owners = ((1, 1), (1, 2), (2, 1), (2, 2), (3, 1))


@pytest.mark.parametrize(
    ("rule", "sizes"),
    [
        ("by-thread", [1, 1, 1, 1, 1]),
        ("by-group", [2, 2, 1]),
        ("1", [5]),
        ("2", [3, 2]),
        ("3", [2, 2, 1]),
        ("4", [2, 1, 1, 1]),
        ("5", [1, 1, 1, 1, 1]),
        ("6", [1, 1, 1, 1, 1]),
        ("1024", [1, 1, 1, 1, 1]),
    ],
)
def test_split(rule: str, sizes: list[int]) -> None:
    parts = split(FIVE, rule)
    assert [len(part) for part in parts] == sizes
    assert sum(parts, ()) == FIVE


def claim(name: str, *owners: tuple[int, int]) -> Claim:
    return name, owners


A, B, C = claim("f", (1, 1)), claim("f", (1, 2)), claim("f", (2, 1))


@pytest.mark.parametrize(
    ("held", "wanted", "expected"),
    [
        pytest.param([A, B], [A, B], [0, 1], id="same"),
        pytest.param([B, A], [A, B], [1, 0], id="same, in another order"),
        pytest.param([A], [A, B, C], [0], id="more are wanted"),
        pytest.param([A, B, C], [A, B], [0, 1, 0], id="the orphan goes to the first"),
        pytest.param([C, B, A], [B], [0, 0, 0], id="all to one"),
        pytest.param([claim("g", (1, 2)), claim("g", (1, 1))], [A, B], [1, 0], id="another frontend, same threads"),
        pytest.param(
            [claim("g", (1, 1)), A], [claim("g", (1, 1)), claim("f", (1, 1))], [0, 1], id="frontend is looked at first"
        ),
        pytest.param([claim("f", (1, 1), (1, 2)), C], [C, B], [1, 0], id="some of the same threads"),
        pytest.param([claim("f")], [A], [0], id="shared before"),
        pytest.param([], [A, B], [], id="nothing there"),
    ],
)
def test_deal(held: list[Claim], wanted: list[Claim], expected: list[int]) -> None:
    assert deal(held, wanted) == expected


THREADS = st.tuples(st.integers(1, 3), st.integers(1, 3))
CLAIMS = st.lists(st.tuples(st.sampled_from("fg"), st.lists(THREADS, max_size=2).map(tuple)), max_size=12)


@given(CLAIMS, CLAIMS.filter(bool))
def test_all_are_dealt_evenly_and_a_second_time_the_same(held: list[Claim], wanted: list[Claim]) -> None:
    places = deal(held, wanted)
    counts = Counter(places)
    assert len(places) == len(held)
    assert max(counts[index] for index in range(len(wanted))) - min(counts[index] for index in range(len(wanted))) <= 1
    again = deal([wanted[place] for place in places], wanted)
    assert [wanted[place] for place in again] == [wanted[place] for place in places]
