from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from maniple.core.rules.explanation import (
    ActionTrace,
    ConditionTrace,
    Ending,
    Explanation,
    PassTrace,
    RuleTrace,
    Term,
    show_bytes,
)


def test_it_is_json_as_it_stands() -> None:
    inner = RuleTrace("f", 2, "http-request deny", actions=[ActionTrace("deny", verdict="answered with 403")])
    condition = ConditionTrace("if a", True, [Term("a", True, "path: '/' matches '/'")])
    rule = RuleTrace("f", 1, "http-request jump s if a", condition, [ActionTrace("jump s", entered=[inner])])
    told = Explanation(
        1, "f", ":80", "192.0.2.1:1", ["GET / HTTP/1.1"], 0, [PassTrace("frontend f", "http-request", [rule])]
    )
    found = json.loads(json.dumps(asdict(told)))
    assert found["passes"][0]["rules"][0]["actions"][0]["entered"][0]["text"] == "http-request deny"
    assert found["ending"] is None


def test_a_rule_applies_without_a_condition_or_if_it_holds() -> None:
    assert RuleTrace("f", 1, "x").applies
    assert RuleTrace("f", 1, "x", ConditionTrace("if a", True, [])).applies
    assert not RuleTrace("f", 1, "x", ConditionTrace("if a", False, [])).applies


@pytest.mark.parametrize(
    ("ending", "response", "forwarded"),
    [("forwarded", None, True), ("forwarded", "answered", False), ("answered", None, False), (None, None, False)],
)
def test_forwarded(ending: str | None, response: str | None, forwarded: bool) -> None:
    told = Explanation(1, "f", ":80", "s", [], 0)
    told.ending = None if ending is None else Ending(ending, "")
    told.response_ending = None if response is None else Ending(response, "")
    assert told.forwarded is forwarded


def test_bytes_that_are_no_text() -> None:
    assert show_bytes("é".encode() + b"\xe9") == "é\\xe9"
