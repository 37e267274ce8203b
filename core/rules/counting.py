"""Functions that count in a stick table, composed as text for what the table stores.

Owns: their source. Must not know: rules, who tells of events, which sessions track.

They do what `add` of the cells does (pools/table_cells; a test holds that) without a call for each: an event costs one
call for each table. Three beginnings: `compose` is told a slot; `compose_entry` finds the key's; `compose_again` has
tracked the same key before and knows where all of it was (Tracking), which saves the hash, the probe, the comparison of
the key and, as long as no period ends, the arithmetic of rates.

Why that is safe is told in pools/table_spot, whose `regain` is in the text here. A word of a rate that this thread has
once brought to the current period stays there, for nobody else writes its column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...pools.table import Table
from ...pools.table_cells import COUNT_BITS, PERIOD, Count, Gauge, Rate
from ...pools.table_shape import BORN, FOREVER
from .catalogue import source_of

Part = tuple[str, str]
"""A data type, and what is added to it, as text."""

_RATE = (
    "turn = age // {period}",
    "place = at + {place} + (turn & 1)",
    "word = counted[place]",
    f"if word >> {COUNT_BITS} == turn & {PERIOD}:",
    "    counted[place] = word + {number}",
    "else:",
    f"    counted[place] = (turn & {PERIOD}) << {COUNT_BITS} | {{number}}",
)
"""Rate.add."""

_TURN = (
    "if now >= entry.until:",
    "    turn_over(entry, now)",
)

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

_AGAIN = """
def run({arguments}):
    {before}
    if x.tracked is None and x.session.tracked is None:
        value = {sample}
        found = known(value)
        if found is not None:
            (entry,) = found
            at = entry.held_at
            held[at] += 1
            now = int({clock})
            slot = entry.slot
            if directory[entry.cell] == entry.word and rows[entry.born_at] == entry.born and due[slot] >= now:
                due[slot] = now + expire
{counts}
                x.tracked = found
                {after}
                return
            held[at] -= 1
        begin(x, value)
    else:
        otherwise(x)
    {after}
