"""Verdicts that end an exchange: an answer of a rule's, a closed connection, one that vanishes.

Owns: these endings, and connections that rules refuse before their first byte. Must not know: passes and plans, which
call it. Nothing of this is called for proxies without rules.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

from ..rules.verdicts import DROP, STOP, Answer, Verdict
from ..session import NOT_REACHED
from . import binding, replying, tracking
from .ending import end_exchange
from .exchange import FAILED, REPLYING, RelayExchange
from .reading import DRAIN
from .route import Reply

if TYPE_CHECKING:
    from .client import ClientConnection
    from .tcp import TcpConnection

TCP_REPAIR = 19
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no seconds: closing sends a reset."""


def refuses(client: ClientConnection | TcpConnection, exchange: RelayExchange) -> bool:
    """`tcp-request connection` and `session`, in this order: is the connection refused? It is closed then."""
    exchange.fresh()
    exchange.head = None
    frontend = client.frontend
    for number, run in enumerate(frontend.early):
        verdict = run(exchange)
        if verdict is None or verdict.kind is STOP:
            continue
        if number:
            frontend.counts.dses += 1
        else:
            frontend.counts.dcon += 1
        if verdict.kind is DROP:
            vanish(client)
        elif not number:
            sock = client.transport.get_extra_info("socket")
            if sock is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.transport.abort()
        return True
    return False


def vanish(client: ClientConnection | TcpConnection) -> None:
    """Closing the connection tells its client nothing: in repair mode the kernel sends neither end nor reset; without
    the right to that (CAP_NET_ADMIN), the reset that it sends does not get past the first router.

    What the client has sent is acknowledged before. The kernel puts that off once a connection has carried answers, and
    a client that sends again for want of it meets no socket: that is answered with a reset, 200 ms later."""
    sock = client.transport.get_extra_info("socket")
    if sock is None or sock.family == socket.AF_UNIX:
        return
    try:
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    except OSError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)


# Requests and responses.


def answer_request(exchange: RelayExchange, verdict: Answer) -> bool:
    """ANSWER to a request. (Handlers tell whether the passes go on.)"""
    if verdict.denied:
        count_refused(exchange)
        return answer_refused(exchange, verdict)
    if exchange.client.frontend.tracking and verdict.extra:
        # It asks for a password, and is counted when that is sent.
        exchange.challenged = True
    # HAProxy captures it after the rules, also of what they refuse, but not of what they answer.
    exchange.request_cookie = ""
    return answer(exchange, verdict)


def count_refused(exchange: RelayExchange) -> None:
    """A rule denies the request, or tarpits it: then it is counted at once, for its client may not wait for the end."""
    _count_denied(exchange)
    if exchange.client.frontend.tracking:
        tracking.count_error(exchange)


def answer_refused(exchange: RelayExchange, verdict: Answer) -> bool:
    """The answer to a request that was counted as refused."""
    if exchange.route.backend.binders:
        binding.look(exchange)
    return answer(exchange, verdict)


def answer(exchange: RelayExchange, verdict: Answer) -> bool:
    """Send the answer, and end the exchange."""
    raw = verdict.prepared
    exchange.dirty = True
    exchange.last_rule = verdict.place
    if exchange.termination == b"--":
        exchange.termination = verdict.termination
    if exchange.hints is not None:
        send_hints(exchange)
    if verdict.page:
        reply = exchange.route.replies.get(verdict.status) or exchange.route.replies[500]
        if verdict.extra:
            reply = reply.with_line(verdict.extra)
    elif raw is not None:
        reply = raw
    else:
        assert verdict.render is not None
        reply = Reply(verdict.status, verdict.render(exchange))
        if verdict.constant:
            verdict.prepared = reply
    exchange.phase = REPLYING
    replying.answer(exchange.client, exchange, reply)
    return False


def _count_denied(exchange: RelayExchange) -> None:
    frontend = exchange.client.frontend
    frontend.counts.dreq += 1
    if exchange.route is not frontend.route:
        exchange.route.backend.counts.dreq += 1


def send_hints(exchange: RelayExchange) -> None:
    """The 103 response that rules have composed."""
    assert exchange.hints is not None
    client = exchange.client
    hint = b"HTTP/1.1 103 Early Hints\r\n%b\r\n" % b"".join(exchange.hints)
    exchange.hints = None
    exchange.bytes_to_client += len(hint)
    client.write(hint)


def reject(exchange: RelayExchange, verdict: Verdict) -> bool:
    """REJECT."""
    exchange.request_cookie = ""
    exchange.last_rule = verdict.place
    _count_denied(exchange)
    if verdict.unread:
        exchange.head = None
        exchange.request_line = b""
    close(exchange)
    return False


def drop(exchange: RelayExchange, verdict: Verdict) -> bool:
    """DROP."""
    exchange.request_cookie = ""
    exchange.last_rule = verdict.place
    _count_denied(exchange)
    if verdict.unread:
        exchange.head = None
        exchange.request_line = b""
    vanish(exchange.client)
    close(exchange)
    return False


def close(exchange: RelayExchange, status: int = -1, head_at: float = NOT_REACHED) -> None:
    """End without a word. What the log says of it: the `status` of the response that had come, and when the request's
    head had."""
    client = exchange.client
    exchange.dirty = True
    if exchange.termination == b"--":
        exchange.termination = b"PR"
    http = client.frontend.spec.mode == "http"
    if http:
        exchange.head_at = head_at
    exchange.status = status
    exchange.phase = FAILED
    end_exchange(exchange, True, client.relay.now())
    if http:
        client.reading = DRAIN
    client.transport.abort()
