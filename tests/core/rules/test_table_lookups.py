"""What names of tables read and change, on an entry that is held."""

from __future__ import annotations

import pytest
from maniple.core.rules.table_lookups import ARRAYS, CHANGES, PLAIN, SUMMARIES, reader
from maniple.core.rules.trackers import Tracker
from maniple.pools.table_arrays import Arrays
from maniple.pools.table_cells import Count
from maniple.tests.core.rules.tables import tables_of

NOW = 5000


def entry(stored: str) -> tuple[Tracker, int]:
    tracker = Tracker(tables_of({"t": f"type integer size 5 store {stored}"})["t"])
    return tracker, tracker.table.track(b"aaaa", NOW)


@pytest.mark.parametrize("name", PLAIN)
def test_what_is_stored_is_read(name: str) -> None:
    tracker, slot = entry(f"{name}(10s)" if name.endswith("_rate") else name)
    read = reader(name)
    assert read(tracker, slot, NOW) == 0
    tracker.cells[name, 0].add(slot, 3, NOW)  # type: ignore[union-attr]
    assert read(tracker, slot, NOW) == 3
    assert read(*entry("gpt0"), NOW) is None


def test_kilobytes() -> None:
    tracker, slot = entry("bytes_in_cnt")
    tracker.carry(slot, 5000, 1, NOW)
    assert reader("kbytes_in")(tracker, slot, NOW) == 4
    assert reader("kbytes_out")(tracker, slot, NOW) is None


def test_counters_that_are_increased_and_cleared() -> None:
    tracker, slot = entry("gpc0,gpc0_rate(10s)")
    increase, clear = reader("inc_gpc0"), reader("clr_gpc0")
    assert [increase(tracker, slot, NOW), increase(tracker, slot, NOW)] == [1, 2]
    assert [clear(tracker, slot, NOW), clear(tracker, slot, NOW)] == [2, 0]
    assert reader("gpc0_rate")(tracker, slot, NOW) == 2
    assert reader("inc_gpc1")(tracker, slot, NOW) == 0
    assert reader("clr_gpc1")(tracker, slot, NOW) is None


def test_what_is_added_while_it_is_cleared_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread adds after each time that the sum is read."""
    tracker, slot = entry("gpc0")
    cell = tracker.cells["gpc0", 0]
    assert isinstance(cell, Count)
    clear, summed = reader("clr_gpc0"), Arrays.count
    cell.add(slot, 1, NOW)
    added = 1

    def count(arrays: Arrays, slot: int, place: int) -> int:
        nonlocal added
        found = summed(arrays, slot, place)
        cell.add(slot, 1, NOW)
        added += 1
        return found

    monkeypatch.setattr(Arrays, "count", count)
    taken = clear(tracker, slot, NOW)
    monkeypatch.undo()
    assert taken is not None and taken + cell.value(slot, NOW) == added


def test_a_rate_alone_gives_its_own_value() -> None:
    tracker, slot = entry("gpc0_rate(10s)")
    assert [reader("inc_gpc0")(tracker, slot, NOW) for _ in range(3)] == [1, 2, 3]


def test_arrays() -> None:
    tracker, slot = entry("gpc(2),gpt(3),gpc_rate(2,10s)")
    assert reader("inc_gpc", 1)(tracker, slot, NOW) == 1
    assert (reader("get_gpc", 1)(tracker, slot, NOW), reader("gpc_rate", 1)(tracker, slot, NOW)) == (1, 1)
    assert reader("get_gpc1")(tracker, slot, NOW) == 1
    assert reader("get_gpc", 2)(tracker, slot, NOW) is None and reader("inc_gpc", 2)(tracker, slot, NOW) == 0
    tracker.cells["gpt", 2].set(slot, 8, NOW)
    assert reader("get_gpt", 2)(tracker, slot, NOW) == 8
    assert reader("clr_gpc", 1)(tracker, slot, NOW) == 1
    # Counters of old are not elements.
    assert reader("get_gpc", 0)(*entry("gpc0"), NOW) is None


def test_trackers() -> None:
    tracker, slot = entry("gpc0")
    tracker.table.keep(slot)
    assert reader("trackers")(tracker, slot, NOW) == 2


def test_all_names_are_documented() -> None:
    assert {*PLAIN, *ARRAYS, *CHANGES} <= set(SUMMARIES)
