"""The pins of sticky sessions in their stick table, as one thread uses it.

Owns: which words of an entry are what. Must not know: what pins mean (pins), who asks. `now`: ms of the tables' clock.

An entry stores gpt(16): eight pins, and for each when it was used last, in seconds since the epoch (which outlive a
restart by `table-file`). Whoever looks at a slot holds it meanwhile (pools/table).
"""

from __future__ import annotations

from typing import cast

from ...pools.table import Table
from ...pools.table_cells import Word
from .pins import PLACES

EMPTY = [0] * PLACES


class PinTable:
    """The table of one name."""

    __slots__ = (
        "_cells",
        "_first",
        "_rows",
        "_words",
        "hold",
        "release",
        "remove",
        "secret",
        "table",
        "touch",
        "track",
    )

    def __init__(self, table: Table) -> None:
        self.table = table
        self.track = table.track
        self.hold = table.hold
        self.touch = table.touch
        self.release = table.release
        self.remove = table.remove
        self.secret = table.secret
        arrays = table.arrays
        self._rows = arrays.rows
        self._words = arrays.row_words
        self._first = arrays.layout.assigned["gpt"]
        self._cells = [cast(Word, table.cell("gpt", place)) for place in range(PLACES)]

    def pins(self, slot: int) -> list[int]:
        """All words of an entry, as they are at about the same time; none of slot 0."""
        if not slot:
            return EMPTY
        at = slot * self._words + self._first
        return self._rows[at : at + PLACES].tolist()

    def assign(self, slot: int, place: int, expected: int, pin: int) -> int:
        """Assigns a pin if the word is what it was expected to be; what it is then: of several who try at once one
        wins."""
        return self._cells[place].settle(slot, expected, pin)

    def used(self, slot: int, place: int) -> int:
        """When the pin was used last, in seconds."""
        return self._rows[slot * self._words + self._first + PLACES + place]

    def use(self, slot: int, place: int, date: int) -> None:
        """It is used now."""
        self._rows[slot * self._words + self._first + PLACES + place] = date
