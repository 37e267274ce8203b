"""The syntax of formats: a text becomes a list of parts (literal texts, merged spaces, variables, sample expressions).

Owns: the notation of the manual's chapter 8.2.6 (`%x`, `%{+Q,-E}x`, `%(name:type){+Q}x`, `%o`, `%%`, `%[...]`) and the
complaints about it. Invariant: two SPACE parts never follow each other: in formats of log lines spaces are delimiters
and merge (in those of rules there are none: a space is a text). Must not know: what a variable means, apart from `%o`,
whose flags hold for everything that follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ..errors import ConfigError
from .arguments import HOW_WRITTEN
from .expression import Expression, parse_start

_WRITTEN = "such as %[src], %{+Q}r or %(name)ci"
_TYPES = ("str", "sint", "bool", "raw")
_ENCODINGS = ("json", "cbor")
_NAME = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Text:
    """Characters that are logged as they are."""

    text: str


@dataclass(frozen=True, slots=True)
class Space:
    """One or more spaces: one space in the line, or none where nothing stands before it."""


@dataclass(frozen=True, slots=True)
class Field:
    """How a value is encoded: its name ("" without one), the type that it is made into ("" for its own, else one of str
    sint bool raw), `json` or `cbor`, and whether as bytes (flag `bin` at a `%o`; HAProxy ignores it elsewhere)."""

    name: str
    kind: str
    encoding: str
    binary: bool


@dataclass(frozen=True, slots=True)
class Whole:
    """The first part of a format whose `%o` names an encoding: the parts after it are fields with names, no others."""

    encoding: str
    binary: bool


@dataclass(frozen=True, slots=True)
class Variable:
    """`%` and a name. `column` as that of the format."""

    name: str
    quoted: bool
    hexadecimal: bool
    escaped: bool
    column: int
    field: Field | None = None
    """None: it is shown as text."""


@dataclass(frozen=True, slots=True)
class Sample:
    """`%[...]`."""

    expression: Expression
    quoted: bool
    escaped: bool
    binary: bool
    column: int
    field: Field | None = None


Part = Text | Space | Variable | Sample | Whole


def parse_format(text: str, column: int = 1, *, merge: bool = True, encodings: bool = True) -> list[Part]:
    """The parts of a format that starts at `column` of its line. `merge`: spaces are delimiters; without `encodings`
    the flags that name one change nothing. Raises ConfigError, with the column and the offending word."""
    parts: list[Part] = []
    common: frozenset[str] = frozenset()
    shared: frozenset[str] | None = None
    fields: dict[int, Field] = {}
    literal: list[str] = []
    at = 0

    def close_literal() -> None:
        if literal:
            parts.append(Text("".join(literal)))
            literal.clear()

    while at < len(text):
        character = text[at]
        if character == " " and merge:
            close_literal()
            if not parts or not isinstance(parts[-1], Space):
                parts.append(Space())
            at += 1
        elif character != "%":
            literal.append(character)
            at += 1
        elif text.startswith("%%", at):
            literal.append("%")
            at += 2
        else:
            close_literal()
            start = at
            flags, field_name, at = _read_flags(text, at, common, column)
            fields[len(parts)] = _field(field_name, flags)
            if text.startswith("[", at):
                expression, at = _read_expression(text, at, start, column)
                parts.append(Sample(expression, "Q" in flags, "E" in flags, "bin" in flags, column + start))
                continue
            name, at = _read_name(text, at, start, column)
            if name == "o":
                common = flags
                shared = flags if shared is None else shared & flags
            else:
                parts.append(Variable(name, "Q" in flags, "X" in flags, "E" in flags, column + start))
    close_literal()
    return _encoded(parts, fields, shared or frozenset()) if encodings else parts


def _encoded(parts: list[Part], fields: dict[int, Field], shared: frozenset[str]) -> list[Part]:
    """The parts with their fields. As in HAProxy, an encoding that all `%o` name holds for the whole format, also for
    what stands before them."""
    whole = _whole(shared)
    found: list[Part] = []
    for number, part in enumerate(parts):
        if isinstance(part, Variable | Sample):
            field = fields[number]
            if whole is not None:
                field = replace(field, encoding=whole.encoding, binary=whole.binary)
                if field.name:
                    found.append(replace(part, field=field))
            else:
                if field.kind == "raw" and not field.encoding:
                    raise ConfigError(
                        "type raw is for fields with flag +json or +cbor",
                        column=part.column,
                        word=f"{field.name}:raw",
                        hint="such as %{+json}o %(name:raw)[src]",
                    )
                found.append(replace(part, field=field) if field.encoding else part)
        elif whole is None:
            found.append(part)
    # HAProxy has no format at all where nothing but flags is written.
    return [whole, *found] if whole is not None and parts else found


def _whole(flags: frozenset[str]) -> Whole | None:
    encoding = next((one for one in _ENCODINGS if one in flags), "")
    return Whole(encoding, encoding == "cbor" and "bin" in flags) if encoding else None


def _field(text: str, flags: frozenset[str]) -> Field:
    name, _, kind = text.partition(":")
    encoding = next((one for one in _ENCODINGS if one in flags), "")
    return Field(name, kind, encoding, False)


def _read_flags(text: str, start: int, common: frozenset[str], column: int) -> tuple[frozenset[str], str, int]:
    """The flags of what starts with the percent sign at `start`, its name and type as a field, and the index of the
    variable's name or bracket."""
    at = start + 1
    name = ""
    flags = common
    if text.startswith("(", at):
        end = _closing(text, at, ")", start, column)
        name = text[at + 1 : end]
        _check_field_name(name, column + at + 1)
        at = end + 1
    if text.startswith("{", at):
        end = _closing(text, at, "}", start, column)
        flags = _changed(text[at + 1 : end], common, column + at + 1)
        at = end + 1
    return flags, name, at


