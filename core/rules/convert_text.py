"""Converters of texts: case, trimming, cutting, joining, and choice (manual 7.3.1).

Owns: these. Must not know: words and fields, regexes, encodings. Texts are bytes: only ASCII letters have a case.
"""

from __future__ import annotations

from typing import Any

from .catalogue import Call, Convert, Scoped, converter, plain_converter
from .operands import read_number, read_variable
from .samples import BIN, BOOL, INT, STR, Type

plain_converter("lower", STR, STR, "In small letters")(bytes.lower)
plain_converter("upper", STR, STR, "In capital letters")(bytes.upper)
plain_converter("length", STR, INT, "The number of bytes")(len)


@converter("ltrim", STR, STR, "Without any of these characters at the start", arguments="characters:string?")
def _ltrim(call: Call) -> Convert:
    characters = call.values[0] or b""
    return lambda value: value.lstrip(characters)


@converter("rtrim", STR, STR, "Without any of these characters at the end", arguments="characters:string?")
def _rtrim(call: Call) -> Convert:
    characters = call.values[0] or b""
    return lambda value: value.rstrip(characters)


@plain_converter("cut_crlf", STR, STR, "Up to the first carriage return or newline")
def cut_crlf(value: bytes) -> bytes:
    return value.partition(b"\r")[0].partition(b"\n")[0]


@converter(
    "bytes", BIN, BIN, "So many bytes from an offset; numbers or variables", arguments="offset:string? length:string?"
)
def _bytes(call: Call) -> Convert | Scoped:
    offset = read_number(call, 0)
    length = None if call.values[1] is None else read_number(call, 1)
    if isinstance(offset, int) and offset < 0:
        raise call.error("an offset is not negative", 0)
    if isinstance(length, int) and length <= 0:
        raise call.error("a length is a positive number", 1)
    if isinstance(offset, int) and (length is None or isinstance(length, int)):
        piece = slice(offset, None if length is None else offset + length)
        return lambda value: value[piece]

    def run(x: Any, value: bytes) -> bytes | None:
        start = offset if isinstance(offset, int) else offset(x)
        count = length if length is None or isinstance(length, int) else length(x)
        # A variable that is missing or holds what no argument may be gives no sample.
        if start is None or start < 0:
            return None
        if length is None:
            return value[start:]
        return None if count is None or count < 0 else value[start : start + count]

    return Scoped(run)


@converter(
    "concat",
    STR,
    STR,
    "Followed by a text, the content of a variable if it is set, and a text",
    arguments="start:string? variable:string? end:string?",
)
def _concat(call: Call) -> Convert | Scoped:
    start, name, end = (value or b"" for value in call.values)
    if not name:
        tail = start + end
        return lambda value: value + tail
    read = read_variable(call, 1, Type.STR)

    def run(x: Any, value: bytes) -> bytes:
        return value + start + (read(x) or b"") + end

    return Scoped(run)


@converter(
    "add_item",
    STR,
    STR,
    "Followed by a delimiter, the content of a variable and a text; without the first where one side is empty",
    arguments="delimiter:string variable:string suffix:string?",
)
def _add_item(call: Call) -> Convert | Scoped:
    delimiter, name, suffix = (value or b"" for value in call.values)
    if not name and not suffix:
        raise call.error("a variable, a suffix or both are expected", 1)
    if not name:
        return lambda value: value + delimiter + suffix if value else suffix
    read = read_variable(call, 1, Type.STR)

    def run(x: Any, value: bytes) -> bytes:
        item = read(x)
        if item is None:
            if not suffix:
                return value
            item = b""
        return (value + delimiter if value else b"") + item + suffix  # type: ignore[no-any-return]

    return Scoped(run)


@converter("iif", BOOL, STR, "One text if it is true, the other one if not", arguments="true:string false:string")
def _iif(call: Call) -> Convert:
    yes, no = call.values
    return lambda value: yes if value else no


@converter("strcmp", STR, INT, "0 if a variable has the same text, else which one comes first", arguments="name:string")
def _strcmp(call: Call) -> Scoped:
    if not call.values[0]:
        raise call.error("the name of a variable is missing", 0)
    read = read_variable(call, 0, Type.STR)

    def run(x: Any, value: bytes) -> int | None:
        other = read(x)
        return None if other is None else compare(value, other)

    return Scoped(run)


def compare(value: bytes, other: bytes) -> int:
    """The difference of the first two bytes that differ, 1 or -1 where one text only goes on."""
    if value == other:
        return 0
    for one, two in zip(value, other, strict=False):
        if one != two:
            return one - two
    return 1 if len(value) > len(other) else -1
