"""What happens to entries of stick tables while somebody tracks them: which data types hear of what.

Owns: for each table the functions that count an event in all that the table stores, and only in that; the sets of
counters (sc0, sc1, ...). Must not know: rules, who tells of events (relay/tracking), keys.

A session or an exchange that tracks has a list in `tracked`, with a `Tracking` for each set that it uses: the tracker
and the slot, which it holds until it ends. There is no list before the first one. A set is tracked by one of the two at
most: what the session tracks, its exchanges do not track anew (measured: HAProxy 3.0).

Functions that count are composed as text, so that a request's events cost one call for each table at its
begin and one at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...pools.stripe import BORN
from ...pools.table import Table
from ...pools.table_cells import COUNT_BITS, PERIOD, Count, Gauge, Rate, Word

Event = Callable[[int, int], None]
"""(slot, now): count one."""
Carry = Callable[[int, int, int, int], None]
"""(slot, bytes_in, bytes_out, now)."""
Cell = Count | Rate | Gauge | Word
Tracking = tuple["Tracker", int, bool]
"""The tracker, the slot, and: its request is counted when the backend's rules begin."""
Tracked = list[Tracking | None]

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


class Tracker:
    """One table as it is tracked. `enter(key, now)`: tracking starts: the slot, which is held, 0 where there is no
    room; `enter_request`: the same, and a request is counted; `end(slot, now)`: it stops, the entry is released;
    `carry(slot, bytes_in, bytes_out, now)`: bytes that an exchange has moved; `finish`: that, and the end."""

    __slots__ = (
        "carry",
        "cells",
        "end",
        "enter",
        "enter_request",
        "error",
        "failure",
        "finish",
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
        self.finish: Carry = compose(self.table, [*carried, *closed], arguments, touched=True, release=True)

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

    # -- composed functions -------------------------------------------------------------------------------------------

    def _stored(self, names: Sequence[str]) -> list[tuple[str, str]]:
        return [(name, "1") for name in names if (name, 0) in self.cells]

    def _event(self, names: Sequence[str]) -> Event:
        return compose(self.table, self._stored(names), "slot, now", touched=True)

    def _enter(self, names: Sequence[str]) -> Callable[[bytes, int], int]:
        return compose_entry(self.table, self._stored(names))

    def _carried(self) -> list[tuple[str, str]]:
        parts: list[tuple[str, str]] = []
        for side in ("in", "out"):
            names = (f"bytes_{side}_cnt", f"bytes_{side}_rate")
            parts += [(name, f"bytes_{side}") for name in names if (name, 0) in self.cells]
        return parts


_RATE = (
    "    turn = age // {period}",
    "    place = at + {place} + (turn & 1)",
    "    word = counted[place]",
    f"    if word >> {COUNT_BITS} == turn & {PERIOD}:",
    "        counted[place] = word + {number}",
    "    else:",
    f"        counted[place] = (turn & {PERIOD}) << {COUNT_BITS} | {{number}}",
)
"""Rate.add."""


_ENTRY = """
def run(key, now):
    hashed = digest(key, seed) & 0xFFFFFFFF
    cell = hashed & mask
    word = directory[cell]
    if word >> 32 == hashed:
        slot = word & 0xFFFFFFFF
        at = keys_at + slot * row_bytes
        if mapping[at : at + width] == key and due[slot] >= now:
            at = slot * held_words
            held[at] += 1
            # As in Table.track.
            if directory[cell] == word:
                due[slot] = now + expire
{counts}
                return slot
            held[at] -= 1
    slot = track(key, now)
    if slot:
        begin(slot, now)
    return slot
"""
"""Table.track where the key is at the first place that is looked at, which it nearly always is, and what it counts."""


def compose_entry(table: Table, parts: Sequence[tuple[str, str]]) -> Callable[[bytes, int], int]:
    """One function that tracks a key and adds to several data types. It does what `Table.track` and `compose` do."""
    names = (
        _views(table)
        | table.probe()
        | {"track": table.track, "begin": compose(table, parts, "slot, now", touched=True)}
    )
    counts = "".join(f"            {line}\n" for line in _additions(table, [*parts], touched=True))
    return _made(_ENTRY.format(counts=counts.rstrip("\n")), names)


def compose(
    table: Table, parts: Sequence[tuple[str, str]], arguments: str, *, touched: bool, release: bool = False
) -> Callable[..., Any]:
    """One function that adds to several data types: `parts` are names and what is added, as text. `touched`: the entry
    is marked as changed; `release`: its expiry moves, and it is held no more. It does what `add` of the cells does (a
    test holds that)."""
    lines = _additions(table, parts, touched=touched and bool(parts or release))
    if release:
        lines += ["    due[slot] = now + expire", f"    held[slot * {table.arrays.held_words}] -= 1"]
    if not lines:
        return _nothing
    return _made("\n".join([f"def run({arguments}):", *lines]), _views(table))


def _views(table: Table) -> dict[str, Any]:
    arrays = table.arrays
    return {
        "counted": arrays.counted[table.seat] if arrays.counted_words else None,
        "held": arrays.held[table.seat],
        "changed": arrays.changed,
        "due": arrays.due,
        "expire": table.expire,
        "rows": arrays.rows,
    }


def _additions(table: Table, parts: Sequence[tuple[str, str]], *, touched: bool) -> list[str]:
    arrays = table.arrays
    cells = [(table.cell(name), number) for name, number in parts]
    lines = []
    if any(isinstance(cell, Count | Rate) for cell, _ in cells):
        lines.append(f"    at = slot * {arrays.counted_words}")
    if any(isinstance(cell, Rate) for cell, _ in cells):
        lines.append(f"    age = now - rows[slot * {arrays.row_words} + {BORN}]")
    for cell, number in cells:
        if isinstance(cell, Gauge):
            lines.append(f"    held[slot * {arrays.held_words} + 1] += {number}")
        elif isinstance(cell, Count):
            lines.append(f"    counted[at + {cell.place}] += {number}")
        elif isinstance(cell, Rate):
            lines += [line.format(period=cell.period, place=cell.place, number=number) for line in _RATE]
    if touched and table.shared:
        lines.append("    changed[slot] = 1")
    return lines


def _made(source: str, names: dict[str, Any]) -> Callable[..., Any]:
    exec(source, names)
    run: Callable[..., Any] = names["run"]
    return run


def _nothing(*_: int) -> None:
    """The table stores nothing of it."""


class Trackers:
    """The trackers of a site's tables, made when the first rule asks for one. `number`: sets of counters; `by_address`:
    tables that know servers by their addresses."""

    __slots__ = ("_known", "by_address", "empty", "number", "tables")

    def __init__(self, tables: Any = None, number: int = 3, by_address: frozenset[str] = frozenset()) -> None:
        self.tables: dict[str, Table] = dict(tables or {})
        self.number = number
        self.by_address = by_address
        self.empty: Tracked = [None] * number
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


def tracked_of(x: Any, number: int) -> Tracking | None:
    """What set `number` tracks, for the session or for the exchange."""
    tracked: Tracked | None = x.session.tracked
    if tracked is not None:
        found = tracked[number]
        if found is not None:
            return found
    tracked = x.tracked
    return None if tracked is None else tracked[number]
