"""Columns inside words that were not copied from the source as they stand: escapes, quotes, environment variables.

Owns: where each character of such a word came from. Must not know: how words are cut (lexer.py), who points into them.
Invariant: a `Column` is the column of one character, and `+ n` goes n characters of the *word*, not of the line, so
that whoever adds offsets to columns is right without knowing of it. Words that were copied have plain integers and pay
nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence


class Column(int):
    """A column (from 1) that knows its word. `origins`: for each character of the word its column, and the one behind
    the word; what an environment variable gave stands where the variable stands."""

    origins: tuple[int, ...]
    index: int

    def __new__(cls, origins: tuple[int, ...], index: int = 0) -> Column:
        """The column of character `index`; before the word and behind it columns count on as in any text."""
        last = len(origins) - 1
        if index < 0:
            value = origins[0] + index
        elif index > last:
            value = origins[last] + index - last
        else:
            value = origins[index]
        made = super().__new__(cls, value)
        made.origins = origins
        made.index = index
        return made

    def __reduce__(self) -> tuple[type[Column], tuple[tuple[int, ...], int]]:
        return Column, (self.origins, self.index)

    def __add__(self, offset: int) -> Column:
        return Column(self.origins, self.index + offset)

    __radd__ = __add__

    def __sub__(self, offset: int) -> Column:
        return Column(self.origins, self.index - offset)


class Trail:
    """The pieces of one word as they are found, each with the columns of its source."""

    __slots__ = ("_pieces", "parts")

    def __init__(self) -> None:
        self.parts: list[str] = []
        """The texts of the pieces."""
        self._pieces: list[tuple[int, int, bool]] = []

    def copied(self, text: str, column: int) -> None:
        """A piece that stands at `column` as it is."""
        self.parts.append(text)
        self._pieces.append((column, column + len(text), True))

    def made(self, text: str, column: int, end: int) -> None:
        """A piece that the source from `column` to before `end` stands for."""
        self.parts.append(text)
        self._pieces.append((column, end, False))

    def first(self, text: str, column: int) -> int:
        """The column of the first character of the word, which is `text` in the end; `column` where there is none."""
        pieces = [piece for piece, part in zip(self._pieces, self.parts, strict=True) if part]
        if not pieces:
            return column
        if all(copied for _, _, copied in pieces) and all(
            before[1] == after[0] for before, after in itertools.pairwise(pieces)
        ):
            return pieces[0][0]
        return Column((*_of_text(text, "".join(self.parts), self._origins()), pieces[-1][1]))

    def _origins(self) -> list[int]:
        found: list[int] = []
        for (column, _, copied), part in zip(self._pieces, self.parts, strict=True):
            found.extend(range(column, column + len(part)) if copied else [column] * len(part))
        return found


def _of_text(text: str, raw: str, origins: Sequence[int]) -> Sequence[int]:
    r"""The columns of the characters of `text`, which is `raw` with its \xHH joined to characters."""
    if len(text) == len(raw):
        return origins
    by_byte: list[int] = []
    for character, column in zip(raw, origins, strict=True):
        by_byte.extend([column] * len(character.encode("utf-8", "surrogateescape")))
    found, at = [], 0
    for character in text:
        found.append(by_byte[at])
        at += len(character.encode("utf-8", "surrogateescape"))
    return found
