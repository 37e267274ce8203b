"""What is stored, against models that remember every event."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.pools.rates import SlidingRate
from maniple.pools.table_cells import Count, Gauge, Rate, Word
from maniple.pools.table_shape import Stored
from maniple.tests.pools.tables import key, make_shape, opened

SHAPE = make_shape(
    10,
    10**9,
    True,
    Stored("gpc", 3),
    Stored("gpc_rate", 2, 500),
    Stored("http_req_rate", 1, 1000),
    Stored("conn_cur"),
    Stored("gpt", 2),
    Stored("server_key"),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 900), st.integers(1, 5)), max_size=60))
def test_rates_of_three_writers_are_those_of_one_counter(events: list[tuple[int, int, int]]) -> None:
    with opened(SHAPE, 1, 2, 3) as tables:
        slot = tables[0].track(key(1), 0)
        rates = [table.cell("http_req_rate") for table in tables]
        model = SlidingRate(1000)
        now = 0
        for writer, gap, number in events:
            now += gap
            rate = rates[writer]
            assert isinstance(rate, Rate)
            rate.add(slot, number, now)
            model.add(now, number)
            assert [one.value(slot, now) for one in rates if one] == [model.value(now)] * 3
        for later in (300, 1000, 1700, 2500, 4000):
            assert rates[0] is not None and rates[0].value(slot, now + later) == SlidingRate.value(model, now + later)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "add", "add", "set"]), st.integers(0, 2), st.integers(0, 1300), st.integers(0, 9)
        ),
        max_size=40,
    ),
    st.integers(-1, 25),
)
def test_a_rate_is_above_a_limit_when_its_value_is(steps: list[tuple[str, int, int, int]], least: int) -> None:
    """Also with what was set, which is a difference to what writers have counted; and by writers that come later."""
    with opened(SHAPE, 1, 2, 3) as tables:
        slot = tables[0].track(key(1), 0)
        rates = [rate for table in tables if isinstance(rate := table.cell("http_req_rate"), Rate)]
        now = 0
        tests = [rate.above(least, lambda: now / 1000.0) for rate in rates]
        for verb, writer, gap, number in steps:
            now += gap
            if verb == "add":
                rates[writer].add(slot, number, now)
            else:
                rates[writer].set(slot, number, now)
            for rate, test in zip(rates, tests, strict=True):
                assert test(slot) is (rate.value(slot, now) >= least)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["add", "set"]), st.integers(0, 1), st.integers(0, 1000)), max_size=30))
def test_counts_are_what_was_set_and_added_since(steps: list[tuple[str, int, int]]) -> None:
    with opened(SHAPE, 1, 2) as tables:
        slot = tables[0].track(key(1), 0)
        expected = 0
        for word, writer, number in steps:
            for name in ("gpc", "conn_cur"):
                cell = tables[writer].cell(name, 1 if name == "gpc" else 0)
                assert isinstance(cell, Count | Gauge)
                (cell.add if word == "add" else cell.set)(slot, number, 0)
            expected = expected + number if word == "add" else number
            for table in tables:
                assert (table.cell("gpc", 1).value(slot, 0), table.cell("conn_cur").value(slot, 0)) == (  # type: ignore[union-attr]
                    expected,
                    expected,
                )
                assert table.cell("gpc", 0).value(slot, 0) == table.cell("gpc", 2).value(slot, 0) == 0  # type: ignore[union-attr]


def test_a_count_that_is_taken_begins_again() -> None:
    with opened(make_shape(), 1, 2) as (one, two):
        slot = one.track(key(1), 0)
        first, second = one.cell("gpc0"), two.cell("gpc0")
        assert isinstance(first, Count) and isinstance(second, Count)
        first.add(slot, 2, 0)
        second.add(slot, 3, 0)
        assert (second.take(slot), first.take(slot)) == (5, 0)
        first.add(slot, 1, 0)
        assert second.value(slot, 0) == 1


def test_a_rate_that_was_set() -> None:
    with opened(SHAPE, 1, 2) as (one, two):
        slot = one.track(key(1), 100)
        first, second = one.cell("gpc_rate", 1), two.cell("gpc_rate", 1)
        assert isinstance(first, Rate) and isinstance(second, Rate)
        first.add(slot, 7, 100)
        second.add(slot, 9, 700)
        second.set(slot, 5, 800)
        assert first.value(slot, 800) == 5
        first.add(slot, 2, 800)
        assert second.value(slot, 800) == 7
        second.set(slot, 0, 800)
        assert first.value(slot, 800) == 0
        assert first.value(slot, 1200) == 0
        assert one.cell("gpc_rate", 0).value(slot, 800) == 0  # type: ignore[union-attr]


def test_words_are_assigned_and_settled_once() -> None:
    with opened(SHAPE, 1, 2) as (one, two):
        slot = one.track(key(1), 0)
        mine, other = one.cell("gpt", 1), two.cell("gpt", 1)
        assert isinstance(mine, Word) and isinstance(other, Word)
        mine.set(slot, 41, 0)
        assert other.value(slot, 0) == 41
        assert other.settle(slot, 41, 42) == 42
        assert mine.settle(slot, 41, 43) == 42
        name = one.cell("server_key")
        assert isinstance(name, Word)
        name.set(slot, one.names.number(b"s1"), 0)
        assert two.names.text(two.cell("server_key").value(slot, 0)) == b"s1"  # type: ignore[union-attr]


def test_what_is_not_stored_has_no_cell() -> None:
    with opened(SHAPE, 1) as (table,):
        assert table.cell("gpc0") is None
        assert table.cell("gpc", 3) is None
        assert table.cell("gpc", 2) is table.cell("gpc", 2)
        with pytest.raises(IndexError):
            from maniple.pools.table_cells import make_cell

            make_cell(table, Stored("gpc", 3), 3)


def test_one_of_many_who_settle_at_once_wins() -> None:
    with opened(SHAPE, *range(1, 5)) as tables:
        slot = tables[0].track(key(1), 0)
        results: list[int] = []
        barrier = threading.Barrier(4)

        def settle(number: int) -> None:
            cell = tables[number].cell("gpt")
            assert isinstance(cell, Word)
            barrier.wait()
            results.append(cell.settle(slot, 0, number + 1))

        threads = [threading.Thread(target=settle, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(results)) == 1 and results[0] in range(1, 5)
