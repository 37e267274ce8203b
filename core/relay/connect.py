"""From a request to a server connection: choice, slot, queue, pool, dial, retry, redispatch.

Owns: the order of these attempts and what their failures mean (reference 3.2, 3.3). Must not know: what a place in a
queue is (queueing), the request's bytes beyond the wire form that it composes, and nothing of the response.

`dispatch` and `send` are on the path of every request; all else happens only to those that wait, dial or fail.

Invariants: an exchange has at most one of: a place in a queue (`ticket`), an attempt to connect (`dial`), a server
connection (`upstream`). While it has one of the last two it holds a slot of `server`.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...pools.slots import may_queue
from ..balance.retry import Action, Failure, decide
from ..session import DIRECT, FORCED, NOT_REACHED
from .dial import Dial, TurnAround
from .exchange import CONNECTING, RULES, RelayExchange, advance
from .queueing import enqueue
from .spilling import spills, switch
from .timers import NEVER

if TYPE_CHECKING:
    from ..balance.backend import Backend
    from ..balance.server import Server
    from ..http.head import RequestHead
    from .upstream import ServerConnection

LARGE = 16384
"""Body bytes up to this size are copied behind the head, to be one write."""
OUT_OF_RESOURCES = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL))


def dispatch(exchange: RelayExchange, now: float) -> None:
    """Find a server for the exchange, and a connection to it."""
    route = exchange.route
    backend = route.backend
    if backend.queued or backend.prefer_last:
        # Who comes now must not overtake those who wait; or goes where this client's last request went.
        client = exchange.client
        last = client.last if backend.prefer_last else None
        if last is not None and last.backend is not backend:
            last = None
        server = backend.choose(exchange, exchange.avoid, last)
        client.last = server
    else:
        server = backend.algorithm.choose(exchange, exchange.avoid)
        if server is not None:
            server.chosen += 1
    if server is None or (server.served >= server.ceiling and server.saturated()):
        _wait(exchange, server, now)
        return
    backend.took(server)
    exchange.server = server
    exchange.slot_at = now
    if route.pooled:
        connection = server.pool.take(exchange.request_number == 0, exchange.client)
        if connection is not None:
            connection.owner = None
            exchange.reused = True
            head = exchange.head
            if route.plain and head is not None and head.ordinary:
                connection.begin(exchange, b"".join((head.start, head.block.wire, b"\r\n")), now)
            else:
                send(exchange, connection, now)
            return
    _dial(exchange, server, now)


def assign(exchange: RelayExchange, server: Server, now: float) -> None:
    """`dispatch` to the server that persistence or a rule has chosen, if it may have requests at all."""
    backend = exchange.route.backend
    if not (server.usable or backend.persists or exchange.persistence & FORCED):
        dispatch(exchange, now)
        return
    exchange.persistence |= DIRECT
    if backend.prefer_last:
        exchange.client.last = server
    if server.served >= server.ceiling and server.saturated():
        _wait_for(exchange, server, now)
        return
    backend.took(server)
    _go(exchange, server, now)


def _go(exchange: RelayExchange, server: Server, now: float) -> None:
    """It has a slot of `server`."""
    exchange.server = server
    exchange.slot_at = now
    connection = server.pool.take(exchange.request_number == 0, exchange.client) if exchange.route.pooled else None
    if connection is not None:
        connection.owner = None
        exchange.reused = True
        send(exchange, connection, now)
    else:
        _dial(exchange, server, now)


def send(exchange: RelayExchange, connection: ServerConnection, now: float) -> None:
    """Compose what the server gets, and send it."""
    head = exchange.head
    assert head is not None
    if exchange.route.plain and head.ordinary:
        # As in dispatch: without a body, and without a line of ours.
        connection.begin(exchange, b"".join((head.start, head.block.wire, b"\r\n")), now)
        return
    if exchange.client.frontend.records_source:
        record_source(exchange, connection)
    connection.begin(exchange, _compose(exchange, head), now)
    if exchange.route.varied and exchange.request_done and exchange.upstream is connection:
        # Its deadline may be earlier than the one that it is filed under.
        connection.relay.timers.arm(connection, now + exchange.route.server_timeout)
    if exchange.pending is not None:
        for piece in exchange.pending:
            connection.write(piece)
        exchange.pending = None
        if not connection.write_paused:
            exchange.client.go_on_reading()


def record_source(exchange: RelayExchange, connection: ServerConnection) -> None:
    """`%bi` and `%bp`."""
    address = connection.transport.get_extra_info("sockname")
    if isinstance(address, tuple):
        exchange.dirty = True
        exchange.source_host, exchange.source_port = address[:2]


def _compose(exchange: RelayExchange, head: RequestHead) -> bytes:
    """The head with the lines that we add to it, and the first bytes of the body if they are few."""
    route = exchange.route
    parts = [head.start, head.block.wire]
    if route.forward_name:
        client = exchange.client
        line = client.forward_line
        if line is None or client.forward_route is not route:
            line = client.forward_line = route.forward_line(client.client_host)
            client.forward_route = route
        if not (route.forward_if_none and route.has_forward(head.block)):
            parts.append(line)
    if head.upgrade:
        parts.append(b"connection: upgrade\r\n")
    elif route.close_server:
        if head.version == 11:
            parts.append(b"connection: close\r\n")
    elif head.version == 10:
        parts.append(b"connection: keep-alive\r\n")
    parts.append(b"\r\n")
    pending = exchange.pending
    if pending and len(pending) == 1 and len(pending[0]) < LARGE:
        parts.append(pending.pop())
    return b"".join(parts)


def free_slot(backend: Backend, server: Server) -> None:
    """Give a slot back, and go on with whoever waits for it."""
    waiter = backend.freed(server)
    if waiter is not None:
        called(waiter, server)


def abandon(exchange: RelayExchange) -> None:
    """The exchange ends before it has a server connection."""
    wait = exchange.ticket
    if wait is not None:
        wait.leave()
    dial = exchange.dial
    if dial is not None:
        dial.abandon()


# Waiting for a slot.


def _wait(exchange: RelayExchange, server: Server | None, now: float) -> None:
    """All that could take the request are full, or there is nobody."""
    backend = exchange.route.backend
    if exchange.route.backup is not None and spills(exchange.route):
        switch(exchange)
        dispatch(exchange, now)
        return
    if server is None and not backend.candidates:
        exchange.dirty = True
        exchange.slot_at = exchange.connect_at = NOT_REACHED
        exchange.client.fail(exchange, 503, b"SC")
        return
    if server is not None and not may_queue(len(server.waiting), server.maxqueue):
        server = None
    enqueue(exchange, server, now)


def _wait_for(exchange: RelayExchange, server: Server, now: float) -> None:
    """The one server that will do is full: wait for that, or, where there is no more room to wait, do without it if
    `option redispatch` says so."""
    exchange.server_name = server.name
    if may_queue(len(server.waiting), server.maxqueue):
        enqueue(exchange, server, now)
        return
    exchange.dirty = True
    if exchange.route.redispatch and not exchange.persistence & FORCED:
        exchange.avoid = server
        exchange.redispatched = True
        server.counts.wredis += 1
        exchange.route.backend.counts.wredis += 1
        release_from(exchange)
        dispatch(exchange, now)
        return
    exchange.slot_at = exchange.connect_at = NOT_REACHED
    exchange.client.fail(exchange, 503, b"SQ")


def release_from(exchange: RelayExchange) -> None:
    """The exchange is not bound to its server any more. A cookie that named it named one that is down, says the log."""
    exchange.persistence &= ~DIRECT
    state = exchange.cookie_state
    if state[:1] == b"V":
        exchange.cookie_state = b"D" + state[1:]


def called(exchange: RelayExchange, server: Server) -> None:
    """A slot of `server` is the exchange's now."""
    wait = exchange.ticket
    relay = exchange.client.relay
    assert wait is not None
    exchange.ticket = None
    relay.timers.forget(wait)
    _go(exchange, server, relay.now())


