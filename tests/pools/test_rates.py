"""Sliding rates and token buckets against models that remember every event."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.pools.rates import SlidingRate, TokenBucket


def test_steady_rate_is_exact() -> None:
    rate = SlidingRate(1000)
    for now in range(0, 5000, 10):
        rate.add(now)
    assert rate.value(4999) == 100


def test_previous_period_fades() -> None:
    rate = SlidingRate(1000)
    rate.add(0, 100)
    assert [rate.value(now) for now in (0, 999, 1000, 1250, 1500, 1999, 2000)] == [100, 100, 100, 75, 50, 0, 0]


def test_single_event_does_not_flap() -> None:
    rate = SlidingRate(1000)
    rate.add(500)
    assert [rate.value(now) for now in (500, 1001, 1999, 2000)] == [1, 1, 1, 0]


def test_time_that_goes_back_stands_still() -> None:
    rate = SlidingRate(1000)
    rate.add(5000, 7)
    assert rate.value(4000) == 7


def test_wait_until_one_more_fits() -> None:
    rate = SlidingRate(1000)
    assert rate.wait(0, 10) == 0
    rate.add(0, 10)
    assert rate.wait(0, 10) == 1
    rate.add(0, 10)
    assert rate.wait(0, 10) == 1000
    assert rate.wait(1500, 10) == 1
    assert rate.wait(1501, 10) == 0


@given(st.lists(st.integers(0, 700), max_size=60), st.integers(1, 2000))
def test_rate_against_model(gaps: list[int], period: int) -> None:
    """The model keeps all events and counts those of this and the previous period, which start at multiples of it."""
    rate = SlidingRate(period)
    events: list[int] = []
    now = 0
    for gap in gaps:
        now += gap
        rate.add(now)
        events.append(now)
        start = now // period * period
        current = sum(event >= start for event in events)
        previous = sum(start - period <= event < start for event in events)
        assert rate.value(now) == (previous * (start + period - now) + current * period) // period


def test_bucket_starts_full_and_fills_at_its_rate() -> None:
    bucket = TokenBucket(rate=10, burst=5, now=1000)
    assert [bucket.take(1000) for _ in range(6)] == [True] * 5 + [False]
    assert bucket.wait(1000) == 100
    assert not bucket.take(1099)
    assert bucket.take(1100)
    assert bucket.level(9000) == 5


def test_bucket_waits_for_several() -> None:
    bucket = TokenBucket(rate=3, burst=10)
    assert bucket.take(0, 10)
    assert bucket.wait(0, 10) == 3334
    assert not bucket.take(3333, 10)
    assert bucket.take(3334, 10)


@given(
    st.integers(1, 5000), st.integers(1, 50), st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 50)), max_size=40)
)
def test_bucket_against_model(rate: int, burst: int, takes: list[tuple[int, int]]) -> None:
    bucket = TokenBucket(rate, burst)
    level = Fraction(burst)
    now = 0
    for gap, number in takes:
        now += gap
        level = min(Fraction(burst), level + Fraction(gap * rate, 1000))
        if number <= burst:
            wait = bucket.wait(now, number)
            assert (wait == 0) == (level >= number)
            assert level + Fraction(wait * rate, 1000) >= number
        assert bucket.take(now, number) == (level >= number)
        if level >= number:
            level -= number
        assert bucket.level(now) == int(level)


@pytest.mark.parametrize("make", [lambda: TokenBucket(0, 1), lambda: TokenBucket(1, 0), lambda: SlidingRate(0)])
def test_impossible(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match="at least one"):
        make()


def test_more_than_fits() -> None:
    with pytest.raises(ValueError, match="never fit"):
        TokenBucket(1, 5).wait(0, 6)
