"""Going round a table of servers: what roundrobin and static-rr share.

Owns: the table of one whole round and the place in it. Must not know: which weights made the table, load (but for
saturation).

A round has as many places as the sum of the weights, divided by their greatest common divisor. The k-th of the w places
of a server is meant to be at (2k + 1) / 2w of the round; sorting all wishes gives the table. So the places of a server
are spread evenly, and light servers do not all come last. After any number of places, every server has had its part of
them with an error of half a turn; after a round, exactly. Equal weights go in the order of the file.

A saturated server loses its turn, it does not save turns up.

Measured (Python 3.11): choose 0.15 us, whatever the number of servers (a heap of positions, which needs no table, takes
0.3 us for 3 and 1.0 us for 1000).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from ..session import Exchange
from .algorithm import Algorithm
from .server import Server


def reduced(weights: Sequence[int]) -> list[int]:
    """The smallest whole weights (all positive) in the same proportions."""
    divisor = gcd(*weights) or 1
    return [weight // divisor for weight in weights]


def spread(shares: Sequence[int]) -> list[int]:
    """One round: indices into `shares`, each as often as its share says. O(s log s) for the sum s of the shares."""
    # Quotients of equal value are equal floats, and different ones of such sizes differ by far more than rounding.
    wishes = [((2 * turn + 1) / share, index) for index, share in enumerate(shares) for turn in range(share)]
    wishes.sort()
    return [index for _, index in wishes]


class Rotation(Algorithm):
    """Subclasses implement `changed` and call `_set_table`."""

    def __init__(self, arguments: tuple[str, ...] = ()) -> None:
        super().__init__(arguments)
        self._servers: tuple[Server, ...] = ()
        self._table: list[Server] = []
        self._next = 0

    def _set_table(self, servers: Sequence[Server], shares: Sequence[int]) -> None:
        """A new round, entered where the former one was left: at the same part of it."""
        before = len(self._table) or 1
        self._servers = tuple(servers)
        self._table = [servers[index] for index in spread(shares)]
        self._next = self._next * len(self._table) // before

    def choose(self, exchange: Exchange, avoid: Server | None) -> Server | None:
        table = self._table
        if not table:
            return None
        place = self._next
        server = table[place]
        if server is not avoid and (server.served < server.ceiling or not server.saturated()):
            place += 1
            self._next = place if place < len(table) else 0
            return server
        return self._choose_further(avoid)

    def _choose_further(self, avoid: Server | None) -> Server | None:
        """The next in turn is saturated or to be avoided. The table may be much longer than the farm, so each server is
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
        if avoid is not None and avoid in refused and not avoid.saturated():
            return avoid
        return None
