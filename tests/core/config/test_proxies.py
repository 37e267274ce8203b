from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.model import ErrorFileSpec, SourceSpec

REPLY = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"

GOOD: list[tuple[str, str, Any]] = [
    ("mode http", "mode", "http"),
    ("mode tcp", "mode", "tcp"),
    ("retries 0", "retries", 0),
    ("id 44", "id", 44),
    ("description a few words", "description", "a few words"),
    ("http-reuse always", "http_reuse", "always"),
    ("source 192.0.2.1", "source", SourceSpec("192.0.2.1")),
    ("source 192.0.2.1:80", "source", SourceSpec("192.0.2.1", 80, 80)),
    ("maxconn 10", "maxconn", 10),
    ("backlog 10", "backlog", 10),
    ("fullconn 10", "fullconn", 10),
    ("monitor-uri /x", "monitor_uri", "/x"),
    ("disabled", "disabled", True),
    ("enabled", "disabled", False),
    ("errorfile 503 busy.http", "error_files", {503: ErrorFileSpec("file", "busy.http", REPLY)}),
    ("errorfile 400 /dev/null", "error_files", {400: ErrorFileSpec("file", "/dev/null", b"")}),
    ("errorloc 404 /gone", "error_files", {404: ErrorFileSpec("302", "/gone")}),
    ("errorloc302 404 /gone", "error_files", {404: ErrorFileSpec("302", "/gone")}),
    ("errorloc303 404 /gone", "error_files", {404: ErrorFileSpec("303", "/gone")}),
]
BALANCE = [
    ("balance", "roundrobin", ()),
    ("balance roundrobin", "roundrobin", ()),
    ("balance static-rr", "static-rr", ()),
    ("balance leastconn", "leastconn", ()),
    ("balance first", "first", ()),
    ("balance random", "random", ("2",)),
    ("balance random(3)", "random", ("3",)),
]
BAD = [
    ("mode", "`mode` expects {tcp|http}"),
    ("mode foo", "one of tcp, http is expected"),
    ("mode log", "HAProxy's `mode log` is not supported by maniple yet"),
    ("mode health", "was removed"),
    ("mode tcp foo", "extra argument 'foo'"),
    ("retries -1", "at least 0"),
    ("id 0", "at least 1"),
    ("description", "`description` expects <text>"),
    ("http-reuse foo", "one of never"),
    ("source", "`source` expects <address>"),
    ("source one.example", "numeric"),
    ("source 192.0.2.1:1-2", "range of ports"),
    ("source 0.0.0.0 usesrc clientip", "`source ... usesrc` is not supported by maniple yet"),
    ("balance foo", "unknown algorithm 'foo'"),
    ("balance uri", "HAProxy's `balance uri` is not supported by maniple yet"),
    ("balance hdr(host)", "HAProxy's `balance hdr` is not supported by maniple yet"),
    ("balance random(0)", "at least 1"),
    ("balance random(x)", "integer is expected"),
    ("balance leastconn(3)", "no argument in parentheses"),
    ("errorfile 503", "expects <status> <file>"),
    ("errorfile 999 busy.http", "no built-in reply has status 999"),
    ("errorfile 503 none.http", "cannot read 'none.http': No such file"),
    ("errorfile 503 junk.http", "is not a whole HTTP response"),
    ("errorloc 503", "expects <status> <url>"),
    ("errorloc 999 /x", "no built-in reply has status 999"),
    ("monitor-uri", "expects <uri>"),
    ("monitor-uri /x y", "extra argument 'y'"),
    ("default_backend", "expects <backend>"),
    ("default_backend a b", "extra argument 'b'"),
    ("disabled x", "extra argument 'x'"),
    ("fullconn x", "an integer is expected"),
]


@pytest.mark.parametrize(("line", "field", "value"), GOOD)
def test_read(read: Any, line: str, field: str, value: Any) -> None:
    files = {"busy.http": REPLY, "/dev/null": b""}
    assert getattr(read(f"listen l\n {line}\n", files).proxy("l"), field) == value


@pytest.mark.parametrize(("line", "algorithm", "arguments"), BALANCE)
def test_balance(read: Any, line: str, algorithm: str, arguments: tuple[str, ...]) -> None:
    balance = read(f"listen l\n {line}\n").proxy("l").balance
    assert (balance.algorithm, balance.arguments) == (algorithm, arguments)


@pytest.mark.parametrize(("line", "complaint"), BAD)
def test_refuse(read: Any, line: str, complaint: str) -> None:
    (error,) = read(f"listen l\n {line}\n", {"junk.http": b"hello"}).errors
    assert complaint in error


def test_an_argument_that_an_algorithm_ignores(read: Any) -> None:
    outcome = read("backend b\n balance leastconn foo\n")
    assert outcome.warnings == ["2:20 `balance leastconn` takes no argument: 'foo' is ignored"]


def test_pool_figures_of_a_backend_count_for_servers_that_say_nothing(read: Any) -> None:
    servers = (
        read("""
        backend b
            server a :80
            server b :81 pool-min-conn 9
            pool-min-conn 5
            pool-half-life 10s
            pool-purge-batches 4
            default-server pool-half-life 1s
            server c :82
    """)
        .proxy("b")
        .servers
    )
    assert [(s.pool_min, s.pool_half_life, s.pool_purge_batches) for s in servers] == [
        (5, 10000, 4),
        (9, 10000, 4),
        (5, 1000, 4),
    ]


@pytest.mark.parametrize(
    ("kind", "line", "report"),
    [
        ("frontend", "balance roundrobin", "it belongs in defaults or backend or listen"),
        ("frontend", "fullconn 3", "maybe `maxconn` is wanted"),
        ("backend", "maxconn 3", "maybe `fullconn` is wanted"),
        ("backend", "monitor-uri /x", "it belongs in defaults or frontend or listen"),
    ],
)
def test_ignored_in_the_wrong_section(read: Any, kind: str, line: str, report: str) -> None:
    outcome = read(f"{kind} x\n {line}\n")
    (warning,) = [r for r in outcome.diagnostics.warnings if r.place.line == 2]
    assert warning.message.endswith(f"has no place in a {kind} section: ignored")
    assert warning.hint == report


def test_a_line_that_is_ignored_is_still_checked(read: Any) -> None:
    assert read("backend b\n maxconn x\n").errors == ["2:10 `maxconn x`: an integer is expected"]


@pytest.mark.parametrize("line", ["id 3", "description x", "bind :80", "server a :80"])
def test_not_in_defaults(read: Any, line: str) -> None:
    (error,) = read(f"defaults\n {line}\n").errors
    assert error == f"2:2 `{line.split()[0]}` has no place in a defaults section"
