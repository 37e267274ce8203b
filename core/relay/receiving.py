"""Responses that are not ordinary: long, chunked, interim, in pieces, wrong.

Owns: what the next bytes of a server can be, and what becomes of those of such a response. Must not know: pools, what
becomes of the client afterwards. Functions of a ServerConnection (upstream), which keeps the state between two reads
and reads ordinary responses itself.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from ..errors import ServerProtocolError
from ..http.framing import ChunkedBody
from ..http.head import CHUNKED, TO_CLOSE, RequestHead, ResponseHead
from ..http.upgrade import check_switch
from ..net.sockets import write_now, write_pair_now
from ..session import NOT_REACHED
from . import replying, responding
from .ending import log_early
from .exchange import RECEIVING, RelayExchange
from .route import LARGE
from .timers import NEVER

if TYPE_CHECKING:
    from .holding import HeldResponse
    from .upstream import ServerConnection

CHALLENGES = frozenset((b"www-authenticate", b"proxy-authenticate"))


class Reading(IntEnum):
    """What the next bytes of the server are."""

    HEAD = 0
    LENGTH = 1
    CHUNKS = 2
    UNTIL_CLOSE = 3
    NOTHING = 4
    HELD = 5
    """Whatever is left of a response that rules hold back (holding)."""


HEAD, LENGTH, CHUNKS, UNTIL_CLOSE, NOTHING, HELD = Reading


def more(connection: ServerConnection, exchange: RelayExchange, data: bytes) -> None:
    """Bytes of the body."""
    reading = connection.reading
    if reading is LENGTH:
        size = len(data)
        left = connection.left - size
        now = connection.relay.clock() * 1000.0
        if left > 0:
            connection.left = left
            exchange.bytes_to_client += size
            connection.deadline = now + exchange.route.server_timeout
            exchange.client.write(data)
            return
        if left < 0:
            data = data[:left]
            connection.keep = False
        exchange.bytes_to_client += len(data)
        exchange.client.write(data)
        connection.complete(exchange, now)
    elif reading is CHUNKS:
        _chunks(connection, exchange, data, 0)
    elif reading is UNTIL_CLOSE:
        exchange.bytes_to_client += len(data)
        connection.deadline = connection.relay.clock() * 1000.0 + exchange.route.server_timeout
        exchange.client.write(data)
    elif reading is HELD:
        _keep(connection, exchange, data)
    else:
        # More than the response, while the rest of its request is still being sent.
        connection.keep = False


def extraordinary(
    connection: ServerConnection,
    exchange: RelayExchange,
    request: RequestHead,
    head: ResponseHead,
    data: bytes,
    end: int,
) -> None:
    """A head that is not the beginning of an ordinary response to an ordinary request."""
    relay = connection.relay
    status = head.status
    if status < 200 and status != 101:
        _interim(connection, exchange, head, data[end:])
        return
    route = exchange.route
    if route.whole < 0 or route.closing is not None:
        changed = responding.begin(connection, exchange, head, data, end)
        if changed is None:
            if exchange.held is not None and exchange.held.waiting:
                connection.reading = HELD
                # The head was a sign of life.
                connection.deadline = relay.clock() * 1000.0 + route.server_timeout
                _pace(connection, exchange.held)
            return
        exchange.held = None
        head = changed
        if status != 101:
            status = head.status
    _deliver(connection, exchange, request, head, status, data, end, relay.clock() * 1000.0)


def _pace(connection: ServerConnection, held: HeldResponse) -> None:
    """Whether a held response's server is to be read, and waited for."""
    if held.over:
        connection.deadline = NEVER
    elif held.size >= connection.relay.bufsize and not held.paused:
        held.paused = True
        connection.deadline = NEVER
        connection.transport.pause_reading()


def _keep(connection: ServerConnection, exchange: RelayExchange, data: bytes) -> None:
    """More of a response that is held back."""
    held = exchange.held
    assert held is not None
    held.feed(data)
    if held.verdict.ready(exchange):
        released(connection, held)
    else:
        connection.deadline = connection.relay.clock() * 1000.0 + exchange.route.server_timeout
        _pace(connection, held)


