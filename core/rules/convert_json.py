"""Converters to and from JSON (manual 7.3.1, RFC 8259).

Owns: escaping of texts for JSON, what is done with bytes that are no UTF-8, look-ups by path. Must not know: tokens
(convert_token uses `query`).

Paths: `$`, `.name` (a backslash takes the meaning of what follows it) and `[number]`. A look-up reads no further than
to what it looks for, so what follows may be broken; of a name that is there twice the first counts. Floating point
numbers are texts with six digits, arrays the text that they are, objects and null are nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from .catalogue import Call, Convert, converter
from .samples import ANY, BOOL, INT, INT_MAX, INT_MIN, STR

Pair = tuple[Any, Any]

# Escaping.

_SHORT = {0x22: b'\\"', 0x5C: b"\\\\", 0x2F: b"\\/", 8: b"\\b", 12: b"\\f", 10: b"\\n", 13: b"\\r", 9: b"\\t"}
_ESCAPED = {code: _SHORT.get(code, b"\\u%04x" % code) for code in range(256)}
_UNSAFE = re.compile(rb"[^ !#-.0-\[\]-~]")


def escape_bytes(value: bytes) -> bytes:
    """A text for JSON, each byte being a character."""
    return _UNSAFE.sub(lambda found: _ESCAPED[found[0][0]], value)


def _escape_utf8(value: bytes, silent: bool, permissive: bool) -> bytes | None:
    """As `escape_bytes`, each UTF-8 sequence being a character; None for a sequence that is wrong, or, if `silent`,
    without it. Characters beyond U+FFFF are wrong, as in HAProxy, since four digits cannot say them."""
    if value.isascii():
        return escape_bytes(value)
    pieces: list[bytes] = []
    index = 0
    size = len(value)
    while index < size:
        lead = value[index]
        if lead < 0x80:
            pieces.append(_ESCAPED[lead] if _UNSAFE.match(value, index) else value[index : index + 1])
            index += 1
            continue
        index += 1
        # As many bytes follow as there are ones behind the first one; sequences of five and six bytes were UTF-8 once.
        more = 0 if lead < 0xC0 or lead > 0xFD else 1 if lead < 0xE0 else 2 if lead < 0xF0 else 3 if lead < 0xF8 else 4
        more += lead in (0xFC, 0xFD)
        code = lead & (0x3F >> more)
        found = 0
        while found < more and index < size and value[index] & 0xC0 == 0x80:
            code = code << 6 | value[index] & 0x3F
            index += 1
            found += 1
        right = more > 0 and found == more and code <= 0xFFFD and not 0xD800 <= code <= 0xDFFF
        if right and not permissive:
            right = code >= (0, 0x80, 0x800, 0x10000, 0x200000, 0x4000000)[more]
        if right:
            pieces.append(b"\\u%04x" % code if code > 0x7E or _UNSAFE.match(bytes((code,))) else bytes((code,)))
        elif not silent:
            return None
    return b"".join(pieces)


@converter(
    "json", STR, STR, "Escaped for a text of JSON; codes: ascii utf8 utf8s utf8p utf8ps", arguments="code:string?"
)
def _json(call: Call) -> Convert:
    code = call.values[0] or b"ascii"
    if code not in (b"ascii", b"utf8", b"utf8s", b"utf8p", b"utf8ps"):
        raise call.error("a code is ascii, utf8, utf8s, utf8p or utf8ps", 0)
    if code == b"ascii":
        return escape_bytes
    silent = code.endswith(b"s")
    permissive = b"p" in code
    return lambda value: _escape_utf8(value, silent, permissive)


# Look-ups.

_STEP = re.compile(r"\.((?:[^\\.\[]|\\.)*)|\[([0-9]+)\]", re.DOTALL)
_BLANK = re.compile(r"[ \t\n\r]*")
_ENDS = frozenset(("", ",", "]", "}", " ", "\t", "\n", "\r"))
_NUMBER = re.compile(r"-?[0-9]+")


def _refuse(name: str) -> Any:
    """For NaN and Infinity, which the standard library would take."""
    raise ValueError(name)


# Control characters in texts are not refused, nor are they by HAProxy.
_DECODER = json.JSONDecoder(strict=False, parse_constant=_refuse)
# (text, index behind the quote, strict) -> the text that ends with the next quote, and the index behind it.
_read_name: Callable[[str, int, bool], tuple[str, int]] = json.decoder.scanstring  # type: ignore[attr-defined]


def parse_path(text: bytes) -> tuple[str | int, ...]:
    """`$.a.b[2]`: names and numbers. Raises ValueError."""
    path = text.decode("utf-8", "surrogateescape")
    if not path.startswith("$"):
        raise ValueError("a path starts with $")
    steps: list[str | int] = []
    index = 1
    while index < len(path):
        found = _STEP.match(path, index)
        if found is None:
            raise ValueError(f"'{path[index:]}' is no step of a path: steps are .name and [number]")
        steps.append(int(found[2]) if found[2] is not None else re.sub(r"\\(.)", r"\1", found[1]))
        index = found.end()
    return tuple(steps)


def _skip(text: str, index: int) -> int:
    found = _BLANK.match(text, index)
    return index if found is None else found.end()


def _find(text: str, steps: tuple[str | int, ...]) -> int | None:
    """Where the value starts. Raises ValueError, IndexError, RecursionError for what is no JSON."""
    index = _skip(text, 0)
    for step in steps:
        if text[index] != ("[" if isinstance(step, int) else "{"):
            return None
        index = _skip(text, index + 1)
        number = 0
        while True:
            if text[index] in "]}":
                return None
            if isinstance(step, int):
                if number == step:
                    break
            else:
                if text[index] != '"':
                    return None
                name, index = _read_name(text, index + 1, False)
                index = _skip(text, index)
                if text[index] != ":":
                    return None
                index = _skip(text, index + 1)
                if name == step:
                    break
            _, index = _DECODER.raw_decode(text, index)
            index = _skip(text, index)
            if text[index] != ",":
                return None
            index = _skip(text, index + 1)
            number += 1
    return index


def query(path: bytes, as_integer: bool) -> Callable[[bytes], Pair | None]:
    """The function that looks something up: a pair (type, value), or None. Raises ValueError for a path that is
    none."""
    steps = parse_path(path)

    def run(value: bytes) -> Pair | None:
        text = value.decode("utf-8", "surrogateescape")
        try:
            start = _find(text, steps)
            if start is None:
                return None
            found, end = _DECODER.raw_decode(text, start)
            if text[end : end + 1] not in _ENDS:
                return None
        except (ValueError, IndexError, RecursionError):
            return None
        if found is True or found is False:
            return BOOL, found
        if isinstance(found, str):
            # Halves of a pair of surrogates alone are nothing that can be written down.
            try:
                return STR, found.encode("utf-8", "surrogateescape")
            except UnicodeEncodeError:
                return None
        if isinstance(found, list):
            return STR, text[start:end].encode("utf-8", "surrogateescape")
        if not isinstance(found, int | float):
            return None
        if not as_integer:
            try:
                return STR, b"%g" % found
            except OverflowError:
                return None
        # What is in front of a dot or an exponent.
        digits = _NUMBER.match(text, start)
        number = 0 if digits is None else int(digits[0])
        return (INT, number) if INT_MIN < number < INT_MAX else None

    return run


def read_query(call: Call) -> Callable[[bytes], Pair | None]:
    """The function for a call whose arguments are a path and maybe a type."""
    path, kind = call.values
    if not path:
        raise call.error("a path is expected", 0)
    if kind not in (None, b"", b"int"):
        raise call.error("int is the only type", 1)
    try:
        return query(path, kind == b"int")
    except ValueError as error:
        raise call.error(str(error), 0) from None


@converter(
    "json_query",
    STR,
    ANY,
    "What is at a path of a JSON text; int: numbers as integers",
    arguments="path:string type:string?",
)
def _json_query(call: Call) -> Convert:
    return read_query(call)
