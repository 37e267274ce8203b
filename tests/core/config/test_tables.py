"""`stick-table`: what lines say, what is wrong with them, how they are written again."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.dump import dump
from maniple.core.config.dump_line import table_words
from maniple.core.config.environment import Environment
from maniple.core.config.lexer import split_words
from maniple.core.config.statement import Refusal, Statement
from maniple.core.config.tables import parse_table
from maniple.pools.table_shape import Stored, TableShape

LINES = {
    "type ip size 10": TableShape("ip", 4, 10),
    "type ipv4 size 1k": TableShape("ip", 4, 1024),
    "size 1m type ipv6 expire 10s nopurge": TableShape("ipv6", 16, 1 << 20, 10_000, False),
    "type integer size 10 expire 1": TableShape("integer", 4, 10, 1),
    "type string size 10": TableShape("string", 31, 10),
    "type string len 7 size 10": TableShape("string", 7, 10),
    "type binary len 200 size 10": TableShape("binary", 200, 10),
    "type ip size 10 store gpc0,gpc1 store http_req_rate(10s)": TableShape(
        "ip", 4, 10, stored=(Stored("gpc0"), Stored("gpc1"), Stored("http_req_rate", 1, 10_000))
    ),
    "type ip size 10 store gpc(2),gpc_rate(3,1m),gpt(100)": TableShape(
        "ip", 4, 10, stored=(Stored("gpc", 2), Stored("gpc_rate", 3, 60_000), Stored("gpt", 100))
    ),
    "type ip size 10 store server_id,server_name": TableShape(
        "ip", 4, 10, stored=(Stored("server_id"), Stored("server_key"))
    ),
}


@pytest.mark.parametrize("line", LINES)
def test_lines(read: Any, line: str) -> None:
    found = read(f"backend b\n  stick-table {line}\n")
    assert found.proxy("b").table.shape == LINES[line]
    assert found.good.tables["b"].shape == LINES[line]


def test_the_rest(read: Any) -> None:
    line = "type ip size 5 peers p srvkey addr recv-only brates-factor 4 expire 1s"
    spec = read(f"global\n  table-file /a\nbackend b\n  stick-table {line}\npeers p\n  peer x :1\n").good.tables["b"]
    assert (spec.name, spec.peers, spec.server_key, spec.receive_only, spec.bytes_factor) == ("b", "p", "addr", True, 4)
    assert spec.file == "/a"


def test_files(read: Any) -> None:
    found = read(
        "global\n  table-file /x/../all\nbackend a\n  stick-table type ip size 1\n  table-file /own\n"
        "backend b\n  stick-table type ip size 1\nbackend c\n  table-file /c\n"
    )
    assert {name: spec.file for name, spec in found.good.tables.items()} == {"a": "/own", "b": "/all"}
    assert found.warnings == ["8:9 backend 'c' has a `table-file` and no `stick-table`"]


def test_intervals_of_files(read: Any) -> None:
    found = read(
        "global\n  table-file /all interval 5m\nbackend a\n  stick-table type ip size 1\n  table-file /own interval 1s"
        "\nbackend b\n  stick-table type ip size 1\nbackend c\n  stick-table type ip size 1\n  table-file /c\n"
        "peers p\n  peer x :1\n  table t type ip size 1\n"
    )
    intervals = {"a": ("/own", 1000), "b": ("/all", 300_000), "c": ("/c", 60_000), "p/t": ("/all", 300_000)}
    assert {name: (spec.file, spec.file_interval) for name, spec in found.good.tables.items()} == intervals


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("/x interval", "2:3 `table-file` expects <path> interval <time>"),
        ("/x interval 999ms", "2:26 `table-file interval 999ms`: must be at least 1000 ms"),
        ("/x interval soon", "2:26 `table-file interval soon`: "),
        ("/x every 5s", "2:17 `table-file` cannot take 'every'"),
        ("/x interval 5s more", "2:29 `table-file` cannot take the extra argument 'more'"),
    ],
)
def test_intervals_that_are_wrong(read: Any, words: str, text: str) -> None:
    (error,) = read(f"global\n  table-file {words}\n").errors
    assert error.startswith(text)


WRONG = {
    "": ("2:3 `stick-table` expects type",),
    "type ip": ("2:3 `stick-table` misses its size",),
    "size 10": ("2:3 `stick-table` misses the type of its keys",),
    "type foo size 1": ("2:20 `stick-table`: 'foo' is no type of keys",),
    "type ip size 0": ("2:28 `stick-table ... size`: a table has at least one entry",),
    "type ip size 5g": ("2:28 `stick-table ... size 5g`: size '5g' is too large",),
    "type ip size x": ("2:28 `stick-table ... size x`: size 'x' is not a number",),
    "type ip size": ("2:23 `stick-table ... size` expects a number of entries",),
    "type ip size 1 expire 30d": ("2:37 `stick-table ... expire 30d`: time '30d' is too long",),
    "type ip len 5 size 1": ("2:23 `stick-table` cannot take 'len'",),
    "type string len 0 size 1": ("2:31 `stick-table ... len` expects a number from 1 to 65535, not '0'",),
    "type string len": ("2:27 `stick-table ... len` expects a number of bytes",),
    "type ip size 1 store foo": ("2:36 `stick-table`: there is no data type 'foo'",),
    "type ip size 1 store gpc0,foo": ("2:41 `stick-table`: there is no data type 'foo'",),
    "type ip size 1 store gpc0, gpc1": ("2:36 `stick-table`: there is no data type ''", "2:41"),
    "type ip size 1 store gpc0 gpc1": ("2:41 `stick-table` cannot take 'gpc1'",),
    "type ip size 1 store http_req_rate": ("2:36 `stick-table ... store http_req_rate`: an argument is missing",),
    "type ip size 1 store http_req_rate(10s": ("2:36 `stick-table ... store http_req_rate(10s`: ')' is missing",),
    "type ip size 1 store http_req_rate(1x)": ("2:36 `stick-table ... store http_req_rate 1x`: time '1x' has",),
    "type ip size 1 store http_req_rate(0)": ("2:36 `stick-table ... store http_req_rate(0)`: a rate has a period",),
    "type ip size 1 store gpc0(5)": ("2:36 `stick-table ... store gpc0(5)`: 'gpc0' takes no further argument",),
    "type ip size 1 store gpc(0)": ("2:36 `stick-table ... store gpc(0)`: an array has 1 to 100 elements",),
    "type ip size 1 store gpc(101)": ("2:36 `stick-table ... store gpc(101)`: an array has 1 to 100 elements",),
    "type ip size 1 store gpc_rate(2)": ("2:36 `stick-table ... store gpc_rate(2)`: an argument is missing",),
    "type ip size 1 store gpc(2),gpc0": ("2:43 `stick-table`: 'gpc' and 'gpc0' cannot be stored together",),
    "type ip size 1 store gpt0,gpt(1)": ("2:36 `stick-table`: 'gpt' and 'gpt0' cannot be stored together",),
    "type ip size 1 srvkey x": ("2:37 `stick-table ... srvkey` expects name or addr, not 'x'",),
    "type ip size 1 brates-factor 1025": ("2:44 `stick-table ... brates-factor` expects a number from 1 to 1024",),
    "type ip size 1 write-to nope": ("2:3 `write-to`: there is no table 'nope'",),
    "type ip size 1 bogus": ("2:30 `stick-table` cannot take 'bogus'",),
}


@pytest.mark.parametrize("line", WRONG)
def test_errors(read: Any, line: str) -> None:
    errors = read(f"backend b\n  stick-table {line}\n").errors
    assert errors, line
    assert any(errors[0].startswith(start) for start in WRONG[line]), errors


def test_hints(read: Any) -> None:
    (report,) = read("backend b\n  stick-table type ip size 1 store http_req_rat(1s)\n").diagnostics.errors
    assert report.hint == "did you mean `http_req_rate`?"
    (report,) = read("backend b\n  stick-table type strin size 1\n").diagnostics.errors
    assert report.hint == "did you mean `string`?"


def test_warnings(read: Any) -> None:
    found = read("backend b\n  stick-table type ip size 1 store gpc0,gpc0\n")
    assert found.warnings == ["2:41 'gpc0' is stored already: the second one is ignored"]
    found = read("backend b\n  stick-table type ip size 1 nopurge\n")
    assert found.warnings == ["2:3 `nopurge` without `expire`: once the table is full no key is ever added"]


def test_places(read: Any) -> None:
    assert read("defaults\n  stick-table type ip size 1\n").errors == [
        "2:3 `stick-table` has no place in a defaults section"
    ]
    both = "frontend x\n  bind :80\n  stick-table type ip size 1\nbackend x\n  stick-table type ip size 1\n"
    assert read(both).errors == ["5:3 frontend 'x' has a table of the same name (line 3)"]


@pytest.mark.parametrize("line", LINES)
def test_written_again(read: Any, line: str) -> None:
    text = (
        f"global\n  table-file /x interval 5s\nbackend b\n  stick-table {line} peers p\n  table-file /y interval 90s\n"
        "peers p\n  peer x :1\n"
    )
    found = read(text).good
    again = read(dump(found)).good
    assert again.tables["b"].shape == found.tables["b"].shape
    assert (again.tables["b"].peers, again.tables["b"].file) == ("p", "/y")
    assert (again.globals.table_file, again.globals.table_file_interval) == ("/x", 5000)
    assert again.tables["b"].file_interval == 90_000


def test_the_words_of_a_peers_section() -> None:
    words = split_words("table t type ip size 5 store gpc0", Environment({}))
    statement = Statement("f", 1, "table", words[0], words[1:], None)  # type: ignore[arg-type]
    spec = parse_table(statement, "p/t", statement.arguments[1:])
    assert spec.name == "p/t"
    assert list(table_words(spec)) == ["type", "ip", "size", "5", "store", "gpc0"]
    with pytest.raises(Refusal):
        parse_table(statement, "p/t", statement.arguments)
