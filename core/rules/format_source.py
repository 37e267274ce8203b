"""The code generator of formats: their parts become the source of one function from an exchange to bytes.

Owns: that source. A format is known when the configuration is read and used for every request, so it is made into an
f-string with all fields, and before it one assignment for each moment or word that several fields share. For
`option httplog` (here shortened; see report.log_format.generated_source for the real one):

    def line(x):
        s = x.session
        f = int(x.first_byte_at)
        h = int(x.head_at)
        v1 = escape_line(x.request_line or b"<BADREQ>")
        return f"{s.client_host}:{s.client_port} {(h - f if h >= 0 else -1)} \\"{v1}\\"".encode()

Source comes only from this module and from format_variables: the texts of a format enter as f-string literals with
their braces doubled and everything beyond printable ASCII escaped, so that no configuration can bring in code. Sample
expressions are closures in the function's scope.

Spaces: where they are delimiters, a space is only written where something else was written before it since the last
one, as HAProxy does; hence captures that are absent take their space with them.

What is slow to make and comes again is looked up in dicts that fill themselves (Remembered). Measured for httplog on
one noisy machine: plain f-string 4.3 us; numbers below 4,096 as ready texts 3.6; states, dates and request lines too
2.8. Must not know: senders, the clock, which formats there are.
"""

from __future__ import annotations

import itertools
import re
import socket
from collections.abc import Callable
from typing import Any, TypeVar

from ..errors import ConfigError
from . import escaping, stamps
from .catalogue import Needs, Stage
from .encodings import encoding_of
from .expression import compile_expression
from .format_encoded import sample_piece, variable_piece
from .format_pieces import SHOWN, Style
from .format_syntax import Field, Part, Sample, Space, Text, Whole
from .format_variables import STEPS, VARIABLES, path_only, query
from .samples import Type
from .scope import Site

_NO_BACKEND = Stage.CONNECTION | Stage.SESSION | Stage.FRONT_CONTENT | Stage.FRONT_REQUEST | Stage.USE_BACKEND
"""Stages in which no backend is chosen yet: its name is the frontend's."""
_RESPONSES = Stage.BACK_RESPONSE_CONTENT | Stage.BACK_RESPONSE | Stage.FRONT_RESPONSE_CONTENT | Stage.FRONT_RESPONSE
"""Stages in which the exchange does not know its status yet: that of the message is shown."""


def _scope(style: Style) -> dict[str, Any]:
    return {
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
        "hostname": style.hostname,
        "pid": style.pid,
        "origin": style.origin,
        "hex_address": hex_address,
        "braces": braces,
        "fields": _fields,
        "path_only": path_only,
        "query": query,
        "unique_id": unique_id,
        "escape_capture": escaping.escape_capture,
        "escape_capture_e": escaping.escape_capture_e,
        "escape_text_e": escaping.escape_text_e,
    }


def unique_id(x: Any) -> bytes:
    """The identifier of an exchange, made when it is first asked for (manual: unique-id-format); b"" without one."""
    value: bytes | None = x.unique_id
    if value is not None:
        return value
    frontend = x.session.frontend
    make = frontend.unique_id
    if make is None or (x.head is None and frontend.spec.mode == "http"):
        # As in HAProxy, what is no request has none.
        return b""
    made: bytes = make(x)
    x.unique_id = made
    return made


def sample_shower(style: Style, *, quoted: bool, escaped: bool, raw: bool) -> Callable[[bytes | None], str]:
    """value of an expression (or None) -> how it is shown. In messages control characters become `%0A`. In log lines
    they become `#0A`: HAProxy writes them as they are, with which a client could forge whole lines; flag `bin` does
    that here."""
    missing = '""' if quoted else style.missing
    table: dict[int, str] = {}
    if style.encoded:
        table = escaping.PERCENT_TABLE
    elif not raw and style.missing:
        table = escaping.CONTROL_TABLE
    plain = bytes(sorted(set(range(256)) - set(table)))

    def show(value: bytes | None) -> str:
        if not value:
            return missing
        text = value.decode("utf-8", "surrogateescape")
        return text.translate(table) if value.translate(None, plain) else text

    if not quoted and not escaped:
        return show
    syntax = escaping.SYNTAX_TABLE if escaped else {}

    def show_marked(value: bytes | None) -> str:
        if not value:
            return missing
        text = value.decode("utf-8", "surrogateescape").translate(table).translate(syntax)
        return f'"{text}"' if quoted else text

    return show_marked


