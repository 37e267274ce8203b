"""How each kind of variable is shown in a format that is not encoded: the piece of the generated f-string.

Owns: the flags of single variables (Q, X, E) and what stands for something missing. Must not know: which variables
there are, how pieces become a function (format_source.py). Pieces stand between double quotes, so what is inside their
braces has single quotes only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .format_syntax import Variable


@dataclass(frozen=True, slots=True)
class Style:
    """How a kind of format shows things."""

    mode: str = "http"
    """Of the proxy."""
    missing: str = "-"
    """What stands for what is not there."""
    early: bool = False
    """Option logasap: what may still grow is marked with `+`."""
    encoded: bool = False
    """Values of expressions go into a message: their control characters are percent-encoded."""
    snapshot: bool = False
    """The exchange goes on: its facts must be filled in before they are shown."""
    hostname: str = ""
    pid: int = 0
    cookies: bool = True
    """A cookie is captured."""
    origin: str = "txn_close"
    """`%OG`: what makes the line."""


def _number(expression: str, part: Variable, style: Style) -> str:
    return f"{{DIGITS[{expression}]}}"


def _amount(expression: str, part: Variable, style: Style) -> str:
    return f"{{{expression}}}"


def _plus(expression: str, part: Variable, style: Style) -> str:
    return f"+{{{expression}}}" if style.early else f"{{{expression}}}"


def _total(expression: str, part: Variable, style: Style) -> str:
    return f"+{{DIGITS[{expression}]}}" if style.early else f"{{DIGITS[{expression}]}}"


def _retries(expression: str, part: Variable, style: Style) -> str:
    return f"{{'+' if x.redispatched else ''}}{{DIGITS[{expression}]}}"


def _counter(expression: str, part: Variable, style: Style) -> str:
    return f"{{{expression}:04X}}" if part.hexadecimal else f"{{{expression}}}"


def _millis(expression: str, part: Variable, style: Style) -> str:
    return f"{{{expression}:02X}}" if part.hexadecimal else f"{{MS[{expression}]}}"


def _port(expression: str, part: Variable, style: Style) -> str:
    if " else None" not in expression:
        return _counter(expression, part, style)
    # The parts of an f-string cannot hold a double quote (before Python 3.12), hence a name for the empty field.
    missing = "EMPTY" if part.quoted else repr(style.missing)
    form = "'%04X'" if part.hexadecimal else "'%d'"
    return f"{{{missing} if {expression} is None else {form} % {expression}}}"


def _date(expression: str, part: Variable, style: Style) -> str:
    return expression


def _state(expression: str, part: Variable, style: Style) -> str:
    return "".join([f"{{STATE[{letters}]}}" for letters in expression.split(" ")])


def _name(expression: str, part: Variable, style: Style) -> str:
    shown = f"{{escape_text_e({expression})}}" if part.escaped else f"{{{expression}}}"
    return f'\\"{shown}\\"' if part.quoted else shown


def _address(expression: str, part: Variable, style: Style) -> str:
    if not part.hexadecimal:
        return _text(expression, part, style)
    # Hexadecimal digits are never quoted, but the empty field is.
    return f"{{hex_address({expression}) or {'EMPTY' if part.quoted else repr(style.missing)}}}"


def _text(expression: str, part: Variable, style: Style) -> str:
    return _or_missing(f"escape_text_e({expression})" if part.escaped else expression, part, style)


def _raw(expression: str, part: Variable, style: Style) -> str:
    decoded = f"({expression}.decode('utf-8', 'surrogateescape') if {expression} else '')"
    return _text(decoded, part, style)


def _line(expression: str, part: Variable, style: Style) -> str:
    return _or_missing(f"LINE_E[{expression}]" if part.escaped else f"LINE[{expression}]", part, style)


def _bare(expression: str, part: Variable, style: Style) -> str:
    shown = f"{{LINE_E[{expression}]}}" if part.escaped else f"{{LINE[{expression}]}}"
    return f'\\"{shown}\\"' if part.quoted else shown


def _or_missing(expression: str, part: Variable, style: Style) -> str:
    return f'\\"{{{expression}}}\\"' if part.quoted else f"{{{expression} or {style.missing!r}}}"


SHOWN: dict[str, Callable[[str, Variable, Style], str]] = {
    "number": _number,
    "amount": _amount,
    "plus": _plus,
    "total": _total,
    "retries": _retries,
    "counter": _counter,
    "millis": _millis,
    "port": _port,
    "date": _date,
    "state": _state,
    "name": _name,
    "address": _address,
    "text": _text,
    "line": _line,
    "raw": _raw,
    "bare": _bare,
}
"""By kind of variable: the piece of the f-string that shows it."""
