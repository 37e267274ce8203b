"""Variables: names, scopes, limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.rules.samples import INT, STR
from maniple.core.rules.variables import OVERHEAD, SCOPES, Limits, parse_name, reader, unsetter
from maniple.core.rules.variables import writer as make_writer


@pytest.mark.parametrize("scope", SCOPES)
def test_set_read_unset(scope: str, site: Any, make_scope: Callable[..., Any]) -> None:
    name = parse_name(f"{scope}.a.b_1")
    assert str(name) == f"{scope}.a.b_1"
    x = make_scope()
    read = reader(name, site)
    assert read(x) is None
    assert make_writer(name, site)(x, (INT, 3))
    assert read(x) == (INT, 3)
    for other in SCOPES:
        if other != scope:
            assert reader(parse_name(f"{other}.a.b_1"), site)(x) is None
    unsetter(name, site)(x)
    assert read(x) is None


@pytest.mark.parametrize("text", ["", "a", "txn", "txn.", "foo.a", "txn.a-b", "TXN.a", "txn.ä"])
def test_bad_names(text: str) -> None:
    with pytest.raises(ValueError, match="name"):
        parse_name(text)


SIZE = OVERHEAD + 10


@pytest.mark.parametrize(
    ("limits", "scope", "fit"),
    [
        (Limits(txn=2 * SIZE), "txn", 2),
        (Limits(txn=2 * SIZE), "req", 2),
        (Limits(txn=2 * SIZE), "sess", 9),
        (Limits(reqres=SIZE), "res", 1),
        (Limits(reqres=SIZE), "txn", 9),
        (Limits(sess=3 * SIZE - 1), "txn", 2),
        (Limits(proc=SIZE), "proc", 1),
        (Limits(total=SIZE), "req", 1),
    ],
)
def test_limits(
    limits: Limits, scope: str, fit: int, make_site: Callable[..., Any], make_scope: Callable[..., Any]
) -> None:
    site = make_site(limits=limits)
    x = make_scope()
    done = [make_writer(parse_name(f"{scope}.v{n}"), site)(x, (STR, b"0123456789")) for n in range(9)]
    assert done == [True] * fit + [False] * (9 - fit)
    # What is there can be replaced by something of its size.
    assert make_writer(parse_name(f"{scope}.v0"), site)(x, (STR, b"9876543210"))
