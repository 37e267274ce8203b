"""The compiler of log formats: a text becomes one function from an exchange to the bytes of its line.

Owns: the code generator. A format is known when the configuration is read and used for every request, so it is made
into the source of one Python function: an f-string with all fields, and before it one assignment for each moment or
word that several fields share. For `option httplog` (here shortened; see generated_source for the real one):

    def line(x):
        s = x.session
        f = int(x.first_byte_at)
        h = int(x.head_at)
        v1 = escape_line(x.request_line or b"<BADREQ>")
        return f"{s.client_host}:{s.client_port} {(h - f if h >= 0 else -1)} \\"{v1}\\"".encode()

Source comes only from this module and from log_variables: the texts of a format enter as f-string literals with their
braces doubled and everything beyond printable ASCII escaped, so that no configuration can bring in code.

Spaces: a space is only written where something else was written before it since the last one, as HAProxy does; hence
captures that are absent take their space with them.

What is slow to make and comes again is looked up in dicts that fill themselves (Remembered). Measured for httplog on
one noisy machine: plain f-string 4.3 us; numbers below 4,096 as ready texts 3.6; states, dates and request lines too
2.8. Must not know: senders, the clock.
"""

from __future__ import annotations

import itertools
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from ..errors import ConfigError
from ..session import Exchange
from . import escaping, stamps
from .log_syntax import Part, Space, Text, Variable, parse_format
from .log_variables import STEPS, VARIABLES, path_only, query

Line = Callable[[Exchange], bytes]

