"""How limits are shared out over threads: each thread's part of what the whole process, a frontend or a bind line may
have. Pure: a placement and who owns which socket in, shares out.

Theory (DESIGN section 2). Threads share nothing on a request's path, so each enforces its part of a limit; the threads
that accept for a frontend or a bind line share its limit. A shared socket is accepted on by all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from ..pools.slots import Shares
from .placement import Placement


class Owned(Protocol):
    """What is asked of a listener."""

    @property
    def frontend(self) -> str: ...
    @property
    def bind_index(self) -> int: ...
    @property
    def owners(self) -> tuple[tuple[int, int], ...]: ...


def deal(placement: Placement, listeners: Iterable[Owned]) -> dict[int, dict[int, Shares]]:
    """The shares of every thread, by group and local number."""
    total = placement.threads
    owners: dict[tuple[str, int], set[tuple[int, int]]] = {}
    shared: set[tuple[str, int]] = set()
    for listener in listeners:
        for key in ((listener.frontend, listener.bind_index), (listener.frontend, -1)):
            owners.setdefault(key, set()).update(listener.owners)
            if not listener.owners:
                shared.add(key)
    dealt: dict[int, dict[int, Shares]] = {
        place.number: {local: Shares(place.first_thread + local - 2, total) for local in range(1, place.threads + 1)}
        for place in placement.groups
    }
    for key, threads in owners.items():
        if key not in shared:
            for part, (group, local) in enumerate(sorted(threads)):
                dealt[group][local].places[key] = (part, len(threads))
    return dealt


def write_deal(shares: dict[int, Shares]) -> list[Any]:
    """One group's shares as JSON can say them."""
    return [
        [local, one.part, one.parts, [[*key, *place] for key, place in one.places.items()]]
        for local, one in shares.items()
    ]


def read_deal(content: Any) -> dict[int, Shares]:
    """The inverse of `write_deal`."""
    dealt = {}
    for local, part, parts, places in content:
        dealt[local] = shares = Shares(part, parts)
        for frontend, bind_index, place, count in places:
            shares.places[frontend, bind_index] = (place, count)
    return dealt
