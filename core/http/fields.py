"""Header lines: one line's name, value and forwarded form, checked, and remembered.

Owns: what a field line may look like (S9), the names that framing and hop-by-hop rules look at, and the interning of
names. Must not know: what several lines mean together (block.py). Invariant: a line that is in the memory was valid
when it was read, so finding it there is its validation; names are lower-case, and equal names of known headers are
one object.
"""

from __future__ import annotations

from ..errors import ClientProtocolError, ExchangeError, ServerProtocolError
from .lengths import read_content_length
from .memo import Memo
from .uri import is_host

Line = tuple[tuple[bytes, bytes], bytes, int]
"""((name, value), what is forwarded for it, mark). A plain tuple, so that one zip(*lines) takes a block apart: 0.5 µs
for 12 lines, against 1.3 µs for a loop over attributes."""

# Marks are added up over a block: ten bits count Host lines, ten keep-alive lines, ten lengths; any other line that
# matters makes the sum OTHER or more. So one sum() tells the block that needs no second look (0.15 µs instead of
# 0.6).
PLAIN = 0
HOST = 1
KEEP_ALIVE = 1 << 10
LENGTH = 1 << 20
OTHER = 1 << 30
COUNT_MASK = (1 << 10) - 1

TOKEN_BYTES = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""RFC 9110 5.6.2."""
BAD_VALUE_BYTES = bytes(byte for byte in range(0x20) if byte != 0x09) + b"\x7f"
"""S9: no control characters but the tab. HAProxy 3.0 lets all but NUL, CR and LF through."""
_WORST_VALUE_BYTES = frozenset(b"\0\r\n")
"""What not even `accept-unsafe-violations` may let through: they would end the line for somebody else."""

_ALL_BYTES = bytes(range(256))
_GOOD_VALUE_BYTES = _ALL_BYTES.translate(None, BAD_VALUE_BYTES)

_LONGEST_REMEMBERED = 256
_LINES_PER_BLOCK = 4

_COMMON_NAMES = (
    b"accept accept-charset accept-encoding accept-language accept-ranges access-control-allow-headers "
    b"access-control-allow-methods access-control-allow-origin access-control-request-headers "
    b"access-control-request-method age allow alt-svc authorization cache-control connection content-disposition "
    b"content-encoding content-language content-length content-location content-range content-security-policy "
    b"content-type cookie date dnt etag expect expires forwarded from host if-match if-modified-since if-none-match "
    b"if-range if-unmodified-since keep-alive last-modified link location origin pragma priority proxy-authenticate "
    b"proxy-authorization proxy-connection range referer retry-after sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform "
    b"sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user sec-websocket-accept sec-websocket-extensions "
    b"sec-websocket-key sec-websocket-protocol sec-websocket-version server set-cookie strict-transport-security te "
    b"traceparent tracestate trailer transfer-encoding upgrade upgrade-insecure-requests user-agent vary via "
    b"www-authenticate x-api-key x-content-type-options x-forwarded-for x-forwarded-host x-forwarded-proto "
    b"x-frame-options x-real-ip x-request-id x-requested-with x-xss-protection"
).split()


def _spellings(name: bytes) -> tuple[bytes, ...]:
    return name, name.title(), name.upper()


NAMES: dict[bytes, bytes] = {spelling: name for name in _COMMON_NAMES for spelling in _spellings(name)}
"""Usual spellings of known names to the one lower-case object. Being found here proves that a name is a token. Never
grows."""


class Folded(Exception):
    """A line that continues the one before it (obs-fold): the block has to be unfolded and read again."""


class FieldLines(dict[bytes, Line]):
    """The lines of one direction. `lines[raw]` is the read line; a line not in the memory is read by `__missing__`,
    so a whole block is one `map(lines.__getitem__, …)` that stays in C for every line seen before (0.07 µs a line,
    against 0.6-0.9 for reading it). Bounded as Memo is. One thread only."""

    __slots__ = ("_memo", "_refuse", "_request", "_unsafe")

    def __init__(self, *, request: bool, unsafe: bool, entries: int) -> None:
        super().__init__()
        self._memo: Memo[Line] = Memo(entries * _LINES_PER_BLOCK, _LONGEST_REMEMBERED, self)
        self._request = request
        self._unsafe = unsafe
        self._refuse: type[ExchangeError] = ClientProtocolError if request else ServerProtocolError

    def __missing__(self, raw: bytes) -> Line:
        """Read a line anew. Raises Folded, or the direction's protocol error."""
        line = self._read(raw)
        self._memo.offer(raw, line)
        return line

    def _read(self, raw: bytes) -> Line:
        spelled, colon, value = raw.partition(b":")
        if not colon:
            if raw[:1] in b" \t" and raw:
                raise Folded
            raise self._refuse("header line without a colon")
        name = NAMES.get(spelled)
        if name is None:
            if spelled[:1] in (b" ", b"\t"):
                raise Folded
            if not spelled or spelled.translate(None, TOKEN_BYTES):
                raise self._refuse("header name is not a token")
            name = spelled.lower()
            name = NAMES.get(name, name)
        value = value.strip(b" \t")
        leftover = value.translate(None, _GOOD_VALUE_BYTES)
        if leftover and (not self._unsafe or not _WORST_VALUE_BYTES.isdisjoint(leftover)):
            raise self._refuse("control character in a header value")
        reading = _READINGS.get(name)
        if reading is None:
            return (name, value), b"%b: %b\r\n" % (name, value), PLAIN
        return reading(self, name, value)

    def _read_host(self, name: bytes, value: bytes) -> Line:
        if not self._request:
            return (name, value), b"%b: %b\r\n" % (name, value), PLAIN
        if not is_host(value):
            raise self._refuse("forbidden character in Host")
        return (name, value), b"%b: %b\r\n" % (name, value), HOST

    def _read_length(self, name: bytes, value: bytes) -> Line:
        number = read_content_length(value)
        if number < 0:
            raise self._refuse("bad Content-Length")
        # A list is no number for the block's quick way; it is looked at again there.
        mark = LENGTH if value.isdigit() else OTHER
        return (name, value), b"content-length: %d\r\n" % number, mark

    def _read_connection(self, name: bytes, value: bytes) -> Line:
        if value.lower() == b"keep-alive":
            return (name, value), b"", KEEP_ALIVE
        kept = [
            item
            for token in value.split(b",")
            if (item := token.strip(b" \t")) and item.lower() not in _OWN_CONNECTION_TOKENS
        ]
        # Tokens that name other headers stay, as in HAProxy: those headers are forwarded, so the server must know.
        return (name, value), b"connection: %b\r\n" % b", ".join(kept) if kept else b"", OTHER

    def _read_upgrade(self, name: bytes, value: bytes) -> Line:
        # S15: a server must not be talked into HTTP/2 behind our back; every byte after it would pass unread.
        kept = [
            item for token in value.split(b",") if (item := token.strip(b" \t")) and item.lower() not in (b"h2c", b"h2")
        ]
        return (name, value), b"upgrade: %b\r\n" % b",".join(kept) if kept else b"", OTHER

    def _read_te(self, name: bytes, value: bytes) -> Line:
        # TE is for the next hop only. Trailers are what we pass on; any coding that we would have to undo is not.
        trailers = any(token.strip(b" \t") == b"trailers" for token in value.split(b","))
        return (name, value), b"te: trailers\r\n" if trailers else b"", PLAIN

    def _read_other(self, name: bytes, value: bytes) -> Line:
        return (name, value), b"%b: %b\r\n" % (name, value), OTHER


_OWN_CONNECTION_TOKENS = (b"close", b"keep-alive", b"upgrade")
"""What the proxy says itself on the other side, where it applies there."""

_READINGS = {
    b"connection": FieldLines._read_connection,
    b"content-length": FieldLines._read_length,
    b"expect": FieldLines._read_other,
    b"host": FieldLines._read_host,
    b"te": FieldLines._read_te,
    b"transfer-encoding": FieldLines._read_other,
    b"upgrade": FieldLines._read_upgrade,
}
