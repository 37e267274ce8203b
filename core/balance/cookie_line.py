"""The persistence cookie in one Cookie line of a request: read, and taken out or stripped of its prefix.

Owns: which values a line gives, and the line that the server gets. Must not know: servers, and what a value means.
Bytes in, bytes out. How separators and blanks close up where a cookie was taken out is HAProxy's; so is it that
attributes (`$Path`) go with the cookie before them.
"""

from __future__ import annotations

from collections.abc import Callable

from ..http.cookie_pairs import BLANKS, read_pairs

PREFIX_END = b"~"
"""Between the server's name and the value that the server knows."""

_ODD = (b'"', b",", b"\t", b"$", b" =", b"= ", b"  ", b"; ;", b" ;")
"""What lines of browsers do not have; those that do are read slowly."""

Cut = Callable[[bytes], "tuple[list[bytes], bytes | None]"]
"""line -> the values of the cookie in it, and the line for the server: the same object if it is not changed, None if
nothing is left of it."""


def make_cut(name: bytes, *, indirect: bool = False, prefixed: bool = False) -> Cut:
    """How lines are read for the cookie `name`. `indirect`: it is taken out; `prefixed`: a value `server~rest` becomes
    `rest`."""
    first = name + b"="
    later = b"; " + first

    def cut(line: bytes) -> tuple[list[bytes], bytes | None]:
        if name not in line and b" =" not in line and b"= " not in line and b"\t" not in line:
            return [], line
        # What browsers send: pairs parted by "; ", nothing quoted, no other blanks there, the cookie there once.
        for odd in _ODD:
            if odd in line:
                return _cut(line, name, indirect, prefixed)
        if line.count(b";") != line.count(b"; "):
            return _cut(line, name, indirect, prefixed)
        if line.startswith(first):
            start = 0
            if later in line:
                return _cut(line, name, indirect, prefixed)
        else:
            start = line.find(later) + 2
            if start == 1:
                return [], line
            if line.find(later, start) >= 0:
                return _cut(line, name, indirect, prefixed)
        end = line.find(b"; ", start)
        if end < 0:
            end = len(line)
        value = line[start + len(first) : end]
        if indirect:
            if start:
                return [value], line[: start - 2] + line[end:]
            return [value], line[end + 2 :] or None
        if prefixed:
            _, sign, rest = value.partition(PREFIX_END)
            if sign:
                return [value], b"%b%b%b%b" % (line[:start], first, rest, line[end:])
        return [value], line

    return cut


def _cut(line: bytes, name: bytes, indirect: bool, prefixed: bool) -> tuple[list[bytes], bytes | None]:
    """Any line. `kept` is what the server gets of what was read so far; `pending` is to be taken out, with the cookies
    (attributes) that follow, as soon as one comes that stays."""
    values: list[bytes] = []
    kept = b""
    pending = False
    stays = False
    for pair in read_pairs(line):
        if pair.name.startswith(b"$"):
            # It belongs to the cookie before it, and is nobody's business.
            if not pending:
                kept += pair.raw
            continue
        text = pair.text
        if pair.sign and pair.name == name:
            values.append(pair.value)
            if prefixed and PREFIX_END in pair.value:
                rest = pair.value.partition(PREFIX_END)[2]
                kept += b"%b%b=%b%b" % (pair.lead, name, rest, pair.tail)
                stays = True
            elif indirect:
                pending = True
            elif not pending:
                kept += text
            continue
        stays = True
        if pending:
            pending = False
            rest = text[1:].lstrip(BLANKS)
            kept = b"%b%b %b" % (kept.rstrip(BLANKS), text[:1], rest) if kept else rest
        else:
            kept += text
    if pending and not stays:
        return values, None
    if kept == line:
        return values, line
    return values, kept or None
