"""`mode sum`: tables whose machines' parts travel apart and are added up where they are read.

Owns: which machine's part is in which column, what is said to be understood, when a machine has vanished. Must not
know: connections, messages' frames. For sections whose peers are other instances of maniple.

Each side announces itself (conversation): a version, and 16 random bytes of its *instance*, the process that speaks to
peers. From then on what the two tell each other about a table are their own parts. An instance that was not met before
is asked for all that it has, so nothing that went on while there was no connection is missed; what it has open
connections of begins at nothing. A peer that does not announce itself (a HAProxy, or a maniple without `mode sum`) is
told the sums; what it says is not learned, since nobody knows whose parts are in it.

What a machine has counted stays when it vanishes, until the entries expire; connections that it had open are no more
after VANISHED. One that begins anew is what it then says.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final

from .sharing import SharedTable
from .stored import StoredTable
from .tables import TableDefinition
from .values import Entry

VERSION: Final = 1
INSTANCE_BYTES: Final = 16
VANISHED: Final = 10_000
"""Milliseconds without a connection."""


class Part:
    """A table towards a peer that adds up: what is read is ours, what is applied is its. `writer` 0: towards one that
    does not: it reads the sums, and changes nothing."""

    __slots__ = ("_table", "_writer", "known", "learns_open")

    def __init__(self, table: StoredTable, writer: int) -> None:
        self._table = table
        self._writer = writer
        self.learns_open = bool(writer)
        # A part is only ever replaced by itself.
        self.known = False

    @property
    def definition(self) -> TableDefinition:
        return self._table.definition

    @property
    def head(self) -> int:
        return self._table.head

    @property
    def floor(self) -> int:
        return self._table.floor

    def changes(self, since: int, most: int) -> list[tuple[int, bytes]]:
        return self._table.changes(since, most)

    def keys(self) -> Iterator[bytes]:
        return self._table.keys()

    def read(self, key: bytes, now: int) -> Entry | None:
        return self._table.read_columns(key, now, self._table.own) if self._writer else self._table.read(key, now)

    def apply(self, entry: Entry, now: int) -> None:
        if self._writer:
            self._table.write(entry, now, self._writer)


class Summing:
    """One section. `writers`: each peer's, by name; `vacate(writer)`: that machine has nothing open any more."""

    __slots__ = ("_gone", "_instance", "_known", "_open", "_tables", "_taught", "_vacate", "_writers")

    def __init__(
        self, tables: Sequence[StoredTable], writers: Mapping[str, int], vacate: Callable[[int], None]
    ) -> None:
        self._tables = tables
        self._writers = writers
        self._vacate = vacate
        self._instance = os.urandom(INSTANCE_BYTES)
        self._known: dict[str, bytes] = {}
        """The instance that each peer was when it was met last."""
        self._taught: set[str] = set()
        """Peers whose present instance has told everything."""
        self._open: set[str] = set()
        """Peers who may have something open."""
        self._gone: dict[str, int] = {}
        """Since when there is no connection, ms."""

    @property
    def announcement(self) -> bytes:
        return bytes((VERSION, 0)) + self._instance

    def meet(self, name: str, announcement: bytes | None) -> tuple[Sequence[SharedTable], bool]:
        """A peer has announced itself, or (None) has said something else first: the tables as it is told of them, and
        whether it is to be asked for all."""
        writer = self._writers.get(name, 0)
        if announcement is None or len(announcement) < 2 + INSTANCE_BYTES or announcement[0] != VERSION or not writer:
            return [Part(table, 0) for table in self._tables], False
        instance = announcement[2 : 2 + INSTANCE_BYTES]
        if self._known.get(name) != instance:
            self._known[name] = instance
            self._taught.discard(name)
            self._vacate(writer)
        self._gone.pop(name, None)
        self._open.add(name)
        return [Part(table, writer) for table in self._tables], name not in self._taught

    def taught(self, name: str) -> None:
        """That peer has told everything."""
        if name in self._known:
            self._taught.add(name)

    def tick(self, now: int, talking: Collection[str]) -> None:
        """Time goes by; who talks."""
        for name in list(self._open):
            if name in talking:
                self._gone.pop(name, None)
            elif now - self._gone.setdefault(name, now) >= VANISHED:
                # What is open there when it comes back it tells again, all of it.
                self._taught.discard(name)
                self._open.discard(name)
                self._vacate(self._writers[name])
