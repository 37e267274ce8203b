"""Cookies in one Cookie or Set-Cookie line: where each begins and ends (RFC 6265 4.2, and what RFC 2965 left behind).

Owns: separators, quotes, the spaces around `=`. Must not know: which cookie anybody looks for. Reading and cutting
were compared byte by byte with HAProxy, whose peculiarities are kept: servers may have come to depend on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

BLANKS = b" \t"


class Pair(NamedTuple):
    """One cookie. `raw`: all of it. `lead`: its separator (none before the first one) and the blanks behind that;
    `value` without the blanks around it, which are lost before it and are `tail` behind it. `sign`: there is a `=`."""

    raw: bytes
    lead: bytes
    name: bytes
    sign: bool
    value: bytes
    tail: bytes

    @property
    def text(self) -> bytes:
        """As it is passed on: without blanks around the `=`."""
        if not self.sign:
            return self.raw
        return b"%b%b=%b%b" % (self.lead, self.name, self.value, self.tail)


def read_pairs(line: bytes, separators: bytes = b",;") -> Iterator[Pair]:
    """The cookies of a line, which has no blanks around it."""
    at, end = 0, len(line)
    while at < end:
        start = at
        if line[at] in separators:
            at += 1
        while at < end and line[at] in BLANKS:
            at += 1
        lead = line[start:at]
        begin = at
        while at < end and line[at] != 61 and line[at] not in separators:
            at += 1
        name = line[begin:at].rstrip(BLANKS)
        if at == end or line[at] != 61:
            yield Pair(line[start:at], lead, name, False, b"", line[begin + len(name) : at])
            continue
        at += 1
        while at < end and line[at] in BLANKS:
            at += 1
        begin, at = at, value_end(line, at)
        value = line[begin:at].rstrip(BLANKS)
        yield Pair(line[start:at], lead, name, True, value, line[begin + len(value) : at])


def value_end(line: bytes, start: int) -> int:
    """Where the value that begins at `start` ends: at a comma or semicolon that is not in quotes."""
    quoted = escaped = False
    for at in range(start, len(line)):
        byte = line[at]
        if escaped:
            escaped = False
        elif quoted and byte == 92:
            escaped = True
        elif byte == 34:
            quoted = not quoted
        elif not quoted and (byte == 44 or byte == 59):
            return at
    return len(line)
