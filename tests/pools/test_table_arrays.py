from __future__ import annotations

import pytest
from maniple.pools.segment import Segment
from maniple.pools.table_arrays import Arrays, vacate
from maniple.pools.table_shape import Layout, Stored
from maniple.tests.pools.tables import key, make_shape, opened


def test_a_segment_that_is_too_small_is_refused() -> None:
    shape = make_shape()
    segment = Segment.create("t", 8192, shape.encode())
    with pytest.raises(ValueError, match="too few"):
        Arrays(segment, Layout(shape))
    segment.close()


def test_writers_that_come_later_are_in_the_sums() -> None:
    with opened(make_shape(10, 1000, True, Stored("gpc0"), Stored("conn_cur")), 1, 7) as (one, seven):
        slot = one.track(key(1), 0)
        for table, number in ((one, 2), (seven, 3)):
            for name in ("gpc0", "conn_cur"):
                cell = table.cell(name)
                assert cell is not None
                cell.add(slot, number, 0)  # type: ignore[union-attr]
        assert (one.arrays.used, one.arrays.count(slot, 0), one.arrays.gauge(slot)) == (8, 5, 5)
        assert seven.arrays.holders(slot) == 1


def test_a_vacated_column_holds_nothing_and_keeps_its_counts() -> None:
    with opened(make_shape(10, 1000, True, Stored("gpc0"), Stored("conn_cur")), 1, 2, 0) as (one, two, supervisor):
        slot = one.track(key(1), 0)
        assert two.track(key(1), 0) == slot
        for name in ("gpc0", "conn_cur"):
            two.cell(name).add(slot, 4, 0)  # type: ignore[union-attr]
            one.cell(name).add(slot, 1, 0)  # type: ignore[union-attr]
        vacate(supervisor.segment, 2)
        assert (one.arrays.holders(slot), one.arrays.gauge(slot), one.arrays.count(slot, 0)) == (1, 1, 5)
        assert supervisor.remove(key(1)) is False
        one.release(slot)
        assert supervisor.remove(key(1)) is True


@pytest.mark.parametrize("writer", [-1, 257])
def test_writers_have_bounds(writer: int) -> None:
    with opened(make_shape(), 1) as (table,), pytest.raises(ValueError, match="no writer"):
        table.arrays.enlist(writer)
