"""A bounded memory from bytes to what was read out of them.

Heads repeat: a client sends the same header block with every request of its connection, all browsers of a version
send most lines alike, servers answer with the same lines. Remembering what was read turns microseconds into one dict
look-up.

Invariants: a key is admitted when it is seen for the second time, so that traffic without repetition costs one set
entry and stores nothing; never more than `entries` keys, never keys of more than `longest` bytes, so a client that
sends hostile heads can make others slower (they are read anew) but can not take memory beyond entries * longest * (a
small factor); the dict's identity never changes, so that readers may keep its bound `get`. One thread only.

Must not know: HTTP.
"""

from __future__ import annotations

from itertools import islice
from typing import Generic, TypeVar

V = TypeVar("V")

_SEEN_PER_ENTRY = 4
"""Keys seen once are remembered as their hashes (8 bytes and a set slot each), this many for each entry."""


class Memo(Generic[V]):
    """See the module. The hot path reads `table` directly; `offer` is for what it did not find."""

    __slots__ = ("_entries", "_longest", "_seen", "table")

    def __init__(self, entries: int, longest: int, table: dict[bytes, V] | None = None) -> None:
        self.table: dict[bytes, V] = {} if table is None else table
        self._seen: set[int] = set()
        self._entries = entries
        self._longest = longest

    def offer(self, key: bytes, value: V) -> None:
        """Remember `value` for `key` if the key was offered before."""
        if len(key) > self._longest:
            return
        # bytes keep their hash, and the failed look-up has just computed it. Two keys with one hash admit each other a
        # sight too early, which harms nothing: what is stored is found by the key itself.
        mark = hash(key)
        seen = self._seen
        if mark not in seen:
            if len(seen) >= self._entries * _SEEN_PER_ENTRY:
                seen.clear()
            if self._entries > 0:
                seen.add(mark)
            return
        seen.discard(mark)
        table = self.table
        if len(table) >= self._entries:
            # The oldest eighth at once: one by one, dict would step over its own dead slots at every insertion.
            for old in list(islice(table, self._entries // 8 + 1)):
                del table[old]
        table[key] = value
