"""Where messages name a sticky session: a cookie of a request, one that a response sets, a header of either.

Owns: finding the values, all of them. Must not know: sessions, what several values mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..balance.cookie_line import make_cut
from ..http.cookie_pairs import read_pairs

if TYPE_CHECKING:
    from ..http.block import HeaderBlock

Reader = Callable[["HeaderBlock"], "list[bytes]"]
"""block -> the values of a cookie or a header."""


def cookie_reader(name: bytes) -> Reader:
    """Of a request's Cookie lines. Values are those that `make_cut` finds, whatever the line; of what browsers send
    they are found faster (0.9 us instead of 8)."""
    cut = make_cut(name)
    sign = name + b"="
    size = len(sign)
    values = re.compile(rb"(?:\A|;) *%b([^;]*)" % re.escape(sign)).findall

    def of_line(line: bytes) -> list[bytes]:
        if b'"' in line or b"," in line or b"\t" in line or b" =" in line or b"= " in line:
            return cut(line)[0]
        at = line.find(sign)
        if at < 0:
            return []
        end = line.find(b";", at)
        if line.find(sign, at + size) >= 0 or (at and line[:at].rstrip(b" ")[-1:] != b";"):
            # There may be several, or it is the end of another name.
            return [value.rstrip(b" ") for value in values(line)]
        return [line[at + size : end if end >= 0 else len(line)].rstrip(b" ")]

    def read(block: HeaderBlock) -> list[bytes]:
        line = (block.index or block.make_index()).get(b"cookie")
        if line is None:
            return []
        if not block.repeats:
            return of_line(line)
        return [value for one in block.values(b"cookie") for value in of_line(one)]

    return read


def header_reader(name: bytes) -> Reader:
    """Of a header, by its name in small letters; of either message."""

    def read(block: HeaderBlock) -> list[bytes]:
        value = (block.index or block.make_index()).get(name)
        if value is None:
            return []
        return block.values(name) if block.repeats else [value]

    return read


def set_cookie_reader(name: bytes) -> Reader:
    def read(block: HeaderBlock) -> list[bytes]:
        if b"set-cookie" not in (block.index or block.make_index()):
            return []
        pairs = [next(read_pairs(line), None) for line in block.values(b"set-cookie")]
        return [pair.value for pair in pairs if pair is not None and pair.sign and pair.name == name]

    return read
