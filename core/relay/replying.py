"""What maniple answers by itself, and how an exchange ends that does not end well (failure table: reference 3.3).

Owns: these endings: refusals, failures, aborts, timeouts. Must not know: how requests and responses are read.

Every function here ends one exchange of one client, except `client_timeout` where there is none to end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ClientProtocolError, ExchangeError
from . import after, connect, tracking
from .accounts import identify
from .ending import end_exchange
from .exchange import DONE, FAILED, REPLYING, RULES, RelayExchange
from .reading import BODY, DRAIN
from .route import Reply

if TYPE_CHECKING:
    from .client import ClientConnection

FAILURES = frozenset((b"SH", b"PH", b"sH"))
"""Ends of exchanges that are the server's fault: no response, one that is none, none in time."""


def monitor(client: ClientConnection, exchange: RelayExchange, status: int = 200) -> None:
    """`monitor-uri`: answered at once, not logged."""
    client.frontend.counts.intercepted += 1
    exchange.server_name = "<STATS>"
    exchange.phase = REPLYING
    _reply(client, exchange, client.frontend.replies[status], logged=False)


def refuse(client: ClientConnection, data: bytes, error: ClientProtocolError) -> None:
    """No request could be read out of `data`."""
    exchange = _without_request(client, error.termination)
    capture(client, exchange, data, error)
    exchange.request_done = False
    exchange.phase = REPLYING
    _reply(client, exchange, client.frontend.early_replies[error.status], logged=True)


def bad_body(client: ClientConnection, exchange: RelayExchange, data: bytes, error: ClientProtocolError) -> None:
    """The request's body has no valid framing."""
    client.frontend.counts.ereq += 1
    capture(client, exchange, data, error)
    if client.tracked is not None and exchange.phase is RULES and exchange.suspended is None:
        # It came with the head: no rule has seen the request, and none will.
        tracking.count_no_request(client, client.relay.now(), True)
    give_up(exchange)
    if exchange.status >= 0:
        truncated(client, exchange, b"PD")
    else:
        fail(client, exchange, error.status, error.termination)


def fail(client: ClientConnection, exchange: RelayExchange, status: int, termination: bytes) -> None:
    """End an exchange of which nothing was answered yet. Status 0: close without a word (T6)."""
    exchange.dirty = True
    if exchange.termination == b"--":
        exchange.termination = termination
    if status == 0:
        exchange.status = 0
        exchange.phase = FAILED
        end_exchange(exchange, False, client.relay.now())
        client.close(False)
        return
    if client.frontend.tracking and termination in FAILURES:
        tracking.count_failure(exchange)
    if termination == b"sC" and exchange.request_number:
        # Reference 3.3: a client whose first request it is not can send it again by itself.
        exchange.status = status
        exchange.phase = FAILED
        end_exchange(exchange, True, client.relay.now())
        client.close(False)
        return
    exchange.phase = REPLYING
    _reply(client, exchange, exchange.route.replies[status], logged=True)


def answer(client: ClientConnection, exchange: RelayExchange, reply: Reply) -> None:
    """An answer that a rule gives."""
    _reply(client, exchange, reply, logged=True)


def broken(client: ClientConnection, exchange: RelayExchange, termination: bytes) -> None:
    """As `truncated`, and it is the server's fault."""
    if client.frontend.tracking:
        tracking.count_failure(exchange)
    truncated(client, exchange, termination)


def truncated(client: ClientConnection, exchange: RelayExchange, termination: bytes) -> None:
    """The response broke off after its head was sent: the client must not take it for whole."""
    exchange.dirty = True
    exchange.termination = termination
    exchange.phase = FAILED
    upstream = exchange.upstream
    if upstream is not None:
        upstream.drop()
    end_exchange(exchange, True, client.relay.now())
    client.reading = DRAIN
    client.transport.close()


def _reply(client: ClientConnection, exchange: RelayExchange, reply: Reply, logged: bool) -> None:
    if reply.render is not None:
        reply = Reply(reply.status, reply.render(exchange))
    whole = exchange.request_done
    keep = exchange.keep and whole and reply.persistent and not client.relay.draining
    if exchange.head is not None and exchange.head.line.startswith(b"HEAD "):
        answer = reply.keeping_head if keep else reply.closing_head
    else:
        answer = reply.keeping if keep else reply.closing
    exchange.status = reply.status
    if exchange.head is not None and exchange.route.after_plan and answer:
        size = len(reply.keeping_head if keep else reply.closing_head)
        answer = after.finish(exchange, answer[:size]) + answer[size:]
    if exchange.head is not None:
        # HAProxy counts nothing for what is no request.
        exchange.bytes_to_client += len(answer)
    client.write(answer)
    exchange.phase = DONE
    now = client.relay.now()
    end_exchange(exchange, logged, now)
    if keep:
        client.await_request(now)
    else:
        client.close(not whole)


# The client leaves.