def call(waiters: Iterable[RelayExchange], server: Server) -> None:
    """Each of them has a slot of `server` now."""
    for exchange in waiters:
        called(exchange, server)


def move(exchange: RelayExchange) -> None:
    """It was taken out of a server's queue: a place elsewhere, behind those that wait there."""
    wait = exchange.ticket
    relay = exchange.client.relay
    assert wait is not None
    exchange.ticket = None
    relay.timers.forget(wait)
    advance(exchange, RULES)
    release_from(exchange)
    dispatch(exchange, relay.now())


# Connecting.


def _dial(exchange: RelayExchange, server: Server, now: float) -> None:
    advance(exchange, CONNECTING)
    exchange.dirty = True
    exchange.connect_at = NOT_REACHED
    exchange.reused = False
    exchange.server_name = server.name
    dial = exchange.dial = Dial(exchange, server, _connected, _failed)
    dial.start(now)


def _connected(exchange: RelayExchange, connection: ServerConnection) -> None:
    route = exchange.route
    if route.tcp_keepalive:
        route.keep_alive_probes(connection.transport)
    exchange.client.connected(exchange, connection, exchange.client.relay.now())


def _failed(exchange: RelayExchange, failure: Failure, error: OSError | None) -> None:
    """An attempt failed: another one (reference 3.2), or the end."""
    server = exchange.server
    assert server is not None
    route = exchange.route
    backend = route.backend
    if failure is Failure.LOST:
        # The connection stood: Tc is known, and nothing came back.
        exchange.connect_at = exchange.client.relay.now()
        server.counts.eresp += 1
        backend.counts.eresp += 1
        exchange.client.fail(exchange, 502, b"SH")
        return
    decision = decide(
        failure,
        exchange.retries + 1,
        retries=route.retries,
        redispatch=0 if exchange.persistence & FORCED else route.redispatch,
        persistent=bool(exchange.persistence & DIRECT),
        rotating=backend.algorithm.rotating,
        active=backend.active_count,
        connect_timeout=None if route.connect_timeout == NEVER else int(route.connect_timeout),
    )
    if decision.action is Action.FAIL:
        server.counts.econ += 1
        backend.counts.econ += 1
        termination = b"sC" if failure is Failure.TIMED_OUT else b"SC"
        if error is not None and error.errno in OUT_OF_RESOURCES:
            termination = b"RC"
        exchange.client.fail(exchange, 503, termination)
        return
    exchange.retries += 1
    server.counts.wretr += 1
    backend.counts.wretr += 1
    elsewhere = decision.action is Action.ELSEWHERE
    if decision.delay:
        TurnAround(exchange, _again, elsewhere, decision.delay)
    else:
        _again(exchange, elsewhere)


def _again(exchange: RelayExchange, elsewhere: bool) -> None:
    server = exchange.server
    assert server is not None
    now = exchange.client.relay.now()
    advance(exchange, RULES)
    if not elsewhere:
        _dial(exchange, server, now)
        return
    backend = exchange.route.backend
    exchange.avoid = server
    exchange.server = None
    exchange.redispatched = True
    release_from(exchange)
    server.counts.wredis += 1
    backend.counts.wredis += 1
    free_slot(backend, server)
    dispatch(exchange, now)
