"""Requests that go to the backup backend (`backup-backend`) of the one that they were for.

Owns: when they do, and what it means for the exchange. Must not know: sessions (sticky), how a server is chosen.

The main backend has them while any of its servers is usable: a full one is, and they wait for it, unless `option
backup-on-full` and the backup has a free slot. One step only is taken, also where the backup has a backup itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .exchange import RelayExchange
    from .route import Route


def spills(route: Route) -> bool:
    """Is the backup to have what the main backend cannot take now?"""
    assert route.backup is not None
    spare = route.backup.backend
    if route.backend.candidates:
        return route.spills_full and spare.has_room()
    return bool(spare.candidates)


def switch(exchange: RelayExchange) -> None:
    """From here on the exchange is one of the backup: its servers, limits, timeouts, queue."""
    route = exchange.route.backup
    assert route is not None
    exchange.dirty = True
    exchange.route = route
    route.backend.sessions += 1
