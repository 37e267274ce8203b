"""How many requests a server takes at a time: the arithmetic of maxconn, minconn, fullconn and maxqueue.

Owns: the formulas of reference 3.6. Must not know: servers, who counts.

A limit of 0 means no limit, as in the language. HAProxy counts a server's requests per process; maniple's threads share
nothing, so each enforces its share of the limit, and the shares sum up to it.
"""

from __future__ import annotations


def share(limit: int, parts: int, index: int) -> int:
    """Part `index` (from 0) of `limit` split over `parts` threads: parts differ by one at most and sum up to the limit.

    0 (no limit) stays 0. A limit below `parts` cannot be split, and a part of 0 would mean no limit: then every part is
    1, and together they exceed the limit (`parts` instead of `limit`). Whoever builds warns about that. Raises
    ValueError for a part that is none."""
    if not 0 <= index < parts:
        raise ValueError(f"there is no part {index} of {parts}")
    if limit <= 0:
        return 0
    return max(1, limit // parts + (index < limit % parts))


class Shares:
    """One thread's place among those that share the limit of a frontend or of a bind line: not all threads need accept
    for it. `part` of `parts` (from 0) is its place among all, which holds where `places` says nothing."""

    __slots__ = ("part", "parts", "places")

    def __init__(self, part: int = 0, parts: int = 1) -> None:
        self.part = part
        self.parts = parts
        self.places: dict[tuple[str, int], tuple[int, int]] = {}
        """By frontend and index of the bind line (-1: the frontend as a whole): part, parts."""

    def of_frontend(self, frontend: str, limit: int) -> int:
        """This thread's share of a frontend's limit."""
        return self.of_bind(frontend, -1, limit)

    def of_bind(self, frontend: str, index: int, limit: int) -> int:
        """This thread's share of the limit of a bind line."""
        part, parts = self.places.get((frontend, index), (self.part, self.parts))
        return share(limit, parts, part)


def dynamic_limit(maxconn: int, minconn: int, load: int, full: int) -> int:
    """The limit of a server now. Without `minconn` (0, or the same as maxconn) it is `maxconn`. With it, the limit goes
    with the backend's load (exchanges in it, waiting ones included) from minconn to maxconn, which it reaches when the
    load is `full` (fullconn)."""
    if minconn <= 0 or minconn >= maxconn or load >= full:
        return maxconn
    return max(minconn, load * maxconn // full)


def warming_limit(limit: int, elapsed: int, slowstart: int) -> int:
    """The limit while a server that came back warms up: in proportion to the part of `slowstart` (ms) that has
    `elapsed` (ms), at least 1."""
    if limit <= 0 or elapsed >= slowstart:
        return limit
    return max(1, limit * (100 * elapsed // slowstart) // 100)


def may_queue(waiting: int, maxqueue: int) -> bool:
    """Whether one more may wait where `waiting` do. maxqueue 0 is unlimited."""
    return maxqueue <= 0 or waiting < maxqueue


def full_connections(limits: int) -> int:
    """The default of fullconn: a tenth of the sum of the maxconns of all frontends that can reach the backend, rounded
    up, at least 1."""
    return max(1, (limits + 9) // 10)
