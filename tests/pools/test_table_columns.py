"""Columns apart, and what was marked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.pools.table import Table
from maniple.pools.table_arrays import highest_writer, share, vacate
from maniple.pools.table_cells import Count, Gauge, Rate
from maniple.pools.table_columns import Columns, shift_periods, take_marks
from maniple.pools.table_shape import Stored
from maniple.tests.pools.tables import key, make_shape, open_again, opened

P = 10_000
SHAPE = make_shape(100, 60_000, True, Stored("gpc0"), Stored("conn_cur"), Stored("http_req_rate", 1, P))


def cells(table: Table) -> tuple[Count, Gauge, Rate]:
    found = (table.cell("gpc0"), table.cell("conn_cur"), table.cell("http_req_rate"))
    assert isinstance(found[0], Count) and isinstance(found[1], Gauge) and isinstance(found[2], Rate)
    return found[0], found[1], found[2]


def test_marks_are_taken_once() -> None:
    with opened(make_shape(40_000), 1) as (table,):
        share(table.segment, True)
        writer = open_again(table.segment, 2)
        slots = [writer.track(key(number), 0) for number in range(300)]
        for slot in slots[::3]:
            writer.mark(slot)
        writer.mark(slots[0])
        assert sorted(take_marks(table)) == [key(number) for number in range(0, 300, 3)]
        assert take_marks(table) == []
        writer.mark(slots[7])
        writer.release(slots[7])
        writer.remove(key(7))
        assert take_marks(table) == []
        writer.close()
        writer.segment.close()


def test_columns_are_summed_and_put_apart() -> None:
    with opened(SHAPE, 1, 2, 5) as (one, two, _):
        slot = one.track(key(1), 1000)
        for table, number in ((one, 3), (two, 4)):
            for cell in cells(table):
                cell.add(slot, number, 1000)
        count, gauge, rate = cells(one)
        own = Columns(one, {5})
        assert highest_writer(one.segment) == 5
        own.put_count(count, slot, 5, 100)
        own.put_open(slot, 5, 30)
        own.put_periods(rate, slot, 5, 400, 50, 20, 1500)
        assert (own.count(count, slot), own.open(slot), own.periods(rate, slot, 1500)) == (7, 7, (500, 7, 0))
        assert (count.value(slot, 1500), gauge.value(slot, 1500), rate.value(slot, 1500)) == (
            107,
            37,
            57 + 20 * 95 // 100,
        )
        own.put_count(count, slot, 5, -7)
        assert (count.value(slot, 1500), own.count(count, slot)) == (0, 7)
        vacate(one.segment, 5, counts=True)
        assert (count.value(slot, 1500), gauge.value(slot, 1500), rate.value(slot, 1500)) == (7, 7, 7)


def test_the_base_makes_a_sum() -> None:
    with opened(SHAPE, 1) as (table,):
        slot = table.track(key(1), 1000)
        rate = cells(table)[2]
        rate.add(slot, 9, 1000)
        everything = Columns(table)
        everything.put_periods(rate, slot, 0, 3000, 4, 2, 4000, whole=True)
        assert everything.periods(rate, slot, 4000) == (3000, 4, 2)
        rate.add(slot, 1, 4100)
        assert everything.periods(rate, slot, 4100) == (3100, 5, 2)
        assert everything.periods(rate, slot, 14_100) == (3100, 0, 5)
        # Somebody looked at the clock before the entry was made.
        assert everything.periods(rate, slot, 990)[0] == 0


@pytest.mark.parametrize(
    ("ours", "theirs", "told", "kept"),
    [
        (5000, 5000, (7, 3), (7, 3)),
        (5000, 5003, (7, 3), (7, 3)),
        (5100, 5000, (7, 3), (7, 3)),
        (9990, 5, (7, 3), (10, 0)),
        (5, 9990, (7, 3), (0, 7)),
        (5000, 15_000, (7, 3), (0, 7)),
        (5000, 40_000, (7, 3), (0, 0)),
        (0, 5000, (8, 0), (0, 8)),
        (5000, 0, (0, 8), (6, 4)),
    ],
)
def test_periods_of_others(ours: int, theirs: int, told: tuple[int, int], kept: tuple[int, int]) -> None:
    assert shift_periods(P, ours, theirs, *told) == kept


@given(
    st.integers(1, P - 1), st.integers(0, P - 1), st.integers(0, 10**6), st.integers(0, 10**6)
)  # fmt: skip
def test_the_rate_stays(ours: int, theirs: int, current: int, previous: int) -> None:
    found = shift_periods(P, ours, theirs, current, previous)
    assert found[0] >= 0 and found[1] >= 0
    there = current + previous * (P - theirs) / P
    here = found[0] + found[1] * (P - ours) / P
    assert abs(here - there) <= 1.5 + (current + previous) / 49