def held_to_the_end(connection: ServerConnection, exchange: RelayExchange, error: Exception | None) -> None:
    """The server has closed while its response is held back."""
    held = exchange.held
    assert held is not None
    if held.ended:
        return
    held.ended = held.over = True
    held.broken = error
    connection.keep = False
    connection.deadline = NEVER
    if held.verdict.ready(exchange):
        released(connection, held)


def released(connection: ServerConnection, held: HeldResponse) -> None:
    """The rules that have held a response back go on, and it is handed on."""
    exchange = held.exchange
    request = exchange.head
    assert request is not None
    held.stop()
    if held.paused:
        held.paused = False
        if not connection.transport.is_closing():
            connection.transport.resume_reading()
    head = responding.resume(connection, held)
    if head is None:
        if exchange.held is held:
            _pace(connection, held)
        return
    exchange.held = None
    connection.reading = HEAD
    status = 101 if held.head.status == 101 else head.status
    _deliver(connection, exchange, request, head, status, b"".join(held.raw), 0, held.at)
    if held.ended and connection.exchange is exchange:
        connection.ended(exchange, held.broken)


def _deliver(
    connection: ServerConnection,
    exchange: RelayExchange,
    request: RequestHead,
    head: ResponseHead,
    status: int,
    data: bytes,
    end: int,
    now: float,
) -> None:
    """Hand a response on, of which the head was here at `now`, and its body (or the beginning) is `data[end:]`."""
    relay = connection.relay
    length = head.length
    if status == 101 or (request.method == b"CONNECT" and status < 300):
        if status == 101:
            try:
                check_switch(request, head)
            except ServerProtocolError as error:
                invalid(connection, exchange, data, error)
                return
        exchange.response_at = now
        exchange.status = status
        if exchange.client.frontend.early_log is not None:
            log_early(exchange, now, len(head.start) + len(head.block.wire) + 2)
        exchange.client.tunnel(exchange, connection, head, data[end:])
        return
    exchange.response_at = now
    exchange.status = status
    exchange.phase = RECEIVING
    if not head.keep_alive:
        connection.keep = False
    if status == 401 or status == 407:
        _note_authentication(connection, head)
    wire = head.block.wire
    client_wants_head = request.line.startswith(b"HEAD ")
    if request.method == b"HEAD" and not client_wants_head:
        # `set-method` made a HEAD of it: the client waits for a body that does not come.
        exchange.keep = False
    if exchange.keep and length != TO_CLOSE and not (head.close_after or relay.draining):
        last = b"\r\n" if request.version == 11 == head.version else b"connection: keep-alive\r\n\r\n"
    else:
        exchange.keep = False
        last = b"connection: close\r\n\r\n" if head.version == 11 else b"\r\n"
    if client_wants_head and request.method != b"HEAD":
        # `set-method` made a GET of it: the client takes no body, and the server's connection is of no further use.
        data = data[:end]
        length = 0
        connection.keep = False
    if exchange.client.frontend.early_log is not None:
        log_early(exchange, now, len(head.start) + len(wire) + len(last))
    if length >= 0 and len(data) - end == length < LARGE:
        # All of it, in one piece: most responses.
        answer = b"".join((head.start, wire, last, data[end:]))
        exchange.bytes_to_client += len(answer)
        client = exchange.client
        write_now(client.descriptor, client.transport, answer)
        connection.complete(exchange, now)
    else:
        _long(connection, exchange, head, data, end, last, now)


def _note_authentication(connection: ServerConnection, head: ResponseHead) -> None:
    """NTLM and Negotiate authenticate the connection, not the request (manual: http-reuse)."""
    for name, value in head.block.fields:
        if name in CHALLENGES and value[:9].lower().startswith((b"ntlm", b"negotiate")):
            connection.private = True


