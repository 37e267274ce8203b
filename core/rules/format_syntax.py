"""The syntax of formats: a text becomes a list of parts (literal texts, merged spaces, variables, sample expressions).

Owns: the notation of the manual's chapter 8.2.6 (`%x`, `%{+Q,-E}x`, `%(name:type){+Q}x`, `%o`, `%%`, `%[...]`) and the
complaints about it. Invariant: two SPACE parts never follow each other: in formats of log lines spaces are delimiters
and merge (in those of rules there are none: a space is a text). Must not know: what a variable means, apart from `%o`,
whose flags hold for everything that follows.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ConfigError
from .expression import Expression, parse_start

_TYPES = frozenset({"str", "sint", "bool"})


@dataclass(frozen=True, slots=True)
class Text:
    """Characters that are logged as they are."""

    text: str


@dataclass(frozen=True, slots=True)
class Space:
    """One or more spaces: one space in the line, or none where nothing stands before it."""


@dataclass(frozen=True, slots=True)
class Variable:
    """`%` and a name. `column` as that of the format."""

    name: str
    quoted: bool
    hexadecimal: bool
    escaped: bool
    column: int


@dataclass(frozen=True, slots=True)
class Sample:
    """`%[...]`."""

    expression: Expression
    quoted: bool
    escaped: bool
    binary: bool
    column: int


Part = Text | Space | Variable | Sample


def parse_format(text: str, column: int = 1, *, merge: bool = True) -> list[Part]:
    """The parts of a format that starts at `column` of its line. `merge`: spaces are delimiters. Raises ConfigError,
    with the column and the offending word."""
    parts: list[Part] = []
    common: frozenset[str] = frozenset()
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
            flags, at = _read_flags(text, at, common, column)
            if text.startswith("[", at):
                expression, at = _read_expression(text, at, start, column)
                parts.append(Sample(expression, "Q" in flags, "E" in flags, "bin" in flags, column + start))
                continue
            name, at = _read_name(text, at, start, column)
            if name == "o":
                common = flags
            else:
                parts.append(Variable(name, "Q" in flags, "X" in flags, "E" in flags, column + start))
    close_literal()
    return parts


def _read_flags(text: str, start: int, common: frozenset[str], column: int) -> tuple[frozenset[str], int]:
    """The flags of what starts with the percent sign at `start`, and the index of its name or bracket."""
    at = start + 1
    flags = common
    if text.startswith("(", at):
        end = _closing(text, at, ")", start, column)
        _check_field_name(text[at + 1 : end], column + at + 1)
        at = end + 1
    if text.startswith("{", at):
        end = _closing(text, at, "}", start, column)
        flags = _changed(text[at + 1 : end], common, column + at + 1)
        at = end + 1
    return flags, at


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
                f"'{extra}' cannot follow '{expression.text}'", column=column + end, word=extra or text[end:]
            )
        raise ConfigError("']' is missing in the format", column=column + start, word=text[start:])
    return expression, end + 1


def _closing(text: str, at: int, bracket: str, start: int, column: int) -> int:
    end = text.find(bracket, at)
    if end < 0:
        raise ConfigError(f"'{bracket}' is missing in the format", column=column + start, word=text[start:])
    return end


def _check_field_name(text: str, column: int) -> None:
    """A field's name is for the encodings json and cbor; a plain line does not show it."""
    _name, separator, kind = text.partition(":")
    if separator and kind not in _TYPES:
        raise ConfigError(
            f"'{kind}' is not a type of a log field", column=column, word=text, hint="one of str, sint, bool"
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
        if name in {"json", "cbor"}:
            raise ConfigError(f"the log encoding '{name}' is not yet supported", column=at, word=word)
        if name not in {"Q", "X", "E", "bin"}:
            raise ConfigError(
                f"'{word}' is not a flag of a log format", column=at, word=word, hint="+Q, +X, +E or +bin"
            )
        if sign == "+":
            flags.add(name)
        else:
            flags.discard(name)
    return frozenset(flags)