def _read_name(text: str, at: int, start: int, column: int) -> tuple[str, int]:
    """The variable's name at `at` and the index behind it."""
    end = at
    while end < len(text) and text[end].isascii() and text[end].isalnum():
        end += 1
    if end == at:
        raise ConfigError(
            "a variable's name is missing after '%' in the format",
            column=column + start,
            word=text[start : at + 1],
            hint="write '%%' for a percent sign",
        )
    return text[at:end], end


def _read_expression(text: str, at: int, start: int, column: int) -> tuple[Expression, int]:
    """The expression in the bracket that opens at `at`, and the index behind it."""
    expression, end = parse_start(text, column, at + 1)
    if not text.startswith("]", end):
        if "]" in text[end:]:
            extra = text[end : text.index("]", end)]
            raise ConfigError(
                f"'{extra}' cannot follow '{expression.text}'",
                column=column + end,
                word=extra or text[end:],
                hint=HOW_WRITTEN,
            )
        raise ConfigError("']' is missing in the format", column=column + start, word=text[start:], hint=_WRITTEN)
    return expression, end + 1


def _closing(text: str, at: int, bracket: str, start: int, column: int) -> int:
    end = text.find(bracket, at)
    if end < 0:
        what = f"'{bracket}' is missing in the format"
        raise ConfigError(what, column=column + start, word=text[start:], hint=_WRITTEN)
    return end


def _check_field_name(text: str, column: int) -> None:
    """A field's name is for the encodings json and cbor; a plain line does not show it."""
    name, separator, kind = text.partition(":")
    good = _NAME.match(name)
    if good is None or good.end() < len(name):
        at = 0 if good is None else good.end()
        raise ConfigError(
            f"'{name[at]}' cannot stand in the name of a log field",
            column=column + at,
            word=text,
            hint="letters, digits, `_` and `-`",
        )
    if separator and kind not in _TYPES:
        raise ConfigError(
            f"'{kind}' is not a type of a log field", column=column, word=text, hint=f"one of {', '.join(_TYPES)}"
        )


def _changed(text: str, common: frozenset[str], column: int) -> frozenset[str]:
    """The flags after `+Q,-E`, which stand at `column`."""
    flags = set(common)
    for piece in text.split(","):
        word = piece.strip()
        at, column = column, column + len(piece) + 1
        if not word:
            continue
        sign, name = ("+", word) if word[0] not in "+-" else (word[0], word[1:])
        if name not in {"Q", "X", "E", "bin", *_ENCODINGS}:
            raise ConfigError(
                f"'{word}' is not a flag of a log format",
                column=at,
                word=word,
                hint="+Q, +X, +E, +bin, +json or +cbor",
            )
        if sign == "+":
            flags.add(name)
        else:
            flags.discard(name)
    return frozenset(flags)
