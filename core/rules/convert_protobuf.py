"""Converters that take a field out of a Protocol Buffers message, or of gRPC's around one (manual 7.3.1; "Encoding" of
Protocol Buffers, "gRPC over HTTP2").

Owns: both, and the walk over a message's fields. Must not know: schemas: which type a field has says the configuration.
Invariants: the first field of a number counts; nothing is read beyond a message, be it inside another; what is cut off,
or of a wire type that is none, ends the walk without a value, as does a compressed message of gRPC.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from typing import Any

from .catalogue import Call, Convert, converter
from .samples import ANY, BIN, INT, INT_MAX, INT_MIN, clamp, wrap

_VARINT, _EIGHT, _SIZED, _FOUR = 0, 1, 2, 5


def read_varint(message: bytes, start: int, end: int) -> tuple[int, int]:
    """The number at `start`, and the index behind it. Raises ValueError where it is cut off or has over ten bytes."""
    value = 0
    for index in range(start, min(end, start + 10)):
        byte = message[index]
        value |= (byte & 0x7F) << 7 * (index - start)
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, index + 1
    raise ValueError("the number does not end")


def find_field(message: bytes, path: tuple[int, ...], start: int, end: int) -> tuple[int, int, int] | None:
    """Wire type of the first field at `path`, a number for each message around it, and where its content starts and
    ends (a text's without its length); None where there is none. Raises ValueError where the message is broken before
    that. Messages of one number are looked into one after the other: to Protocol Buffers they are one, or a list."""
    last = len(path) - 1
    depth = 0
    around: list[int] = []
    while True:
        while start >= end:
            if not around:
                return None
            end = around.pop()
            depth -= 1
        key, start = read_varint(message, start, end)
        wire = key & 7
        if wire == _VARINT:
            _, after = read_varint(message, start, end)
        elif wire == _EIGHT:
            after = start + 8
        elif wire == _FOUR:
            after = start + 4
        elif wire == _SIZED:
            size, start = read_varint(message, start, end)
            after = start + size
        else:
            raise ValueError("no such wire type")
        if after > end:
            raise ValueError("the field does not end")
        if key >> 3 != path[depth]:
            start = after
        elif depth == last:
            return wire, start, after
        elif wire != _SIZED:
            return None
        else:
            depth += 1
            around.append(end)
            end = after


def _zigzag(value: int) -> int:
    return value >> 1 ^ -(value & 1)


def _cut(value: float) -> int:
    """Towards zero; beyond 64 bits the nearest number that is not, and 0 for what is none."""
    if math.isfinite(value):
        return clamp(int(value))
    return 0 if math.isnan(value) else INT_MAX if value > 0 else INT_MIN


def _fixed(code: str) -> Callable[[bytes], int]:
    read = struct.Struct(code).unpack
    return lambda content: wrap(read(content)[0])


def _floating(code: str) -> Callable[[bytes], int]:
    read = struct.Struct(code).unpack
    return lambda content: _cut(read(content)[0])


def _varint(turn: Callable[[int], int]) -> Callable[[bytes], int]:
    return lambda content: turn(read_varint(content, 0, len(content))[0])


TYPES: dict[bytes, tuple[int, Callable[[bytes], int]]] = {
    **dict.fromkeys((b"int32", b"uint32", b"int64", b"uint64", b"bool", b"enum"), (_VARINT, _varint(wrap))),
    **dict.fromkeys((b"sint32", b"sint64"), (_VARINT, _varint(_zigzag))),
    b"fixed64": (_EIGHT, _fixed("<q")),
    b"sfixed64": (_EIGHT, _fixed("<q")),
    b"double": (_EIGHT, _floating("<d")),
    b"fixed32": (_FOUR, _fixed("<I")),
    b"sfixed32": (_FOUR, _fixed("<i")),
    b"float": (_FOUR, _floating("<f")),
}
"""Name -> wire type, and the number that content is."""
_PATH = re.compile(r"[0-9]+(?:\.[0-9]+)*", re.ASCII)
_ARGUMENTS = "field_number:string field_type:string?"

Find = Callable[[bytes, int, int], Any]
"""message, start, end -> a pair (type, value), or None. Raises ValueError."""


def _finder(call: Call) -> Find:
    text = call.arguments[0].text
    if _PATH.fullmatch(text) is None:
        raise call.error("the numbers of fields are expected, with dots between them", 0)
    path = tuple(int(number) for number in text.split("."))
    if not all(0 < number < 1 << 29 for number in path):
        raise call.error("a field's number is from 1 to 536870911", 0)
    name = call.values[1]
    if name is None:

        def take(message: bytes, start: int, end: int) -> Any:
            found = find_field(message, path, start, end)
            return None if found is None else (BIN, message[found[1] : found[2]])

        return take
    if name not in TYPES:
        raise call.error(f"a type is one of {' '.join(known.decode() for known in TYPES)}", 1)
    wire, number_of = TYPES[name]

    def number(message: bytes, start: int, end: int) -> Any:
        found = find_field(message, path, start, end)
        if found is None or found[0] != wire:
            return None
        return INT, number_of(message[found[1] : found[2]])

    return number


@converter("protobuf", BIN, ANY, "A field of a Protocol Buffers message: its bytes, or a number", arguments=_ARGUMENTS)
def _protobuf(call: Call) -> Convert:
    find = _finder(call)

    def run(value: bytes) -> Any:
        try:
            return find(value, 0, len(value))
        except ValueError:
            return None

    return run


@converter("ungrpc", BIN, ANY, "A field of the first gRPC message that has it", arguments=_ARGUMENTS)
def _ungrpc(call: Call) -> Convert:
    find = _finder(call)

    def run(value: bytes) -> Any:
        start = 0
        # A byte that tells compression, four of the length.
        while start + 5 < len(value):
            if value[start]:
                return None
            first = start + 5
            start = first + int.from_bytes(value[first - 4 : first], "big")
            if start > len(value):
                return None
            try:
                found = find(value, first, start)
            except ValueError:
                return None
            if found is not None:
                return found
        return None

    return run
