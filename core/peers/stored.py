"""Stick tables in shared memory as peers share them: whole, or each machine's part apart.

Owns: what an entry's columns are to a peer, and how what a peer says becomes ours. Must not know: connections, other
processes, who is asked. Every call leaves nothing held. `now`: ms of CLOCK_MONOTONIC, the tables' clock.

*Whole* (the protocol's way): what is told is the sum of all columns; what a peer says replaces it: the base column is
made so that the sum is that. *Apart* (`mode sum`): what is told is what this machine has counted, its base column
included; what a peer says is that peer's part and becomes a column of its own, so that reads add all machines up.
What is no count (gpt, server) has no parts: the last word counts.

An entry expires when nobody has used it anywhere: of two times that it has left the longer one counts. One that is new
here takes over the peer's periods; of one that is there the rates are converted (pools/table_columns).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from ...pools.table import Table
from ...pools.table_cells import Count, Gauge, Word
from ...pools.table_cells import Rate as RateCell
from ...pools.table_columns import Columns, take_marks
from ...pools.table_shape import ARRAYS, BORN, Kind
from .journal import Journal
from .tables import Column, TableDefinition, make_definition
from .values import Entry, Rate, Value

_WORD = (1 << 32) - 1


class _Row(NamedTuple):
    """A data type: its cells, one an element."""

    cells: tuple[Count | RateCell | Gauge | Word, ...]
    array: bool
    text: bool


class StoredTable:
    """The table whole. `name`: as peers call it; `learns_open`: whether peers' open connections are ours; `others`:
    writers of other machines; `known`: it has what peers know."""

    __slots__ = (
        "_columns",
        "_rows",
        "_table",
        "_text",
        "_width",
        "definition",
        "journal",
        "known",
        "learns_open",
        "own",
    )

    def __init__(
        self, table: Table, name: str, *, learns_open: bool = False, others: Collection[int] = (), known: bool = False
    ) -> None:
        self._table = table
        self.learns_open = learns_open
        self.known = known
        self._columns = Columns(table)
        self.own = Columns(table, others)
        self.journal = Journal()
        shape = table.shape
        self._text = shape.key == "string"
        self._width = shape.width
        columns = [Column(one.name, one.elements, one.period) for one in shape.stored]
        self.definition: TableDefinition = make_definition(name, shape.key, shape.width, shape.expire, columns)
        self._rows: dict[str, _Row] = {}
        for one in shape.stored:
            cells = (table.cell(one.name, element) for element in range(one.elements))
            present = tuple(cell for cell in cells if cell is not None)
            self._rows[one.name] = _Row(present, one.name in ARRAYS, one.kind is Kind.NAME)

    @property
    def head(self) -> int:
        return self.journal.head

    @property
    def floor(self) -> int:
        return self.journal.floor

    def changes(self, since: int, most: int) -> list[tuple[int, bytes]]:
        return self.journal.changes(since, most)

    def scan(self) -> bool:
        """Notes what was marked; whether something was."""
        found = take_marks(self._table)
        for key in found:
            self.journal.note(self._outer(key))
        return bool(found)

    def give_back(self, since: int, now: int) -> None:
        """Marks what has changed after number `since` again, for whoever looks after us; all that there is where
        changes of that time are forgotten."""
        forgotten = since < self.journal.floor
        keys = self.keys() if forgotten else (key for _, key in self.journal.changes(since, self.journal.head))
        for key in keys:
            slot = self._table.hold(self._inner(key), now)
            if slot:
                self._table.mark(slot)
                self._table.release(slot)

    def keys(self) -> Iterator[bytes]:
        for slot in self._table.slots():
            yield self._outer(self._table.key(slot))

    def read(self, key: bytes, now: int) -> Entry | None:
        return self.read_columns(key, now, self._columns)

    def read_columns(self, key: bytes, now: int, columns: Columns) -> Entry | None:
        """The entry as those columns have it."""
        table = self._table
        slot = table.hold(self._inner(key), now)
        if not slot:
            return None
        try:
            expire = table.remaining(slot, now) if table.shape.expire else None
            values: dict[str, Value] = {}
            for name, row in self._rows.items():
                if row.text:
                    cell = row.cells[0]
                    values[name] = table.names.text(cell.value(slot, now)) or None
                else:
                    found = [_value(cell, slot, now, columns) for cell in row.cells]
                    values[name] = tuple(found) if row.array else found[0]  # type: ignore[assignment]
            return Entry(key, expire, values)
        finally:
            table.release(slot)

    def apply(self, entry: Entry, now: int) -> None:
        self.write(entry, now, 0)

    def write(self, entry: Entry, now: int, writer: int) -> None:
        """What a peer says. `writer` 0: of the whole; else of the part that it has counted. Nothing where there is no
        room."""
        table = self._table
        slot = self._take(entry, now)
        if not slot:
            return
        try:
            for name, value in entry.values.items():
                row = self._rows[name]
                if row.text:
                    row.cells[0].set(slot, table.names.number(value) if isinstance(value, bytes) else 0, now)
                    continue
                several = value if row.array and isinstance(value, tuple) else (value,)
                for cell, each in zip(row.cells, several, strict=False):
                    self._put(cell, slot, each, now, writer)
        finally:
            table.release(slot)

    def _put(self, cell: Count | RateCell | Gauge | Word, slot: int, value: object, now: int, writer: int) -> None:
        columns = self._columns
        if isinstance(cell, RateCell):
            if isinstance(value, Rate):
                columns.put_periods(cell, slot, writer, *value, now, whole=not writer)
        elif not isinstance(value, int):
            return
        elif isinstance(cell, Word):
            cell.set(slot, value & _WORD, now)
        elif not writer:
            cell.set(slot, value & _WORD if isinstance(cell, Gauge) else value, now)
        elif isinstance(cell, Gauge):
            columns.put_open(slot, writer, value & _WORD)
        else:
            columns.put_count(cell, slot, writer, value)

    def _take(self, entry: Entry, now: int) -> int:
        """The slot, held, with its expiry; 0 when there is no room."""
        table = self._table
        key = self._inner(entry.key)
        limited = entry.expire is not None and table.shape.expire
        left = min(entry.expire or 0, table.expire) if limited else table.expire
        slot = table.hold(key, now)
        if slot:
            if table.remaining(slot, now) < left:
                table.date(slot, now + left)
            return slot
        slot = table.track(key, now)
        if slot:
            if limited:
                table.date(slot, now + left)
            ages = [
                (row.cells[0].period, each.age)
                for name, row in self._rows.items()
                if isinstance(row.cells[0], RateCell)
                for each in _rates(entry.values.get(name))
            ]
            if ages:
                arrays = table.arrays
                with table.locked(slot):
                    # Nobody has counted yet; who has, in these microseconds, loses what a rate had of it.
                    if arrays.holders(slot) == 1:
                        arrays.rows[slot * arrays.row_words + BORN] = now - max(ages)[1]
        return slot

    def _inner(self, key: bytes) -> bytes:
        return key[: self._width].ljust(self._width, b"\0")

    def _outer(self, key: bytes) -> bytes:
        return key.rstrip(b"\0") if self._text else key


def _rates(value: Value) -> list[Rate]:
    if isinstance(value, Rate):
        return [value]
    return [each for each in value if isinstance(each, Rate)] if isinstance(value, tuple) else []


def _value(cell: Count | RateCell | Gauge | Word, slot: int, now: int, columns: Columns) -> int | Rate:
    if isinstance(cell, RateCell):
        return Rate(*columns.periods(cell, slot, now))
    if isinstance(cell, Count):
        return columns.count(cell, slot)
    if isinstance(cell, Gauge):
        return columns.open(slot)
    return cell.value(slot, now)
