"""The table as its users see it; many processes at once, and some of them killed, are in test_table_stress."""

from __future__ import annotations

import pytest
from maniple.pools.segment import Segment
from maniple.pools.table import Table, create_table
from maniple.pools.table_arrays import share
from maniple.pools.table_shape import FOREVER, Stored, TableShape
from maniple.tests.pools.tables import entries, key, make_shape, open_again, opened
from xxhash import xxh3_64_intdigest


def test_an_entry_is_the_same_for_all() -> None:
    with opened(make_shape(), 1, 2) as (one, two):
        slot = one.track(key(1), 0)
        assert two.hold(key(1), 0) == slot
        assert two.hold(key(2), 0) == 0
        one.cell("gpc0").add(slot, 3, 0)  # type: ignore[union-attr]
        assert two.cell("gpc0").value(slot, 0) == 3  # type: ignore[union-attr]
        assert len(one) == len(two) == 1


def test_tracking_moves_the_expiry_and_looking_does_not() -> None:
    with opened(make_shape(10, 1000), 1) as (table,):
        slot = table.track(key(1), 0)
        table.release(slot)
        table.release(table.hold(key(1), 900))
        assert table.remaining(slot, 900) == 100
        assert table.track(key(1), 1000) == slot
        table.release(slot)
        assert table.remaining(slot, 1000) == 1000
        assert table.hold(key(1), 2001) == 0


def test_an_expired_entry_begins_anew() -> None:
    with opened(make_shape(10, 1000), 1) as (table,):
        slot = table.track(key(1), 0)
        table.cell("gpc0").add(slot, 3, 0)  # type: ignore[union-attr]
        table.cell("gpt0").set(slot, 5, 0)  # type: ignore[union-attr]
        table.release(slot)
        slot = table.track(key(1), 1001)
        assert table.cell("gpc0").value(slot, 1001) == table.cell("gpt0").value(slot, 1001) == 0  # type: ignore[union-attr]
        assert len(table) == 1


def test_a_held_entry_does_not_expire() -> None:
    with opened(make_shape(10, 1000), 1, 2) as (one, two):
        slot = one.track(key(1), 0)
        one.cell("gpc0").add(slot, 3, 0)  # type: ignore[union-attr]
        assert two.hold(key(1), 5000) == slot
        two.release(slot)
        assert two.track(key(1), 5000) == slot
        two.release(slot)
        assert two.sweep(7000, 64) == 0
        one.release(slot)
        assert two.sweep(10_000, 64) == 1
        assert len(one) == 0


def test_without_expiry_entries_stay_and_the_oldest_makes_room() -> None:
    with opened(make_shape(2, 0), 1) as (table,):
        slot = table.track(key(1), 0)
        table.release(slot)
        table.release(table.track(key(2), 10))
        assert table.remaining(slot, 10**9) >= FOREVER - 10**9
        table.release(table.track(key(1), 10**9))
        table.release(table.track(key(3), 10**9 + 1))
        assert entries(table) == {key(1), key(3)}


def test_removal() -> None:
    with opened(make_shape(), 1) as (table,):
        slot = table.track(key(1), 0)
        assert table.remove(key(1)) is False
        table.release(slot)
        assert table.remove(key(1)) is True
        assert table.remove(key(1)) is None


def test_a_date_from_outside() -> None:
    with opened(make_shape(10, 1000), 1) as (table,):
        slot = table.track(key(1), 0)
        table.release(slot)
        table.date(slot, 50)
        assert table.hold(key(1), 51) == 0
        assert table.sweep(51, 64) == 1


def test_changes_are_marked_in_bytes() -> None:
    """Where somebody is told of them."""
    with opened(make_shape(), 1, 2) as (one, two):
        slot = one.track(key(1), 0)
        one.mark(slot)
        assert not any(bytes(two.arrays.changed))
        share(one.segment, True)
        three = open_again(one.segment, 3)
        three.mark(slot)
        assert bytes(two.arrays.changed).find(b"\1") == slot
        three.close()
        three.segment.close()


def test_many_stripes_hold_every_key() -> None:
    shape = TableShape("ip", 4, 40_000, 10**6, True, (Stored("gpc0"),))
    with opened(shape, 1) as (table,):
        assert len(table._stripes) == 4
        for number in range(40_000):
            table.release(table.track(key(number), number))
        assert len(table) == 40_000
        assert all(table.hold(key(number), 40_000) for number in range(0, 40_000, 37))


def test_a_segment_of_another_kind_is_refused() -> None:
    segment = Segment.create("x", 4096, b"whatever")
    with pytest.raises(ValueError):
        Table(segment, 1, xxh3_64_intdigest)
    segment.close()


def test_all_who_share_it_have_one_secret() -> None:
    with opened(make_shape(), 1, 2) as (one, two), opened(make_shape(), 1) as (other,):
        assert one.secret == two.secret != other.secret
        assert len(one.secret) == 32


def test_it_outlives_those_who_made_it() -> None:
    segment = create_table("t", make_shape(), 7)
    first = open_again(segment, 1)
    first.release(first.track(key(1), 0))
    first.close()
    first.segment.close()
    second = open_again(segment, 1)
    assert entries(second) == {key(1)}
    second.close()
    second.segment.close()
    segment.close()


@pytest.mark.parametrize(
    ("size", "count", "most"), [(10, 0, 3), (10, 7, 1), (10, 10, 3), (10, 10, 100), (40_000, 500, 7)]
)
def test_portions_are_all_slots_in_order(size: int, count: int, most: int) -> None:
    with opened(make_shape(size), 1) as (table,):
        for number in range(count):
            table.release(table.track(key(number), 0))
        for number in range(0, count, 3):
            table.remove(key(number))
        found: list[int] = []
        start, turns = 1, 0
        while start:
            slots, start = table.portion(start, most)
            assert len(slots) <= most
            found += slots
            turns += 1
        assert found == list(table.slots()) and turns <= count // most + 2


def test_where_the_directory_has_an_entry() -> None:
    with opened(make_shape(200), 1) as (table,):
        slots = {number: table.track(key(number), 5) for number in range(200)}
        for number, slot in slots.items():
            cell, word = table.place(key(number), slot)
            assert table.arrays.directory[cell] == word and word & 0xFFFFFFFF == slot
        assert table.place(key(1), slots[2])[0] == -1