"""


def compose(
    table: Table, parts: Sequence[Part], arguments: str, *, touched: bool, release: bool = False
) -> Callable[..., Any]:
    """One function that adds to several data types. `touched`: the entry is marked as changed; `release`: its expiry
    moves, and it is held no more."""
    lines = _of_slot(table, parts, touched=touched and bool(parts or release))
    if release:
        lines += ["due[slot] = now + expire", f"held[slot * {table.arrays.held_words}] -= 1"]
    if not lines:
        return _nothing
    return _made(f"def run({arguments}):\n{_indented(lines, 1)}", _views(table))


def compose_entry(table: Table, parts: Sequence[Part]) -> Callable[[bytes, int], int]:
    """One function that tracks a key and adds to several data types."""
    names = (
        _views(table)
        | table.probe()
        | {"track": table.track, "begin": compose(table, parts, "slot, now", touched=True)}
    )
    return _made(_ENTRY.format(counts=_indented(_of_slot(table, parts, touched=True), 4)), names)


def compose_again(
    table: Table, parts: Sequence[Part], words: dict[str, Any], *, way: bool = False
) -> Callable[..., None]:
    """An action that tracks what one and the same rule has tracked before. `words`: `sample` (scope to value), `known`
    (value to the tuple of one Tracking, or None), `begin` (scope, value: for others), `otherwise` (scope: where
    something is tracked already), `clock` (seconds). `way`: a straight way (exchange, ms) instead of an action: `words`
    have also `route`, which is noted first, and `onward`, the way behind it."""
    counts = _indented(_of_tracking(table, parts), 4)
    arguments, clock = ("x, when", "when") if way else ("x", "clock() * 1000.0")
    before, after = ("x.route = route", "onward(x, when)") if way else ("", "")
    sample = source_of(words["sample"]) or "sample(x)"
    source = _AGAIN.format(arguments=arguments, clock=clock, counts=counts, sample=sample, before=before, after=after)
    return _made(source, _views(table) | {"turn_over": make_turn_over(table)} | words)


def compose_finish(table: Table, parts: Sequence[Part], arguments: str, *, known: bool) -> Callable[..., None]:
    """`compose` with release, told a Tracking by the name `entry`. `known`: one that is remembered."""
    counts = _of_tracking(table, parts) if known else _of_slot(table, parts, touched=True)
    lines = ["slot = entry.slot", *counts, "due[slot] = now + expire", "held[entry.held_at] -= 1"]
    names = _views(table) | ({"turn_over": make_turn_over(table)} if known else {})
    return _made(f"def run({arguments}):\n{_indented(lines, 1)}", names)


def rates_of(table: Table) -> tuple[Rate, ...]:
    """All rates that a table stores."""
    shape = table.shape
    cells = [table.cell(stored.name, element) for stored in shape.stored for element in range(stored.elements)]
    return tuple(cell for cell in cells if isinstance(cell, Rate))


def make_turn_over(table: Table) -> Callable[[Any, int], None]:
    """A function (entry, now) that notes where in a Tracking's column the rates of the current periods are, and until
    when. Their words are of that period from then on."""
    rates = rates_of(table)
    counted = table.arrays.counted[table.writer] if rates else None

    def turn_over(entry: Any, now: int) -> None:
        assert counted is not None
        places = []
        until = FOREVER
        for rate in rates:
            turn = (now - entry.born) // rate.period
            place = entry.counted_at + rate.place + (turn & 1)
            if counted[place] >> COUNT_BITS != turn & PERIOD:
                counted[place] = (turn & PERIOD) << COUNT_BITS
            places.append(place)
            until = min(until, entry.born + (turn + 1) * rate.period)
        entry.places, entry.until = tuple(places), until

    return turn_over


def _views(table: Table) -> dict[str, Any]:
    arrays = table.arrays
    return {
        "counted": arrays.counted[table.writer] if arrays.counted_words else None,
        "held": arrays.held[table.writer],
        "changed": arrays.changed,
        "directory": arrays.directory,
        "due": arrays.due,
        "expire": table.expire,
        "rows": arrays.rows,
    }


def _of_slot(table: Table, parts: Sequence[Part], *, touched: bool) -> list[str]:
    arrays = table.arrays
    cells = [(table.cell(name), number) for name, number in parts]
    lines = []
    if any(isinstance(cell, Count | Rate) for cell, _ in cells):
        lines.append(f"at = slot * {arrays.counted_words}")
    if any(isinstance(cell, Rate) for cell, _ in cells):
        lines.append(f"age = now - rows[slot * {arrays.row_words} + {BORN}]")

    def rate(cell: Rate, number: str) -> list[str]:
        return [line.format(period=cell.period, place=cell.place, number=number) for line in _RATE]

    lines += _additions(cells, f"slot * {arrays.held_words}", "at", rate)
    return lines + _mark(table) if touched else lines


def _of_tracking(table: Table, parts: Sequence[Part]) -> list[str]:
    rates = rates_of(table)
    cells = [(table.cell(name), number) for name, number in parts]
    lines = list(_TURN) if any(isinstance(cell, Rate) for cell, _ in cells) else []

    def rate(cell: Rate, number: str) -> list[str]:
        return [f"counted[entry.places[{rates.index(cell)}]] += {number}"]

    return lines + _additions(cells, "entry.held_at", "entry.counted_at", rate) + _mark(table)


def _additions(
    cells: Sequence[tuple[Any, str]], held: str, counted: str, rate: Callable[[Rate, str], list[str]]
) -> list[str]:
    """`held`, `counted`: where the entry's words begin, as text."""
    lines = []
    for cell, number in cells:
        if isinstance(cell, Gauge):
            lines.append(f"held[{held} + 1] += {number}")
        elif isinstance(cell, Count):
            lines.append(f"counted[{counted} + {cell.place}] += {number}")
        elif isinstance(cell, Rate):
            lines += rate(cell, number)
    return lines


def _mark(table: Table) -> list[str]:
    return ["changed[slot] = 1"] if table.shared else []


def _indented(lines: Sequence[str], depth: int) -> str:
    return "\n".join("    " * depth + line for line in lines)


def _made(source: str, names: dict[str, Any]) -> Callable[..., Any]:
    exec(source, names)
    run: Callable[..., Any] = names["run"]
    return run


def _nothing(*_: int) -> None:
    """The table stores nothing of it."""
