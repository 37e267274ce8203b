"""What `stick` lines ask of tables, and the words of servers that go with them."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.dump import dump
from maniple.core.config.model import Place, RuleSpec, RuleWord
from maniple.core.config.stick import KINDS, table_of

BACK = """
    backend b
        stick-table type string size 10 store gpc0
        {line}
        server s1 127.0.0.1:1
    backend t
        stick-table type string size 10 store server_id
    peers p
        table q type string size 10
"""
LINES = [
    ("stick on src", "b"),
    ("stick match src table t", "t"),
    ("stick store-request src,ipmask(24) table t if TRUE", "t"),
    ("stick store-response res.hdr(a) unless { path table b }", "b"),
    ("stick on src table p/q", "p/q"),
    ("stick on str(table) if TRUE", "b"),
]


@pytest.mark.parametrize(("line", "name"), LINES)
def test_the_table_that_is_named_stores_servers(read: Any, line: str, name: str) -> None:
    plain = read(BACK.replace("{line}", "balance roundrobin")).good.tables
    found = read(BACK.replace("{line}", line)).good.tables
    for other, spec in found.items():
        stored = [one.name for one in spec.shape.stored]
        if other == name:
            assert sorted(stored) == sorted(
                {*(one.name for one in plain[other].shape.stored), "server_id", "server_key"}
            )
        else:
            assert spec == plain[other]


def test_of_a_proxy_that_is_disabled_nothing(read: Any) -> None:
    found = read(BACK.replace("{line}", "disabled\n        stick on src")).good.tables
    assert [one.name for one in found["b"].shape.stored] == ["gpc0"]


def test_a_table_that_is_not_there_is_the_rules_business() -> None:
    place = Place("f", 1, 1)
    line = RuleSpec(place, "stick on", tuple(RuleWord(text, 1) for text in ("src", "table", "no")))
    assert table_of(line, "b") == "no"
    assert table_of(RuleSpec(place, "stick on", line.words[:2]), "b") == "b"


@pytest.mark.parametrize("kind", KINDS)
def test_where_lines_may_stand(read: Any, kind: str) -> None:
    found = read(f"frontend f\n  bind :1\n  mode http\n  timeout client 1s\n  {kind} src\n")
    assert any(f"`{kind}`" in one for one in (*found.errors, *found.warnings))


def test_servers_that_are_not_kept(read: Any) -> None:
    found = read("""
        backend b
            server s1 127.0.0.1:1 non-stick
            default-server non-stick
            server s2 127.0.0.1:2
            server s3 127.0.0.1:3 stick
    """)
    assert [server.sticks for server in found.proxy("b").servers] == [False, False, True]
    assert dump(found.good).count("non-stick") == 2
