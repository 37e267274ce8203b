"""static-rr: each server in turn after a table that is made once per set of servers; weight changes do nothing.

Owns: the table and the place in it. Must not know: load, but for saturation.

The table has as many places as the sum of the weights (divided by their greatest common divisor). It is filled place by
place: every server gains its weight in credit, the richest takes the place and pays the sum. So the places of a server
are spread evenly. Weights are those of the configuration; only 0 (not eligible) has an effect later on.

Invariants: every server has exactly weight / divisor places.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from ..session import Exchange
from .algorithm import Algorithm, register
from .server import Server


def spread(weights: Sequence[int]) -> list[int]:
    """The table: indices into `weights` (all positive), each as often as its weight divided by their greatest common
    divisor says. O(sum * n), once per change."""
    divisor = gcd(*weights) or 1
    shares = [weight // divisor for weight in weights]
    total = sum(shares)
    credits = [0] * len(shares)
    table = []
    for _ in range(total):
        for index, part in enumerate(shares):
            credits[index] += part
        richest = max(range(len(shares)), key=credits.__getitem__)
        credits[richest] -= total
        table.append(richest)
    return table


@register("static-rr")
class StaticRoundRobin(Algorithm):
    """`balance static-rr`."""

    rotating = True

    def __init__(self, arguments: tuple[str, ...] = ()) -> None:
        super().__init__(arguments)
        self._servers: list[Server] = []
        self._table: list[Server] = []
        self._next = 0

    def changed(self, servers: Sequence[Server]) -> None:
        if list(servers) == self._servers:
            return
        self._servers = list(servers)
        # A server that had no weight in the file and was given one later counts as 1.
        table = spread([server.spec.weight or 1 for server in servers]) if servers else []
        self._table = [servers[index] for index in table]
        self._next %= len(table) or 1

    def choose(self, exchange: Exchange, avoid: Server | None) -> Server | None:
        table = self._table
        if not table:
            return None
        place = self._next
        server = table[place]
        place += 1
        if server is not avoid and not (server.maxconn and server.saturated()):
            self._next = place if place < len(table) else 0
            return server
        return self._choose_further(avoid)

    def _choose_further(self, avoid: Server | None) -> Server | None:
        """The next in turn is saturated or to be avoided. The table may be much longer than the farm, so a server is
        asked once only, and the walk ends when all were."""
        table = self._table
        refused: set[Server] = set()
        place = self._next
        while len(refused) < len(self._servers):
            server = table[place]
            place = place + 1 if place + 1 < len(table) else 0
            if server in refused:
                continue
            if server is not avoid and not server.saturated():
                self._next = place
                return server
            refused.add(server)
        if avoid in refused and avoid is not None and not avoid.saturated():
            return avoid
        return None
