"""Content rules over bytes that are still coming: `tcp-request inspect-delay`.

A set that may have to wait has three steps in its plan: `Inspection`, which says what may still change; the set itself;
`settle`. Where the set gives `Missing`, passes suspends the exchange and goes back to the first of them when bytes have
come, the client has ended, or the time is over.

Owns: what may still change, and the HTTP head at the start of a TCP stream (`req.proto_http` and its kin in mode tcp).
Must not know: rules, who suspends.

Invariants: `uncertain` is 0 outside of these steps; proxies without content rules have none of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..errors import ClientProtocolError
from ..http.head import find_head_end
from ..rules.catalogue import Needs
from ..rules.verdicts import Missing, Verdict

if TYPE_CHECKING:
    from .exchange import RelayExchange

_BYTES = int(Needs.PAYLOAD)
_HEAD = int(Needs.HEAD | Needs.BODY)
_BODY = int(Needs.BODY)
_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [^\x00-\x20\x7f]+ HTTP/[0-9]\.[0-9]\r?\n?")
"""A request line, as far as one knows it by: something else is told apart before its head ends."""
_START = re.compile(rb"\r?\n?[!#$%&'*+.^_`|~0-9A-Za-z-]*(?: (?:[^\x00-\x20\x7f]+(?: [HTP/0-9.]*\r?)?)?)?")


def glimpse(exchange: RelayExchange) -> bool:
    """Read the HTTP request at the start of a TCP stream, if there is one: it is `head` then. Returns whether the head
    may still come."""
    if exchange.head is not None:
        return False
    frontend = exchange.client.frontend
    data = exchange.client.buffer
    end = find_head_end(data)
    if end < 0:
        return _may_be_http(data)
    try:
        exchange.head = frontend.read_request(data[:end])
    except ClientProtocolError:
        return False
    exchange.dirty = True
    return False


def _may_be_http(data: bytes) -> bool:
    line, ended, _ = data.lstrip(b"\r\n").partition(b"\n")
    return _LINE.fullmatch(line) is not None if ended else _START.fullmatch(line) is not None


def look(exchange: RelayExchange) -> Verdict | None:
    """The step of a TCP frontend whose rules ask for HTTP and wait for nothing."""
    glimpse(exchange)
    return None


def settle(exchange: RelayExchange) -> Verdict | None:
    """The step behind a set: nothing is uncertain any more."""
    exchange.uncertain = 0
    exchange.inspect_until = 0.0
    return None


class Inspection:
    """The step before a set. `tcp`: of a TCP proxy; `http`: whose rules ask for HTTP."""

    __slots__ = ("delay", "http", "tcp")

    def __init__(self, delay: float, tcp: bool, http: bool) -> None:
        self.delay = delay
        self.tcp = tcp
        self.http = http

    def __call__(self, x: RelayExchange) -> Verdict | None:
        if not self.tcp:
            # The head is here. A body that is here as far as it is kept cannot grow.
            x.uncertain = 0 if x.inspect_until < 0.0 or x.has_body(0) else _BYTES | _BODY
            return None
        client: Any = x.client
        more = self.http and glimpse(x)
        if x.inspect_until < 0.0 or client.eof or len(client.buffer) >= client.relay.limits.max_head:
            x.uncertain = 0
        else:
            x.uncertain = _BYTES | _HEAD if more else _BYTES
        return None

    def rehearse(self, x: RelayExchange) -> Verdict | None:
        """The same where bytes come at once and nobody waits: what is here after the first ones is all."""
        client: Any = x.client
        if self.tcp and not client.buffer and not client.eof and x.inspect_until >= 0.0:
            return Missing(self.delay, 1)
        if self.http:
            glimpse(x)
        x.uncertain = 0
        return None
