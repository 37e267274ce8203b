"""Where requests go whose backend has no usable server: the ways to backup backends (`backup-backend`).

Owns: which ways there are. Must not know: when they are taken (relay/connect). Runs in `build`, when rules are compiled
and the plans of all ways are made.

A request that goes to the backup has met the rules of the backend that it was for, and those of the backup are not run:
so its response meets those of the backend that it was for, too, but for what names its servers, which are not there:
the persistence cookie, and what `stick` rules write into their tables. All else is the backup's: servers, balancing,
limits, timeouts, retries, error pages, headers that tell of the client.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .config.sticky import FULL
from .relay.route import Frontend, Route
from .rules.stick_rules import write

if TYPE_CHECKING:
    from .balance.backend import Backend


def join_backups(backends: Mapping[str, Backend]) -> None:
    """Backends know their backups."""
    for backend in backends.values():
        backend.spare = backends.get(backend.spec.backup_backend)


def install_backups(frontends: Sequence[Frontend]) -> None:
    """Equip all ways whose backend has a backup."""
    for frontend in frontends:
        for route in tuple(frontend.routes):
            if route.backend.spare is not None:
                route.backup = _way(route, route.backend.spare)
                route.spills_full = FULL in route.spec.options


def _way(route: Route, spare: Backend) -> Route:
    """Besides `route`, one to the backup of its backend."""
    way = Route(route.frontend, spare)
    naming = (*route.backend.closers, write)
    way.response_plan = tuple(run for run in route.response_plan if run not in naming)
    way.after_plan = route.after_plan
    if way.response_plan or way.after_plan:
        way.whole = -1
    return way
