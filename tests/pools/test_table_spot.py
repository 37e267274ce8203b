"""Spots: an entry is found where it was, and nothing else is taken for it."""

from __future__ import annotations

import random

from maniple.pools.table_spot import LONGEST, Memory, Spot
from maniple.tests.pools.tables import key, make_shape, opened


def test_found_where_it_was() -> None:
    with opened(make_shape(10, 1000), 1, 2) as (one, two):
        spot = Spot(key(1))
        assert not one.regain(spot, 0)
        one.locate(spot, 0)
        assert not one.regain(spot, 0), "nothing is there yet"
        slot = two.track(key(1), 0)
        two.release(slot)
        one.locate(spot, 5)
        assert one.regain(spot, 1000)
        assert spot.slot == slot and one.arrays.holders(slot) == 1
        assert two.remove(key(1)) is False, "it is held"
        one.release(spot.slot)
        assert not one.regain(spot, 1001), "it has expired"
        assert one.arrays.holders(slot) == 0


def test_what_has_gone_and_come_again_is_another() -> None:
    with opened(make_shape(1, 1000), 1, 2) as (one, two):
        spot = Spot(key(1))
        one.release(one.track(key(1), 0))
        one.locate(spot, 0)
        two.remove(key(1))
        assert not one.regain(spot, 0)
        for number in (2, 1):
            two.release(two.track(key(number), 7))
            assert not one.regain(spot, 7)
        one.locate(spot, 7)
        assert one.regain(spot, 7)
        one.release(spot.slot)


def test_like_the_table() -> None:
    """Whatever comes and goes, what is regained is what would be found."""
    chance = random.Random(5)
    with opened(make_shape(6, 50), 1) as (table,):
        spots = [Spot(key(number)) for number in range(10)]
        regained = 0
        for now in range(0, 4000, 3):
            spot = chance.choice(spots)
            if chance.random() < 0.5:
                table.release(table.track(spot.key, now))
            elif chance.random() < 0.2:
                table.remove(spot.key)
            if table.regain(spot, now):
                regained += 1
                assert table.key(spot.slot) == spot.key
                assert table.find(spot.key, now) == spot.slot
                table.release(spot.slot)
            else:
                table.locate(spot, now)
        assert regained > 100
        assert not any(map(table.arrays.holders, table.slots()))


def test_a_memory_is_bounded() -> None:
    memory: Memory[int] = Memory(3)
    for number in range(5):
        memory.note(b"%d" % number, number)
    assert memory == {b"3": 3, b"4": 4}
    assert [memory.takes(value) for value in (b"x" * LONGEST, b"x" * (LONGEST + 1), 5, None)] == [
        True,
        False,
        True,
        True,
    ]
