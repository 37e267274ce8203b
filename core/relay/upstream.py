"""A connection to a server: sends one request at a time, reads the response and hands its bytes on to the client.

Owns: the response's framing and the connection's state towards its pool. Must not know: how a server is chosen
(connect) and what becomes of the client afterwards (client).

Invariants: `exchange` is None exactly while the connection lies in its pool or is closed. What comes from a server
after the end of a response is never taken for the next one: such a connection is closed (S17).
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Any, ClassVar, cast

from ..errors import ServerProtocolError
from ..http.framing import ChunkedBody
from ..net.sockets import write_now
from . import receiving
from .exchange import RECEIVING, SENDING, RelayExchange
from .receiving import HEAD, HELD, NOTHING, UNTIL_CLOSE
from .timers import NEVER

if TYPE_CHECKING:
    from ..balance.server import Server
    from .client import ClientConnection
    from .holding import HeldResponse
    from .relay import Relay


RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no seconds: close() sends a reset."""


class ServerConnection(asyncio.Protocol):
    """One connection to a server, in turns idle and busy."""

    __slots__ = (
        "buffer",
        "chunks",
        "deadline",
        "decode",
        "descriptor",
        "exchange",
        "filed",
        "keep",
        "left",
        "owner",
        "private",
        "reading",
        "relay",
        "reuses",
        "safe",
        "server",
        "transport",
        "write",
        "write_paused",
    )

    pooled: ClassVar[bool] = True
    """Such a connection can serve another exchange."""
    transport: asyncio.Transport

    def __init__(self, relay: Relay, server: Server) -> None:
        self.relay = relay
        self.server = server
        self.descriptor = -1
        """For write_now; known from the second use on, since to ask costs 3 us."""
        self.exchange: RelayExchange | None = None
        self.reading = NOTHING
        self.buffer = b""
        self.chunks: ChunkedBody | None = None
        self.decode = False
        self.left = 0
        self.keep = False
        self.private = False
        """It carries an authentication of the connection itself (NTLM, Negotiate): for its session only."""
        self.owner: ClientConnection | None = None
        """The session that it waits for, if it waits for one only."""
        self.safe = False
        self.reuses = 0
        self.write_paused = False
        self.deadline = NEVER
        self.filed = 0

    # The connection's life.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.write = self.transport.write
        self.relay.descriptors += 1

    def connection_lost(self, exc: Exception | None) -> None:
        relay = self.relay
        relay.descriptors -= 1
        relay.timers.forget(self)
        self.deadline = NEVER
        exchange = self.exchange
        if exchange is None:
            self._forget()
        else:
            self.ended(exchange, exc)
        self.descriptor = -1
        relay.room()

    def eof_received(self) -> bool | None:
        exchange = self.exchange
        if exchange is None:
            self._forget()
        elif self.reading == HEAD or not exchange.response_done:
            self.ended(exchange, None)
        return None

    def _forget(self) -> None:
        """Out of the pool: the server has closed it, or cannot be trusted."""
        owner = self.owner
        if owner is None:
            self.server.pool.discard(self)
        else:
            self.owner = None
            self.server.pool.unreserve(self, owner)

    def retire(self) -> None:
        """Close a connection that has nothing more to say, by a reset: whoever closes first in the ordinary way keeps
        the port in TIME_WAIT for a minute, and there are 28,000 ports. HAProxy does the same."""
        self.deadline = NEVER
        if self.transport.is_closing():
            # It broke while its response was held back.
            return
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.transport.abort()

    def drop(self) -> None:
        """Close a busy connection at once, with what is unsent thrown away."""
        exchange = self.exchange
        if exchange is not None:
            held = exchange.held
            if held is not None:
                held.stop()
                exchange.held = None
            exchange.upstream = None
            self.exchange = None
            self.server.pool.released()
        self.reading = NOTHING
        self.deadline = NEVER
        self.transport.abort()

    # A request.

    def begin(self, exchange: RelayExchange, wire: bytes, now: float) -> None:
        """Send a request's head (and perhaps its body), and await the response."""
        self.exchange = exchange
        exchange.upstream = self
        exchange.phase = SENDING
        exchange.connect_at = now
        self.reading = HEAD
        self.keep = not exchange.route.close_server
        descriptor = self.descriptor
        if descriptor < 0 and self.reuses:
            descriptor = self.descriptor = self.transport.get_extra_info("socket").fileno()
        write_now(descriptor, self.transport, wire)
        if exchange.request_done:
            # As in await_response: a call less on the path of most requests.
            if self.filed:
                self.deadline = now + exchange.route.server_timeout
            else:
                self.await_response(exchange, now)

    def await_response(self, exchange: RelayExchange, now: float) -> None:
        """The request is sent as far as we are concerned: `timeout server` runs. Deadlines of a server connection only
        ever grow, because they are all that far ahead: one that is filed need not be filed anew."""
        deadline = now + exchange.route.server_timeout
        if self.filed:
            self.deadline = deadline
        else:
            self.relay.timers.arm(self, deadline)

    # The response.

    def data_received(self, data: bytes) -> None:
        exchange = self.exchange
        if exchange is None:
            # Bytes that nobody asked for: the next response could not be trusted.
            self._forget()
            self.transport.close()
            return
        if self.reading is not HEAD:
            receiving.more(self, exchange, data)
            return
        if self.buffer:
            data = self.buffer + data
            self.buffer = b""
        self.head(exchange, data)

    def head(self, exchange: RelayExchange, data: bytes) -> None:
        """Bytes of the response's head, and perhaps of its body."""
        # Not None: an assertion would be asked for each response.
        request: Any = exchange.head
        end = data.find(b"\r\n\r\n") + 4
        if end == 3:
            receiving.partial(self, exchange, data)
            return
        route = exchange.route
        try:
            head = route.read_response(data[:end], request.method)
        except ServerProtocolError as error:
            receiving.invalid(self, exchange, data, error)
            return
        if (
            head.ordinary
            and request.ordinary
            and len(data) - end == head.length < route.whole
            and exchange.keep
            and not self.relay.draining
        ):
            # All of it in one piece, and both connections persist: most responses.
            if route.closing is not None:
                head = route.closing(exchange, head)
            client = exchange.client
            exchange.phase = RECEIVING
            exchange.status = head.status
            exchange.response_at = now = self.relay.clock() * 1000.0
            answer = b"".join((head.start, head.block.wire, b"\r\n", data[end:]))
            exchange.bytes_to_client += len(answer)
            write_now(client.descriptor, client.transport, answer)
            self.release(exchange)
            client.answered(exchange, now)
        else:
            receiving.extraordinary(self, exchange, request, head, data, end)

    # The end of a response, and failures.

    def released(self, held: HeldResponse) -> None:
        """The response is held back no longer."""
        receiving.released(self, held)

    def complete(self, exchange: RelayExchange, now: float) -> None:
        """The whole response has been handed on."""
        if exchange.request_done:
            self.release(exchange)
        else:
            exchange.response_done = True
            if self.keep:
                # The server answered early and says that it goes on reading: so do we.
                self.reading = NOTHING
                self.deadline = NEVER
                return
            self.drop()
        exchange.client.finished(exchange, now)

    def release(self, exchange: RelayExchange) -> None:
        """Back into the pool, or closed."""
        exchange.upstream = None
        self.exchange = None
        self.reading = NOTHING
        self.deadline = NEVER
        if self.keep and not self.write_paused:
            client = exchange.client
            if client.write_paused:
                self.transport.resume_reading()
            pool = self.server.pool
            if self.private or pool.strategy == "never":
                if exchange.keep and pool.reserve(self, client):
                    self.owner = client
                    client.reserved_in(pool)
                    return
                pool.released()
            elif pool.give(self, exchange.request_number != 0):
                return
        else:
            self.server.pool.released()
        self.retire()

    def ended(self, exchange: RelayExchange, exc: Exception | None) -> None:
        """The server closed (exc None) or the connection broke, while an exchange is under way."""
        client = exchange.client
        reading = self.reading
        if reading == HELD:
            receiving.held_to_the_end(self, exchange, exc)
            return
        self.drop()
        if reading == UNTIL_CLOSE and exc is None:
            client.finished(exchange, self.relay.now())
        elif reading == NOTHING:
            # After an early response: nobody reads the rest of the request any more.
            client.finished(exchange, self.relay.now())
        elif reading != HEAD:
            self._count_abort(exchange)
            client.truncated(exchange, b"SD")
        elif exchange.reused and not self.buffer:
            # T6: nothing came back on a connection that had waited: the client may send its request again, we may not.
            client.fail(exchange, 0, b"--")
        else:
            self.server.counts.eresp += 1
            exchange.route.backend.counts.eresp += 1
            client.fail(exchange, 502, b"PH" if self.buffer else b"SH")

    def _count_abort(self, exchange: RelayExchange) -> None:
        self.server.counts.srv_abrt += 1
        exchange.route.backend.counts.srv_abrt += 1

    def detach(self) -> None:
        """The tunnel that took this connection's place is closed."""
        exchange = self.exchange
        if exchange is not None:
            exchange.upstream = None
        self.exchange = None
        self.descriptor = -1
        self.relay.descriptors -= 1
        self.server.pool.released()

    def expire(self, now: float) -> None:
        """`timeout server`."""
        exchange = self.exchange
        if exchange is None:
            return
        client = exchange.client
        if client.write_paused and self.reading != HEAD:
            # It is the client that does not read; its own timeout watches that.
            self.relay.timers.arm(self, now + exchange.route.server_timeout)
            return
        reading = self.reading
        self.drop()
        if reading in (HEAD, HELD):
            self.server.counts.eresp += 1
            exchange.route.backend.counts.eresp += 1
            client.fail(exchange, 504, b"sH")
        else:
            self._count_abort(exchange)
            client.truncated(exchange, b"sD")

    # Back-pressure: whoever cannot write stops the other side's reading.

    def pause_writing(self) -> None:
        self.write_paused = True
        exchange = self.exchange
        if exchange is not None:
            exchange.client.stop_reading()
            self.relay.timers.arm(self, self.relay.now() + exchange.route.server_timeout)

    def resume_writing(self) -> None:
        self.write_paused = False
        exchange = self.exchange
        if exchange is not None:
            if not exchange.request_done:
                self.deadline = NEVER
            exchange.client.go_on_reading()

    def __repr__(self) -> str:
        state = "busy" if self.exchange is not None else "safe" if self.safe else "idle"
        return f"<connection to {self.server.name}: {state}, {self.reuses + 1} requests>"
