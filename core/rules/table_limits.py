"""What tracked entries store, by the shortest way: the value, and whether it has reached a limit.

Owns: remembering for each table where a data type is, and the test `sc_http_req_rate(0) gt 100` as one function. Must
not know: names of fetches, how patterns are written.

Which table a set of counters tracks is known when an entry is there, not before: each function keeps, by the tracker,
what is to be called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...pools.table_cells import Rate
from .samples import INT_MAX
from .trackers import Tracker, tracked_of

Place = tuple[str, int]
"""A data type, and the element of it."""
Value = Callable[[int, int], int | None]
"""(slot, now)."""
Above = Callable[[int], bool]
"""(slot)."""


class _Values(dict[Tracker, Value]):
    """How a place is read, by the tracker of the table."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def __missing__(self, tracker: Tracker) -> Value:
        cell = tracker.cells.get(self._place)
        found: Value = _nothing if cell is None else cell.value
        self[tracker] = found
        return found


class _Limits(dict[Tracker, Above]):
    """How a place is compared, by the tracker of the table."""

    def __init__(self, place: Place, least: int, clock: Callable[[], float]) -> None:
        self._place = place
        self._least = least
        self._clock = clock

    def __missing__(self, tracker: Tracker) -> Above:
        cell = tracker.cells.get(self._place)
        least, clock = self._least, self._clock
        found: Above
        if cell is None:
            found = _never
        elif isinstance(cell, Rate):
            found = cell.above(least, clock)
        else:
            value = cell.value

            def found(slot: int) -> bool:
                return least <= value(slot, int(clock() * 1000.0)) <= INT_MAX

        self[tracker] = found
        return found


def _nothing(slot: int, now: int) -> None:
    """The table does not store it."""


def _never(slot: int) -> bool:
    """The same, for a test."""
    return False


def value_of(place: Place, number: int, clock: Callable[[], float]) -> Callable[[Any], int | None]:
    """What the entry that set `number` tracks has in that place; None where there is no entry, or no such place."""
    values = _Values(place)

    def run(x: Any) -> int | None:
        found = tracked_of(x, number)
        return None if found is None else values[found.tracker](found.slot, int(clock() * 1000.0))

    def above(least: int) -> Callable[[Any], bool]:
        return _above(_Limits(place, least, clock), number)

    run.__dict__["above"] = above
    return run


def limit_of(run: Callable[[Any], Any]) -> Callable[[int], Callable[[Any], bool]] | None:
    """Of what `value_of` made: a function of a number that gives the test whether the value is at least that."""
    return getattr(run, "above", None)


def _above(limits: _Limits, number: int) -> Callable[[Any], bool]:
    def test(x: Any) -> bool:
        tracked = x.tracked
        if tracked is not None and x.session.tracked is None:
            # As in tracked_of.
            entry = tracked[0]
            if entry.number == number:
                return limits[entry.tracker](entry.slot)
        entry = tracked_of(x, number)
        return entry is not None and limits[entry.tracker](entry.slot)

    return test
