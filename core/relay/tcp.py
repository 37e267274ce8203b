"""A client of a TCP frontend: no request to read, a tunnel as soon as a server is connected.

Owns: the time before the tunnel. Must not know: HTTP. Reading is paused with the first bytes, so that most of
what the client says at once waits in the kernel.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, cast

from ..session import Session
from . import connect, inspected_end, passes, refusing
from .accounts import identify, leave, welcome
from .ending import end_exchange, log_early
from .exchange import FAILED, REPLYING, RULES, SENDING, RelayExchange
from .tcp_upstream import TcpServerConnection
from .timers import NEVER
from .tunnel import Tunnel
from .upstream import ServerConnection

if TYPE_CHECKING:
    from ..balance.server import Server
    from .route import Frontend, Route


class TcpConnection(asyncio.Protocol, Session):
    """One client on a TCP frontend."""

    __slots__ = (
        "buffer",
        "deadline",
        "eof",
        "exchange",
        "filed",
        "forward_line",
        "forward_route",
        "frontend",
        "idle_since",
        "last",
        "relay",
        "transport",
        "write_paused",
    )

    server_connection: ClassVar[type[ServerConnection]] = TcpServerConnection
    transport: asyncio.Transport
    idle_since: float

    def __init__(self, frontend: Frontend, listener_name: str) -> None:
        self.frontend = frontend
        self.relay = frontend.relay
        self.frontend_name = frontend.name
        self.listener_name = listener_name
        self.exchange: RelayExchange | None = None
        self.forward_line: bytes | None = None
        self.forward_route: Route | None = None
        self.buffer = b""
        self.eof = False
        self.last: Server | None = None
        self.write_paused = False
        self.deadline = NEVER
        self.filed = 0
        self.tls = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        now = welcome(self)
        identify(self)
        exchange = RelayExchange(self)
        exchange.begin(now)
        exchange.request_number = 0
        exchange.head_at = now
        exchange.phase = RULES
        frontend = self.frontend
        if frontend.early and refusing.refuses(self, exchange):
            return
        self.exchange = exchange
        if frontend.log_at_start is not None:
            frontend.log_at_start.connected(self)
        if frontend.plan:
            passes.enter_request(exchange)
        else:
            connect.dispatch(exchange, now)

    def connected(self, exchange: RelayExchange, connection: ServerConnection, now: float) -> None:
        """The server is there."""
        exchange.phase = SENDING
        exchange.connect_at = now
        exchange.upstream = connection
        exchange.head = None
        connection.exchange = exchange
        if self.frontend.records_source:
            connect.record_source(exchange, connection)
        if self.frontend.early_log is not None:
            log_early(exchange, now, 0)
        tunnel = Tunnel(self.relay, exchange, self, connection)
        ahead, self.buffer = self.buffer, b""
        if exchange.route.response_plan:
            inspected_end.start(tunnel, ahead)
        else:
            tunnel.start(ahead)

    def data_received(self, data: bytes) -> None:
        """Before the tunnel. (To pause in connection_made has no effect: uvloop begins to read after it.)"""
        self.buffer += data
        self.transport.pause_reading()
        exchange = self.exchange
        if exchange is not None and exchange.suspended is not None:
            passes.arrived(exchange)
            if exchange.suspended is not None and len(self.buffer) < self.relay.limits.max_head:
                # The rules want more.
                self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Before the tunnel: the client has given up."""
        exchange = self.exchange
        if exchange is not None:
            exchange.termination = b"CQ" if exchange.ticket is not None else b"CC"
            if exchange.inspect_until > 0.0:
                # While content rules wanted more of it.
                exchange.termination = b"CR"
            exchange.phase = FAILED
            connect.abandon(exchange)
            end_exchange(exchange, True, self.relay.now())
        leave(self)

    def eof_received(self) -> bool:
        self.eof = True
        if self.exchange is not None and self.exchange.suspended is not None:
            passes.arrived(self.exchange)
        return True

    def fail(self, exchange: RelayExchange, status: int, termination: bytes) -> None:
        """No server: close."""
        if exchange.termination == b"--":
            exchange.termination = termination
        exchange.phase = REPLYING
        end_exchange(exchange, True, self.relay.now())
        self.transport.abort()

    def left(self, exchange: RelayExchange) -> None:
        """The tunnel is closed."""
        # The line first: with the last connection of a thread that drains, its logs are closed.
        end_exchange(exchange, True, self.relay.now())
        leave(self)

    def drain(self, now: float) -> None:
        """Soft stop: a tunnel may go on until hard-stop-after."""

    def expire(self, now: float) -> None:
        """Nothing is timed here: queue and connect have deadlines of their own, and then the tunnel."""

    def __repr__(self) -> str:
        return f"<client of {self.frontend_name}, tcp>"
