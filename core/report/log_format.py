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
Must not know: senders, sockets, the clock.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from ..errors import ConfigError
from ..session import Exchange
from . import escaping, stamps
from .log_syntax import Space, Text, Variable, parse_format
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
        "local": _remembered(stamps.local_date),
        "gmt": _remembered(stamps.gmt_zone_date),
        "zone": _remembered(stamps.local_zone_date),
        "lines": itertools.count(),
        "hostname": around.hostname,
        "pid": around.pid,
        "hex_address": _hex_address,
        "braces": _braces,
        "fields": _fields,
        "path_only": path_only,
        "query": query,
        **{name: getattr(escaping, name) for name in ("escape_line", "escape_line_e", "escape_capture")},
        **{name: getattr(escaping, name) for name in ("escape_capture_e", "escape_text_e")},
    }
    exec(generated_source(text, mode, around), scope)
    return cast(Line, scope["line"])


def generated_source(text: str, mode: str, around: Surroundings) -> str:
    """The source of the function `line`; for compile_format, tests and the curious."""
    writer = _Writer(mode, around)
    for part in parse_format(text):
        writer.add(part)
    return writer.finish()


class _Writer:
    """Collects the pieces of one function. `fresh`: a space has just been written, or nothing at all yet."""

    def __init__(self, mode: str, around: Surroundings) -> None:
        self._mode = mode
        self._around = around
        self._pieces: list[str] = []
        self._steps: list[str] = []
        self._fresh = True
        self._optional: list[str] = []
        """Names of locals with captures, not yet placed because their following space belongs to them."""

    def add(self, part: Text | Space | Variable) -> None:
        if isinstance(part, Variable):
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
                self._optional.append(
                    self._local(f"{entry.kind}({expression}, {part.quoted}, {_capture_escape(part)})")
                )
                return
            self._place_optional(before_space=False)
            self._put(self._field(entry.kind, expression, part))
        elif isinstance(part, Text):
            self._place_optional(before_space=False)
            self._put(_literal(part.text))
        else:
            self._place_optional(before_space=True)
            if not self._fresh:
                self._pieces.append(" ")
                self._fresh = True

    def finish(self) -> str:
        self._place_optional(before_space=False)
        body = "".join(self._pieces)
        source = "\n".join(self._steps) + body
        used: list[str] = []
        for name, expression in reversed(STEPS.items()):
            if re.search(rf"\b{name}\b(?!\s*\()", source):
                used.append(f"    {name} = {expression}")
                source += "\n" + expression
        used.reverse()
        return "\n".join(["def line(x):", *used, *self._steps, f'    return f"{body}".encode()', ""])

    def _put(self, piece: str) -> None:
        self._pieces.append(piece)
        self._fresh = False

    def _local(self, expression: str) -> str:
        name = f"v{len(self._steps) + 1}"
        self._steps.append(f"    {name} = {expression}")
        return name

    def _place_optional(self, *, before_space: bool) -> None:
        """Place captures that are waiting. Where a space stands before and behind them, the second one goes with
        them."""
        if not self._optional:
            return
        together = self._local(" + ".join(self._optional))
        self._optional.clear()
        if self._fresh and before_space:
            self._steps.append(f'    if {together}: {together} += " "')
            self._pieces.append(f"{{{together}}}")
        else:
            self._put(f"{{{together}}}")

    def _field(self, kind: str, expression: str, part: Variable) -> str:
        """The piece of the f-string that shows one variable."""
        if kind == "number":
            return f"{{{expression}}}"
        if kind == "plus":
            return f"+{{{expression}}}" if self._around.early else f"{{{expression}}}"
        if kind == "retries":
            sign = self._local('"+" if x.redispatched else ""')
            return f"{{{sign}}}{{{expression}}}"
        if kind == "counter":
            return f"{{{expression}:04X}}" if part.hexadecimal else f"{{{expression}}}"
        if kind == "milliseconds":
            return f"{{{expression}:02X}}" if part.hexadecimal else f"{{{expression}:03d}}"
        if kind == "date":
            return expression
        if kind == "state":
            return f"{{{self._local(f'({expression}).decode()')}}}"
        if kind == "port":
            return self._port(expression, part)
        if kind == "name":
            plain = f"escape_text_e({expression})" if part.escaped else expression
            shown = f"{{{self._local(plain)}}}" if part.escaped or '"' in plain else f"{{{plain}}}"
            return f'\\"{shown}\\"' if part.quoted else shown
        if kind == "line":
            plain = f"escape_line_e({expression})" if part.escaped else f"escape_line({expression})"
        else:
            plain = f"hex_address({expression})" if part.hexadecimal else expression
            if part.escaped:
                plain = f"escape_text_e({plain})"
            if plain in ("s.client_host", "s.frontend_host"):
                return f'\\"{{{plain}}}\\"' if part.quoted else f"{{{plain}}}"
        if part.quoted:
            return f'\\"{{{self._local(plain)}}}\\"'
        return f"{{{self._local(plain + ' or ' + repr('-'))}}}"

    def _port(self, expression: str, part: Variable) -> str:
        shown = f"{{{expression}:04X}}" if part.hexadecimal else f"{{{expression}}}"
        if "None" not in expression:
            return shown
        number = self._local(expression)
        filled = f"f'{{{number}:04X}}'" if part.hexadecimal else number
        missing = "'\"\"'" if part.quoted else "'-'"
        return f"{{{self._local(f'{missing} if {number} is None else {filled}')}}}"


def _capture_escape(part: Variable) -> str:
    return "escape_capture_e" if part.escaped else "escape_capture"


def _literal(text: str) -> str:
    """A text inside an f-string in double quotes."""
    escaped = text.encode("unicode_escape").decode("ascii").replace('"', '\\"')
    return escaped.replace("{", "{{").replace("}", "}}")


def _remembered(show: Callable[[int], str]) -> Callable[[int], str]:
    """`show` with the last dates kept: a date is the same for all lines of a second, and costs 3 us to make."""
    known: dict[int, str] = {}

    def remembered(second: int) -> str:
        text = known.get(second)
        if text is None:
            if len(known) >= 64:
                known.clear()
            text = known[second] = show(second)
        return text

    return remembered


def _braces(captures: list[str | None], quoted: bool, escape: Callable[[str], str]) -> str:
    """`{a|b}`, or "" where nothing is captured at all."""
    if not captures:
        return ""
    inside = "|".join([escape(value) if value else "" for value in captures])
    return f'"{{{inside}}}"' if quoted else f"{{{inside}}}"


def _fields(captures: list[str | None], quoted: bool, escape: Callable[[str], str]) -> str:
    """Captures as fields of their own; an absent one is `-`."""
    if quoted:
        return " ".join([f'"{escape(value) if value else ""}"' for value in captures])
    return " ".join([escape(value) if value else "-" for value in captures])


def _hex_address(text: str) -> str:
    """`7F000001`; flag X."""
    if not text:
        return ""
    if ":" in text:
        import socket

        return socket.inet_pton(socket.AF_INET6, text).hex().upper()
    try:
        return "".join([f"{int(word):02X}" for word in text.split(".")])
    except ValueError:
        return text
