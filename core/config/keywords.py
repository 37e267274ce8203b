"""The registry of keywords: for each its sections, arguments, one line of documentation, its reader and its state.

Owns: what a keyword entry is and how one is found by the first words of a line. Must not know: the meaning of any
keyword; each file of the package fills the tables for its own subject when it is imported. Invariants: a name is
registered once in a table; after import the tables do not change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from . import suggest
from .drafts import BindDraft, GlobalDraft, ProxyDraft, RuleSetDraft, ServerDraft
from .lexer import Word
from .statement import Statement
from .values import Value

D = TypeVar("D")


class State(Enum):
    """How far a keyword is served."""

    IN_FORCE = "in force"
    ACCEPTED = "accepted, not yet in force"
    KNOWN = "HAProxy's, not supported by maniple yet"


FRONT = frozenset({"defaults", "frontend", "listen"})
BACK = frozenset({"defaults", "listen", "backend"})
ANY = FRONT | BACK
GLOBAL = frozenset({"global"})


@dataclass(frozen=True, slots=True)
class Keyword(Generic[D]):
    """One keyword. `least` and `most` count the arguments after its name (most -1: no limit)."""

    name: str
    sections: frozenset[str]
    shape: str
    """The arguments as documentation, such as `<time>`; "" for none."""
    summary: str
    reader: str
    """Who reads the value: build, relay, supervisor, log, ..."""
    read: Callable[[Statement, D], None]
    least: int = 1
    most: int = 1
    state: State = State.IN_FORCE
    invertible: bool = False
    """May `no` or `default` stand before it?"""
    strict: bool = False
    """Is a wrong section an error? Else it is a warning and the line is ignored, as in HAProxy."""
    once: bool = False
    """Is the first of several lines kept (with a warning)? Else the last one."""
    http_only: bool = False


class Table(Generic[D]):
    """The keywords of one kind of place. Names may have several words; the longest that fits a line is found."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._keywords: dict[str, Keyword[D]] = {}
        self._longest = 1

    def __iter__(self) -> Iterator[Keyword[D]]:
        return iter(self._keywords.values())

    def __contains__(self, name: str) -> bool:
        return name in self._keywords

    def __getitem__(self, name: str) -> Keyword[D]:
        return self._keywords[name]

    def add(self, keyword: Keyword[D]) -> None:
        """Register a keyword; ValueError when its name is taken."""
        if keyword.name in self._keywords:
            raise ValueError(f"keyword `{keyword.name}` is registered twice in the table of {self.title}")
        self._keywords[keyword.name] = keyword
        self._longest = max(self._longest, keyword.name.count(" ") + 1)

    def keyword(
        self,
        name: str,
        sections: frozenset[str],
        shape: str,
        summary: str,
        *,
        reader: str,
        arity: tuple[int, int] | None = None,
        state: State = State.IN_FORCE,
        invertible: bool = False,
        strict: bool = False,
        once: bool = False,
        http_only: bool = False,
    ) -> Callable[[Callable[[Statement, D], None]], Callable[[Statement, D], None]]:
        """Decorator: register the function that reads the keyword. `arity` is (least, most); by default one argument,
        or none when `shape` is empty."""
        least, most = arity or ((1, 1) if shape else (0, 0))

        def register(read: Callable[[Statement, D], None]) -> Callable[[Statement, D], None]:
            self.add(
                Keyword(
                    name,
                    sections,
                    shape,
                    summary,
                    reader,
                    read,
                    least,
                    most,
                    state,
                    invertible,
                    strict,
                    once,
                    http_only,
                )
            )
            return read

        return register

    def find(self, words: Sequence[Word]) -> tuple[Keyword[D], int] | None:
        """The keyword at the start of `words` and how many words its name has."""
        for count in range(min(self._longest, len(words)), 0, -1):
            keyword = self._keywords.get(" ".join(word.text for word in words[:count]))
            if keyword is not None:
                return keyword, count
        return None

    def followers(self, first: str) -> list[str]:
        """The second words of the keywords of several words that start with `first`."""
        start = first + " "
        return sorted(name[len(start) :] for name in self._keywords if name.startswith(start))

    def names(self, section: str | None = None) -> list[str]:
        return sorted(k.name for k in self._keywords.values() if section is None or section in k.sections)


GLOBAL_KEYWORDS: Table[GlobalDraft] = Table("global")
PROXY_KEYWORDS: Table[ProxyDraft] = Table("proxies")
RULE_SET_KEYWORDS: Table[RuleSetDraft] = Table("rule sets")
OPTIONS: Table[ProxyDraft] = Table("options")
BIND_KEYWORDS: Table[BindDraft] = Table("bind lines")
SERVER_KEYWORDS: Table[ServerDraft] = Table("server lines")


def nearest(word: str, names: Iterable[str]) -> str:
    """A hint naming the known word that looks most like `word`, or ""."""
    found = suggest.nearest(word, names)
    return f"did you mean `{found}`?" if found else ""


def setter(field: str, kind: Value) -> Callable[[Statement, BindDraft | ServerDraft | ProxyDraft | GlobalDraft], None]:
    """The reading function of a keyword with one argument that is stored as it is in `field`."""

    def read(statement: Statement, draft: BindDraft | ServerDraft | ProxyDraft | GlobalDraft) -> None:
        draft.set(field, statement.value(0, kind))

    return read


def fixed(field: str, value: object) -> Callable[[Statement, BindDraft | ServerDraft | ProxyDraft | GlobalDraft], None]:
    """The reading function of a keyword without arguments that stores `value` in `field`."""

    def read(statement: Statement, draft: BindDraft | ServerDraft | ProxyDraft | GlobalDraft) -> None:
        draft.set(field, value)

    return read
