"""`sticky cookie NAME enforce`: what a client without a valid cookie is answered (D3.8).

Owns: that answer. Must not know: pins, servers. Nothing reaches a server without a cookie: browsers (GET and HEAD that
accept text/html by name) are sent to the same address once more with a cookie, all others get 403; so does who misses
more often than `max-misses` a second. Misses are counted by client address in a stick table, for all groups together.
"""

from __future__ import annotations

from os import urandom
from typing import TYPE_CHECKING, cast

from ...pools.table_cells import Rate
from ..balance.sticky_cookie import KEY_BYTES, NO_HINT, Signer, set_cookie
from ..config.sticky_spec import StickySpec
from ..http.head import RequestHead
from ..http.uri import read_target
from ..rules.verdicts import Answer

if TYPE_CHECKING:
    from ...pools.table import Table
    from .exchange import RelayExchange

FORBIDDEN = Answer(None, 403, page=True, termination=b"PR", denied=True)
_REDIRECT = (
    b"HTTP/1.1 302 Found\r\nlocation: %b\r\nset-cookie: %b\r\ncache-control: no-store\r\ncontent-length: 0\r\n\r\n"
)
_MAPPED = bytes(10) + b"\xff\xff"


class Challenge:
    """Of the backends that share a cookie."""

    __slots__ = ("_most", "_rate", "_signer", "_spec", "_table")

    def __init__(self, spec: StickySpec, signer: Signer, table: Table) -> None:
        self._spec = spec
        self._signer = signer
        self._table = table
        self._rate = cast(Rate, table.cell("gpc0_rate"))
        self._most = spec.max_misses

    def answer(self, exchange: RelayExchange, head: RequestHead, salt: bytes, date: int) -> Answer:
        """`salt`: of this client's cookies; `date`: seconds since the epoch."""
        if self._misses(exchange) > self._most or head.method not in (b"GET", b"HEAD") or not accepts_html(head):
            return FORBIDDEN
        value = self._signer.issue(urandom(KEY_BYTES), NO_HINT, date, salt)
        raw = _REDIRECT % (same_address(head), set_cookie(self._spec, value))
        return Answer(None, 302, render=lambda x: raw, termination=b"LR")

    def _misses(self, exchange: RelayExchange) -> int:
        """How many in a second, with this one; of a table that is full: too many, since it is who misses that fills
        it."""
        now = int(exchange.client.relay.clock() * 1000.0)
        source = exchange.session.source
        slot = self._table.track(_MAPPED + source if len(source) == 4 else source or bytes(16), now)
        if not slot:
            return self._most + 1
        try:
            self._rate.add(slot, 1, now)
            return self._rate.value(slot, now)
        finally:
            self._table.release(slot)


def accepts_html(head: RequestHead) -> bool:
    """Does a person wait for it? Programs that say `*/*` keep no cookies."""
    kinds = b",".join(head.block.values(b"accept")).lower().split(b",")
    return any(kind.partition(b";")[0].strip() == b"text/html" for kind in kinds)


def same_address(head: RequestHead) -> bytes:
    """The Location of what the client has asked for, whatever rules have made of it: of this host in any case, so that
    nobody is sent elsewhere by `GET //elsewhere`."""
    asked = head.line.split(b" ")[1]
    if not asked.startswith(b"/"):
        target = read_target(asked, head.method)
        path, query = (b"/", None) if target is None else (target.path, target.query)
        asked = path if query is None else b"%b?%b" % (path, query)
    return b"/." + asked if asked[1:2] in (b"/", b"\\") else asked
