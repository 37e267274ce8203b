"""Conditions of an exchange."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from maniple.core.errors import ConfigError

CASES: list[tuple[str, dict[str, Any], bool]] = [
    ("normal", {}, True),
    ("error", {}, False),
    ("!error", {}, True),
    ("error", {"status": 500}, True),
    ("error", {"status": 404}, False),
    ("error", {"termination": b"sH"}, True),
    ("error", {"retries": 1}, True),
    ("error", {"redispatched": True}, True),
    ("forwarded", {}, False),
    ("forwarded", {"connect_at": 3.0}, True),
    ("processed", {"server": "one"}, True),
    ("toapplet", {"server": "one"}, False),
    ("!toapplet", {}, True),
    ("stopping", {}, False),
    ("!stopping", {}, True),
    ("acl,yes", {}, True),
    ("!acl,yes", {}, False),
]


@pytest.fixture
def place(make_site: Callable[..., Any]) -> Any:
    known = {"yes": SimpleNamespace(test=lambda x: True)}
    site = make_site()
    site.acls = SimpleNamespace(find=lambda name, stage: known.get(name))
    return site


@pytest.mark.parametrize(("text", "facts", "passes"), CASES)
def test_conditions(
    text: str,
    facts: dict[str, Any],
    passes: bool,
    place: Any,
    value_of: Callable[..., Any],
    make_scope: Callable[..., Any],
) -> None:
    assert value_of(f"str(x),when({text})", make_scope(**facts), site=place) == (b"x" if passes else None)


def test_stopping(value_of: Callable[..., Any], make_scope: Callable[..., Any], place: Any) -> None:
    place.process.draining = True
    assert value_of("str(x),when(stopping)", make_scope(), site=place) == b"x"


def test_unknown_acl(value_of: Callable[..., Any], place: Any) -> None:
    with pytest.raises(ConfigError, match="there is no ACL 'no'"):
        value_of("str(x),when(acl,no)", None, site=place)


WRONG: list[tuple[str, int, str]] = [
    ("str(a),when(fine)", 13, "a condition is one of acl, error"),
    ("str(a),when(acl)", 8, "the name of an ACL"),
    ("str(a),when(error,x)", 19, "only acl takes a name"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column
