"""Numbers of variable length as the peers protocol writes them.

Owns: the encoding of 0 .. 2**64-1 (peers-v2.0 text, first chapter). Must not know: messages.

Below 240 a number is its one byte. Else the first byte is 1111xxxx with the lowest four bits; what is left of the
number less 240 follows in groups of seven bits, the lowest first, each with the top bit set while more follow, and
each less 128 before the next is taken. So every number has one form only, and ten bytes hold 64 bits.
"""

from __future__ import annotations

from typing import Final

from .faults import MalformedFault, SizeFault

LIMIT: Final = 1 << 64
LONGEST: Final = 10
"""Bytes of the largest number."""


def encode_integer(value: int) -> bytes:
    """The bytes of `value`; ValueError outside 0 .. 2**64-1."""
    if not 0 <= value < LIMIT:
        raise ValueError(f"{value} is not a number of 64 bits")
    if value < 240:
        return bytes((value,))
    found = bytearray((240 | (value & 15),))
    value = (value - 240) >> 4
    while value >= 128:
        found.append(128 | (value & 127))
        value = (value - 128) >> 7
    found.append(value)
    return bytes(found)


def decode_integer(data: bytes, offset: int = 0) -> tuple[int, int]:
    """(the number at `offset`, the offset after it). MalformedFault when the bytes end before it does, SizeFault when
    it has more than 64 bits."""
    value, after = read_integer(data, offset)
    if after < 0:
        raise MalformedFault("a number is cut short")
    return value, after


def read_integer(data: bytes | bytearray, offset: int) -> tuple[int, int]:
    """As decode_integer, for a stream: an offset of -1 says that more bytes are needed."""
    size = len(data)
    if offset >= size:
        return 0, -1
    value = data[offset]
    offset += 1
    if value < 240:
        return value, offset
    shift = 4
    while offset < size:
        byte = data[offset]
        offset += 1
        value += byte << shift
        if value >= LIMIT or shift > 67:
            raise SizeFault("a number of more than 64 bits")
        if byte < 128:
            return value, offset
        shift += 7
    return 0, -1
