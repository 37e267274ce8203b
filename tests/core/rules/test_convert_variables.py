"""Converters that write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules.samples import INT, STR
from maniple.core.rules.variables import OVERHEAD, Limits

CASES: list[tuple[str, Any, Any]] = [
    # expression, its value, the variable afterwards (before: 5)
    ("int(6),set-var(txn.a)", 6, (INT, 6)),
    ("str(x),set-var(txn.a)", b"x", (STR, b"x")),
    ("var(txn.b),set-var(txn.a)", (STR, b"b"), (STR, b"b")),
    ("int(6),set-var(txn.a,ifexists,ifnotempty)", 6, (INT, 6)),
    ("int(6),set-var(txn.a,ifnotexists)", None, (INT, 5)),
    ("int(6),set-var(txn.a,ifset)", 6, (INT, 6)),
    ("int(6),set-var(txn.a,ifnotset)", None, (INT, 5)),
    ("str(),set-var(txn.a,ifempty)", b"", (STR, b"")),
    ("str(),set-var(txn.a,ifnotempty)", None, (INT, 5)),
    ("int(0),set-var(txn.a,ifempty)", None, (INT, 5)),
    ("int(6),set-var(txn.a,iflt)", 6, (INT, 6)),
    ("int(6),set-var(txn.a,ifgt)", None, (INT, 5)),
    ("int(4),set-var(txn.a,ifgt)", 4, (INT, 4)),
    ("str(9),set-var(txn.a,ifgt)", b"9", (STR, b"9")),
    ("var(txn.b),set-var(txn.a,ifnotempty)", (STR, b"b"), (STR, b"b")),
    ("int(6),unset-var(txn.a)", 6, None),
    ("int(6),unset-var(txn.none)", 6, (INT, 5)),
    ("var(txn.none),unset-var(txn.a)", None, (INT, 5)),
]


@pytest.mark.parametrize(("text", "value", "after"), CASES)
def test_variables(
    text: str, value: Any, after: Any, value_of: Callable[..., Any], make_scope: Callable[..., Any]
) -> None:
    x = make_scope(variables={"a": (INT, 5), "b": (STR, b"b")})
    assert value_of(text, x) == value
    assert x.variables.get("a") == after


def test_limits(value_of: Callable[..., Any], make_scope: Callable[..., Any], make_site: Callable[..., Any]) -> None:
    site = make_site(limits=Limits(txn=OVERHEAD + 4))
    x = make_scope()
    assert value_of("str(abcd),set-var(txn.a)", x, site=site) == b"abcd"
    assert value_of("str(abcde),set-var(txn.a)", x, site=site) is None
    assert value_of("str(abcde),set-var(txn.a,ifset)", x, site=site) is None
    assert x.variables == {"a": (STR, b"abcd")}


def test_captures(value_of: Callable[..., Any], make_scope: Callable[..., Any]) -> None:
    x = make_scope(request_captures=[None, None], response_captures=[None])
    assert value_of("bin(61ff),capture-req(1)", x) == b"a\xff"
    assert value_of("str(b),capture-res(0)", x) == b"b"
    assert value_of("str(c),capture-res(1)", x) is None
    assert (x.request_captures, x.response_captures) == ([None, "a\xff"], ["b"])


WRONG: list[tuple[str, int, str]] = [
    ("str(q),set-var(a)", 16, "no variable's name"),
    ("str(a),set-var(txn.a,ifodd)", 22, "a condition is one of"),
    ("str(a),unset-var", 8, "misses"),
    ("str(a),capture-req(-1)", 20, "counted from 0"),
    ("str(a),capture-req(x)", 20, "an integer"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column
