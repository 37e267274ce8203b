"""A client's HTTP/1 connection: reads its requests, one after the other.

Owns: the connection, its read side (head, body, what comes too early) and its end. Must not know: how a server is
chosen (connect), how a response is read (upstream), what maniple answers by itself (replying).

Invariants: at most one exchange is under way; what a client sends ahead of its turn stays in `buffer`, at most one
buffer of it, then reading stops. `write` is for bytes of the exchange that is under way, only. After an answer that was
sent before the whole request was read, input is drained until the client closes, so that no reset overtakes the answer
(EN9).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, cast

from ..errors import ClientProtocolError
from ..http.head import ResponseHead
from ..net.sockets import unread
from ..session import NOT_REACHED, Session
from . import connect, refusing, replying, requesting
from .accounts import identify, leave, welcome
from .ending import end_exchange
from .exchange import DONE, RULES, RelayExchange
from .reading import AHEAD, BODY, DRAIN, HEAD
from .timers import NEVER
from .tunnel import Tunnel, nowhere
from .upstream import ServerConnection

if TYPE_CHECKING:
    from ...pools.connections import ConnectionPool
    from ..balance.server import Server
    from .route import Frontend, Route


SPARE = 64
"""Exchanges kept for connections to come: with a connection for each request, making one costs 5 us of 77."""
SHORTEST = 16
"""Bytes of the shortest head. A blank line that ends before stands in front of one, or there is none."""
IDLE = 1000.0
"""Milliseconds without a request, after which a soft stop closes a connection."""
DRAIN_TIME = 5000.0
"""Milliseconds that a client has to read an early answer and close."""


class ClientConnection(asyncio.Protocol, Session):
    """One client on an HTTP frontend."""

    __slots__ = (
        "buffer",
        "deadline",
        "descriptor",
        "eof",
        "exchange",
        "filed",
        "forward_line",
        "forward_route",
        "frontend",
        "idle_since",
        "last",
        "own",
        "read_paused",
        "reading",
        "relay",
        "requests",
        "reserved",
        "started_at",
        "transport",
        "write",
        "write_paused",
    )

    server_connection: ClassVar[type[ServerConnection]] = ServerConnection
    """What its exchanges are sent on."""
    transport: asyncio.Transport
    idle_since: float
    forward_line: bytes | None
    forward_route: Route | None

    def __init__(self, frontend: Frontend, listener_name: str) -> None:
        self.frontend = frontend
        self.relay = frontend.relay
        self.frontend_name = frontend.name
        self.listener_name = listener_name
        self.exchange: RelayExchange | None = None
        """The one that is under way."""
        self.own: RelayExchange | None = None
        """The object that all exchanges of this connection use in turn."""
        self.descriptor = -1
        """For write_now; known from the second request on, since to ask costs 2 us."""
        self.buffer = b""
        self.reading = HEAD
        self.requests = 0
        self.last: Server | None = None
        """Where the last request went, if `prefer-last-server` asks."""
        self.reserved: list[ConnectionPool[ServerConnection]] | None = None
        """Pools that hold connections for this session alone."""
        self.eof = False
        self.read_paused = False
        self.write_paused = False
        self.started_at = NOT_REACHED
        """First byte of a request of which the head is not whole yet."""
        self.forward_line = self.forward_route = None
        self.deadline = NEVER
        self.filed = 0
        self.tls = False

    # The connection's life.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.write: Any = self.transport.write
        now = welcome(self)
        frontend = self.frontend
        if frontend.wants_source:
            identify(self)
        if frontend.early:
            own = self.own = RelayExchange(self)
            if refusing.refuses(self, own):
                self.reading = DRAIN
                return
        timeout = frontend.request_timeout
        if timeout != NEVER:
            self.relay.timers.arm(self, now + timeout)

    def connection_lost(self, exc: Exception | None) -> None:
        exchange = self.exchange
        if exchange is not None:
            replying.client_gone(self, exchange)
        elif self.reading is HEAD and (self.buffer or not self.requests) and not self.relay.draining:
            replying.gone_early(self)
        self._leave()

    def _leave(self) -> None:
        self.buffer = b""
        self.reading = DRAIN
        # Later writes of a server connection find no transport; cycles through the bound method and `own` end here.
        self.write = nowhere
        self.descriptor = -1
        if self.reserved is not None:
            for pool in self.reserved:
                for connection in pool.forget(self):
                    connection.owner = None
                    connection.retire()
            self.reserved = None
        own = self.own
        if own is not None:
            self.own = None
            if not own.dirty and len(self.relay.spare) < SPARE:
                if own.answer is not None or not self.frontend.ordinary:
                    # What rules have left is nobody else's.
                    own.fresh()
                self.relay.spare.append(own)
        leave(self)

    def eof_received(self) -> bool:
        """The client will send no more. Its pending answer is still delivered (close() flushes)."""
        self.eof = True
        exchange = self.exchange
        if exchange is None:
            if self.reading != HEAD or not self.buffer:
                self._no_more()
            elif not self.write_paused:
                self._resume()
        elif self.reading == BODY:
            replying.aborted_upload(self, exchange)
        elif exchange.route.abort_on_close and exchange.status < 0:
            replying.aborted_waiting(self, exchange)
        # Else it only shut its sending side: what it sent ahead is answered, then the connection is closed.
        return True

    def _no_more(self) -> None:
        """The client sends no more, and what it sent is answered or no whole request."""
        if self.reading == HEAD and (self.buffer or not self.requests):
            replying.closed_early(self)
        self.transport.close()

    def reserved_in(self, pool: ConnectionPool[ServerConnection]) -> None:
        """`pool` holds a connection for this session: to be let go at its end."""
        if self.reserved is None:
            self.reserved = [pool]
        elif pool not in self.reserved:
            self.reserved.append(pool)

    def drain(self, now: float) -> None:
        """Soft stop: close if nothing has been under way for a while; else the next response will say that it is the
        last one."""
        if (
            self.exchange is None
            and self.reading == HEAD
            and not self.buffer
            and now - self.idle_since >= IDLE
            and "idle-close-on-response" not in self.frontend.spec.options
            and not self._has_input()
        ):
            self.transport.close()

    def _has_input(self) -> bool:
        """Whether the kernel has bytes that we have not read. Closing would lose them, and send a reset."""
        return unread(self.transport.get_extra_info("socket").fileno()) > 0

    # Reading.

    def data_received(self, data: bytes) -> None:
        if self.reading is not HEAD:
            requesting.more(self, data)
            return
        # `data` is all that is known of the next request.
        if self.buffer:
            data = self.buffer + data
            self.buffer = b""
        end = data.find(b"\r\n\r\n") + 4
        if end < SHORTEST:
            end = requesting.partial(self, data)
            if end == 0:
                return
        relay = self.relay
        frontend = self.frontend
        now = relay.clock() * 1000.0
        try:
            head = frontend.read_request(data if end == len(data) else data[:end])
        except ClientProtocolError as error:
            replying.refuse(self, data, error)
            return
        exchange = self.own
        if exchange is None:
            exchange = self.own = relay.spare.pop() if relay.spare else RelayExchange(self)
            exchange.serve(self)
        elif self.descriptor < 0:
            self.descriptor = self.transport.get_extra_info("socket").fileno()
        self.exchange = exchange
        exchange.request_number = self.requests
        self.requests += 1
        exchange.head = head
        exchange.first_byte_at = exchange.head_at = now
        exchange.response_at = NOT_REACHED
        exchange.bytes_from_client = end
        exchange.bytes_to_client = 0
        exchange.status = -1
        exchange.phase = RULES
        self.deadline = NEVER
        self.reading = AHEAD
        if head.ordinary and end == len(data) and self.started_at < 0.0:
            if frontend.ordinary:
                exchange.keep = True
                connect.dispatch(exchange, now)
                return
            straight = frontend.straight
            if straight is not None:
                exchange.keep = True
                straight(exchange, now)
                return
        exchange.keep = head.keep_alive and not frontend.close
        requesting.extraordinary(self, exchange, head, data, end, now)

    def connected(self, exchange: RelayExchange, connection: ServerConnection, now: float) -> None:
        """A connection to the server was made for the exchange."""
        connect.send(exchange, connection, now)

    # The end of an exchange.

    def answered(self, exchange: RelayExchange, now: float) -> None:
        """`finished`, for an ordinary response to an ordinary request."""
        exchange.phase = DONE
        end_exchange(exchange, True, now)
        frontend = self.frontend
        if self.buffer or self.eof or self.read_paused or not (self.filed and frontend.keep_alive_last):
            self.await_request(now)
        else:
            self.reading = HEAD
            self.idle_since = now
            self.deadline = now + frontend.keep_alive_timeout

    def finished(self, exchange: RelayExchange, now: float) -> None:
        """The whole response was handed on, and the server connection given back."""
        exchange.phase = DONE
        whole = exchange.request_done
        keep = exchange.keep
        end_exchange(exchange, True, now)
        if whole and keep:
            # Also while the thread drains: the response said so before, and the next request may be on its way.
            self.await_request(now)
        else:
            self.close(not whole or (self.relay.draining and self._has_input()))

    def await_request(self, now: float) -> None:
        """Ready for another request."""
        self.reading = HEAD
        self.idle_since = now
        frontend = self.frontend
        if self.filed and frontend.keep_alive_last:
            self.deadline = now + frontend.keep_alive_timeout
        else:
            self.relay.timers.arm(self, now + frontend.keep_alive_timeout)
        if self.buffer:
            if not self.write_paused:
                # Not from here: a client that pipelines a thousand requests would nest as many calls.
                self.relay.loop.call_soon(self._resume)
        elif self.eof:
            self.transport.close()
        elif self.read_paused:
            self.go_on_reading()

    def _resume(self) -> None:
        """Take up what was sent ahead."""
        if self.reading == HEAD and self.exchange is None and self.buffer and not self.transport.is_closing():
            if self.read_paused:
                self.go_on_reading()
            data = self.buffer
            self.buffer = b""
            self.data_received(data)
            if self.eof and self.exchange is None and not self.transport.is_closing():
                self._no_more()

    def close(self, drain: bool) -> None:
        """No further request on this connection. `drain`: the client may still be sending."""
        transport = self.transport
        self.reading = DRAIN
        if transport.is_closing():
            return
        if (drain or self.buffer) and not self.eof:
            # Closing with unread input makes the kernel send a reset, which may overtake the answer.
            self.buffer = b""
            self.go_on_reading()
            self.relay.timers.arm(self, self.relay.now() + DRAIN_TIME)
            transport.write_eof()
        else:
            transport.close()

    def tunnel(self, exchange: RelayExchange, upstream: ServerConnection, head: ResponseHead, rest: bytes) -> None:
        """101, or 2xx to CONNECT: from here on bytes go both ways."""
        connection = b"connection: upgrade\r\n" if head.status == 101 else b""
        answer = b"".join((head.start, head.block.wire, connection, b"\r\n", rest))
        exchange.bytes_to_client += len(answer)
        exchange.dirty = True
        self.write(answer)
        ahead = self.buffer
        self.buffer = b""
        self.go_on_reading()
        Tunnel(self.relay, exchange, self, upstream).start(ahead)

    def left(self, exchange: RelayExchange) -> None:
        """The tunnel that took this connection's place is closed."""
        end_exchange(exchange, True, self.relay.now())
        self._leave()

    def fail(self, exchange: RelayExchange, status: int, termination: bytes) -> None:
        """End an exchange of which nothing was answered yet. Status 0: close without a word (T6)."""
        replying.fail(self, exchange, status, termination)

    def truncated(self, exchange: RelayExchange, termination: bytes) -> None:
        """The server's response broke off after its head was sent: the client must not take it for whole."""
        replying.broken(self, exchange, termination)

    # Deadlines and back-pressure.

    def expire(self, now: float) -> None:
        replying.client_timeout(self)

    def stop_reading(self) -> None:
        if not self.read_paused and not self.transport.is_closing():
            self.read_paused = True
            self.transport.pause_reading()

    def go_on_reading(self) -> None:
        if self.read_paused and not self.transport.is_closing():
            self.read_paused = False
            self.transport.resume_reading()

    def pause_writing(self) -> None:
        self.write_paused = True
        exchange = self.exchange
        if exchange is not None:
            if exchange.upstream is not None:
                exchange.upstream.transport.pause_reading()
            timeout = exchange.client_timeout or self.frontend.client_timeout
            if timeout != NEVER:
                self.relay.timers.arm(self, self.relay.now() + timeout)

    def resume_writing(self) -> None:
        self.write_paused = False
        exchange = self.exchange
        if exchange is not None:
            if self.reading != BODY:
                self.deadline = NEVER
            if exchange.upstream is not None:
                exchange.upstream.transport.resume_reading()
        elif self.buffer:
            self._resume()

    def __repr__(self) -> str:
        return f"<client of {self.frontend_name}: {self.requests} requests, {self.reading.name}>"
