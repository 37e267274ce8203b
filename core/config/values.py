"""The kinds of argument a keyword takes: how one is shown in the documentation and how one is read.

Owns: ranges, enumerations and their wording. Must not know: which keyword reads which kind. Invariant: reading has no
effects; what cannot be read raises ValueError with a text for people, `what` or `what: how`, that does
not repeat the word.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..units import parse_size, parse_time
from .suggest import nearest

_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)


class Value(ABC):
    """One kind of argument."""

    @property
    @abstractmethod
    def shape(self) -> str:
        """How the argument is written in the documentation, such as `<time>` or `{tcp|http}`."""

    @abstractmethod
    def read(self, text: str) -> Any:
        """The value that `text` stands for; ValueError when it stands for none."""


@dataclass(frozen=True, slots=True)
class Integer(Value):
    """A decimal number from `low` to `high`, both included; None: no limit."""

    low: int | None = 0
    high: int | None = None

    @property
    def shape(self) -> str:
        if self.low is None or (self.low == 0 and self.high is None):
            return "<number>"
        return f"<{self.low}..{'' if self.high is None else self.high}>"

    def read(self, text: str) -> int:
        if not _INTEGER.fullmatch(text):
            raise ValueError("an integer is expected")
        value = int(text)
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            if self.high is None:
                raise ValueError(f"must be at least {self.low}")
            raise ValueError(f"must be from {self.low} to {self.high}")
        return value


@dataclass(frozen=True, slots=True)
class Duration(Value):
    """A time; the value is integer milliseconds. `unit` is the unit of a number that has none."""

    low: int = 0
    high: int | None = None
    unit: str = "ms"

    @property
    def shape(self) -> str:
        return "<time>"

    def read(self, text: str) -> int:
        value = parse_time(text, self.unit)
        if value < self.low:
            raise ValueError(f"must be at least {self.low} ms")
        if self.high is not None and value > self.high:
            raise ValueError(f"must be from {self.low} to {self.high} ms")
        return value


@dataclass(frozen=True, slots=True)
class Size(Value):
    """A number of bytes, with k, m or g."""

    low: int = 0

    @property
    def shape(self) -> str:
        return "<size>"

    def read(self, text: str) -> int:
        value = parse_size(text)
        if value < self.low:
            raise ValueError(f"must be at least {self.low} bytes")
        return value


@dataclass(frozen=True, slots=True)
class Choice(Value):
    """One word out of a few."""

    words: tuple[str, ...]

    @property
    def shape(self) -> str:
        return "{" + "|".join(self.words) + "}"

    def read(self, text: str) -> str:
        if text not in self.words:
            meant = nearest(text, self.words)
            raise ValueError(
                f"one of {', '.join(self.words)} is expected" + (f": did you mean `{meant}`?" if meant else "")
            )
        return text


@dataclass(frozen=True, slots=True)
class Text(Value):
    """Any word that is not empty; `name` is what it is called in the documentation."""

    name: str = "text"

    @property
    def shape(self) -> str:
        return f"<{self.name}>"

    def read(self, text: str) -> str:
        if not text:
            raise ValueError(f"a {self.name} is expected")
        return text


@dataclass(frozen=True, slots=True)
class Mapped(Value):
    """A word that a function reads; ValueError of the function is the complaint."""

    name: str
    function: Callable[[str], Any]

    @property
    def shape(self) -> str:
        return f"<{self.name}>"

    def read(self, text: str) -> Any:
        return self.function(text)
