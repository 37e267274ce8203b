"""A table in a dictionary, as peers see tables."""

from __future__ import annotations

from collections.abc import Iterator

from maniple.core.peers.journal import Journal
from maniple.core.peers.tables import TableDefinition
from maniple.core.peers.values import Entry, Value


class MemoryTable:
    """`held`: key -> (when it expires or None, values)."""

    learns_open = False
    known = False

    def __init__(self, definition: TableDefinition) -> None:
        self.definition = definition
        self.held: dict[bytes, tuple[int | None, dict[str, Value]]] = {}
        self.journal = Journal()

    @property
    def head(self) -> int:
        return self.journal.head

    @property
    def floor(self) -> int:
        return self.journal.floor

    def set(self, key: bytes, values: dict[str, Value], now: int, expire: int | None = None) -> None:
        """A change that is made here."""
        self.apply(Entry(key, expire, values), now)
        self.journal.note(key)

    def changes(self, since: int, most: int) -> list[tuple[int, bytes]]:
        return self.journal.changes(since, most)

    def keys(self) -> Iterator[bytes]:
        return iter(list(self.held))

    def read(self, key: bytes, now: int) -> Entry | None:
        found = self.held.get(key)
        if found is None or (found[0] is not None and found[0] <= now):
            return None
        return Entry(key, None if found[0] is None else found[0] - now, found[1])

    def apply(self, entry: Entry, now: int) -> None:
        left = entry.expire if entry.expire is not None else self.definition.expire or None
        before = self.held.get(entry.key, (None, {}))[1]
        self.held[entry.key] = (None if left is None else now + left, {**before, **entry.values})

    def values(self, key: bytes) -> dict[str, Value]:
        """What is stored with the key."""
        return self.held[key][1]
