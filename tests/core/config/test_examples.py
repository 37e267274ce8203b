"""Examples of lines: each keyword has one, and it is taken."""

from __future__ import annotations

import os
from typing import Any

import pytest
from maniple.core.config import keywords
from maniple.core.config.examples import WRITTEN, such_as
from maniple.core.config.keywords import Keyword, State, Table
from maniple.core.config.parser import load
from maniple.core.config.sections import NAMED_SECTIONS
from maniple.core.report.format_check import report_formats
from maniple.core.rules.proxy_rules import report_rules

TABLES: tuple[Table[Any], ...] = (
    keywords.GLOBAL_KEYWORDS,
    keywords.PROXY_KEYWORDS,
    keywords.RULE_SET_KEYWORDS,
    keywords.OPTIONS,
    keywords.BIND_KEYWORDS,
    keywords.SERVER_KEYWORDS,
    *(table for _, table in NAMED_SECTIONS.values()),
)
ALL = [(table, keyword) for table in TABLES for keyword in table if keyword.state is not State.KNOWN]

AROUND = """
http-errors pages
 errorfile 503 /etc/maniple/503.http
frontend web from d
 bind :80
 default_backend app
backend app from d
 server s1 127.0.0.1:80 check
backend by_address from d
 stick-table type ip size 1k
backend by_session from d
 stick-table type string size 1k
"""
CLOSED = "defaults d\n mode http\n timeout client 1s\n timeout connect 1s\n timeout server 1s\n"


def lines_of(table: Table[Any], keyword: Keyword[Any], line: str) -> str:
    """Sections in which the line stands where it belongs."""
    if table is keywords.GLOBAL_KEYWORDS:
        return f"global\n {line}\n"
    if table is keywords.BIND_KEYWORDS:
        return f"frontend x from d\n bind {'/s' if keyword.name in ('mode', 'user', 'group') else ':81'} {line}\n"
    if table is keywords.SERVER_KEYWORDS:
        return f"backend x from d\n server y 127.0.0.1:80 {line}\n"
    if table is keywords.RULE_SET_KEYWORDS:
        return f"{'response' if keyword.name == 'http-response' else 'request'}-rules x\n {line}\n"
    kind = next(kind for kind in ("backend", "frontend", *NAMED_SECTIONS) if kind in keyword.sections)
    inside = f"{kind} x{' from d' if kind in ('backend', 'frontend') else ''}\n"
    if keyword.name == "use-server":
        inside += " server s1 127.0.0.1:80\n"
    if keyword.name == "group":
        inside += " user ann insecure-password a\n user bob insecure-password b\n"
    return f"{inside} {line}\n"


def read_file(path: str) -> bytes:
    return b"HTTP/1.0 503 Busy\r\n\r\n" if path.endswith(".http") else b"s" * 32


@pytest.mark.parametrize(("table", "keyword"), ALL, ids=[f"{table.title} {keyword.name}" for table, keyword in ALL])
def test_it_is_taken(table: Table[Any], keyword: Keyword[Any]) -> None:
    hint = such_as(table, keyword)
    assert hint.startswith("such as `") and hint.endswith("`")
    text = CLOSED + lines_of(table, keyword, hint.removeprefix("such as `")[:-1]) + AROUND
    configuration, found = load([("x", text)], dict(os.environ), read_file=read_file)
    assert not found.errors, found.render()
    assert configuration is not None
    report_rules(configuration, found)
    report_formats(configuration, found)
    assert not found.errors, found.render()


def test_none_is_left_over() -> None:
    """What is written is of a keyword that there is."""
    names = {table.title: set(table.names()) for table in TABLES}
    assert [(title, name) for title, of in WRITTEN.items() for name in of if name not in names[title]] == []
