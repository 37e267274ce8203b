"""Requests that are not ordinary: with a body, in pieces, pipelined, or on a frontend that looks at more than the head.

Owns: what becomes of such a request's bytes. Must not know: servers,
responses. Functions of a ClientConnection (client), which keeps the state between two reads and reads ordinary requests
itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ClientProtocolError
from ..http.framing import ChunkedBody
from ..http.head import CHUNKED, RequestHead, find_head_end
from ..session import NOT_REACHED
from . import connect, passes, replying
from .exchange import RULES, RelayExchange
from .reading import AHEAD, BODY
from .timers import NEVER

if TYPE_CHECKING:
    from .client import ClientConnection


def more(client: ClientConnection, data: bytes) -> None:
    """Bytes that are not a head: a body, or what comes too early."""
    reading = client.reading
    if reading is BODY:
        exchange = client.exchange
        assert exchange is not None
        timeout = exchange.client_timeout or client.frontend.client_timeout
        client.deadline = client.relay.clock() * 1000.0 + timeout
        _body(client, exchange, data)
    elif reading is AHEAD:
        client.buffer += data
        if len(client.buffer) > client.relay.bufsize:
            client.stop_reading()


def extraordinary(
    client: ClientConnection, exchange: RelayExchange, head: RequestHead, data: bytes, end: int, now: float
) -> None:
    """A request with a body, in several pieces, pipelined, or on a frontend that looks at more than the head."""
    frontend = client.frontend
    if client.started_at >= 0.0:
        exchange.dirty = True
        exchange.first_byte_at = client.started_at
        client.started_at = NOT_REACHED
    plan = frontend.plan
    if not plan and head.target == frontend.monitor_uri:
        exchange.dirty = True
        # A body would be taken for the next request: the connection is closed then.
        exchange.request_done = head.length == 0
        client.buffer = data[end:]
        replying.monitor(client, exchange)
        return
    if frontend.log_at_start is not None:
        frontend.log_at_start.connected(client)
    length = head.length
    if length == 0:
        if end != len(data):
            client.buffer = data[end:]
        if plan:
            passes.enter_request(exchange)
        else:
            connect.dispatch(exchange, now)
        return
    exchange.dirty = True
    exchange.request_done = False
    client.reading = BODY
    if length == CHUNKED:
        exchange.chunks = ChunkedBody(client.relay.limits)
    else:
        exchange.body_left = length
    if frontend.client_timeout != NEVER:
        client.relay.timers.arm(client, now + frontend.client_timeout)
    exchange.pending = []
    if end != len(data):
        _body(client, exchange, data[end:])
        if exchange.phase != RULES:
            return
    if plan:
        passes.enter_request(exchange)
    else:
        connect.dispatch(exchange, now)


def partial(client: ClientConnection, data: bytes) -> int:
    """There is no plain end of a head in `data`. Returns the end of one that has empty lines before it (RFC 9112
    2.2) or bare line feeds in it, which the reader judges; 0 when more is to come, or the request was refused."""
    end = find_head_end(data)
    if end >= 0:
        return end
    relay = client.relay
    if not data.strip(b"\r\n"):
        # Empty lines between requests are no request, and no sign of life.
        client.buffer = b"\r" if data.endswith(b"\r") else b""
        return 0
    client.buffer = data
    if len(data) > relay.limits.max_head:
        replying.refuse(client, data, relay.reader.oversized_request(data))
        return 0
    if client.started_at < 0.0:
        client.started_at = now = relay.now()
        if client.requests and client.frontend.request_timeout != NEVER:
            relay.timers.arm(client, now + client.frontend.request_timeout)
    return 0


def _body(client: ClientConnection, exchange: RelayExchange, data: bytes) -> None:
    """Bytes of the request's body, and perhaps of what follows it."""
    chunks = exchange.chunks
    size = len(data)
    if chunks is None:
        end = exchange.body_left
        if end > size:
            end = size
        exchange.body_left -= end
        done = exchange.body_left == 0
    else:
        try:
            end = chunks.feed(data, 0)
        except ClientProtocolError as error:
            replying.bad_body(client, exchange, data, error)
            return
        done = chunks.done
    exchange.bytes_from_client += end
    if done:
        exchange.request_done = True
        client.reading = AHEAD
        client.deadline = NEVER
        if end < size:
            client.buffer = data[end:]
            data = data[:end]
    upstream = exchange.upstream
    if upstream is None:
        pending = exchange.pending
        if pending is not None:
            pending.append(data)
            if not done and exchange.bytes_from_client > client.relay.bufsize:
                client.stop_reading()
            if exchange.suspended is not None:
                passes.arrived(exchange)
        return
    upstream.write(data)
    if done:
        now = client.relay.now()
        if exchange.response_done:
            upstream.release(exchange)
            client.finished(exchange, now)
        else:
            upstream.await_response(exchange, now)
