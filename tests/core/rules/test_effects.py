from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from maniple.core.http.edit import edit_request, edit_response
from maniple.core.rules.effects import compare, show_pair, take
from maniple.core.rules.explanation import Change
from maniple.core.rules.samples import BIN, BOOL, INT, IP, STR, Type
from maniple.tests.core.rules.lines import compile_lines

MakeScope = Callable[..., Any]
GET = b"GET /a HTTP/1.1\r\nHost: h\r\nCookie: a\r\nCookie: b\r\n\r\n"


def changes(x: Any, act: Callable[[Any], None]) -> list[Change]:
    before = take(x, {})
    act(x)
    return compare(before, take(x, {}))


def test_nothing(make_scope: MakeScope) -> None:
    x = make_scope(request=GET)
    assert changes(x, lambda x: None) == []
    x.head = edit_request(x.head)
    assert changes(x, lambda x: x.head.block.set(b"host", b"h")) == []


def test_headers(make_scope: MakeScope) -> None:
    x = make_scope(request=GET, response=b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    x.head, x.answer = edit_request(x.head), edit_response(x.answer)

    def act(x: Any) -> None:
        x.head.block.delete(b"cookie")
        x.head.block.add(b"x", b"1")
        x.answer.block.set(b"y", b"\xff")
        x.answer.status = 404

    assert changes(x, act) == [
        Change("request header", "cookie", ["a", "b"], []),
        Change("response", "status", ["200 OK"], ["404 OK"]),
        Change("request header", "x", [], ["1"]),
        Change("response header", "y", [], ["\\xff"]),
    ]


def test_what_belongs_to_the_exchange(make_scope: MakeScope) -> None:
    x = make_scope(request=GET)

    def act(x: Any) -> None:
        x.variables = {"a": (STR, b"v")}
        x.session.variables = {"b": (INT, 3)}
        x.priority_class = -5
        x.log_level = -1
        x.session.client_host = "198.51.100.1"
        x.request_captures = [None, "caught"]
        x.route = SimpleNamespace(server_timeout=3000.0, tunnel_timeout=float("inf"), retries=2)

    found = {(change.subject, change.name): (change.before, change.after) for change in changes(x, act)}
    assert found == {
        ("variable", "txn.a"): ([], ["'v'"]),
        ("variable", "sess.b"): ([], ["3"]),
        ("setting", "priority class"): ([], ["-5"]),
        ("setting", "log level"): ([], ["silent"]),
        ("connection", "source"): (["192.0.2.7:40000"], ["198.51.100.1:40000"]),
        ("setting", "capture of the request, id 1"): ([], ["caught"]),
        ("setting", "timeout server"): ([], ["3000 ms"]),
        ("setting", "retries"): ([], ["2"]),
    }


def test_what_stick_tables_are_to_learn(make_scope: MakeScope) -> None:
    rules = compile_lines(
        back="stick-table type string size 9\nstick store-request str(a)\nstick store-request int(7) table t",
        more="backend t\n  stick-table type integer size 9\n",
    )
    x = make_scope(request=GET)
    x.stores = ()

    def act(x: Any) -> None:
        rules.stick.run(x)

    assert [(one.subject, one.name, one.after) for one in changes(x, act)] == [
        ("setting", "key in stick table b", ["a"]),
        ("setting", "key in stick table t", ["7"]),
    ]


@pytest.mark.parametrize(
    ("pair", "shown"),
    [
        ((BOOL, True), "true"),
        ((INT, -1), "-1"),
        ((STR, b"a\xffb"), "'a\\xffb'"),
        ((BIN, b"\x00\x01"), "0x0001"),
        ((IP, b"\x7f\x00\x00\x01"), "127.0.0.1"),
    ],
)
def test_values(pair: tuple[Type, Any], shown: str) -> None:
    assert show_pair(pair) == shown
