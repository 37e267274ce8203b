"""Sites with stick tables, and a clock that stands still, for tests of rules."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from maniple.core.config.diagnostics import Diagnostics
from maniple.core.config.environment import Environment
from maniple.core.config.lexer import split_words
from maniple.core.config.statement import Statement
from maniple.core.config.tables import parse_table
from maniple.core.rules.private_tables import private_tables
from maniple.core.rules.trackers import Trackers


class Clock:
    """Milliseconds; called it gives seconds, as an event loop's clock does."""

    def __init__(self, now: int = 1_000_000) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now / 1000.0


def specs_of(lines: dict[str, str]) -> dict[str, Any]:
    """By name: the tables that such `stick-table` lines describe."""
    found = {}
    for name, line in lines.items():
        words = split_words(f"stick-table {line}", Environment({}))
        statement = Statement("f", 1, "stick-table", words[0], words[1:], Diagnostics())
        found[name] = parse_table(statement, name, statement.arguments)
    return found


def tables_of(lines: dict[str, str]) -> dict[str, Any]:
    """The same as tables of this thread."""
    return private_tables(specs_of(lines))


def with_tables(make_site: Any, clock: Clock, proxy: str = "", sets: int = 3, /, **lines: str) -> Any:
    """A site with those tables, as the rules of `proxy` see it."""
    process = SimpleNamespace(connections=3, draining=False, date=lambda: 1234567890.75, clock=clock)
    return make_site(trackers=Trackers(tables_of(lines), sets), process=process, proxy=proxy)
