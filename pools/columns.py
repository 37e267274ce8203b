"""Columns of counters in shared memory: where each row lies, publishing and summing.

Owns: the layout of a segment's body, and what becomes of the figures of the dead. Must not know: what a figure means
but for how it is summed (pools/counters), who counts, or when it is published.

Every thread has one *column*, which holds every row once.

Invariants: a column has one writer. A row is copied as a whole, aligned to its words, so that neither a reader nor a
writer's sudden death ever meets half a word or an empty one; figures of one row may be from two publications. One more
column, the last, belongs to the supervisor: it keeps what dead threads had counted.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from .counters import GAUGES, KINDS, MAXIMA, Counts

_ALIGNMENT = 16
"""Words. A column starts on a line of its own cache lines (two, for the prefetcher's pairs), so that two writers never
share one."""


class Shape:
    """Which rows a column has, in order, and where each begins. A row is (kind, name): a frontend or backend by its
    name, a listener by `frontend/number`, a server by `backend/server`, the process by ""."""

    __slots__ = ("_numbers", "offsets", "rows", "words")

    def __init__(self, rows: Iterable[tuple[str, str]]) -> None:
        """Raises KeyError for an unknown kind, ValueError for a row twice."""
        self.rows = tuple(rows)
        self._numbers = {row: number for number, row in enumerate(self.rows)}
        if len(self._numbers) != len(self.rows):
            raise ValueError("a row is named twice")
        offsets = []
        words = 0
        for kind, _ in self.rows:
            offsets.append(words)
            words += len(KINDS[kind].FIELDS)
        self.offsets = tuple(offsets)
        """In words from the start of a column."""
        self.words = -(-max(words, 1) // _ALIGNMENT) * _ALIGNMENT
        """Words of one column."""

    def row(self, kind: str, name: str = "") -> int:
        """The row's number; KeyError when there is none."""
        return self._numbers[kind, name]

    def size(self, columns: int) -> int:
        """Bytes that so many columns take, the one of the dead included."""
        return (columns + 1) * self.words * 8

    def encode(self) -> bytes:
        """The shape as bytes, for the segment's header; the names of the figures are part of it."""
        lines = [f"{kind}:{','.join(counts.FIELDS)}" for kind, counts in KINDS.items()]
        lines.extend(f"{kind}\t{name}" for kind, name in self.rows)
        return "\n".join(lines).encode()

    @classmethod
    def decode(cls, raw: bytes) -> Shape:
        """The inverse of `encode`. Raises ValueError when the writer's figures are not this version's."""
        rows = []
        for line in raw.decode().split("\n"):
            kind, tab, name = line.partition("\t")
            if tab:
                rows.append((kind, name))
            else:
                kind, _, fields = line.partition(":")
                if kind not in KINDS or ",".join(KINDS[kind].FIELDS) != fields:
                    raise ValueError(f"figures of {kind!r} are those of another version")
        return cls(rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shape) and other.rows == self.rows

    def __hash__(self) -> int:
        return hash(self.rows)


class Column:
    """One thread's copy of every row; only that thread writes it."""

    __slots__ = ("_rows", "_view", "shape")

    def __init__(self, view: memoryview, shape: Shape) -> None:
        """`view`: the bytes of this column alone."""
        self.shape = shape
        self._view = view
        self._rows = []
        for (kind, _), offset in zip(shape.rows, shape.offsets, strict=True):
            counts = KINDS[kind]
            packing = struct.Struct(f"@{len(counts.FIELDS)}q")
            draft = memoryview(bytearray(packing.size))
            place = slice(offset * 8, offset * 8 + packing.size)
            self._rows.append((packing.pack_into, draft, place, counts.GET))

    def publish(self, row: int, counts: Counts) -> None:
        """Copies all figures of `counts` into the row: 1.9 us for a server's 43, 1.1 us for a frontend's 21 (a slice
        assigned from a new array: 2.4 us). Packed into a draft first: `pack_into` clears its target before it writes
        (seen by a reader as halves and zeros)."""
        pack_into, draft, place, get = self._rows[row]
        pack_into(draft, 0, *get(counts))
        self._view[place] = draft


class Columns:
    """All columns of a segment's body: columns 0 .. count-1 for threads, and one for what dead threads had counted."""

    __slots__ = ("_body", "_words", "count", "shape", "used")

    def __init__(self, body: memoryview, shape: Shape, count: int) -> None:
        """`count` is how many there can be: pages of those that nobody writes to cost nothing."""
        if len(body) < shape.size(count):
            raise ValueError(f"{len(body)} bytes are too few for {count} columns")
        self.shape = shape
        self.count = count
        self.used = count
        """The first so many columns are read by `sum`; whoever gives out fewer says so."""
        self._body = body
        self._words = body[: shape.size(count)].cast("q")

    @classmethod
    def attach(cls, body: memoryview, shape: Shape) -> Columns:
        """All that there are in the whole body of a segment that somebody else made."""
        return cls(body, shape, len(body) // (shape.words * 8) - 1)

    def column(self, number: int) -> Column:
        """The column of thread `number` (0 .. count-1) for its one writer."""
        if not 0 <= number < self.count:
            raise IndexError(f"no column {number} of {self.count}")
        size = self.shape.words * 8
        return Column(self._body[number * size : (number + 1) * size], self.shape)

    def read(self, row: int, column: int) -> Counts:
        """The row as that column has it."""
        return self._gather(row, (column,))

    def sum(self, row: int) -> Counts:
        """The row over all columns: sums, or the greatest for MAXIMA."""
        return self._gather(row, (*range(self.used), self.count))

    def retire(self, column: int) -> None:
        """The column's thread is dead: what it had counted goes to the column of the dead, gauges go to 0. To be called
        by that column's owner (the supervisor) only, and before the thread's successor starts."""
        words = self._words
        source = column * self.shape.words
        for number, ((kind, _), offset) in enumerate(zip(self.shape.rows, self.shape.offsets, strict=True)):
            start = source + offset
            self._keep(number, words[start : start + len(KINDS[kind].FIELDS)].tolist())
            for place in range(start, start + len(KINDS[kind].FIELDS)):
                words[place] = 0

    def absorb(self, others: Columns) -> None:
        """Adds all that `others`, whose threads are dead, had counted, to the column of the dead: figures go on where a
        row of the same name is here. To be called by that column's owner only."""
        for number, (kind, name) in enumerate(others.shape.rows):
            try:
                row = self.shape.row(kind, name)
            except KeyError:
                continue
            self._keep(row, others.sum(number).values())

    def _keep(self, row: int, values: Iterable[int]) -> None:
        """Adds what dead threads had counted to their row; gauges died with them."""
        kind, _ = self.shape.rows[row]
        words = self._words
        start = self.count * self.shape.words + self.shape.offsets[row]
        for place, (field, value) in enumerate(zip(KINDS[kind].FIELDS, values, strict=True), start):
            if field in MAXIMA:
                words[place] = max(words[place], value)
            elif field not in GAUGES:
                words[place] += value

    def close(self) -> None:
        """Releases the view of the segment's body."""
        self._words.release()
        self._body.release()

    def _gather(self, row: int, columns: Iterable[int]) -> Counts:
        kind, _ = self.shape.rows[row]
        counts = KINDS[kind]()
        offset = self.shape.offsets[row]
        starts = [column * self.shape.words + offset for column in columns]
        for place, field in enumerate(counts.FIELDS):
            values = [self._words[start + place] for start in starts]
            setattr(counts, field, max(values) if field in MAXIMA else sum(values))
        return counts
