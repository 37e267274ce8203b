"""The table of one round: exact in the whole, even in all parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.balance.backend import Backend
from maniple.core.balance.rotation import reduced, spread


def names(shares: list[int]) -> str:
    return "".join("abcdef"[index] for index in spread(shares))


@pytest.mark.parametrize(
    ("shares", "expected"),
    [([1, 1, 1], "abc"), ([1, 2, 5], "cbcaccbc"), ([3, 1], "aaba"), ([1], "a"), ([], ""), ([2, 2], "abab")],
)
def test_rounds(shares: list[int], expected: str) -> None:
    assert names(shares) == expected


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_every_part_of_a_round_is_even(shares: list[int]) -> None:
    """At each place there is a moment of the round that explains all counts with an error of half a turn."""
    table = spread(shares)
    assert Counter(table) == dict(enumerate(shares))
    counts = [0] * len(shares)
    for index in table:
        counts[index] += 1
        least = max(Fraction(2 * count - 1, 2 * share) for count, share in zip(counts, shares, strict=True))
        most = min(Fraction(2 * count + 1, 2 * share) for count, share in zip(counts, shares, strict=True))
        assert least <= most


@pytest.mark.parametrize(("weights", "shares"), [([16, 32, 80], [1, 2, 5]), ([7], [1]), ([], []), ([3, 5], [3, 5])])
def test_reduced(weights: list[int], shares: list[int]) -> None:
    assert reduced(weights) == shares


@pytest.mark.parametrize("balance", ["roundrobin", "static-rr"])
def test_saturated_server_loses_its_turn(
    balance: str, farm: Callable[..., Backend], choices: Callable[..., str]
) -> None:
    backend = farm(balance, "1 1 1", each={"b": {"maxconn": 1}})
    backend.took(backend.servers[1])
    assert choices(backend, 4) == "acac"
    backend.freed(backend.servers[1])
    assert choices(backend, 6).count("b") == 2


@pytest.mark.parametrize("balance", ["roundrobin", "static-rr"])
def test_avoided_server_is_the_last_resort(
    balance: str, farm: Callable[..., Backend], choices: Callable[..., str]
) -> None:
    backend = farm(balance, "1 5", each={"a": {"maxconn": 1}})
    assert choices(backend, 3, avoid="b") == "aaa"
    backend.took(backend.servers[0])
    assert choices(backend, 2, avoid="b") == "bb"
    assert choices(farm(balance, "1"), 2, avoid="a") == "aa"


@pytest.mark.parametrize("balance", ["roundrobin", "static-rr"])
def test_nobody_and_nobody_free(balance: str, farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    assert choices(farm(balance, ""), 1) == "-"
    backend = farm(balance, "200 1", maxconn=1)
    for server in backend.servers:
        backend.took(server)
    assert choices(backend, 2) == "--"
    assert choices(backend, 1, avoid="a") == "-"