TCPLOG = "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq"
HTTPLOG = "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r"
HTTPLOG_CLF = (
    '%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq'
    " %CC %CS %hrl %hsl"
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a format may show besides the exchange. `early`: option logasap, which marks what may still grow with
    `+`."""

    early: bool = False
    hostname: str = ""
    pid: int = 0


def compile_format(text: str, mode: str, surroundings: Surroundings | None = None) -> Line:
    """The function for a format in a proxy of that mode (http or tcp). Raises ConfigError (column and word of the
    text)."""
    around = surroundings or Surroundings()
    scope: dict[str, Any] = {
        "MS": stamps.MILLISECONDS,
        "DIGITS": _Digits({number: str(number) for number in range(-1, 4096)}),
        "LOCAL": Remembered(stamps.local_date, 64),
        "GMT": Remembered(stamps.gmt_zone_date, 64),
        "ZONE": Remembered(stamps.local_zone_date, 64),
        "STATE": Remembered(_ascii, 256),
        "LINE": Remembered(escaping.escape_line, 1024),
        "LINE_E": Remembered(escaping.escape_line_e, 1024),
        "EMPTY": '""',
        "lines": itertools.count(),
        "hostname": around.hostname,
        "pid": around.pid,
        "hex_address": hex_address,
        "braces": _braces,
        "fields": _fields,
        "path_only": path_only,
        "query": query,
        "escape_capture": escaping.escape_capture,
        "escape_capture_e": escaping.escape_capture_e,
        "escape_text_e": escaping.escape_text_e,
    }
    exec(generated_source(text, mode, around), scope)
    return cast(Line, scope["line"])


def used_variables(text: str) -> frozenset[str]:
    """Names of the variables in a format. Raises ConfigError as compile_format does."""
    return frozenset(part.name for part in parse_format(text) if isinstance(part, Variable))


def generated_source(text: str, mode: str, around: Surroundings) -> str:
    """The source of the function `line`; for compile_format, tests and the curious."""
    writer = _Writer(mode, around)
    for part in parse_format(text):
        writer.add(part)
    return writer.finish()


class _Writer:
    """Collects the pieces of one function."""

    def __init__(self, mode: str, around: Surroundings) -> None:
        self._mode = mode
        self._around = around
        self._pieces: list[str] = []
        self._fresh = True
        """A space has just been written, or nothing at all yet."""
        self._optional: list[tuple[str, str]] = []
        """Captures (condition, expression) that wait for what follows them: if a space, it may belong to them."""

    def add(self, part: Part) -> None:
        if isinstance(part, Space):
            self._place_optional(before_space=True)
            if not self._fresh:
                self._pieces.append(" ")
                self._fresh = True
            return
        if isinstance(part, Text):
            self._place_optional(before_space=False)
            self._put(_literal(part.text))
            return
        entry = VARIABLES.get(part.name)
        if entry is None:
            raise ConfigError(
                f"'%{part.name}' is not a variable of log formats",
                column=part.column,
                word=f"%{part.name}",
                hint="write '%%' for a percent sign",
            )
        expression = entry.tcp if self._mode == "tcp" and entry.tcp else entry.expression
        if entry.kind in ("braces", "fields"):
            escape = "escape_capture_e" if part.escaped else "escape_capture"
            self._optional.append((expression, f"{entry.kind}({expression}, {part.quoted}, {escape})"))
        else:
            self._place_optional(before_space=False)
            self._put(_SHOWN[entry.kind](expression, part, self._around))

    def finish(self) -> str:
        self._place_optional(before_space=False)
        body = "".join(self._pieces)
        steps: list[str] = []
        source = body.replace("{{", "").replace("}}", "")
        for name, expression in reversed(STEPS.items()):
            if any(re.search(rf"\b{name}\b", inside) for inside in re.findall(r"\{([^{}]*)\}", source)):
                steps.append(f"    {name} = {expression}")
                source += f"{{{expression}}}"
        steps.reverse()
        return "\n".join(["def line(x):", *steps, f'    return f"{body}".encode()', ""])

    def _put(self, piece: str) -> None:
        self._pieces.append(piece)
        self._fresh = False

    def _place_optional(self, *, before_space: bool) -> None:
        """Place captures that are waiting. Where a space stands before and behind them, the second one goes with
        them."""
        if not self._optional:
            return
        together = " + ".join([f"({shown} if {captures} else '')" for captures, shown in self._optional])
        any_there = " or ".join([captures for captures, _shown in self._optional])
        self._optional.clear()
        if self._fresh and before_space:
            self._pieces.append(f"{{{together} + ' ' if {any_there} else ''}}")
        else:
            self._put(f"{{{together}}}")


def _number(expression: str, part: Variable, around: Surroundings) -> str:
    return f"{{DIGITS[{expression}]}}"


def _amount(expression: str, part: Variable, around: Surroundings) -> str:
    return f"{{{expression}}}"


def _plus(expression: str, part: Variable, around: Surroundings) -> str:
    return f"+{{{expression}}}" if around.early else f"{{{expression}}}"


def _total(expression: str, part: Variable, around: Surroundings) -> str:
    return f"+{{DIGITS[{expression}]}}" if around.early else f"{{DIGITS[{expression}]}}"


def _retries(expression: str, part: Variable, around: Surroundings) -> str:
    return f"{{'+' if x.redispatched else ''}}{{DIGITS[{expression}]}}"


def _counter(expression: str, part: Variable, around: Surroundings) -> str:
    return f"{{{expression}:04X}}" if part.hexadecimal else f"{{{expression}}}"


def _millis(expression: str, part: Variable, around: Surroundings) -> str:
    return f"{{{expression}:02X}}" if part.hexadecimal else f"{{MS[{expression}]}}"


def _port(expression: str, part: Variable, around: Surroundings) -> str:
    if " else None" not in expression:
        return _counter(expression, part, around)
    # The parts of an f-string cannot hold a double quote (before Python 3.12), hence a name for the empty field.
    missing = "EMPTY" if part.quoted else "'-'"
    form = "'%04X'" if part.hexadecimal else "'%d'"
    return f"{{{missing} if {expression} is None else {form} % {expression}}}"


def _date(expression: str, part: Variable, around: Surroundings) -> str:
    return expression


def _state(expression: str, part: Variable, around: Surroundings) -> str:
    return "".join([f"{{STATE[{letters}]}}" for letters in expression.split(" ")])


def _name(expression: str, part: Variable, around: Surroundings) -> str:
    shown = f"{{escape_text_e({expression})}}" if part.escaped else f"{{{expression}}}"
    return f'\\"{shown}\\"' if part.quoted else shown


def _address(expression: str, part: Variable, around: Surroundings) -> str:
    if not part.hexadecimal:
        return _text(expression, part, around)
    # Hexadecimal digits are never quoted, but the empty field is.
    return f"{{hex_address({expression}) or {'EMPTY' if part.quoted else repr('-')}}}"


def _text(expression: str, part: Variable, around: Surroundings) -> str:
    return _or_dash(f"escape_text_e({expression})" if part.escaped else expression, part)


def _line(expression: str, part: Variable, around: Surroundings) -> str:
    return _or_dash(f"LINE_E[{expression}]" if part.escaped else f"LINE[{expression}]", part)


def _bare(expression: str, part: Variable, around: Surroundings) -> str:
    shown = f"{{LINE_E[{expression}]}}" if part.escaped else f"{{LINE[{expression}]}}"
    return f'\\"{shown}\\"' if part.quoted else shown


def _or_dash(expression: str, part: Variable) -> str:
    return f'\\"{{{expression}}}\\"' if part.quoted else f"{{{expression} or '-'}}"


_SHOWN: dict[str, Callable[[str, Variable, Surroundings], str]] = {
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
    "bare": _bare,
}
"""By kind of variable: the piece of the f-string that shows it."""


def _literal(text: str) -> str:
    """A text inside an f-string in double quotes."""
    escaped = text.encode("unicode_escape").decode("ascii").replace('"', '\\"')
    return escaped.replace("{", "{{").replace("}", "}}")


Key = TypeVar("Key")


class Remembered(dict[Key, str]):
    """Texts made by `show`, the last ones kept: looking one up costs 0.04 us. Emptied when `limit` is reached; long
    texts are not kept, so that a client cannot fill the memory."""

    __slots__ = ("_limit", "_show")

    def __init__(self, show: Callable[[Key], str], limit: int) -> None:
        super().__init__()
        self._show = show
        self._limit = limit

    def __missing__(self, key: Key) -> str:
        text = self._show(key)
        if len(text) <= 256:
            if len(self) >= self._limit:
                self.clear()
            self[key] = text
        return text


class _Digits(dict[int, str]):
    """Small numbers as texts, ready made (0.04 us against 0.13)."""

    __slots__ = ()

    def __missing__(self, key: int) -> str:
        return str(key)


def _ascii(letters: bytes) -> str:
    return letters.decode("ascii", "replace")


def _braces(captures: list[str | None], quoted: bool, escape: Callable[[str], str]) -> str:
    """`{a|b}`."""
    inside = "|".join([escape(value) if value else "" for value in captures])
    return f'"{{{inside}}}"' if quoted else f"{{{inside}}}"


def _fields(captures: list[str | None], quoted: bool, escape: Callable[[str], str]) -> str:
    """Captures as fields of their own; an absent one is `-`, or `""` when quoted."""
    if quoted:
        return " ".join([f'"{escape(value) if value else ""}"' for value in captures])
    return " ".join([escape(value) if value else "-" for value in captures])


def hex_address(text: str) -> str:
    """`7F000001` for 127.0.0.1 (flag X); what is no address (`unix`) stays as it is."""
    try:
        family = socket.AF_INET6 if ":" in text else socket.AF_INET
        return socket.inet_pton(family, text).hex().upper()
    except OSError:
        return text
