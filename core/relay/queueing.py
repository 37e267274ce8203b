"""A place in the queue of a server or of a backend, for a request whose servers are full.

Owns: the place, how it is taken and given up, `timeout queue`. Must not know: who goes into which queue, and what
becomes of a request whose turn it is (connect); the order in a queue (pools/waiting).

Invariant: an exchange whose `ticket` is set is in a queue, and holds no slot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...pools.waiting import Ticket, rank
from ..session import NOT_REACHED
from .exchange import QUEUED, RelayExchange, advance
from .timers import NEVER

if TYPE_CHECKING:
    from ..balance.server import Server


class Wait:
    """A place in the queue of a server or a backend, with `timeout queue`."""

    __slots__ = ("deadline", "exchange", "filed", "relay", "ticket")

    def __init__(self, exchange: RelayExchange, ticket: Ticket[RelayExchange]) -> None:
        self.exchange = exchange
        self.ticket = ticket
        self.relay = exchange.client.relay
        self.deadline = NEVER
        self.filed = 0

    def leave(self) -> None:
        """Give up the place; nothing happens if it was called meanwhile."""
        exchange = self.exchange
        exchange.ticket = None
        exchange.slot_at = self.relay.now()
        self.relay.timers.forget(self)
        exchange.route.backend.cancel(self.ticket)

    def expire(self, now: float) -> None:
        exchange = self.exchange
        self.leave()
        exchange.client.fail(exchange, 503, b"sQ")


def enqueue(exchange: RelayExchange, server: Server | None, now: float) -> None:
    """A place in the queue of `server`, or of the backend."""
    backend = exchange.route.backend
    advance(exchange, QUEUED)
    exchange.dirty = True
    exchange.slot_at = exchange.connect_at = NOT_REACHED
    # Places in the queue, from 1.
    if server is not None:
        exchange.server_queue = len(server.waiting) + 1
    else:
        exchange.backend_queue = len(backend.waiting) + 1
    wait = exchange.ticket = Wait(exchange, backend.wait(exchange, rank_of(exchange, now), server))
    timeout = exchange.route.queue_timeout
    if timeout != NEVER:
        wait.relay.timers.arm(wait, now + timeout)


def rank_of(exchange: RelayExchange, now: float) -> int:
    """Who is served first: the lowest, of its class and its time."""
    return rank(int(now), exchange.priority_class, exchange.priority_offset)


def stay(exchange: RelayExchange, server: Server) -> None:
    """It was taken out of the queue of `server`, which is down, and is to go there nevertheless."""
    wait = exchange.ticket
    assert wait is not None
    wait.ticket = exchange.route.backend.wait(exchange, rank_of(exchange, wait.relay.now()), server)
