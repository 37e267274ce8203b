"""Header lines: one line's name, value and forwarded form, checked, and remembered.

Owns: what a field line may look like (S9), the names that framing and hop-by-hop rules look at, and the interning of
names. Must not know: what several lines mean together (block.py). Invariant: a line that is in the memory was valid
when it was read, so finding it there is its validation; names are lower-case, and equal names of known headers are
one object.
"""

from __future__ import annotations

from collections.abc import Callable

from ..errors import ClientProtocolError, ExchangeError, ServerProtocolError
from .lengths import read_content_length
from .memo import Memo
from .uri import is_host, table_of

Line = tuple[bytes, int, tuple[bytes, bytes]]
"""(what is forwarded for it, mark, (name, value)). A plain tuple: a loop unpacks it faster than it reads two
attributes."""

# Marks are added up over a block: ten bits count Host lines, ten keep-alive lines, ten lengths; any other line that
# matters makes the sum OTHER or more. So one comparison tells the block that needs no second look.
PLAIN = 0
HOST = 1
KEEP_ALIVE = 1 << 10
LENGTH = 1 << 20
OTHER = 1 << 30
COUNT_MASK = (1 << 10) - 1
KEEP_ALIVES = COUNT_MASK * KEEP_ALIVE

TOKENS = table_of(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
"""RFC 9110 5.6.2; a table as uri.table_of makes."""
_UNSAFE_NAMES = table_of(bytes(byte for byte in range(0x21, 0x100) if byte not in b":\x7f"))
VALUES = table_of(b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100)))
"""S9: no control characters but the tab. HAProxy 3.0 lets all but NUL, CR and LF through."""
_UNSAFE_VALUES = table_of(bytes(byte for byte in range(256) if byte not in b"\0\r\n"))
"""Not even `accept-unsafe-violations` lets those three through: they would end the line for somebody else."""

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


Reading = Callable[["FieldLines", bytes, bytes], Line]


class Folded(Exception):
    """A line that continues the one before it (obs-fold): the block has to be unfolded and read again."""


class FieldLines(dict[bytes, Line]):
    """The lines of one direction. `lines[raw]` is the read line; a line that is not in the memory is read by
    `__missing__`, so a whole block is one `map(lines.__getitem__, …)` that stays in C for every line seen before
    (measured: 0.06 µs a line, against 0.8 for reading one). Bounded as Memo is. One thread only."""

    __slots__ = ("_names", "_offer", "_refuse", "_request", "_values")

    def __init__(self, *, request: bool, unsafe: bool, entries: int) -> None:
        super().__init__()
        memo: Memo[Line] = Memo(entries * _LINES_PER_BLOCK, _LONGEST_REMEMBERED, self)
        self._offer = memo.offer
        self._request = request
        self._names = _UNSAFE_NAMES if unsafe else TOKENS
        self._values = _UNSAFE_VALUES if unsafe else VALUES
        self._refuse: type[ExchangeError] = ClientProtocolError if request else ServerProtocolError

    def __missing__(self, raw: bytes) -> Line:
        """Read a line anew. Raises Folded, or the direction's protocol error."""
        spelled, colon, value = raw.partition(b":")
        known = NAMES.get(spelled)
        if known is None:
            known = self._read_name(spelled)
        if not colon:
            raise self._refuse("header line without a colon")
        value = value.strip(b" \t")
        if value.translate(self._values) != value:
            raise self._refuse("control character in a header value")
        name, prefix, reading, repeats = known
        line = (prefix + value + b"\r\n", PLAIN, (name, value)) if reading is None else reading(self, name, value)
        if repeats:
            self._offer(raw, line)
        return line

    def _read_name(self, spelled: bytes) -> tuple[bytes, bytes, Reading | None, bool]:
        if spelled[:1] == b" " or spelled[:1] == b"\t":
            raise Folded
        if not spelled or spelled.translate(self._names) != spelled:
            raise self._refuse("header name is not a token")
        name = spelled.lower()
        return NAMES.get(name) or (name, name + b": ", None, True)

    def read_host(self, name: bytes, value: bytes) -> Line:
        if not self._request:
            return b"host: %b\r\n" % value, PLAIN, (name, value)
        if not is_host(value):
            raise self._refuse("forbidden character in Host")
        return b"host: %b\r\n" % value, HOST, (name, value)

    def read_length(self, name: bytes, value: bytes) -> Line:
        if value.isdigit() and len(value) < 19 and (value[0] != 0x30 or value == b"0"):
            return b"content-length: " + value + b"\r\n", LENGTH, (name, value)
        number = read_content_length(value)
        if number < 0:
            raise self._refuse("bad Content-Length")
        return b"content-length: %d\r\n" % number, OTHER, (name, value)

    def read_connection(self, name: bytes, value: bytes) -> Line:
        if value.lower() == b"keep-alive":
            return b"", KEEP_ALIVE, (name, value)
        kept = [
            item
            for token in value.split(b",")
            if (item := token.strip(b" \t")) and item.lower() not in _OWN_CONNECTION_TOKENS
        ]
        # Tokens that name other headers stay, as in HAProxy: those headers are forwarded, so the server must know.
        return b"connection: %b\r\n" % b", ".join(kept) if kept else b"", OTHER, (name, value)

    def read_upgrade(self, name: bytes, value: bytes) -> Line:
        # S15: nobody must be talked into HTTP/2 behind our back; every byte after it would pass unread.
        kept = [
            item for token in value.split(b",") if (item := token.strip(b" \t")) and item.lower() not in (b"h2c", b"h2")
        ]
        return b"upgrade: %b\r\n" % b", ".join(kept) if kept else b"", OTHER, (name, value)

    def read_te(self, name: bytes, value: bytes) -> Line:
        # TE is for the next hop only. Trailers are what we pass on; any coding that we would have to undo is not.
        trailers = any(token.strip(b" \t") == b"trailers" for token in value.split(b","))
        return b"te: trailers\r\n" if trailers else b"", PLAIN, (name, value)

    def read_other(self, name: bytes, value: bytes) -> Line:
        return b"%b: %b\r\n" % (name, value), OTHER, (name, value)


_OWN_CONNECTION_TOKENS = (b"close", b"keep-alive", b"upgrade")
"""What the proxy says itself on the other side, where it applies there."""

_READINGS: dict[bytes, Reading] = {
    b"connection": FieldLines.read_connection,
    b"content-length": FieldLines.read_length,
    b"expect": FieldLines.read_other,
    b"host": FieldLines.read_host,
    b"te": FieldLines.read_te,
    b"transfer-encoding": FieldLines.read_other,
    b"upgrade": FieldLines.read_upgrade,
}

_SELDOM_REPEATED = frozenset((b"authorization", b"cookie", b"if-modified-since", b"if-none-match", b"set-cookie"))
"""Lines not worth remembering apart from their whole block: they differ from client to client, or from answer to
answer."""


def _known_names() -> dict[bytes, tuple[bytes, bytes, Reading | None, bool]]:
    known = {}
    for name in _COMMON_NAMES:
        entry = (name, name + b": ", _READINGS.get(name), name not in _SELDOM_REPEATED)
        for spelling in (name, name.title(), name.upper()):
            known[spelling] = entry
    return known


NAMES = _known_names()
"""Usual spellings of known names to (the one lower-case object, the same with its colon, how to read the value,
whether to remember lines). Being found here proves that a name is a token. Never grows."""
