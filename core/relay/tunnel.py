"""Bytes both ways between a client and a server, unread: TCP proxies, upgraded connections, CONNECT.

Owns: the two ends once they carry opaque bytes, half-close, and the inactivity timeouts. Must not know: HTTP.

```
             client ends      server ends       both
client reads  shut the server's writing side     -> closed, the exchange ends
server reads  shut the client's writing side     /
```

Invariants: each end's transport has exactly one protocol, its `End`; an end that cannot be written to stops the other's
reading; the exchange ends once, when both transports are closed or one broke.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .exchange import DONE, FAILED, TUNNEL, RelayExchange, advance
from .tcp_upstream import TcpServerConnection
from .timers import NEVER

if TYPE_CHECKING:
    from .relay import Relay
    from .upstream import ServerConnection


class End(asyncio.Protocol):
    """One side of a tunnel."""

    __slots__ = ("client_side", "closed", "eof", "peer", "transport", "tunnel", "write")

    peer: End

    def __init__(self, tunnel: Tunnel, transport: asyncio.Transport, client_side: bool) -> None:
        self.tunnel = tunnel
        self.transport = transport
        self.write: Any = transport.write
        self.client_side = client_side
        self.eof = False
        self.closed = False

    def data_received(self, data: bytes) -> None:
        tunnel = self.tunnel
        exchange = tunnel.exchange
        if self.client_side:
            exchange.bytes_from_client += len(data)
        else:
            exchange.bytes_to_client += len(data)
        tunnel.deadline = tunnel.relay.clock() * 1000.0 + tunnel.timeout
        self.peer.write(data)

    def eof_received(self) -> bool:
        self.eof = True
        self.tunnel.half_closed(self)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self.write = nowhere
        self.tunnel.lost(self, exc)

    def pause_writing(self) -> None:
        if not self.peer.closed:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if not self.peer.closed:
            self.peer.transport.resume_reading()


class Tunnel:
    """A pair of ends, and the exchange that they belong to."""

    __slots__ = (
        "client",
        "client_end",
        "deadline",
        "exchange",
        "filed",
        "late",
        "relay",
        "server_end",
        "timeout",
        "upstream",
    )

    def __init__(self, relay: Relay, exchange: RelayExchange, client: Any, upstream: ServerConnection) -> None:
        """`client`: the client connection whose place the tunnel takes (`left(exchange)` is called at the end)."""
        route = exchange.route
        self.relay = relay
        self.exchange = exchange
        self.client = client
        self.upstream = upstream
        self.deadline = NEVER
        self.filed = 0
        patience = exchange.client_timeout or client.frontend.client_timeout
        self.timeout = min(patience, route.server_timeout)
        self.late = b"cD" if patience <= route.server_timeout else b"sD"
        """What silence is called: the side whose time-out is the shorter one."""
        if route.tunnel_timeout != NEVER:
            self.timeout = route.tunnel_timeout
        self.client_end = End(self, client.transport, True)
        self.server_end = End(self, upstream.transport, False)
        self.client_end.peer = self.server_end
        self.server_end.peer = self.client_end

    def start(self, ahead: bytes) -> None:
        """Take both transports over. `ahead`: what the client had sent already."""
        advance(self.exchange, TUNNEL)
        relay = self.relay
        relay.timers.forget(self.client)
        relay.timers.forget(self.upstream)
        relay.tunnels.add(self)
        client_transport = self.client_end.transport
        server_transport = self.server_end.transport
        client_transport.set_protocol(self.client_end)
        server_transport.set_protocol(self.server_end)
        # Whichever side had been stopped before: an end starts open.
        client_transport.resume_reading()
        server_transport.resume_reading()
        if ahead:
            self.client_end.data_received(ahead)
        upstream = self.upstream
        if upstream.buffer:
            said = upstream.buffer
            upstream.buffer = b""
            self.server_end.data_received(said)
        if self.timeout != NEVER:
            relay.timers.arm(self, relay.now() + self.timeout)
        if self.client.eof:
            self.client_end.eof_received()
        if isinstance(upstream, TcpServerConnection) and upstream.eof:
            self.server_end.eof_received()

    def half_closed(self, end: End) -> None:
        """`end` will send no more: tell its peer. From now on the peer has `timeout client-fin` or `server-fin`."""
        peer = end.peer
        if peer.closed:
            return
        if peer.eof:
            end.transport.close()
            peer.transport.close()
            return
        if peer.transport.can_write_eof() and not peer.transport.is_closing():
            peer.transport.write_eof()
        route = self.exchange.route
        fin = route.server_fin if end.client_side else route.client_fin
        self.late = b"sD" if end.client_side else b"cD"
        if fin != NEVER:
            self.timeout = fin
            self.relay.timers.arm(self, self.relay.now() + fin)

    def lost(self, end: End, exc: Exception | None) -> None:
        """`end` is closed. The other one goes too, once what it has to deliver is written."""
        exchange = self.exchange
        if exc is not None and exchange.termination == b"--":
            exchange.termination = b"CD" if end.client_side else b"SD"
        if not end.peer.closed:
            end.peer.transport.close()
            return
        self.relay.timers.forget(self)
        self.relay.tunnels.discard(self)
        advance(exchange, DONE if exchange.termination == b"--" else FAILED)
        # Both connections' own books: neither protocol will hear of its transport again.
        upstream = self.upstream
        upstream.detach()
        self.client.left(exchange)

    def transfer(self) -> None:
        """Count what has flowed until now."""
        exchange = self.exchange
        server = exchange.server
        if server is not None:
            exchange.route.traffic[server.index].transfer(exchange)

    def close(self, termination: bytes) -> None:
        """End it from outside, for the reason given."""
        if self.exchange.termination == b"--":
            self.exchange.termination = termination
        for end in (self.client_end, self.server_end):
            if not end.closed:
                end.transport.abort()

    def expire(self, now: float) -> None:
        """Nothing moved for `timeout tunnel` (or client, server, or their -fin)."""
        self.close(self.late)


def nowhere(_: object) -> None:
    """Where bytes go for a connection that has gone."""