class Writer:
    """Collects the pieces of one function."""

    def __init__(self, style: Style, site: Site, stage: Stage) -> None:
        self._style = style
        self._site = site
        self._stage = stage
        self.scope: dict[str, Any] = _scope(style)
        """What the source refers to."""
        self.needs = Needs.NOTHING
        self.facts = False
        """A variable shows what is only known once the exchange's facts were filled in."""
        self._bytes = False
        """Something may have bytes that are not UTF-8."""
        self._pieces: list[str] = []
        self._fresh = True
        """A space has just been written, or nothing at all yet."""
        self._optional: list[tuple[str, str]] = []
        """Captures (condition, expression) that wait for what follows them: if a space, it may belong to them."""
        self._end = ""
        """What ends a format that is encoded as a whole; its fields are all that there is between."""
        self._first = False

    def add(self, part: Part) -> None:
        if isinstance(part, Whole):
            encoding = encoding_of(part.encoding, part.binary)
            self._put(_literal(encoding.begin()))
            self._end = _literal(encoding.end())
            self._first = True
            self._bytes = True
            return
        if isinstance(part, Space):
            self._place_optional(before_space=True)
            if not self._fresh:
                self._pieces.append(" ")
                self._fresh = True
            return
        if isinstance(part, Text):
            self._place_optional(before_space=False)
            self._put(_literal(part.text))
            self._bytes = self._bytes or not part.text.isascii()
            return
        if isinstance(part, Sample):
            self._place_optional(before_space=False)
            self._put(self._sample(part))
            return
        entry = VARIABLES.get(part.name)
        if entry is None:
            raise ConfigError(
                f"'%{part.name}' is not a variable of formats",
                column=part.column,
                word=f"%{part.name}",
                hint="write '%%' for a percent sign",
            )
        expression = entry.tcp if self._style.mode == "tcp" and entry.tcp else entry.expression
        if part.name in ("CC", "CS") and not self._style.cookies:
            expression = "''"
        field = part.field
        if entry.kind == "bare" and field is None and not part.quoted:
            self._optional.append((expression, f"{'LINE_E' if part.escaped else 'LINE'}[{expression}]"))
        elif entry.kind in ("braces", "fields") and field is None:
            escape = "escape_capture_e" if part.escaped else "escape_capture"
            self._optional.append((expression, f"{entry.kind}({expression}, {part.quoted}, {escape})"))
        else:
            if part.name == "b" and self._style.snapshot and self._stage & _NO_BACKEND:
                expression = "s.frontend_name"
            if part.name == "ST" and self._style.snapshot and self._stage & _RESPONSES:
                expression = "x.answer.status"
            self._place_optional(before_space=False)
            if field is None:
                self._put(SHOWN[entry.kind](expression, part, self._style))
            else:
                name = self._encoding(field)
                self._put(self._key(field) + variable_piece(entry.kind, expression, part, field, name))
        self._bytes = self._bytes or entry.kind == "raw"
        self.facts = self.facts or not expression.startswith(("s.", "hostname", "pid", "origin", "unique_id"))
        if self.facts and self._style.snapshot:
            self.needs |= Needs.LEAVES

    def finish(self) -> str:
        self._place_optional(before_space=False)
        self._pieces.append(self._end)
        body = "".join(self._pieces)
        steps: list[str] = ["    x.snapshot()"] if self.facts and self._style.snapshot else []
        first = len(steps)
        source = body.replace("{{", "").replace("}}", "")
        for name, expression in reversed(STEPS.items()):
            if any(re.search(rf"\b{name}\b", inside) for inside in re.findall(r"\{([^{}]*)\}", source)):
                steps.append(f"    {name} = {expression}")
                source += f"{{{expression}}}"
        steps[first:] = reversed(steps[first:])
        encode = ".encode('utf-8', 'surrogateescape')" if self._bytes else ".encode()"
        return "\n".join(["def line(x):", *steps, f'    return f"{body}"{encode}', ""])

    def _sample(self, part: Sample) -> str:
        """The piece of an expression: its closure is called where it stands."""
        field = part.field
        if field is not None:
            name = self._encoding(field)
            run = f"e{len(self.scope)}"
            self.scope[run], needs = sample_piece(part, field, self.scope[name], self._site, self._stage)
            self.needs |= needs
            return f"{self._key(field)}{{{run}(x)}}"
        compiled = compile_expression(part.expression, self._site, self._stage, Type.STR)
        self.needs |= compiled.needs
        self._bytes = True
        run = f"e{len(self.scope)}"
        self.scope[run] = compiled.run
        show = f"show{len(self.scope)}"
        quoted = part.quoted and not self._style.encoded  # as HAProxy
        self.scope[show] = sample_shower(self._style, quoted=quoted, escaped=part.escaped, raw=part.binary)
        return f"{{{show}({run}(x))}}"

    def _encoding(self, field: Field) -> str:
        """The name of its encoding in the scope."""
        name = f"{field.encoding}{'_bytes' if field.binary else ''}"
        self.scope.setdefault(name, encoding_of(field.encoding, field.binary))
        self._bytes = True
        return name

    def _key(self, field: Field) -> str:
        """What stands before its value."""
        if not self._end:
            return ""
        first, self._first = self._first, False
        return _literal(encoding_of(field.encoding, field.binary).key(field.name, first))

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


def braces(captures: list[str | None], quoted: bool, escape: Callable[[str], str]) -> str:
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
