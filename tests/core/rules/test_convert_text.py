"""Texts: trimming, cutting, joining, comparing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ConfigError
from maniple.core.rules.convert_text import compare, cut_crlf
from maniple.core.rules.samples import INT, STR


@given(st.binary(max_size=4), st.binary(max_size=4))
def test_compare_orders_as_bytes(one: bytes, two: bytes) -> None:
    assert (compare(one, two) > 0) is (one > two) and (compare(one, two) == 0) is (one == two)


@given(st.text("ab\r\n").map(str.encode))
def test_cut_crlf(value: bytes) -> None:
    cut = cut_crlf(value)
    assert value.startswith(cut) and not set(cut) & set(b"\r\n")
    assert cut == value or value[len(cut) : len(cut) + 1] in (b"\r", b"\n")


CASES: list[tuple[str, Any]] = [
    ("str(abcdef),bytes(1,txn.two)", b"bc"),
    ("str(abcdef),bytes(txn.two)", b"cdef"),
    ("str(abcdef),bytes(txn.minus)", None),
    ("str(abcdef),bytes(0,txn.minus)", None),
    ("str(abcdef),bytes(txn.none)", None),
    ("str(abc),bytes(1,9)", b"bc"),
    ("str(abc),bytes", b"abc"),
    ("str(a),add_item(-,txn.none)", b"a"),
    ("str(),add_item(-,txn.two,s)", b"2s"),
    ("str(a),concat(-,txn.two)", b"a-2"),
    ("str(a),strcmp(txn.none)", None),
    ("str(-x-),ltrim(-)", b"x-"),
    ("str(-x-),rtrim", b"-x-"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_expressions(text: str, expected: Any, make_scope: Callable[..., Any], value_of: Callable[..., Any]) -> None:
    x = make_scope(variables={"two": (INT, 2), "minus": (INT, -1), "text": (STR, b"abc")})
    assert value_of(text, x) == expected


WRONG: list[tuple[str, int, str]] = [
    ("str(a),bytes(-1)", 14, "not negative"),
    ("str(a),bytes(1,0)", 16, "positive"),
    ("str(a),concat(a,b)", 17, "no variable's name"),
    ("str(a),add_item(-,)", 19, "a variable, a suffix or both"),
    ("str(a),strcmp()", 15, "missing"),
    ("str(a),iif(a)", 8, "misses its argument <false>"),
    ("str(a),length(1)", 15, "takes no arguments"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column
