"""What stands between an ACL's criterion and its patterns: flags, and operators of integers (manual 7.1, 7.1.2).

Owns: their syntax. Must not know: what patterns are matched with. Flags end at the first word that does not begin with
a minus, or behind `--`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ConfigError
from .expression import Word
from .patterns import METHODS
from .ranges import read_number

_OPERATORS = ("eq", "ge", "gt", "le", "lt")


@dataclass(frozen=True, slots=True)
class Piece:
    """A word that was not written so."""

    text: str
    column: int


@dataclass(slots=True)
class Flags:
    """What stands between the criterion and the patterns."""

    method: str = ""
    ignore_case: bool = False
    resolve: bool = True
    as_map: bool = False
    identity: str = ""
    ended: bool = False
    files: list[tuple[Word, bool, bool]] | None = None
    """Each with whether `-i` and `-M` stood before it."""


def read_flags(words: Sequence[Word]) -> tuple[Flags, Sequence[Word]]:
    flags = Flags()
    index = 0

    def argument(word: Word) -> Word:
        nonlocal index
        index += 1
        if index >= len(words):
            hint = {"-f": "such as `-f /etc/maniple/list`", "-m": "such as `-m beg`"}.get(word.text, "such as `-u 12`")
            raise ConfigError(f"'{word.text}' needs an argument", column=word.column, word=word.text, hint=hint)
        return words[index]

    while index < len(words) and words[index].text.startswith("-"):
        word = words[index]
        if word.text == "--":
            flags.ended = True
            index += 1
            break
        if word.text == "-i":
            flags.ignore_case = True
        elif word.text == "-n":
            flags.resolve = False
        elif word.text == "-M":
            flags.as_map = True
        elif word.text == "-u":
            flags.identity = argument(word).text
            if not flags.identity.isdigit():
                raise ConfigError(
                    "'-u' needs a number", column=words[index].column, word=flags.identity, hint="such as `-u 12`"
                )
        elif word.text == "-m":
            method = argument(word)
            if method.text not in METHODS or method.text == "meth":
                raise ConfigError(
                    f"unknown matching method '{method.text}'",
                    column=method.column,
                    word=method.text,
                    hint=f"one of {', '.join(name for name in METHODS if name != 'meth')}",
                )
            if flags.files:
                raise ConfigError(
                    "'-m' must be written before '-f'",
                    column=word.column,
                    word=word.text,
                    hint="such as `-m beg -f /etc/maniple/list`",
                )
            flags.method = method.text
        elif word.text == "-f":
            flags.files = [*(flags.files or []), (argument(word), flags.ignore_case, flags.as_map)]
        else:
            raise ConfigError(
                f"'{word.text}' is not a flag of ACLs",
                column=word.column,
                word=word.text,
                hint="write `--` before patterns that begin with a minus",
            )
        index += 1
    return flags, words[index:]


_FLAGS = frozenset({"-i", "-n", "-M", "-m", "-f", "-u"})


def late_flags(words: Sequence[Word]) -> list[ConfigError]:
    """A warning for the first flag that stands behind a pattern, where it is a pattern itself."""
    for word in words:
        if word.text in _FLAGS:
            message = f"'{word.text}' stands behind a pattern, and is taken for one"
            hint = "flags stand before all patterns; `--` says that patterns follow"
            return [ConfigError(message, column=word.column, word=word.text, hint=hint)]
    return []


def undot(text: str) -> str:
    """Versions as integers, major * 65536 + minor: `3.1:3.3`."""
    return re.sub(r"(\d+)\.(\d+)", lambda found: str(int(found[1]) << 16 | int(found[2])), text)


def apply_operators(words: Sequence[Word], notes: list[ConfigError]) -> list[Word]:
    """Integers behind an operator as ranges. What has a colon or a minus is taken as it is, as HAProxy does."""
    operator = "eq"
    found: list[Word] = []
    for word in words:
        text = word.text
        if text in _OPERATORS:
            operator = text
            continue
        if text.startswith("-") and text[1:].isdigit():
            notes.append(
                ConfigError(
                    f"'{text}' means: up to {text[1:]}; patterns of integers have no negative numbers",
                    column=word.column,
                    word=text,
                    hint="`lt 0` matches all negative ones",
                )
            )
        if operator == "eq" or ":" in text or "-" in text:
            found.append(word)
            continue
        try:
            number = read_number(text.encode())
        except ValueError:
            raise ConfigError(
                f"'{text}' is neither a number nor a supported operator",
                column=word.column,
                word=text,
                hint=f"operators are {', '.join(_OPERATORS)}, such as `gt 3`",
            ) from None
        if operator == "gt":
            number += 1
        elif operator == "lt":
            number -= 1
        found.append(Piece(f"{number}:" if operator[0] == "g" else f":{number}", word.column))
    return found
