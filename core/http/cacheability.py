"""May a cache keep this response (RFC 9111 3, 4.2, 5.2)?

Owns: that judgement, as HAProxy makes it for `cookie ... nocache`: methods and statuses that are cacheable by
themselves, what Cache-Control and Pragma say, and that there is a date or a validator. Must not know: cookies, and what
is done about it.
"""

from __future__ import annotations

from ..http.block import HeaderBlock

SAFE = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE"))
STATUSES = frozenset((200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501))
_FORBIDDING = frozenset((b"private", b"no-cache", b"no-store"))
_SPENT = frozenset((b"max-age=0", b"s-maxage=0"))
_MENTIONS = (b"max-age", b"s-maxage")
_MARKS = (b"expires", b"etag", b"last-modified")


def is_cacheable(method: bytes, status: int, block: HeaderBlock) -> bool:
    """Of a response with that header block to a request of that method."""
    index = block.index or block.make_index()
    pragma = index.get(b"pragma")
    if pragma is not None and block.values(b"pragma")[0].lower() == b"no-cache":
        return False
    cacheable = method in SAFE and status in STATUSES
    dated = any(name in index for name in _MARKS)
    spent = False
    if b"cache-control" in index:
        for line in block.values(b"cache-control"):
            for part in split_list(line.lower()):
                if part.startswith(_MENTIONS):
                    dated = True
                    spent |= part in _SPENT
                elif part == b"public":
                    cacheable = True
                elif part in _FORBIDDING:
                    cacheable = False
    return cacheable and dated and not spent


def split_list(line: bytes) -> list[bytes]:
    """The values of a list, which commas in quotes do not part."""
    if b'"' not in line:
        return [part.strip(b" \t") for part in line.split(b",")]
    parts = []
    start = 0
    quoted = escaped = False
    for at, byte in enumerate(line):
        if escaped:
            escaped = False
        elif byte == 92 and quoted:
            escaped = True
        elif byte == 34:
            quoted = not quoted
        elif byte == 44 and not quoted:
            parts.append(line[start:at].strip(b" \t"))
            start = at + 1
    parts.append(line[start:].strip(b" \t"))
    return parts
