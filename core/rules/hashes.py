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
