"""A client connection's entry in the books: counted when it comes and when it leaves, whatever it speaks.

Owns: connection counts, limits and addresses of sessions. Must not know: what travels on them.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from ...pools.pulses import CONNECTIONS
from . import tracking

if TYPE_CHECKING:
    from .client import ClientConnection
    from .tcp import TcpConnection


def welcome(client: ClientConnection | TcpConnection) -> float:
    """Count an accepted connection, and stop accepting when it was the last that fits. Returns the time (ms)."""
    frontend = client.frontend
    relay = client.relay
    now = relay.clock() * 1000.0
    client.accept_at = client.idle_since = now
    client.accept_date = relay.date()
    client.variables = client.tracked = None
    relay.descriptors += 1
    relay.sessions = client.number = relay.sessions + 1
    relay.clients.add(client)
    process = relay.counts
    process.cum_conns += 1
    relay.live[CONNECTIONS] = relay.connections = total = relay.connections + 1
    if total > process.max_conns:
        process.max_conns = total
    frontend.connections = connections = frontend.connections + 1
    counts = frontend.counts
    counts.conn_tot += 1
    counts.stot += 1
    if connections > counts.smax:
        counts.smax = connections
    if connections >= frontend.maxconn > 0 or total >= relay.maxconn > 0 or relay.descriptors >= relay.descriptor_limit:
        relay.full()
    if relay.limited:
        listener = relay.limited.get(client)
        if listener is not None:
            listener.connections += 1
            if listener.connections >= listener.maxconn:
                relay.full()
    return now


def leave(client: ClientConnection | TcpConnection) -> None:
    """The connection is closed."""
    relay = client.relay
    if client.tracked is not None:
        tracking.leave(client, relay.now())
    relay.descriptors -= 1
    relay.live[CONNECTIONS] = relay.connections = relay.connections - 1
    relay.timers.forget(client)
    relay.clients.discard(client)
    client.frontend.connections -= 1
    if relay.limited:
        listener = relay.limited.pop(client, None)
        if listener is not None:
            listener.connections -= 1
    relay.room()


def identify(client: ClientConnection | TcpConnection) -> None:
    """Fill in both addresses of the session (1.5 us: only for frontends that log or forward them)."""
    transport = client.transport
    peer = transport.get_extra_info("peername")
    here = transport.get_extra_info("sockname")
    if isinstance(peer, tuple) and isinstance(here, tuple):
        client.client_host, client.client_port = peer[0], peer[1]
        client.frontend_host, client.frontend_port = here[0], here[1]
    else:
        client.client_host, client.client_port = "unix", 1
        client.frontend_host, client.frontend_port = "unix", 1
    if client.frontend.wants_packed:
        # As rules work with them (0.8 us).
        client.source = _packed(client.client_host)
        client.source_port = client.client_port
        client.destination = _packed(client.frontend_host)
        client.destination_port = client.frontend_port


def _packed(host: str) -> bytes:
    if host == "unix":
        return b""
    return socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host.partition("%")[0])
