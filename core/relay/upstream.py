"""A connection to a server: sends one request at a time, reads the response and hands its bytes on to the client.

Owns: the response's framing and the connection's state towards its pool. Must not know: how a server is chosen
(connect) and what becomes of the client afterwards (client).

Invariants: `exchange` is None exactly while the connection lies in its pool or is closed. What comes from a server
after the end of a response is never taken for the next one: such a connection is closed (S17).
"""

from __future__ import annotations

import asyncio
from enum import IntEnum
from typing import TYPE_CHECKING, cast

from ..errors import ServerProtocolError
from ..http.framing import ChunkedBody
from ..http.head import CHUNKED, TO_CLOSE, ResponseHead
from ..net.sockets import write_now, write_pair_now
from ..session import NOT_REACHED
from . import replying
from .exchange import RECEIVING, SENDING, RelayExchange
from .timers import NEVER

if TYPE_CHECKING:
    from ..balance.server import Server
    from ..http.head import RequestHead
    from .client import ClientConnection
    from .relay import Relay


class Reading(IntEnum):
    """What the next bytes of the server are."""

    HEAD = 0
    LENGTH = 1
    CHUNKS = 2
    UNTIL_CLOSE = 3
    NOTHING = 4


HEAD, LENGTH, CHUNKS, UNTIL_CLOSE, NOTHING = Reading
CHALLENGES = frozenset((b"www-authenticate", b"proxy-authenticate"))
LARGE = 16384
"""From this size on the body's first bytes are written apart from the head instead of being copied behind it."""


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
            self._ended(exchange, exc)
        self.descriptor = -1
        relay.room()

    def eof_received(self) -> bool | None:
        exchange = self.exchange
        if exchange is None:
            self._forget()
        elif self.reading == HEAD or not exchange.response_done:
            self._ended(exchange, None)
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
        """Close an idle connection: the pool has let go of it."""
        self.deadline = NEVER
        self.transport.close()

    def drop(self) -> None:
        """Close a busy connection at once, with what is unsent thrown away."""
        exchange = self.exchange
        if exchange is not None:
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
            self._more(exchange, data)
            return
        if self.buffer:
            data = self.buffer + data
            self.buffer = b""
        self._head(exchange, data)

    def _more(self, exchange: RelayExchange, data: bytes) -> None:
        """Bytes of the body."""
        reading = self.reading
        if reading is LENGTH:
            size = len(data)
            left = self.left - size
            now = self.relay.clock() * 1000.0
            if left > 0:
                self.left = left
                exchange.bytes_to_client += size
                self.deadline = now + exchange.route.server_timeout
                exchange.client.write(data)
                return
            if left < 0:
                data = data[:left]
                self.keep = False
            exchange.bytes_to_client += len(data)
            exchange.client.write(data)
            self._complete(exchange, now)
        elif reading is CHUNKS:
            self._chunks(exchange, data, 0)
        elif reading is UNTIL_CLOSE:
            exchange.bytes_to_client += len(data)
            self.deadline = self.relay.clock() * 1000.0 + exchange.route.server_timeout
            exchange.client.write(data)
        else:
            # More than the response, while the rest of its request is still being sent.
            self.keep = False

    def _head(self, exchange: RelayExchange, data: bytes) -> None:
        """Bytes of the response's head, and perhaps of its body."""
        request = exchange.head
        assert request is not None
        end = data.find(b"\r\n\r\n") + 4
        if end == 3:
            self._partial(exchange, data)
            return
        try:
            head = exchange.route.read_response(data[:end], request.method)
        except ServerProtocolError as error:
            self._invalid(exchange, data, error)
            return
        if (
            head.ordinary
            and request.ordinary
            and len(data) - end == head.length < LARGE
            and exchange.keep
            and not self.relay.draining
        ):
            # All of it in one piece, and both connections persist: most responses.
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
            self._extraordinary(exchange, request, head, data, end)

    def _extraordinary(
        self, exchange: RelayExchange, request: RequestHead, head: ResponseHead, data: bytes, end: int
    ) -> None:
        """A head that is not the beginning of an ordinary response to an ordinary request."""
        relay = self.relay
        status = head.status
        if status < 200 and status != 101:
            self._interim(exchange, head, data[end:])
            return
        length = head.length
        if status == 101 or (request.method == b"CONNECT" and status < 300):
            if status == 101 and not request.upgrade:
                self._invalid(exchange, data, ServerProtocolError("101 that was not asked for"))
                return
            exchange.response_at = relay.clock() * 1000.0
            exchange.status = status
            exchange.client.tunnel(exchange, self, head, data[end:])
            return
        now = relay.clock() * 1000.0
        exchange.response_at = now
        exchange.status = status
        exchange.phase = RECEIVING
        if not head.keep_alive:
            self.keep = False
        if status == 401 or status == 407:
            self._note_authentication(head)
        wire = head.block.wire
        if exchange.keep and length != TO_CLOSE and not (head.close_after or relay.draining):
            last = b"\r\n" if request.version == 11 == head.version else b"connection: keep-alive\r\n\r\n"
        else:
            exchange.keep = False
            last = b"connection: close\r\n\r\n" if head.version == 11 else b"\r\n"
        if length >= 0 and len(data) - end == length < LARGE:
            # All of it, in one piece: most responses.
            answer = b"".join((head.start, wire, last, data[end:]))
            exchange.bytes_to_client += len(answer)
            client = exchange.client
            write_now(client.descriptor, client.transport, answer)
            self._complete(exchange, now)
        else:
            self._long(exchange, head, data, end, last, now)

    def _note_authentication(self, head: ResponseHead) -> None:
        """NTLM and Negotiate authenticate the connection, not the request (manual: http-reuse)."""
        for name, value in head.block.fields:
            if name in CHALLENGES and value[:9].lower().startswith((b"ntlm", b"negotiate")):
                self.private = True

    def _long(
        self, exchange: RelayExchange, head: ResponseHead, data: bytes, end: int, last: bytes, now: float
    ) -> None:
        """A response that is large or not here as a whole: its head, and the first bytes of its body, `data[end:]`."""
        length = head.length
        wire = head.block.wire
        request = exchange.head
        assert request is not None
        self.decode = length == CHUNKED and request.version == 10
        if self.decode:
            # RFC 9112 6.1: no transfer coding towards HTTP/1.0.
            exchange.keep = False
            last = b"connection: close\r\n\r\n"
            wire = wire.replace(b"transfer-encoding: chunked\r\n", b"")
        client = exchange.client
        answer = b"".join((head.start, wire, last))
        self.deadline = now + exchange.route.server_timeout
        if length == CHUNKED:
            self.reading = CHUNKS
            self.chunks = ChunkedBody(self.relay.limits, request=False)
            self._chunks(exchange, data, end, answer)
            return
        have = len(data) - end
        if length == TO_CLOSE:
            self.reading = UNTIL_CLOSE
        elif have < length:
            self.left = length - have
            self.reading = LENGTH
        elif have > length:
            # More than it announced: not ours to hand on, and no response to the next request.
            data = data[: end + length]
            have = length
            self.keep = False
        exchange.bytes_to_client += len(answer) + have
        if have:
            write_pair_now(client.descriptor, client.transport, answer, memoryview(data)[end:])
        else:
            client.write(answer)
        if have == length:
            self._complete(exchange, now)

    def _chunks(self, exchange: RelayExchange, data: bytes, start: int, head: bytes = b"") -> None:
        """Chunks of the body, `data[start:]`; the first ones come with the response's `head`, of which nothing is sent
        yet."""
        chunks = self.chunks
        assert chunks is not None
        client = exchange.client
        pieces: list[bytes] = []
        try:
            if self.decode:
                end = chunks.decode(data, start, pieces)
            else:
                end = chunks.feed(data, start)
                if start or end != len(data):
                    pieces.append(data[start:end])
                else:
                    pieces.append(data)
        except ServerProtocolError as error:
            if head:
                exchange.response_at = NOT_REACHED
                self._invalid(exchange, data, ServerProtocolError(str(error)))
            else:
                replying.capture(client, exchange, data, error)
                client.truncated(exchange, b"PD")
            return
        if head:
            pieces.insert(0, head)
        wire = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        exchange.bytes_to_client += len(wire)
        if wire:
            client.write(wire)
        if chunks.done:
            self.chunks = None
            if end < len(data):
                self.keep = False
            self._complete(exchange, self.relay.clock() * 1000.0)
        else:
            self.deadline = self.relay.clock() * 1000.0 + exchange.route.server_timeout

    def _partial(self, exchange: RelayExchange, data: bytes) -> None:
        """The head is not whole yet."""
        limit = self.relay.limits.max_head
        if len(data) > limit or b"\n\n" in data or b"\n\r\n" in data:
            reason = "response head too large" if len(data) > limit else "bare LF as line end in a response"
            self._invalid(exchange, data, ServerProtocolError(reason))
            return
        if data[:5] != b"HTTP/"[: len(data)]:
            self._invalid(exchange, data, ServerProtocolError("not HTTP"))
            return
        self.buffer = data

    def _interim(self, exchange: RelayExchange, head: ResponseHead, rest: bytes) -> None:
        """1xx: on to the client, unless it speaks HTTP/1.0 (RFC 9110 15.2)."""
        request = exchange.head
        if request is not None and request.version == 11:
            answer = b"".join((head.start, head.block.wire, b"\r\n"))
            exchange.bytes_to_client += len(answer)
            exchange.client.write(answer)
        if rest:
            self._head(exchange, rest)

    def _invalid(self, exchange: RelayExchange, data: bytes, error: ServerProtocolError) -> None:
        replying.capture(exchange.client, exchange, data, error)
        counts = self.server.counts
        counts.eresp += 1
        exchange.route.backend.counts.eresp += 1
        self.drop()
        exchange.client.fail(exchange, error.status, error.termination)

    # The end of a response, and failures.

    def _complete(self, exchange: RelayExchange, now: float) -> None:
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
        self.transport.close()

    def _ended(self, exchange: RelayExchange, exc: Exception | None) -> None:
        """The server closed (exc None) or the connection broke, while an exchange is under way."""
        client = exchange.client
        reading = self.reading
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
        if reading == HEAD:
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
