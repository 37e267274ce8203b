"""One line of a section, or the words of one bind or server option, as the function of a keyword sees it.

Owns: places of words, reading of arguments, and what is said when one is missing or too many. Must not know: what the
keyword means. Invariant: a complaint about a line is raised as Refusal and becomes one error; reading goes on with the
next line, so that all errors of a file are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import what_and_how
from .diagnostics import Diagnostics
from .lexer import Word
from .model import Place
from .values import Value


class Refusal(Exception):
    """A line that cannot be used: what is wrong, with which word, and what to do about it."""

    def __init__(self, message: str, word: Word | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.word = word
        self.hint = hint


class Statement:
    """A keyword and its arguments. `name` is the keyword's full name ("timeout client"), `word` its first word."""

    __slots__ = ("arguments", "diagnostics", "file", "inversion", "line", "name", "word")

    def __init__(
        self,
        file: str,
        line: int,
        name: str,
        word: Word,
        arguments: Sequence[Word],
        diagnostics: Diagnostics,
        inversion: str = "",
    ) -> None:
        self.file = file
        self.line = line
        self.name = name
        self.word = word
        self.arguments = tuple(arguments)
        self.diagnostics = diagnostics
        self.inversion = inversion
        """"no" or "default" before the keyword, or ""."""

    def __len__(self) -> int:
        return len(self.arguments)

    @property
    def place(self) -> Place:
        """Where the keyword stands."""
        return Place(self.file, self.line, self.word.column)

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(word.text for word in self.arguments)

    def place_of(self, word: Word | None) -> Place:
        return Place(self.file, self.line, (word or self.word).column)

    def text(self, index: int) -> str:
        """The argument's text, "" where there is none."""
        return self.arguments[index].text if index < len(self.arguments) else ""

    def value(self, index: int, kind: Value) -> Any:
        """The argument read as `kind`; Refusal when it is missing or wrong."""
        if index >= len(self.arguments):
            raise Refusal(f"`{self.name}` expects {kind.shape}")
        return self.read(self.arguments[index], kind)

    def read(self, word: Word, kind: Value) -> Any:
        """`word` read as `kind`; Refusal with the keyword's name when it is wrong."""
        try:
            return kind.read(word.text)
        except ValueError as error:
            text, hint = what_and_how(error)
            raise Refusal(f"`{self.name} {word.text}`: {text}", word, hint) from None

    def part(self, name: str, index: int, count: int) -> Statement:
        """The words from `index` on as a statement of their own: an option of a bind or server line."""
        words = self.arguments[index + 1 : index + 1 + count]
        return Statement(self.file, self.line, name, self.arguments[index], words, self.diagnostics)

    def expect(self, least: int, most: int, shape: str) -> None:
        """Refusal unless the number of arguments is from `least` to `most` (-1: no limit)."""
        if len(self.arguments) < least:
            raise Refusal(f"`{self.name}` expects {shape}")
        if 0 <= most < len(self.arguments):
            extra = self.arguments[most]
            raise Refusal(
                f"`{self.name}` cannot take the extra argument '{extra.text}'", extra, _usage(self.name, shape)
            )

    def refuse(self, refusal: Refusal, hint: str = "") -> None:
        """Record the complaint as an error; `hint` where it has none of its own."""
        word = refusal.word or self.word
        self.diagnostics.error(self.place_of(word), refusal.message, word.text, refusal.hint or hint)

    def error(self, message: str, word: Word | None = None, hint: str = "") -> None:
        self.diagnostics.error(self.place_of(word), message, (word or self.word).text, hint)

    def warn(self, message: str, word: Word | None = None, hint: str = "") -> None:
        self.diagnostics.warning(self.place_of(word), message, (word or self.word).text, hint)

    def note(self, message: str, word: Word | None = None, hint: str = "") -> None:
        self.diagnostics.notice(self.place_of(word), message, (word or self.word).text, hint)


def _usage(name: str, shape: str) -> str:
    return f"usage: {name} {shape}" if shape else f"`{name}` takes no argument"