def _long(
    connection: ServerConnection,
    exchange: RelayExchange,
    head: ResponseHead,
    data: bytes,
    end: int,
    last: bytes,
    now: float,
) -> None:
    """A response that is large or not here as a whole: its head, and the first bytes of its body, `data[end:]`."""
    length = head.length
    wire = head.block.wire
    request = exchange.head
    assert request is not None
    connection.decode = length == CHUNKED and request.version == 10
    if connection.decode:
        # RFC 9112 6.1: no transfer coding towards HTTP/1.0.
        exchange.keep = False
        last = b"connection: close\r\n\r\n"
        wire = wire.replace(b"transfer-encoding: chunked\r\n", b"")
    client = exchange.client
    answer = b"".join((head.start, wire, last))
    connection.deadline = now + exchange.route.server_timeout
    if length == CHUNKED:
        connection.reading = CHUNKS
        connection.chunks = ChunkedBody(connection.relay.limits, request=False)
        _chunks(connection, exchange, data, end, answer)
        return
    have = len(data) - end
    if length == TO_CLOSE:
        connection.reading = UNTIL_CLOSE
    elif have < length:
        connection.left = length - have
        connection.reading = LENGTH
    elif have > length:
        # More than it announced: not ours to hand on, and no response to the next request.
        data = data[: end + length]
        have = length
        connection.keep = False
    exchange.bytes_to_client += len(answer) + have
    if have:
        write_pair_now(client.descriptor, client.transport, answer, memoryview(data)[end:])
    else:
        client.write(answer)
    if have == length:
        connection.complete(exchange, now)


def _chunks(connection: ServerConnection, exchange: RelayExchange, data: bytes, start: int, head: bytes = b"") -> None:
    """Chunks of the body, `data[start:]`; the first ones come with the response's `head`, of which nothing is sent
    yet."""
    chunks = connection.chunks
    assert chunks is not None
    client = exchange.client
    pieces: list[bytes] = []
    try:
        if connection.decode:
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
            invalid(connection, exchange, data, ServerProtocolError(str(error)))
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
        connection.chunks = None
        if end < len(data):
            connection.keep = False
        connection.complete(exchange, connection.relay.clock() * 1000.0)
    else:
        connection.deadline = connection.relay.clock() * 1000.0 + exchange.route.server_timeout


def partial(connection: ServerConnection, exchange: RelayExchange, data: bytes) -> None:
    """The head is not whole yet."""
    limit = connection.relay.limits.max_head
    if len(data) > limit or b"\n\n" in data or b"\n\r\n" in data:
        reason = "response head too large" if len(data) > limit else "bare LF as line end in a response"
        invalid(connection, exchange, data, ServerProtocolError(reason))
        return
    if data[:5] != b"HTTP/"[: len(data)]:
        invalid(connection, exchange, data, ServerProtocolError("not HTTP"))
        return
    connection.buffer = data


def _interim(connection: ServerConnection, exchange: RelayExchange, head: ResponseHead, rest: bytes) -> None:
    """1xx: on to the client, unless it speaks HTTP/1.0 (RFC 9110 15.2). Those that follow in `rest` are taken in a
    loop: thousands fit into one read, and as nested calls they would exceed Python's stack."""
    request = exchange.head
    assert request is not None
    while True:
        if request.version == 11:
            answer = b"".join((head.start, head.block.wire, b"\r\n"))
            exchange.bytes_to_client += len(answer)
            exchange.client.write(answer)
        end = rest.find(b"\r\n\r\n") + 4
        if end == 3:
            break
        try:
            head = exchange.route.read_response(rest[:end], request.method)
        except ServerProtocolError:
            break
        if head.status >= 200 or head.status == 101:
            break
        rest = rest[end:]
    if rest:
        connection.head(exchange, rest)


def invalid(connection: ServerConnection, exchange: RelayExchange, data: bytes, error: ServerProtocolError) -> None:
    replying.capture(exchange.client, exchange, data, error)
    counts = connection.server.counts
    counts.eresp += 1
    exchange.route.backend.counts.eresp += 1
    connection.drop()
    exchange.client.fail(exchange, error.status, error.termination)
