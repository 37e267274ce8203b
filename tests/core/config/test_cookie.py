"""`cookie` and `dynamic-cookie-key` lines."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.cookie_spec import CookieSpec
from maniple.core.config.dump import dump

BACK = "backend b\n mode http\n "
GOOD = [
    ("cookie S", CookieSpec("S")),
    ("cookie S insert insert", CookieSpec("S", "insert")),
    ("cookie S insert indirect domain .x.y", CookieSpec("S", "insert", True, domains=(".x.y",))),
    ("cookie S insert maxidle 1h maxlife 90", CookieSpec("S", "insert", maxidle=3600, maxlife=90)),
    ("cookie S insert maxidle 0", CookieSpec("S", "insert")),
    ("cookie S insert maxidle 1m maxidle 2m", CookieSpec("S", "insert", maxidle=120)),
    ("cookie S attr a=b attr 'c d'", CookieSpec("S", attributes=("a=b", "c d"))),
    ("cookie S indirect preserve", CookieSpec("S", indirect=True, preserve=True)),
    ("cookie S rewrite\n cookie T prefix", CookieSpec("T", "prefix")),
]
BAD = [
    ("cookie", "`cookie` expects <name>"),
    ("cookie ''", "`cookie` expects <name>"),
    ("cookie S foo", "unknown word 'foo'"),
    ("cookie S insert rewrite", "'insert' and 'rewrite' exclude each other"),
    ("cookie S prefix insert", "'prefix' and 'insert' exclude each other"),
    ("cookie S rewrite indirect", "'rewrite' and 'indirect' exclude each other"),
    ("cookie S preserve", "needs 'insert' or 'indirect'"),
    ("cookie S rewrite preserve", "needs 'insert' or 'indirect'"),
    ("cookie S domain", "`cookie ... domain` expects a value"),
    ("cookie S attr ''", "`cookie ... attr` expects a value"),
    ("cookie S domain a.b;c", "character ';' is not permitted"),
    ("cookie S domain 'a. b'", "character ' ' is not permitted"),
    ("cookie S attr 'a;b'", "character ';' is not permitted"),
    ("cookie S maxidle x", "`cookie ... maxidle x`"),
    ("cookie S maxlife 50000d", "the longest is 2147483647 s"),
    ("dynamic-cookie-key", "expects <key>"),
]


@pytest.mark.parametrize(("line", "spec"), GOOD)
def test_good(read: Any, line: str, spec: CookieSpec) -> None:
    configuration = read(BACK + line + "\n").good
    assert configuration.proxies[0].cookie == spec
    again = read(dump(configuration)).good
    assert again.proxies[0].cookie == spec


@pytest.mark.parametrize(("line", "message"), BAD)
def test_bad(read: Any, line: str, message: str) -> None:
    (report,) = read(BACK + line + "\n").diagnostics.errors
    assert message in report.message


def test_a_domain_without_a_dot(read: Any) -> None:
    outcome = read(BACK + "cookie S insert domain com\n")
    assert "without a dot" in outcome.warnings[0]


def test_defaults_and_key(read: Any) -> None:
    text = "defaults\n mode http\n cookie S insert dynamic\n dynamic-cookie-key k\nbackend b\nbackend c\n cookie T\n"
    first, second = read(text).good.proxies
    assert (first.cookie, first.dynamic_cookie_key) == (CookieSpec("S", "insert", dynamic=True), "k")
    assert (second.cookie, second.dynamic_cookie_key) == (CookieSpec("T"), "k")
    assert "dynamic-cookie-key k" in dump(read(text).good)


def test_not_in_a_frontend(read: Any) -> None:
    outcome = read("frontend f\n bind :1\n mode http\n timeout client 1s\n cookie S insert\n dynamic-cookie-key k\n")
    assert len([one for one in outcome.warnings if "cookie" in one]) == 2
