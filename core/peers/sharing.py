"""A table as this package sees one, and which of its changes a peer has.

Owns: the interface. Must not know: how tables are stored, sockets. What stores tables need not import this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .tables import TableDefinition
from .values import Entry


class SharedTable(Protocol):
    """A table that peers share. Every change made *here* (not those that peers tell) has a number, from 1 on."""

    learns_open: bool
    """Whether open connections (conn_cur) of peers are learned."""
    known: bool
    """It has what peers know: a lesson, asked for because of other tables, would overwrite what is counted meanwhile,
    and is passed over."""

    @property
    def definition(self) -> TableDefinition:
        """What it is."""

    @property
    def head(self) -> int:
        """The number of the last change, 0 before the first."""

    @property
    def floor(self) -> int:
        """Changes up to this number are forgotten: `changes` tells those after it."""

    def changes(self, since: int, most: int) -> list[tuple[int, bytes]]:
        """The first `most` changes after number `since`, in their order: (number, key). Of a key its last one."""

    def keys(self) -> Iterator[bytes]:
        """The keys of all entries. The table may change meanwhile; what is there all the time is met."""

    def read(self, key: bytes, now: int) -> Entry | None:
        """The entry and how many ms it has left (None: it does not expire); None when there is none."""

    def apply(self, entry: Entry, now: int) -> None:
        """What a peer says about a key: the named values are replaced. An `expire` of None: that of the table. A change
        of this kind has no number."""


class Shares(Protocol):
    """Tables that are shared in parts (summing)."""

    @property
    def announcement(self) -> bytes:
        """What is said first."""

    def meet(self, name: str, announcement: bytes | None) -> tuple[Sequence[SharedTable], bool]:
        """The peer has said this first, or something else (None): the tables for it, and whether to ask it for all."""


@dataclass(slots=True)
class Progress:
    """How far a peer is; outlives its connections. Table -> number of the last change that it has acknowledged."""

    acked: dict[str, int] = field(default_factory=dict)
