"""What happens to entries of stick tables while somebody tracks them: which data types hear of what.

Owns: for each table the functions that count an event in all that the table stores, and only in that; the sets of
counters (sc0, sc1, ...). Must not know: rules, who tells of events (relay/tracking), keys.

A session or an exchange that tracks has in `tracked` a tuple with a `Tracking` for each set that it uses: an entry that
it holds until it ends; None before the first one. A set is tracked by one of the two at most: what the session tracks,
its exchanges do not track anew (measured: HAProxy 3.0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...pools.table import Table
from ...pools.table_cells import Count, Gauge, Rate, Word
from ...pools.table_spot import LOST, Memory, Spot
from .counting import Part, compose, compose_again, compose_entry, compose_finish

Event = Callable[[int, int], None]
"""(slot, now): count one."""
Carry = Callable[[int, int, int, int], None]
"""(slot, bytes_in, bytes_out, now)."""
Finish = Callable[["Tracking", int, int, int], None]
"""(entry, bytes_in, bytes_out, now)."""
Act = Callable[..., None]
Cell = Count | Rate | Gauge | Word

ALIASES = {
    "gpc0": ("gpc", 0),
    "gpc1": ("gpc", 1),
    "gpc0_rate": ("gpc_rate", 0),
    "gpc1_rate": ("gpc_rate", 1),
    "gpt0": ("gpt", 0),
}
"""Data type of old -> the element of an array that stands for it in tables without it."""
_BEGIN = ("conn_cnt", "conn_cur", "conn_rate")
_REQUEST = ("http_req_cnt", "http_req_rate")
_ERROR = ("http_err_cnt", "http_err_rate")
_FAILURE = ("http_fail_cnt", "http_fail_rate")
_SESSION = ("sess_cnt", "sess_rate")


class Tracking(Spot):
    """An entry that a set of counters tracks; several exchanges may have the same at a time. `number`: the set; `late`:
    its request is counted when the backend's rules begin; `finish(entry, bytes_in, bytes_out, now)`: what ends it.

    The rest is only known of those that are remembered: the spot, `counted_at`: where its counts begin in the writer's
    column, `places`: the words of the rates' current periods, right before `until`."""

    __slots__ = ("counted_at", "finish", "late", "number", "places", "tracker", "until")

    def __init__(self, tracker: Tracker, number: int, slot: int, key: bytes = b"", late: bool = False) -> None:
        super().__init__(key)
        self.tracker = tracker
        self.number = number
        self.slot = slot
        self.held_at = slot * tracker.table.arrays.held_words
        self.late = late
        self.finish = tracker.finish
        self.counted_at = self.until = 0
        self.places: tuple[int, ...] = ()


Tracked = tuple[Tracking, ...]


