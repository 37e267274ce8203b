"""Fetches that need no message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.config.model import Place
from maniple.core.errors import ConfigError
from maniple.core.rules.fetch_internal import make_uuid
from maniple.core.rules.samples import INT, STR

CASES: list[tuple[str, Any]] = [
    ("always_true", True),
    ("always_false", False),
    ("bool(FALSE)", False),
    ("int(-3)", -3),
    ("ipv4(1.2.3.4)", b"\1\2\3\4"),
    ("ipv6(::1)", bytes(15) + b"\1"),
    ("str(a b)", b"a b"),
    ("meth(PUT)", b"PUT"),
    ("bin(00fF)", b"\0\xff"),
    ("env(COLOUR)", b"red"),
    ("env(NONE)", None),
    ("thread", 0),
    ("nbthread", 1),
    ("nbproc", 1),
    ("act_conn", 3),
    ("stopping", False),
    ("date", 1234567890),
    ("date(-10)", 1234567880),
    ("date(5,ms)", 1234567890755),
    ("date(0,us)", 1234567890750000),
    ("date_us", 750000),
    ("accept_date", 1234567890),
    ("accept_date(ms)", 1234567890250),
    ("request_date(ms)", 1234567889760),
    ("rand(1)", 0),
    ("var(txn.a)", None),
    ("var(txn.a,b)", (STR, b"b")),
    ("var(sess.n)", (INT, 4)),
    ("prio_class", 0),
    ("prio_offset", 0),
    ("last_rule_file", b"a.cfg"),
    ("last_rule_line", 7),
    ("quic_enabled", False),
    ("uptime", 0),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_value(text: str, expected: Any, value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    x = make_scope(last_rule=Place("a.cfg", 7))
    x.session.variables = {"n": (INT, 4)}
    assert value_of(text, x) == expected


@pytest.mark.parametrize("text", ["bool(2)", "bin(0)", "bin(xy)", "date(0,h)", "rand(0)", "uuid(7)", "var(x)", "int()"])
def test_wrong(text: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        value_of(text, None)
    assert caught.value.column >= 1


def test_by_chance(value_of: Callable[..., Any]) -> None:
    assert {value_of("rand(3)", None) for _ in range(100)} == {0, 1, 2}
    assert len({value_of("rand", None) for _ in range(10)}) == 10
    uuid = make_uuid()
    assert len(uuid) == 36 and uuid[14:15] == b"4" and uuid[19:20] in b"89ab" and uuid != make_uuid()


def test_last_rule_of_nobody(value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    assert value_of("last_rule_file", make_scope()) is None and value_of("last_rule_line", make_scope()) is None
