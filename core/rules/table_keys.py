"""Keys of stick tables: from a sample's value to the bytes that a table has, and from those to text and back.

Owns: the casts (HAProxy's, measured: 3.0). Must not know: tables, who looks something up. A key has exactly the width
of its table: texts end at their first NUL, and are cut or filled up with zeros, as blocks of bytes are; integers have
32 bits, the highest first; in a table of IPv6 an IPv4 address is mapped (::ffff:0:0/96), and one of IPv4 takes those
that stand for one (mapped, compatible, 6to4).
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from ...pools.table_shape import TableShape
from .samples import ANY, BIN, BOOL, INT, IP, STR, Type, find_cast, pack_ip, unpack_ip

Make = Callable[[Any], bytes | None]
"""A sample's value -> the key, None where it gives none."""

_MAPPED = bytes(10) + b"\xff\xff"
_COMPATIBLE = bytes(12)
_KINDS = {"ip": IP, "ipv6": IP, "integer": INT, "string": STR, "binary": BIN}


def key_maker(shape: TableShape, source: Type) -> Make | None:
    """The function that makes keys of that table out of values of type `source` (pairs, where that is ANY); None where
    the type does not go with the table."""
    wanted = _KINDS[shape.key]
    if source is ANY:
        makers = {kind: key_maker(shape, kind) for kind in Type if kind is not ANY}

        def of_any(pair: tuple[Type, Any]) -> bytes | None:
            make = makers.get(pair[0])
            return None if make is None else make(pair[1])

        return of_any
    if wanted is IP:
        return _address_maker(shape.key == "ipv6", source)
    if wanted is INT and source is IP:
        return None
    cast = find_cast(source, wanted)
    if cast is None:
        return None
    if wanted is INT:
        return _chained(cast, source is INT, _integer)
    width = shape.width
    if wanted is STR:
        return _chained(cast, source is STR, lambda value: value.partition(b"\0")[0][:width].ljust(width, b"\0"))
    if source is BOOL:
        return lambda value: int(value).to_bytes(8, "big")[:width].ljust(width, b"\0")
    return _chained(cast, source is BIN, lambda value: value[:width].ljust(width, b"\0"))


def _chained(cast: Callable[[Any], Any], needless: bool, last: Callable[[Any], bytes]) -> Make:
    if needless:
        return last

    def make(value: Any) -> bytes | None:
        value = cast(value)
        return None if value is None else last(value)

    return make


def _integer(value: int) -> bytes:
    return (value & 0xFFFFFFFF).to_bytes(4, "big")


def _address_maker(six: bool, source: Type) -> Make | None:
    if source is IP:
        return to_ipv6 if six else to_ipv4
    if source is INT:
        return (lambda value: _MAPPED + _integer(value)) if six else _integer
    if source is not STR:
        return None
    family = socket.AF_INET6 if six else socket.AF_INET

    def of_text(value: bytes) -> bytes | None:
        packed = pack_ip(value)
        return packed if packed is not None and len(packed) == (16 if family == socket.AF_INET6 else 4) else None

    return of_text


def to_ipv4(value: bytes) -> bytes | None:
    """The IPv4 address that a packed one is, or stands for."""
    if len(value) == 4:
        return value
    start = value[:12]
    if start == _MAPPED or (start == _COMPATIBLE and len(value) == 16):
        return value[12:]
    if value[:2] == b"\x20\x02" and len(value) == 16:
        return value[2:6]
    return None


def to_ipv6(value: bytes) -> bytes | None:
    """The packed IPv6 address, an IPv4 one mapped."""
    if len(value) == 16:
        return value
    return _MAPPED + value if len(value) == 4 else None


def fit_key(shape: TableShape, other: TableShape, key: bytes) -> bytes | None:
    """The key of a table of shape `other` as one of a table of `shape`; None where the types differ."""
    if shape.key != other.key:
        return None
    return key if shape.width == other.width else key[: shape.width].ljust(shape.width, b"\0")


def show_key(shape: TableShape, key: bytes) -> bytes:
    """The key as `show table` shows it."""
    if shape.key in ("ip", "ipv6"):
        return unpack_ip(key)
    if shape.key == "integer":
        return b"%d" % int.from_bytes(key, "big")
    if shape.key == "string":
        return key.rstrip(b"\0")
    return key.hex().upper().encode()


def read_key(shape: TableShape, text: bytes) -> bytes | None:
    """The key that a text stands for (`set table ... key`, `table-file`); None where it stands for none. Of a table of
    blocks the text is hexadecimal, as it is shown."""
    if shape.key == "binary":
        try:
            return bytes.fromhex(text.decode("ascii"))[: shape.width].ljust(shape.width, b"\0")
        except ValueError:
            return None
    if shape.key == "integer" and not text.lstrip(b"-").isdigit():
        return None
    make = key_maker(shape, STR)
    if make is None:
        return None
    key = make(text)
    if key is None and shape.key in ("ip", "ipv6"):
        # Here, unlike in rules, HAProxy converts texts of the other family too.
        packed = pack_ip(text)
        convert = to_ipv6 if shape.key == "ipv6" else to_ipv4
        key = None if packed is None else convert(packed)
    return key
