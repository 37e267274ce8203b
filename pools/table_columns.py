"""Columns of a stick table apart: what some writers have counted, and what another machine has, in a column of its own.

Owns: sums over chosen writers, rates as two periods, writing to one column, and finding what was marked. Must not know:
who the other machines are, how they talk. The caller holds the entry.

*Periods.* Ours begin when the entry was made, those of somebody else when they do. What is told of two periods of
theirs is put into two of ours so that the rate is the same now; where the periods are the same but for what a message
takes to travel, the counts are taken as they are, so that nothing is lost to rounding on the way to and fro.
"""

from __future__ import annotations

from collections.abc import Collection

from .stripe import FRESH, LIVE
from .table import Table
from .table_cells import COUNT_BITS, PERIOD, Count, Rate
from .table_shape import BORN, STATE, STRIPE_WORDS

_WORD = (1 << 64) - 1
_COUNT = (1 << COUNT_BITS) - 1
SAME = 50
"""Periods that differ by less than their SAMEth part are the same; 2 % is what that may cost."""
TRAVEL = 5
"""Milliseconds by which they always may."""


def take_marks(table: Table) -> list[bytes]:
    """The keys of entries that were marked since the last call, once each. A mark goes before its entry is read, which
    is in a later call: whoever counts stores the count first and the mark then, so no change is missed."""
    arrays = table.arrays
    layout = arrays.layout
    rows, words, changed = arrays.rows, arrays.row_words, arrays.changed
    found: list[bytes] = []
    for number, fresh in enumerate(arrays.states[FRESH::STRIPE_WORDS].tolist()):
        if not fresh:
            continue
        first = 1 + number * layout.slots_per_stripe
        # A copy is searched 20 times faster than the mapping: 40 us for a million.
        marks = bytes(changed[first : first + fresh])
        at = marks.find(1)
        while at >= 0:
            slot = first + at
            changed[slot] = 0
            if rows[slot * words + STATE] == LIVE:
                # Where the slot becomes another entry meanwhile, that one is marked after us.
                found.append(arrays.key(slot))
            at = marks.find(1, at + 1)
    return found


def shift_periods(period: int, ours: int, theirs: int, current: int, previous: int) -> tuple[int, int]:
    """Counts of two periods of `period` ms, of which the current one began `theirs` ms ago, as those of periods that
    began `ours` ms ago. The rate is the same."""
    theirs = min(theirs, 2 * period)
    if theirs >= period:
        # They have not noticed that it ended.
        theirs, current, previous = theirs - period, 0, current
        if theirs >= period:
            return 0, 0
    apart = (ours - theirs + period // 2) % period - period // 2
    if abs(apart) <= max(period // SAME, min(TRAVEL, period // 4)):
        if ours - theirs > period // 2:
            # Theirs has just ended, ours is about to.
            return current + previous, 0
        if theirs - ours > period // 2:
            return 0, current
        return current, previous
    if ours <= theirs:
        early = current * (theirs - ours) / theirs
        last = early + previous * (period - (theirs - ours)) / period
    else:
        last = previous * (period - (ours - theirs)) / period
    rate = current + previous * (period - theirs) / period
    rest = rate - last * (period - ours) / period
    if rest < 0:
        return 0, round(rate * period / (period - ours))
    return round(rest), round(last)


class Columns:
    """The columns of a table but those of the writers in `without`."""

    __slots__ = ("_arrays", "_table", "_without")

    def __init__(self, table: Table, without: Collection[int] = ()) -> None:
        self._table = table
        self._arrays = table.arrays
        self._without = frozenset(without)

    def count(self, cell: Count, slot: int) -> int:
        """What they have counted, modulo 2**64."""
        arrays = self._arrays
        self._widen()
        at = slot * arrays.counted_words + cell.place
        return sum(column[at] for writer, column in enumerate(arrays.counted) if writer not in self._without) & _WORD

    def open(self, slot: int) -> int:
        """What they have open now."""
        arrays = self._arrays
        self._widen()
        at = slot * 2 + 1
        return max(0, sum(column[at] for writer, column in enumerate(arrays.held) if writer not in self._without))

    def periods(self, cell: Rate, slot: int, now: int) -> tuple[int, int, int]:
        """(ms since the current period began, events in it, events in the one before), counts modulo 2**40."""
        turn, age = divmod(self._age(slot, now), cell.period)
        return age, *self._sums(cell, slot, turn)

    def put_count(self, cell: Count, slot: int, writer: int, value: int) -> None:
        """That writer's count is `value`. Somebody has opened the table with that writer before."""
        self._widen()
        self._arrays.counted[writer][slot * self._arrays.counted_words + cell.place] = value & _WORD

    def put_open(self, slot: int, writer: int, value: int) -> None:
        """That writer has so many open."""
        self._widen()
        self._arrays.held[writer][slot * 2 + 1] = value

    def put_periods(
        self,
        cell: Rate,
        slot: int,
        writer: int,
        age: int,
        current: int,
        previous: int,
        now: int,
        *,
        whole: bool = False,
    ) -> None:
        """That writer has counted these, as somebody whose period began `age` ms ago tells it; `whole`: it is made so
        that the sum over all writers becomes that (`writer` is the base)."""
        arrays = self._arrays
        turn, ours = divmod(self._age(slot, now), cell.period)
        current, previous = shift_periods(cell.period, ours, age, current, previous)
        at = slot * arrays.counted_words + cell.place
        self._widen()
        with self._table.locked(slot):
            column = arrays.counted[writer]
            if whole:
                column[at] = column[at + 1] = 0
                others = self._sums(cell, slot, turn)
                current -= others[0]
                previous -= others[1]
            column[at + (turn & 1)] = (turn & PERIOD) << COUNT_BITS | current & _COUNT
            column[at + (turn & 1 ^ 1)] = (turn - 1 & PERIOD) << COUNT_BITS | previous & _COUNT

    def _age(self, slot: int, now: int) -> int:
        """Of the entry, ms. It may have been made after the caller looked at the clock."""
        arrays = self._arrays
        return max(0, now - arrays.rows[slot * arrays.row_words + BORN])

    def _widen(self) -> None:
        if self._arrays.header[0] != self._arrays.used:
            self._arrays.widen()

    def _sums(self, cell: Rate, slot: int, turn: int) -> tuple[int, int]:
        arrays = self._arrays
        self._widen()
        at = slot * arrays.counted_words + cell.place
        now_at, before_at = (at + 1, at) if turn & 1 else (at, at + 1)
        this, last = turn & PERIOD, turn - 1 & PERIOD
        current = previous = 0
        for writer, column in enumerate(arrays.counted):
            if writer in self._without:
                continue
            if column[now_at] >> COUNT_BITS == this:
                current += column[now_at]
            if column[before_at] >> COUNT_BITS == last:
                previous += column[before_at]
        return current & _COUNT, previous & _COUNT
