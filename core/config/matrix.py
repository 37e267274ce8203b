"""The matrix of keywords that `maniple check --keywords` prints.

Owns: the rows and their layout. Must not know: how a keyword is read. Invariant: everything that the parser accepts or
knows by name is a row, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from . import sections  # its import fills the tables
from .keywords import (
    BIND_KEYWORDS,
    GLOBAL_KEYWORDS,
    OPTIONS,
    PROXY_KEYWORDS,
    RULE_SET_KEYWORDS,
    SERVER_KEYWORDS,
    State,
    Table,
)
from .known import KNOWN_BIND, KNOWN_GLOBAL, KNOWN_OPTIONS, KNOWN_PROXY, KNOWN_SECTIONS, KNOWN_SERVER

_LETTERS = {
    "global": "g",
    "defaults": "d",
    "frontend": "f",
    "listen": "l",
    "backend": "b",
    "bind": "B",
    "server": "S",
    "request-rules": "q",
    "response-rules": "r",
    "resolvers": "R",
    "peers": "P",
    "userlist": "U",
    "http-errors": "E",
}
COLUMNS = tuple(_LETTERS)
"""Places where a keyword may stand, in the order of the columns."""
_LINES = frozenset({"bind", "server"})


@dataclass(frozen=True, slots=True)
class Row:
    """One keyword. `arity` is the least and the most number of arguments (most -1: no limit); of a keyword that maniple
    does not have only the name and, where HAProxy's manual has a table for it, the place are known."""

    name: str
    places: tuple[str, ...]
    shape: str
    arity: tuple[int, int] | None
    summary: str
    reader: str
    state: State
    invertible: bool = False


def rows() -> list[Row]:
    """All keywords: sections first, then by place and name."""
    result = [
        Row(name, (), "[<name>]", None, "Starts a section.", "parser", State.IN_FORCE) for name in sections.SECTIONS
    ]
    result += _known_rows("", KNOWN_SECTIONS, (), sections.SECTIONS)
    tables: tuple[tuple[Table[Any], str, Iterable[str], tuple[str, ...]], ...] = (
        (GLOBAL_KEYWORDS, "", KNOWN_GLOBAL, ("global",)),
        (PROXY_KEYWORDS, "", KNOWN_PROXY, ()),
        (OPTIONS, "option ", KNOWN_OPTIONS, ()),
        (BIND_KEYWORDS, "", KNOWN_BIND, ("bind",)),
        (SERVER_KEYWORDS, "", KNOWN_SERVER, ("server",)),
        (RULE_SET_KEYWORDS, "", (), ()),
        *((table, "", (), ()) for _, table in sections.NAMED_SECTIONS.values()),
    )
    for table, prefix, known, places in tables:
        block = list(_rows_of(table, prefix))
        block += _known_rows(prefix, known, places, table.names())
        result += sorted(block, key=lambda row: row.name)
    return result


def _rows_of(table: Table[Any], prefix: str) -> Iterator[Row]:
    for keyword in table:
        places = tuple(place for place in COLUMNS if place in keyword.sections)
        arity = (keyword.least, keyword.most)
        yield Row(
            prefix + keyword.name,
            places,
            keyword.shape,
            arity,
            keyword.summary,
            keyword.reader,
            keyword.state,
            keyword.invertible,
        )


def _known_rows(prefix: str, names: Iterable[str], places: tuple[str, ...], served: Iterable[str]) -> Iterator[Row]:
    there = set(served)
    for name in served:
        # `stick` is not a keyword of its own where there is `stick on`.
        while name := name.rpartition(" ")[0]:
            there.add(name)
    missing = sorted(set(names) - there)
    return (Row(prefix + name, places, "", None, "", "", State.KNOWN) for name in missing)


def render(listed: Iterable[Row] | None = None) -> str:
    """The matrix as text: keyword, a letter for each place, arguments, reader, state, and the line of documentation.

    The letters are explained below it; `no` in front of the arguments says that `no` and `default` may stand before the
    keyword."""
    width = len(COLUMNS)
    lines = [f"{'keyword':<44} {'places':<{width}} {'state':<9} {'reader':<11} arguments"]
    for row in rows() if listed is None else listed:
        letters = "".join(letter if place in row.places else "-" for place, letter in _LETTERS.items())
        state = {State.IN_FORCE: "in force", State.ACCEPTED: "accepted", State.KNOWN: "missing"}[row.state]
        inverted = "(no) " if row.invertible else ""
        head = (
            f"{row.name:<44} {letters if row.places else '':<{width}} {state:<9} {row.reader:<11} {inverted}{row.shape}"
        )
        lines.append(head.rstrip())
        if row.summary:
            lines.append(f"    {row.summary}")
    lines += (
        "",
        f"places: {', '.join(f'{letter} {_named(place)}' for place, letter in _LETTERS.items())}",
        "states: in force; accepted: parsed and kept, not yet in force; missing: HAProxy's, not in maniple yet",
    )
    return "\n".join(lines) + "\n"


def _named(place: str) -> str:
    return f"{place} line" if place in _LINES else place
