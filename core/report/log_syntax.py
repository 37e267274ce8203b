"""The syntax of log formats: a text becomes a list of parts (literal texts, merged spaces, variables with their flags).

Owns: the notation of the manual's chapter 8.2.6 (`%x`, `%{+Q,-E}x`, `%(name:type){+Q}x`, `%o`, `%%`, `%[...]`) and the
complaints about it. Invariant: two SPACE parts never follow each other, since spaces in a format are delimiters and
merge. Must not know: what a variable means, apart from `%o`, whose flags hold for everything that follows.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ConfigError

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
    """`%` and a name. `column` counts from 1 in the format's text."""

    name: str
    quoted: bool
    hexadecimal: bool
    escaped: bool
    column: int


Part = Text | Space | Variable


def parse_format(text: str) -> list[Part]:
    """The parts of a format. Raises ConfigError, with the column in the text and the offending word."""
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
        if character == " ":
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
            name, flags, at = _read_variable(text, at, common)
            if name == "o":
                common = flags
            else:
                parts.append(Variable(name, "Q" in flags, "X" in flags, "E" in flags, start + 1))
    close_literal()
    return parts


def _read_variable(text: str, start: int, common: frozenset[str]) -> tuple[str, frozenset[str], int]:
    """Name, flags and the index after the variable that starts at `start`."""
    at = start + 1
    flags = common
    if text.startswith("(", at):
        end = _closing(text, at, ")", start)
        _check_field_name(text[at + 1 : end], at)
        at = end + 1
    if text.startswith("{", at):
        end = _closing(text, at, "}", start)
        flags = _read_flags(text[at + 1 : end], common, at)
        at = end + 1
    if text.startswith("[", at):
        end = text.find("]", at)
        word = text[start : end + 1 if end >= 0 else len(text)]
        raise ConfigError("sample expressions in a log format are not yet supported", column=start + 1, word=word)
    end = at
    while end < len(text) and text[end].isascii() and text[end].isalnum():
        end += 1
    if end == at:
        raise ConfigError(
            "a variable's name is missing after '%' in the log format",
            column=start + 1,
            word=text[start : at + 1],
            hint="write '%%' for a percent sign",
        )
    return text[at:end], flags, end


def _closing(text: str, at: int, bracket: str, start: int) -> int:
    end = text.find(bracket, at)
    if end < 0:
        raise ConfigError(f"'{bracket}' is missing in the log format", column=start + 1, word=text[start:])
    return end


def _check_field_name(text: str, at: int) -> None:
    """A field's name is for the encodings json and cbor; a plain line does not show it."""
    _name, separator, kind = text.partition(":")
    if separator and kind not in _TYPES:
        raise ConfigError(
            f"'{kind}' is not a type of a log field", column=at + 1, word=text, hint="one of str, sint, bool"
        )


def _read_flags(text: str, common: frozenset[str], at: int) -> frozenset[str]:
    flags = set(common)
    for word in text.split(","):
        word = word.strip()
        if not word:
            continue
        sign, name = ("+", word) if word[0] not in "+-" else (word[0], word[1:])
        if name in {"bin", "json", "cbor"}:
            raise ConfigError(f"the log encoding '{name}' is not yet supported", column=at + 1, word=word)
        if name not in {"Q", "X", "E"}:
            raise ConfigError(f"'{word}' is not a flag of a log format", column=at + 1, word=word, hint="+Q, +X or +E")
        if sign == "+":
            flags.add(name)
        else:
            flags.discard(name)
    return frozenset(flags)
