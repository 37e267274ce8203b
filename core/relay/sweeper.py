"""Removes expired entries of the stick tables that a thread uses.

Owns: when and how much at a time. Must not know: how entries are found (pools/stripe). Expired ones are no entries to
whoever looks for them, and make room at once; this is for those that nobody looks for, so that tables do not count and
show what is long gone.

Each pulse sweeps MOST of each table; where there are more, it goes on every SOON seconds, so that a flood of addresses
is gone in minutes and no turn of the loop takes longer for it: 64 entries are 0.4 ms.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from ...pools.table import Table
from .relay import Relay

MOST = 64
"""Entries of a table in one go."""
SOON = 0.005


class Sweeper:
    """Of one thread."""

    __slots__ = ("_behind", "_relay", "_soon", "_tables")

    def __init__(self, relay: Relay, tables: Collection[Table]) -> None:
        self._relay = relay
        self._tables = tuple(tables)
        self._behind: tuple[Table, ...] = ()
        self._soon: asyncio.TimerHandle | None = None

    def beat(self, now: int) -> None:
        """At each pulse. `now`: ms."""
        if self._soon is None:
            self._sweep(self._tables, now)

    def stop(self) -> None:
        """The thread ends."""
        self._tables = ()
        if self._soon is not None:
            self._soon.cancel()

    def _sweep(self, tables: Collection[Table], now: int) -> None:
        self._behind = tuple([table for table in tables if table.sweep(now, MOST) >= MOST])
        self._soon = self._relay.loop.call_later(SOON, self._go_on) if self._behind else None

    def _go_on(self) -> None:
        self._sweep(self._behind, int(self._relay.now()))
