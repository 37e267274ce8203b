"""Cookies. Most are compared with HAProxy in expressions.txt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.rules.catalogue import Stage
from maniple.core.rules.fetch_cookies import cookies_in

CASES: list[tuple[bytes, list[tuple[bytes, bytes]]]] = [
    (b"", []),
    (b"a=1", [(b"a", b"1")]),
    (b"a=1; b = 2 ;c", [(b"a", b"1"), (b"b", b"2")]),
    (b'a="x;y"; b=2', [(b"a", b'"x;y"'), (b"b", b"2")]),
    (b"a=1,b=2", [(b"a", b"1"), (b"b", b"2")]),
    (b"a=b=c", [(b"a", b"b=c")]),
    (b"=v; e=", [(b"", b"v"), (b"e", b"")]),
]


@pytest.mark.parametrize(("value", "expected"), CASES)
def test_cookies_in(value: bytes, expected: list[tuple[bytes, bytes]]) -> None:
    assert cookies_in(value, False) == expected
    assert cookies_in(value, True) == expected[:1]


@given(st.binary(max_size=30))
def test_it_ends(value: bytes) -> None:
    cookies_in(value, False)


@given(st.text("ab= \t;,", max_size=12))
def test_the_short_way_without_quotes_is_the_same(text: str) -> None:
    assert cookies_in(text.encode(), False) == cookies_in(text.encode() + b';"', False)


def test_each(value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    x = make_scope(request=b"GET / HTTP/1.1\r\nHost: h\r\nCookie: a=1; b=2\r\nCookie: a=3\r\n\r\n")
    assert value_of("req.cook(a)", x, each=True) == [b"1", b"3"]
    assert value_of("req.cook", x, each=True) == [b"1", b"2", b"3"]
    assert value_of("req.cook_val(a)", x, each=True) == [1, 3]
    assert value_of("req.cook_names(;)", x) == b"a;b;a"
    assert value_of("req.cook(a)", make_scope()) is None and value_of("req.cook_cnt", make_scope()) == 0


def test_response(value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    x = make_scope(response=b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; path=/\r\n\r\n")
    stage = Stage.BACK_RESPONSE
    assert value_of("res.cook(a)", x, stage=stage) == value_of("cookie(a)", x, stage=stage) == b"1"
    assert value_of("res.cook(path)", x, stage=stage) is None
