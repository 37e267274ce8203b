"""A bounded memory from bytes to what was read out of them.

Heads repeat: a client sends the same header block with every request of its connection, all browsers of a version send
most lines alike, servers answer with the same lines. Remembering what was read turns microseconds into one look-up.

Invariants: a key is admitted when it is seen for the second time, so that traffic without repetition stores nothing;
never more than `entries` keys, and no key longer than `longest` bytes, so hostile heads can make others slower (they
are read anew) but cannot take memory beyond entries * longest * a small factor; the dict's identity never changes, so
that readers may keep its bound `get`. One thread only.

Must not know: HTTP.
"""

from __future__ import annotations

from itertools import islice
from typing import Generic, TypeVar

V = TypeVar("V")

_SIGHTS_PER_ENTRY = 2
"""What was seen once is kept as its hash in a table of fixed size, this many places for each entry, newest wins."""


class Memo(Generic[V]):
    """See the module. The hot path reads `table` itself; `offer` is for what it did not find."""

    __slots__ = ("_entries", "_longest", "_mask", "_sights", "table")

    def __init__(self, entries: int, longest: int, table: dict[bytes, V] | None = None) -> None:
        """`table`: a dict to keep the values in, where a subclass of dict is wanted. 0 entries: remember nothing."""
        self.table: dict[bytes, V] = {} if table is None else table
        places = 1 << (max(entries, 1) * _SIGHTS_PER_ENTRY - 1).bit_length()
        self._sights = [-1] * places
        """-1 is the one number that no hash is."""
        self._mask = places - 1
        self._entries = entries
        self._longest = longest if entries > 0 else -1

    def offer(self, key: bytes, value: V) -> None:
        """Remember `value` for `key` if the key was offered before (0.23 µs at the first sight)."""
        if len(key) > self._longest:
            return
        # bytes keep their hash, and the failed look-up has just computed it. Two keys with one hash admit each other a
        # sight too early, which harms nothing: what is stored is found by the key itself.
        mark = hash(key)
        place = mark & self._mask
        if self._sights[place] != mark:
            self._sights[place] = mark
            return
        table = self.table
        if len(table) >= self._entries:
            # The oldest eighth at once: one by one, dict would step over its own dead slots at every insertion.
            for old in list(islice(table, self._entries // 8 + 1)):
                del table[old]
        table[key] = value
