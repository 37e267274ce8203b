"""The persistence cookie in Set-Cookie lines of a response, and the line that we add.

Owns: what becomes of a server's own cookie of that name, and how ours is written. Must not know: why, servers. Bytes
in, bytes out; compared with HAProxy. Set-Cookie2 (RFC 2965) is left alone, as HAProxy 3.0 does.
"""

from __future__ import annotations

from enum import IntEnum

from ..config.cookie_spec import CookieSpec
from ..http.cookie_pairs import read_pairs
from .cookie_dates import BAR, rewrite_date, write_date
from .cookie_line import PREFIX_END

EXPIRED = b"=; Expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/"


class Fate(IntEnum):
    """What is done with a server's cookie."""

    KEPT = 0
    REMOVED = 1
    REPLACED = 2
    """Its value by ours."""
    PREFIXED = 3
    """Ours before it."""


def edit_line(line: bytes, name: bytes, fate: Fate, value: bytes) -> tuple[bool, bytes | None]:
    """Whether the line of a Set-Cookie header sets the cookie `name`, and the line as it goes on; None: not at all.
    Blanks around the first `=` are lost, whichever cookie it is."""
    pair = next(read_pairs(line), None)
    if pair is None or not pair.sign:
        return False, line
    rest = line[len(pair.raw) :]
    if pair.name != name:
        text = pair.text
        return False, line if text == pair.raw else text + rest
    if fate is Fate.REMOVED:
        return True, None
    new = pair.value
    if fate is Fate.REPLACED:
        new = value
    elif fate is Fate.PREFIXED:
        new = value + PREFIX_END + new
    edited = b"%b%b=%b%b%b" % (pair.lead, name, new, pair.tail, rest)
    return True, line if edited == line else edited


class Writer:
    """Writes the value of our Set-Cookie header."""

    __slots__ = ("_dated", "_lived", "_name", "_tail")

    def __init__(self, spec: CookieSpec) -> None:
        self._name = _bytes(spec.name)
        self._dated = bool(spec.maxidle or spec.maxlife)
        self._lived = bool(spec.maxlife)
        tail = "".join(f"; domain={domain}" for domain in spec.domains)
        tail += "; HttpOnly" * spec.httponly + "; Secure" * spec.secure
        self._tail = _bytes(tail + "".join(f"; {attribute}" for attribute in spec.attributes))

    def write(self, value: bytes | None, now: int, first: int) -> bytes:
        """`value`: the server's, None where it has none: the client is to forget its cookie. `now`: seconds since the
        epoch. `first`: when the client was first seen, 0: now."""
        if value is None:
            return self._name + EXPIRED + self._tail
        if self._dated:
            value += BAR + write_date(now)
            if self._lived:
                value += BAR + (rewrite_date(first) if first else write_date(now))
        return b"%b=%b; path=/%b" % (self._name, value, self._tail)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
