"""The cookie in the first message of a Remote Desktop client (MS-RDPBCGR 2.2.1.1: X.224 Connection Request).

    TPKT (4 bytes) | X.224 (7 bytes) | "Cookie: mstshash=" name CR LF ...

Owns: finding it. Must not know: scopes, fetches. Invariant: nothing raises, whatever the bytes are.
"""

from __future__ import annotations

from .hello import MORE, OTHER, Reading

_BEFORE = 11
_WORD = b"cookie:"


def read_cookie(data: bytes, name: bytes = b"") -> bytes | Reading:
    """The value of the cookie called `name` (in any case), or of whichever comes first. MORE: it may still come."""
    if len(data) <= _BEFORE + len(_WORD):
        return MORE
    at = _BEFORE + len(_WORD)
    if data[_BEFORE:at].lower() != _WORD:
        return OTHER
    while data[at : at + 1] == b" ":
        at += 1
    end = data.find(b"=", at)
    if name:
        stop = at + len(name)
        if len(data) <= stop:
            return MORE
        if end != stop or data[at:stop].lower() != name.lower():
            return OTHER
    else:
        before = data[at:] if end < 0 else data[at:end]
        if b"\r" in before or b"\n" in before:
            return OTHER
        if end < 0:
            return MORE
    line_end = data.find(b"\r", end)
    if line_end < 0 or line_end + 1 == len(data):
        return MORE
    return data[end + 1 : line_end] if data[line_end + 1] == 0x0A else OTHER
