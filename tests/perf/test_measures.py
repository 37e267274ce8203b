"""Arithmetic of rounds: medians, spreads, and ratios within a round."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.perf.measures import Outcome, Sample, Spread, differences, ratio, ratios, spread


def outcome(*values: float | None) -> Outcome:
    """A sample per value; None is a round with a fault."""
    return Outcome(
        "one",
        [Sample({"cpu_us": value}) if value is not None else Sample({"cpu_us": 1.0}, ("broken",)) for value in values],
    )


def test_spread() -> None:
    assert spread([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)
    assert spread([]) is None
    assert outcome(4.0, 1.0, 2.0, 3.0).spread("cpu_us") == Spread(2.5, 1.0, 4.0)
    assert outcome(4.0).spread("rate") is None


def test_ratio_is_taken_within_a_round() -> None:
    """The machine was three times slower in the second round; that is nobody's merit."""
    mine, theirs = outcome(11, 33, 12), outcome(10, 30, 10)
    assert ratios(mine, theirs, "cpu_us") == [1.1, 1.1, 1.2]
    assert ratio(mine, theirs, "cpu_us") == Spread(1.1, 1.1, 1.2)


def test_rounds_with_a_fault_count_for_nothing() -> None:
    mine, theirs = outcome(2, None, 6), outcome(1, 1, None)
    assert ratios(mine, theirs, "cpu_us") == [2.0]
    assert mine.spread("cpu_us") == Spread(4.0, 2.0, 6.0)
    assert ratio(outcome(None), theirs, "cpu_us") is None
    assert differences(mine, theirs, "cpu_us") == [1.0]
    assert differences(outcome(11, 33, 12), outcome(10, 30, 10), "cpu_us") == [1, 3, 2]


def test_nothing_is_divided_by_zero() -> None:
    assert ratios(outcome(1.0), outcome(0.0), "cpu_us") == []


@pytest.mark.parametrize(
    ("one", "state"),
    [
        (outcome(1.0), "ok"),
        (outcome(1.0, None), "FAIL"),
        (Outcome("x"), "FAIL"),
        (Outcome("x", absent="why"), "absent"),
    ],
)
def test_state(one: Outcome, state: str) -> None:
    assert one.state == state


def test_faults_name_their_round() -> None:
    assert outcome(1.0, None).faults == ["round 2: broken"]


@given(st.lists(st.floats(0.001, 1e6), min_size=1))
def test_median_lies_between_lowest_and_highest(values: list[float]) -> None:
    found = spread(values)
    assert found is not None
    assert found.low <= found.median <= found.high


@given(st.lists(st.floats(0.001, 1e6), min_size=1))
def test_ratio_with_itself_is_one(values: list[float]) -> None:
    assert ratio(outcome(*values), outcome(*values), "cpu_us") == Spread(1.0, 1.0, 1.0)
