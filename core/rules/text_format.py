"""Formats in rules: words that hold `%[expression]` and `%variable` become functions from an exchange to bytes.

Owns: the shortest function for each kind of text: a constant, one expression, texts and expressions, anything. Must not
know: actions. Facts as HAProxy has them: spaces stay as they are, what is missing is nothing, and in what goes into a
message the control characters of expressions' values (tabs excepted) are percent-encoded, so that no value can end a
header line.

Measured: a constant 0.03 us, one expression 0.1 besides its own time, each further piece 0.1; a variable costs
`snapshot` besides (1 us), which fills in the facts that otherwise only the log line needs.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import escaping
from .catalogue import Needs, Stage
from .expression import compile_expression
from .format_pieces import Style
from .format_source import Writer, sample_shower
from .format_syntax import Part, Sample, Space, Text, Variable, Whole, parse_format
from .samples import Type
from .scope import Site

Render = Callable[[Any], bytes]


@dataclass(frozen=True, slots=True)
class TextFormat:
    """A compiled text. `run(scope)` gives its bytes; `constant`: they are always these, None if they depend on the
    scope."""

    run: Render
    constant: bytes | None
    needs: Needs


def compile_text_format(text: str, site: Site, stage: Stage, column: int = 1, *, encoded: bool = True) -> Render:
    """The function for a text that starts at `column` of its line. Raises ConfigError (with the column)."""
    return read_text_format(text, site, stage, column, encoded=encoded).run


def read_text_format(
    text: str, site: Site, stage: Stage, column: int = 1, *, encoded: bool = True, merge: bool = False
) -> TextFormat:
    """As compile_text_format, with what is known of it. `encoded`: for messages (headers, targets, bodies), which is
    all but variables and names of backends. `merge`: spaces are delimiters, as in log lines (unique-id-format)."""
    # As in HAProxy, flags `+json` and `+cbor` change nothing in what goes into messages.
    plain = "%" not in text and not merge
    parts: list[Part] = [Text(text)] if plain else parse_format(text, column, merge=merge, encodings=not encoded)
    if not any(isinstance(part, Sample | Variable) for part in parts):
        constant = "".join(_texts(parts)).encode("utf-8", "surrogateescape")
        return TextFormat(lambda x: constant, constant, Needs.NOTHING)
    if any(isinstance(part, Variable | Whole) or (isinstance(part, Sample) and part.field) for part in parts):
        return _with_variables(parts, site, stage, encoded)
    return _with_expressions(parts, site, stage, encoded)


def _texts(parts: list[Part]) -> list[str]:
    """Those of parts that are always the same."""
    shown: list[str] = []
    for part in parts:
        if isinstance(part, Text):
            shown.append(part.text)
        elif isinstance(part, Space) and shown:
            shown.append(" ")
    return shown


def _with_variables(parts: list[Part], site: Site, stage: Stage, encoded: bool) -> TextFormat:
    style = Style(missing="", encoded=encoded, snapshot=True, hostname=socket.gethostname(), pid=os.getpid())
    writer = Writer(style, site, stage)
    for part in parts:
        writer.add(part)
    scope = writer.scope
    exec(writer.finish(), scope)
    # Variables show the client and the request, whichever they are.
    return TextFormat(scope["line"], None, writer.needs | Needs.CONNECTION | Needs.HEAD)


def _with_expressions(parts: list[Part], site: Site, stage: Stage, encoded: bool) -> TextFormat:
    needs = Needs.NOTHING
    runs: list[Render] = []
    fixed: list[bytes] = [b""]
    for part in parts:
        if isinstance(part, Sample):
            compiled = compile_expression(part.expression, site, stage, Type.STR)
            needs |= compiled.needs
            runs.append(_shown(compiled.run, part, encoded))
            fixed.append(b"")
        elif isinstance(part, Text):
            fixed[-1] += part.text.encode("utf-8", "surrogateescape")
        elif isinstance(part, Space) and (runs or fixed[-1]):
            fixed[-1] += b" "
    return TextFormat(_joined(runs, fixed), None, needs)


def _joined(runs: list[Render], fixed: list[bytes]) -> Render:
    """The texts of `fixed` with what `runs` give between them."""
    run, before, after = runs[0], fixed[0], fixed[1]
    if len(runs) == 1:
        if not before and not after:
            return run
        return lambda x: before + run(x) + after
    # Written out, since a loop over the pieces costs twice as much.
    scope: dict[str, Any] = {}
    pieces = [repr(before)] if before else []
    for number, (piece, text) in enumerate(zip(runs, fixed[1:], strict=True)):
        scope[f"e{number}"] = piece
        pieces.append(f"e{number}(x)")
        if text:
            pieces.append(repr(text))
    exec(f"def text(x):\n    return {' + '.join(pieces)}\n", scope)
    text_of: Render = scope["text"]
    return text_of


_CONTROLS = escaping.PERCENT_TABLE
_PLAIN = bytes(sorted(set(range(256)) - set(_CONTROLS)))


def _shown(run: Callable[[Any], bytes | None], part: Sample, encoded: bool) -> Render:
    """The bytes of one expression's value, b"" without one."""
    quoted = part.quoted and not encoded  # as HAProxy
    if quoted or part.escaped:
        show = sample_shower(Style(missing="", encoded=encoded), quoted=quoted, escaped=part.escaped, raw=True)
        return lambda x: show(run(x)).encode("utf-8", "surrogateescape")
    if not encoded:
        return lambda x: run(x) or b""

    def text(x: Any) -> bytes:
        value = run(x)
        if value is None:
            return b""
        if not value.translate(None, _PLAIN):
            return value
        return value.decode("latin-1").translate(_CONTROLS).encode("latin-1")

    return text
