"""Where the entry of a key was when it was looked at last: found again without hash, probe or comparison of keys.

Owns: that memory, and how it is believed. Must not know: who remembers what, what is stored.

Why it is safe: as in table_probing, who looks at an entry holds it first and looks then. The place is right if the
directory's word there (hash and slot) and the date on which the row was born are what they were. Another key has the
same word only with the same 32 bits of hash in the same slot, which rests for many removals; it would have to be born
in the same millisecond, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from .table_shape import BORN

if TYPE_CHECKING:
    from .table_arrays import Arrays

LOST = -1
"""No word of a directory."""
KNOWN = 1024
"""Values of which something is remembered."""
LONGEST = 256
"""Bytes of a value of which something is remembered."""
T = TypeVar("T")


class Memory(dict[Any, T]):
    """What is known of values, of `most` at a time: when there are more all is forgotten."""

    __slots__ = ("_most",)

    def __init__(self, most: int = KNOWN) -> None:
        super().__init__()
        self._most = most

    @staticmethod
    def takes(value: Any) -> bool:
        """Is the value short enough? Clients shall not fill the memory."""
        return not isinstance(value, bytes) or len(value) <= LONGEST

    def note(self, value: Any, what: T) -> None:
        """That is known of the value."""
        if len(self) >= self._most:
            self.clear()
        self[value] = what


class Spot:
    """The entry of a key. `row_at`: where its row begins, in words."""

    __slots__ = ("born", "born_at", "cell", "held_at", "key", "row_at", "slot", "word")

    def __init__(self, key: bytes) -> None:
        """It was not looked at yet."""
        self.key = key
        self.word = LOST
        self.cell = self.slot = self.held_at = self.row_at = self.born_at = self.born = 0


Regain = Callable[[Spot, int], bool]
"""The spot and `now`, ms."""


def make_regain(arrays: Arrays, writer: int) -> Regain:
    """Holds the entry, if it is where it was and has not expired; else nothing is held."""
    directory, rows, due, held = arrays.directory, arrays.rows, arrays.due, arrays.held[writer]

    def regain(spot: Spot, now: int) -> bool:
        at = spot.held_at
        held[at] += 1
        if directory[spot.cell] == spot.word and rows[spot.born_at] == spot.born and due[spot.slot] >= now:
            return True
        held[at] -= 1
        return False

    return regain


def mark(spot: Spot, arrays: Arrays, slot: int, cell: int, word: int) -> None:
    """It is there now: the caller holds it. `cell`, `word`: of the directory; `cell` -1: it is moving."""
    spot.slot = slot
    spot.held_at = slot * arrays.held_words
    spot.row_at = slot * arrays.row_words
    spot.born_at = spot.row_at + BORN
    spot.born = arrays.rows[spot.born_at]
    spot.cell = cell
    spot.word = word if cell >= 0 else LOST
