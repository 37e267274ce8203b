"""The arrays of a stick table as views of its segment's body, for one process.

Owns: the views, the mapping of columns, the sums over them. Must not know: who may write what (table_shape says which
array is whose; stripe and table keep to it), hashes, clocks.

Invariants: a writer's views are made when its number is used first by anybody (`used` in the header grows only), so
that tables for 256 writers cost what their few writers touch.
"""

from __future__ import annotations

import mmap
from collections.abc import Collection

from .segment import Segment
from .table_shape import DUE, ROW_WORDS, WRITERS, Layout, TableShape

USED, SEED, NAMED, SHARED = range(4)
"""Words of the header: writers that were ever used, from 0 (the base); what the hash starts from; names so far; whether
other machines are told of changes."""
SECRET = 8
"""The word of the header with which the table's secret begins."""
SECRET_BYTES = 32
_MASK = (1 << 64) - 1


def vacate(segment: Segment, writer: int, *, counts: bool = False) -> None:
    """The thread of that writer is dead, or has gone: it holds nothing any more, and what it had open is closed. Its
    counts stay; the writer's next thread goes on adding to them (unless `counts`: they go too). Raises ValueError when
    the segment is no table."""
    layout = Layout(TableShape.decode(segment.shape))
    # Gives the pages back: they read as zero, and untouched ones are not made for it.
    start = segment.start + layout.held_at + writer * layout.held_bytes
    segment.mapping.madvise(mmap.MADV_REMOVE, start, layout.held_bytes)
    if counts and layout.counted_bytes:
        start = segment.start + layout.counted_at + writer * layout.counted_bytes
        segment.mapping.madvise(mmap.MADV_REMOVE, start, layout.counted_bytes)


def highest_writer(segment: Segment) -> int:
    """The highest that was ever used."""
    header = segment.body[:64].cast("Q")
    found: int = header[USED]
    header.release()
    return max(0, found - 1)


def share(segment: Segment, shared: bool) -> None:
    """Whether other machines are told what changes in the table: who opens it from now on marks what it changes."""
    header = segment.body[:64].cast("Q")
    header[SHARED] = shared
    header.release()


class Arrays:
    """Views of one table's segment. `held` and `counted`: one view a writer, the base's first."""

    __slots__ = (
        "body",
        "bounds",
        "changed",
        "counted",
        "counted_words",
        "directory",
        "due",
        "header",
        "held",
        "held_words",
        "keys_at",
        "layout",
        "mapping",
        "ring",
        "row_bytes",
        "row_words",
        "rows",
        "states",
        "used",
        "width",
        "zeros",
    )

    def __init__(self, segment: Segment, layout: Layout) -> None:
        """Raises ValueError when the body is too small for the layout."""
        if len(segment.body) < layout.size:
            raise ValueError(f"{len(segment.body)} bytes are too few for the table {segment.name}")
        body = segment.body
        self.layout = layout
        self.body = body
        self.mapping: mmap.mmap = segment.mapping
        self.header = body[: layout.stripes_at].cast("Q")
        self.states = body[layout.stripes_at : layout.names_at].cast("q")
        self.directory = self._words(layout.directory_at, layout.stripes * layout.cells_per_stripe, "Q")
        self.bounds = self._words(layout.bounds_at, layout.stripes * layout.blocks_per_stripe)
        self.ring = self._words(layout.ring_at, layout.stripes * layout.slots_per_stripe)
        self.changed = body[layout.changed_at : layout.changed_at + layout.slots]
        self.rows = self._words(layout.rows_at, layout.slots * layout.row_words)
        self.due = self.rows[DUE :: layout.row_words]
        """By slot."""
        self.row_words = layout.row_words
        self.row_bytes = layout.row_words * 8
        self.keys_at = segment.start + layout.rows_at + layout.key_offset
        """Where the key of slot 0 would be, in the mapping."""
        self.width = layout.shape.width
        self.held_words = layout.held_words
        self.counted_words = layout.counted_words
        self.zeros = memoryview(bytes(layout.counted_words * 8)).cast("Q")
        self.held: list[memoryview] = []
        self.counted: list[memoryview] = []
        self.used = 0
        self.header[USED] = max(self.header[USED], 1)
        self.widen()

    def _words(self, at: int, count: int, letter: str = "q") -> memoryview:
        return self.body[at : at + count * 8].cast(letter)  # type: ignore[call-overload, no-any-return]

    def widen(self) -> None:
        """Takes the writers that others use by now into its sums."""
        layout = self.layout
        for writer in range(self.used, self.header[USED]):
            self.held.append(self._words(layout.held_at + writer * layout.held_bytes, layout.slots * layout.held_words))
            at = layout.counted_at + writer * layout.counted_bytes
            self.counted.append(self._words(at, layout.slots * layout.counted_words, "Q"))
        self.used = len(self.held)

    def enlist(self, writer: int) -> None:
        """This process counts in that column. The caller holds the lock of the header, for `used` has many writers."""
        if not 0 <= writer < WRITERS:
            raise ValueError(f"no writer {writer} of {WRITERS}")
        if self.header[USED] <= writer:
            self.header[USED] = writer + 1
        self.widen()

    def leave_out(self, writers: Collection[int]) -> None:
        """Sums of counts in this process are without those writers from now on."""
        self.widen()
        for writer in writers:
            if writer < self.used:
                self.counted[writer] = memoryview(bytes(len(self.counted[writer]) * 8)).cast("Q")

    def holders(self, slot: int) -> int:
        """How often threads hold the entry."""
        if self.header[USED] != self.used:
            self.widen()
        at = slot * self.held_words
        total: int = 0
        for held in self.held:
            total += held[at]
        return total

    def clear(self, slot: int) -> None:
        """All that is stored with the slot is zero. Nobody may hold it."""
        if self.header[USED] != self.used:
            self.widen()
        words = self.counted_words
        if words:
            at = slot * words
            for counted in self.counted:
                counted[at : at + words] = self.zeros
        if self.held_words == 2:
            for held in self.held:
                held[slot * 2 + 1] = 0
        at = slot * self.row_words
        for word in range(at + ROW_WORDS, at + self.layout.key_offset // 8):
            self.rows[word] = 0

    def key(self, slot: int) -> bytes:
        """The key in the slot, with the zeros at its end."""
        at = self.keys_at + slot * self.row_bytes
        return self.mapping[at : at + self.width]

    def count(self, slot: int, cell: int) -> int:
        """A count, summed over the writers; words wrap around at 2**64."""
        if self.header[USED] != self.used:
            self.widen()
        at = slot * self.counted_words + cell
        total = 0
        for counted in self.counted:
            total += counted[at]
        return total & _MASK

    def gauge(self, slot: int) -> int:
        """What is open now, summed over the writers."""
        if self.header[USED] != self.used:
            self.widen()
        at = slot * 2 + 1
        total = 0
        for held in self.held:
            total += held[at]
        return max(0, total)

    def close(self) -> None:
        """Releases all views."""
        for view in (*self.held, *self.counted, self.header, self.states, self.directory, self.bounds, self.ring):
            view.release()
        for view in (self.due, self.changed, self.rows):
            view.release()
        self.held, self.counted = [], []
