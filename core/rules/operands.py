"""Arguments of converters that are a value or the name of a variable that holds one.

Owns: telling them apart, and the error for what is neither. Must not know: what is done with them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from . import variables
from .catalogue import Call
from .convert_encoding import decode_base64
from .samples import CASTS, STR, Type, clamp

_NUMBER = re.compile(rb"[+-]?[0-9]+")


def read_number(call: Call, index: int) -> int | Callable[[Any], int | None]:
    """Argument `index` of a call: the number that it is (0 where it is empty or missing), or scope -> the number in the
    variable that it names, None while that is not set. Numbers beyond 64 bits are the nearest that is not."""
    text = call.values[index]
    if not text:
        return 0
    if _NUMBER.fullmatch(text) is not None:
        return clamp(int(text))
    return read_variable(call, index, Type.INT, "an integer or the name of a variable is expected")


def read_variable(call: Call, index: int, kind: Type, expected: str = "") -> Callable[[Any], Any]:
    """Scope -> the variable that argument `index` names as a value of `kind`: None while it is not set or where it
    cannot become one. `expected`: what the error says instead of why that is no name."""
    try:
        name = variables.parse_name(call.values[index].decode("utf-8", "surrogateescape"))
    except ValueError as error:
        raise call.error(expected or str(error), index) from None
    read = variables.reader(name, call.site)
    cast = CASTS[Type.ANY, kind]

    def run(x: Any) -> Any:
        pair = read(x)
        return None if pair is None else cast(pair)

    return run


def is_variable(text: bytes) -> bool:
    """Does an argument that may be a text or a variable's name begin as the latter: with a scope and a dot?"""
    scope, dot, _ = text.partition(b".")
    return bool(dot) and scope.decode("latin-1") in variables.SCOPES


def read_base64(call: Call, index: int, what: str) -> bytes | Callable[[Any], bytes | None]:
    """Argument `index` of a call: the bytes that it is in base64, or scope -> those that the variable that it names
    holds in base64, None where it does not. `what` it is stands in the error."""
    text = call.values[index]
    if not is_variable(text):
        fixed: bytes | None = decode_base64(text)
        if fixed is None:
            raise call.error(f"{what} is in base64, or the name of a variable that holds it so", index)
        return fixed
    read = read_variable(call, index, STR)

    def run(x: Any) -> bytes | None:
        encoded = read(x)
        return None if encoded is None else decode_base64(encoded)

    return run