def client_gone(client: ClientConnection, exchange: RelayExchange) -> None:
    """The connection broke under an exchange."""
    exchange.dirty = True
    if not exchange.response_done:
        if exchange.termination == b"--":
            exchange.termination = _abort_state(exchange)
        if exchange.status < 0 and (exchange.upstream is not None or not exchange.request_done):
            exchange.status = 400
        _count_client_abort(exchange)
        exchange.phase = FAILED
    give_up(exchange)
    end_exchange(exchange, True, client.relay.now())


def _abort_state(exchange: RelayExchange) -> bytes:
    """How far an exchange was when its client left."""
    if exchange.upstream is not None:
        return b"CH" if exchange.status < 0 else b"CD"
    return b"CQ" if exchange.ticket is not None else b"CC"


def aborted_upload(client: ClientConnection, exchange: RelayExchange) -> None:
    """End of file in the middle of the request's body."""
    client_gone(client, exchange)
    client.close(False)


def aborted_waiting(client: ClientConnection, exchange: RelayExchange) -> None:
    """`option abortonclose`: the client has closed while its request waits for a server, or for the response."""
    exchange.dirty = True
    exchange.termination = _abort_state(exchange)
    _count_client_abort(exchange)
    waiting = exchange.upstream is None
    give_up(exchange)
    if not waiting:
        fail(client, exchange, 400, b"CH")
        return
    exchange.phase = FAILED
    end_exchange(exchange, True, client.relay.now())
    client.close(False)


def closed_early(client: ClientConnection) -> None:
    """End of file before a whole head: 400 CR, unless nothing was sent and that is to be ignored."""
    if not client.buffer and client.frontend.ignore_probes:
        client.reading = DRAIN
        return
    exchange = _without_request(client, b"CR")
    exchange.phase = REPLYING
    _reply(client, exchange, client.frontend.early_replies[400], logged=_worth_a_line(client))


def gone_early(client: ClientConnection) -> None:
    """The connection broke before a whole head: as `closed_early`, but there is nobody to answer."""
    exchange = _without_request(client, b"CR")
    exchange.status = 400
    exchange.phase = FAILED
    end_exchange(exchange, _worth_a_line(client), client.relay.now())


# Time is up.


def client_timeout(client: ClientConnection) -> None:
    """`timeout client`, `http-request` or `http-keep-alive`, whichever applies now."""
    exchange = client.exchange
    if exchange is None:
        if client.reading == DRAIN:
            client.transport.abort()
        elif client.buffer or not client.requests:
            _request_timeout(client)
        else:
            client.transport.close()
    elif client.write_paused:
        exchange.dirty = True
        exchange.termination = b"cD"
        exchange.phase = FAILED
        give_up(exchange)
        end_exchange(exchange, True, client.relay.now())
        client.transport.abort()
    elif client.read_paused:
        # It is us who do not read: the request waits for a slot, or its server does not keep up.
        timeout = exchange.client_timeout or client.frontend.client_timeout
        client.relay.timers.arm(client, client.relay.now() + timeout)
    elif client.reading == BODY:
        give_up(exchange)
        if exchange.status >= 0:
            truncated(client, exchange, b"cL" if exchange.response_done else b"cD")
        else:
            fail(client, exchange, 408, b"cH")


def _request_timeout(client: ClientConnection) -> None:
    """408; silence towards a connection that never said a word, where it may be a mere probe."""
    if not client.buffer and client.frontend.ignore_probes:
        client.close(False)
        return
    exchange = _without_request(client, b"cR")
    exchange.request_done = False
    exchange.phase = REPLYING
    _reply(client, exchange, client.frontend.early_replies[408], logged=_worth_a_line(client))


# Common parts.


def _worth_a_line(client: ClientConnection) -> bool:
    """Whether a connection without a request is logged."""
    return bool(client.buffer) or not client.frontend.ignore_null


def _without_request(client: ClientConnection, termination: bytes) -> RelayExchange:
    """An exchange for a request that did not come, or could not be read."""
    client.frontend.counts.ereq += 1
    exchange = client.own
    if exchange is None:
        exchange = client.own = RelayExchange(client)
    started = client.started_at
    client.started_at = -1.0
    exchange.begin(started if started >= 0.0 else client.relay.now())
    if client.tracked is not None:
        tracking.count_no_request(client, client.relay.now(), termination != b"cR")
    exchange.request_number = client.requests
    exchange.termination = termination
    client.requests += 1
    client.exchange = exchange
    return exchange


def give_up(exchange: RelayExchange) -> None:
    """Nobody wants the response any more."""
    upstream = exchange.upstream
    if upstream is not None:
        upstream.drop()
    else:
        connect.abandon(exchange)


def _count_client_abort(exchange: RelayExchange) -> None:
    exchange.route.backend.counts.cli_abrt += 1
    if exchange.server is not None:
        exchange.server.counts.cli_abrt += 1


def capture(client: ClientConnection, exchange: RelayExchange, data: bytes, error: ExchangeError) -> None:
    """Keep a bad message for `show errors` (S21)."""
    captures = client.frontend.captures
    if captures is not None:
        if not client.frontend.wants_source:
            # Nobody has asked for its addresses yet.
            identify(client)
        captures.keep(client, exchange, data, error)
