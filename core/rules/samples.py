"""Samples: the types that expressions work with, how their values are held, and which type may become which other.

Owns: the types, the casts (manual 7.1 and 7.3; measured against HAProxy 2.6 and 3.0 where it is silent), addresses as
packed bytes. Must not know: fetches, converters, requests.

A value is held in the form that is cheapest where it is used most:

    bool   bool
    int    int, 64 bits signed (whoever computes keeps it there: see `wrap`)
    ip     packed bytes, 4 or 16 of them: they compare, hash and index without another look
    str    bytes            bin  bytes            meth  bytes, the method's name
    any    a pair (type, value): what is only known when it is there, as the content of a variable

None is no sample. A cast that fails gives no sample either; it never raises.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from enum import Enum
from typing import Any


class Type(Enum):
    """Types of samples, by the names that documentation shows."""

    ANY = "any"
    BOOL = "bool"
    INT = "int"
    IP = "ip"
    STR = "str"
    BIN = "bin"
    METH = "meth"


ANY, BOOL, INT, IP, STR, BIN, METH = Type

Sample = Any
"""A value as above, or None."""
Cast = Callable[[Any], Any]
"""A value of one type -> a value of another, or None."""

INT_MAX = (1 << 63) - 1
INT_MIN = -(1 << 63)

_NUMBER = re.compile(rb"[+-]?[0-9]+")
_COLON = ord(":")
_DOTTED = re.compile(rb"[0-9]{1,3}(?:\.[0-9]{1,3}){3}\Z")


def wrap(number: int) -> int:
    """The signed 64-bit integer with the same lowest bits."""
    return ((number + (1 << 63)) & ((1 << 64) - 1)) - (1 << 63)


def clamp(number: int) -> int:
    """The signed 64-bit integer that is nearest."""
    return INT_MAX if number > INT_MAX else INT_MIN if number < INT_MIN else number


def pack_ip(text: bytes) -> bytes | None:
    """The packed form of a numeric address, 4 or 16 bytes; None if it is none. IPv4 has four decimal parts (leading
    zeros are zeros, not octal), IPv6 no zone and no brackets."""
    try:
        if _COLON in text:
            return socket.inet_pton(socket.AF_INET6, text.decode("ascii"))
        return socket.inet_pton(socket.AF_INET, text.decode("ascii"))
    except (OSError, ValueError):
        if _DOTTED.match(text):
            # The library refuses leading zeros.
            parts = [int(part) for part in text.split(b".")]
            return bytes(parts) if max(parts) < 256 else None
        return None


def unpack_ip(packed: bytes) -> bytes:
    """The text of a packed address; b"" for what is none (a unix socket's)."""
    if len(packed) == 4:
        return b"%d.%d.%d.%d" % (packed[0], packed[1], packed[2], packed[3])
    if len(packed) == 16:
        return socket.inet_ntop(socket.AF_INET6, packed).encode()
    return b""


def _same(value: Any) -> Any:
    return value


def to_bytes(value: int) -> bytes:
    """The text of an integer; of a boolean `1` or `0`."""
    return b"%d" % value


def _int_to_ip(value: int) -> bytes:
    return (value & 0xFFFFFFFF).to_bytes(4, "big")


def int_to_bin(value: int) -> bytes:
    """Eight bytes, the highest first."""
    return value.to_bytes(8, "big", signed=True)


def _ip_to_int(value: bytes) -> int | None:
    return int.from_bytes(value, "big") if len(value) == 4 else None


def str_to_int(value: bytes) -> int | None:
    """The number at the start of a text: 0 where there is none, nothing for the empty text."""
    if value.isdigit() and len(value) < 19:
        return int(value)
    if not value:
        return None
    found = _NUMBER.match(value)
    return clamp(int(found[0])) if found is not None else 0


def _str_to_bool(value: bytes) -> bool | None:
    number = str_to_int(value)
    return None if number is None else number != 0


def _bin_to_str(value: bytes) -> bytes:
    # HAProxy's texts end at the first NUL, whatever follows.
    return value.partition(b"\0")[0] if b"\0" in value else value


CASTS: dict[tuple[Type, Type], Cast] = {
    (BOOL, INT): int,
    (BOOL, STR): to_bytes,
    (BOOL, BIN): int_to_bin,
    (INT, BOOL): bool,
    (INT, IP): _int_to_ip,
    (INT, STR): to_bytes,
    (INT, BIN): int_to_bin,
    (IP, INT): _ip_to_int,
    (IP, STR): unpack_ip,
    (IP, BIN): _same,
    (STR, BOOL): _str_to_bool,
    (STR, INT): str_to_int,
    (STR, IP): pack_ip,
    (STR, BIN): _same,
    (STR, METH): _same,
    (BIN, STR): _bin_to_str,
    (BIN, METH): _same,
    (METH, STR): _same,
    (METH, BIN): _same,
    **{(kind, kind): _same for kind in Type},
}
"""From type, to type: the function, `_same` where nothing is to be done. What is missing cannot be cast, which is an
error of the configuration; ANY can become everything, since only the value itself will tell."""


def _from_any(target: Type) -> Cast:
    casts = {kind: CASTS[kind, target] for kind in Type if (kind, target) in CASTS and kind is not ANY}

    def cast(pair: tuple[Type, Any]) -> Any:
        step = casts.get(pair[0])
        return None if step is None else step(pair[1])

    return cast


def _into_any(source: Type) -> Cast:
    def pair(value: Any) -> tuple[Type, Any]:
        return source, value

    return pair


for _kind in Type:
    if _kind is not ANY:
        CASTS[ANY, _kind] = _from_any(_kind)
        CASTS[_kind, ANY] = _into_any(_kind)


def find_cast(source: Type, target: Type) -> Cast | None:
    """The function that makes one type into the other: None if there is none. See `is_needless`."""
    return CASTS.get((source, target))


def is_needless(cast: Cast) -> bool:
    """Does this cast return what it gets, so that it need not be called?"""
    return cast is _same