class Tracker:
    """One table as it is tracked. `enter(key, now)`: tracking starts: the slot, which is held, 0 where there is no
    room; `enter_request`: the same, and a request is counted; `end(slot, now)`: it stops, the entry is released;
    `carry(slot, bytes_in, bytes_out, now)`: bytes that an exchange has moved; `finish(entry, bytes_in, bytes_out,
    now)`: that, and the end; `finish_known`: the same for an entry that is remembered."""

    __slots__ = (
        "carry",
        "cells",
        "end",
        "enter",
        "enter_request",
        "error",
        "failure",
        "finish",
        "finish_known",
        "request",
        "session",
        "table",
    )

    def __init__(self, table: Table) -> None:
        self.table = table
        self.cells: dict[tuple[str, int], Cell] = {}
        """By data type and element, those of old also where an array stands for them."""
        for stored in table.shape.stored:
            for element in range(stored.elements):
                cell = table.cell(stored.name, element)
                if cell is not None:
                    self.cells[stored.name, element] = cell
        for name, place in ALIASES.items():
            if place in self.cells:
                self.cells.setdefault((name, 0), self.cells[place])
        self.enter = self._enter(_BEGIN)
        self.enter_request = self._enter((*_BEGIN, *_REQUEST))
        self.request = self._event(_REQUEST)
        self.error = self._event(_ERROR)
        self.failure = self._event(_FAILURE)
        self.session = self._event(_SESSION)
        carried = self._carried()
        closed = [("conn_cur", "-1")] if ("conn_cur", 0) in self.cells else []
        arguments = "slot, bytes_in, bytes_out, now"
        self.carry: Carry = compose(self.table, carried, arguments, touched=False)
        self.end: Event = compose(self.table, closed, "slot, now", touched=True, release=True)
        arguments = arguments.replace("slot", "entry")
        self.finish: Finish = compose_finish(self.table, [*carried, *closed], arguments, known=False)
        self.finish_known: Finish = compose_finish(self.table, [*carried, *closed], arguments, known=True)

    @property
    def hears_responses(self) -> bool:
        """Does it count answers of servers by their status?"""
        return any((name, 0) in self.cells for name in (*_ERROR, *_FAILURE))

    def increase(self, places: Sequence[tuple[str, int]], number: int, slot: int, now: int) -> None:
        """Those of the places that are stored are so much more."""
        for place in places:
            cell = self.cells.get(place)
            if cell is not None and not isinstance(cell, Word):
                cell.add(slot, number, now)
        self.table.mark(slot)

    def again(
        self,
        sample: Callable[[Any], Any],
        clock: Callable[[], float],
        known: Memory[tuple[Tracking]],
        begin: Act,
        otherwise: Act,
        *,
        light: bool,
    ) -> Act:
        """The action of a rule of requests which tracks the key that `sample` gives: at once where `known` (value to
        the tuple of its Tracking) has it, by `begin` (scope, value) where not, and by `otherwise` (scope) where
        something is tracked already. `light`: it leaves nothing but what it tracks (fused.light_of)."""
        words = {"sample": sample, "known": known.get, "clock": clock, "begin": begin, "otherwise": otherwise}
        parts = self._stored((*_BEGIN, *_REQUEST))
        act = compose_again(self.table, parts, words)

        def way(route: object, onward: Act) -> Act:
            return compose_again(self.table, parts, words | {"route": route, "onward": onward}, way=True)

        if light:
            act.__dict__["light"] = way
        return act

    # -- composed functions -------------------------------------------------------------------------------------------

    def _stored(self, names: Sequence[str]) -> list[Part]:
        return [(name, "1") for name in names if (name, 0) in self.cells]

    def _event(self, names: Sequence[str]) -> Event:
        return compose(self.table, self._stored(names), "slot, now", touched=True)

    def _enter(self, names: Sequence[str]) -> Callable[[bytes, int], int]:
        return compose_entry(self.table, self._stored(names))

    def _carried(self) -> list[tuple[str, str]]:
        parts: list[Part] = []
        for side in ("in", "out"):
            names = (f"bytes_{side}_cnt", f"bytes_{side}_rate")
            parts += [(name, f"bytes_{side}") for name in names if (name, 0) in self.cells]
        return parts


class Trackers:
    """The trackers of a site's tables, made when the first rule asks for one. `number`: sets of counters; `by_address`:
    tables that know servers by their addresses."""

    __slots__ = ("_known", "by_address", "number", "tables")

    def __init__(self, tables: Any = None, number: int = 3, by_address: frozenset[str] = frozenset()) -> None:
        self.tables: dict[str, Table] = dict(tables or {})
        self.number = number
        self.by_address = by_address
        self._known: dict[str, Tracker] = {}

    def find(self, name: str) -> Tracker:
        """Raises KeyError."""
        tracker = self._known.get(name)
        if tracker is None:
            tracker = self._known[name] = Tracker(self.tables[name])
        return tracker

    def all(self) -> Sequence[Tracker]:
        """Those that something asked for."""
        return tuple(self._known.values())


def remember(known: Memory[tuple[Tracking]], value: Any, entry: Tracking) -> None:
    """Notes where an entry is, which is held, for the next time that the rule has the same value."""
    if not known.takes(value):
        return
    table = entry.tracker.table
    table.mark_spot(entry, entry.slot)
    if entry.word != LOST:
        entry.counted_at = entry.slot * table.arrays.counted_words
        entry.finish = entry.tracker.finish_known
        known.note(value, (entry,))


def tracked_of(x: Any, number: int) -> Tracking | None:
    """What set `number` tracks, for the session or for the exchange."""
    tracked = x.tracked
    if tracked is not None and x.session.tracked is None:
        # As nearly always: one set, tracked by the request.
        entry: Tracking = tracked[0]
        return entry if entry.number == number else found_in(tracked, number)
    return found_in(x.session.tracked, number) or found_in(tracked, number)


def found_in(tracked: Tracked | None, number: int) -> Tracking | None:
    """What set `number` is, among these."""
    if tracked is not None:
        for entry in tracked:
            if entry.number == number:
                return entry
    return None
