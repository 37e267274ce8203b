"""Which threads accept on which socket of an address. Pure: owners in, owners out.

Theory. A bind line names threads (its owners); `shards` says over how many sockets they are spread. Sockets that are
open already must stay open while their address is served (closing one of several reuseport sockets resets what is in
its queue), so after a reload there may be more of them than shards, and a socket may have had other owners before.
`deal` gives each open socket to a shard: as evenly as possible, and to the threads that had it where that is possible.

Owns: both divisions. Must not know: sockets, bind lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence

Owners = tuple[tuple[int, int], ...]
"""(group, local thread) pairs, both from 1, in order; (): all threads that there are."""
Claim = tuple[str, Owners]
"""A frontend and the threads that accept for it on one socket."""


def split(owners: Owners, rule: str) -> tuple[Owners, ...]:
    """One set of owners for each socket. `rule`: by-thread, by-group or a number (manual 5.1 `shards`): of more sockets
    than threads only as many are made as there are threads; what does not divide goes to the first."""
    if rule == "by-thread":
        return tuple((owner,) for owner in owners)
    if rule == "by-group":
        groups: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for owner in owners:
            groups[owner[0]].append(owner)
        return tuple(tuple(found) for found in groups.values())
    count = max(1, min(int(rule), len(owners)))
    base, more = divmod(len(owners), count)
    runs = []
    start = 0
    for number in range(count):
        end = start + base + (number < more)
        runs.append(owners[start:end])
        start = end
    return tuple(runs)


def deal(held: Sequence[Claim], wanted: Sequence[Claim]) -> list[int]:
    """For each held socket the index of the claim in `wanted` that gets it. Counts differ by one at most, so with fewer
    sockets than claims none gets two. Those that had a socket before are asked first: exactly they, the same threads
    for another frontend, some of the same threads, anybody."""
    base, extras = divmod(len(held), len(wanted))
    counts = [0] * len(wanted)
    places = [-1] * len(held)
    for keys in (_claim, _threads, _each_thread, _anybody):
        candidates: dict[Hashable, list[int]] = defaultdict(list)
        for index, claim in enumerate(wanted):
            for key in keys(claim):
                candidates[key].append(index)
        for quota in (base, base + 1):
            for number, claim in enumerate(held):
                if places[number] >= 0 or (quota > base and extras == 0):
                    continue
                for key in keys(claim):
                    free = _first_below(candidates[key], counts, quota)
                    if free is not None:
                        extras -= quota > base
                        counts[free] += 1
                        places[number] = free
                        break
    return places


def _first_below(candidates: list[int], counts: list[int], quota: int) -> int | None:
    return next((index for index in candidates if counts[index] < quota), None)


def _claim(claim: Claim) -> Iterable[Hashable]:
    return (claim,)


def _threads(claim: Claim) -> Iterable[Hashable]:
    return (claim[1],)


def _each_thread(claim: Claim) -> Iterable[Hashable]:
    return claim[1]


def _anybody(_: Claim) -> Iterable[Hashable]:
    return (None,)
