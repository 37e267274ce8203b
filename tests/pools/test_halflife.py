"""The arithmetic of eviction: both readings of the half-life (trap T1), HAProxy's purge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.pools.halflife import HalfLife, PurgeDelay, Turns, batch_size, next_need, purge_size


def survivors(population: int, batches: int, *, latched: bool, minimum: int = 0, half_lives: int = 1) -> list[int]:
    """The population after each batch of some half-lives in which nobody takes a connection."""
    rule = HalfLife(1000 * batches, batches, minimum, latched=latched)
    counts = []
    for _ in range(batches * half_lives):
        population -= rule.run(population, population)
        counts.append(population)
    return counts


def test_latched_reading_leaves_half() -> None:
    assert survivors(10000, 10, latched=True) == list(range(9500, 4999, -500))


def test_remeasured_reading_leaves_about_sixty_percent() -> None:
    # (1 - 1/20)^10 is 0.5987; rounding up every batch brings it to 5984.
    assert survivors(10000, 10, latched=False)[-1] == 5984


def test_latched_is_the_default() -> None:
    assert HalfLife(1000, 10).latched


def test_next_half_life_starts_from_what_is_left() -> None:
    assert survivors(10000, 10, latched=True, half_lives=3)[9::10] == [5000, 2500, 1250]


@pytest.mark.parametrize(
    ("population", "latched", "left"),
    [(10, True, 5), (10, False, 0), (1, True, 0), (3, True, 1), (19, True, 9), (19, False, 9), (0, True, 0)],
)
def test_fewer_than_two_a_batch(population: int, latched: bool, left: int) -> None:
    """D < 2N: a batch by the formula is one connection, ten batches take ten; the latched reading stops at half."""
    assert survivors(population, 10, latched=latched)[-1] == left


def test_minimum_is_not_touched() -> None:
    assert survivors(1000, 10, latched=True, minimum=900)[-1] == 950
    assert survivors(1000, 10, latched=True, minimum=900, half_lives=12)[-1] == 900
    assert survivors(800, 10, latched=False, minimum=900)[-1] == 800


def test_only_the_low_water_counts() -> None:
    rule = HalfLife(1000, 1)
    assert rule.run(1000, 40) == 20


def test_what_came_into_use_after_the_latch_is_spared() -> None:
    rule = HalfLife(1000, 10, 5)
    assert rule.run(1005, 1005) == 50
    assert rule.run(955, 30) == 25
    assert rule.run(930, 5) == 0
    assert rule.run(930, 0) == 0


@given(st.integers(0, 3000), st.integers(1, 20), st.integers(0, 300), st.booleans(), st.data())
def test_bounds(population: int, batches: int, minimum: int, latched: bool, data: st.DataObject) -> None:
    """Never below the minimum, never more than the formula's batch of the population."""
    rule = HalfLife(100 * batches, batches, minimum, latched=latched)
    largest = batch_size(population, batches)
    for _ in range(3 * batches):
        size = rule.run(population, data.draw(st.integers(0, population)))
        assert 0 <= size <= max(0, population - minimum)
        assert size <= largest
        population -= size


@given(st.integers(0, 5000), st.integers(1, 50))
def test_latched_half_life_is_exact(population: int, batches: int) -> None:
    assert survivors(population, batches, latched=True)[-1] == population // 2


@pytest.mark.parametrize(
    ("used", "idle", "need", "size"), [(0, 10, 0, 5), (0, 11, 0, 6), (5, 10, 15, 0), (5, 10, 14, 1), (0, 1, 0, 1)]
)
def test_purge_takes_half_of_the_exceeding(used: int, idle: int, need: int, size: int) -> None:
    assert purge_size(used, idle, need) == size


def test_purge_spares_the_minimum() -> None:
    rule = PurgeDelay(5000, 8)
    assert rule.run(0, 10, 0) == 2
    assert rule.run(0, 8, 0) == 0
    assert rule.run(20, 3, 0) == 0


def test_need_rises_at_once_and_falls_by_halves() -> None:
    assert next_need(0, 40) == 40
    assert [need := 40, need := next_need(need, 0), need := next_need(need, 0), next_need(need, 0)] == [40, 20, 10, 5]
    assert next_need(40, 30) == 35


def test_turns_follow_without_drift_and_leave_missed_ones_out() -> None:
    turns = Turns(100)
    assert not turns.reached(1000)
    assert not turns.reached(1099)
    assert turns.reached(1130)
    assert turns.reached(1200)
    assert not turns.reached(1299)
    assert turns.reached(1700)
    assert not turns.reached(1701)
    assert turns.reached(1800)


@pytest.mark.parametrize("arguments", [(100, 0), (5, 10), (0, 1)])
def test_impossible_half_life(arguments: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="half-life"):
        HalfLife(*arguments)


def test_impossible_delay() -> None:
    with pytest.raises(ValueError, match="interval"):
        PurgeDelay(0)
