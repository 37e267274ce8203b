"""All that is wrong is told at once: what reading found, and what rules and formats say."""

from __future__ import annotations

import pytest
from maniple.core.config.diagnostics import Diagnostics
from maniple.core.config.parser import load
from maniple.core.report.examination import examine

HEAD = "defaults d\n mode http\n timeout client 1s\n timeout connect 1s\n timeout server 1s\n"


def told(text: str) -> list[str]:
    _, found = load([("x", HEAD + text)], {}, examine=examine)
    return [f"{one.place.line}:{one.place.column} {one.message}" for one in found.in_order() if one.level != "notice"]


def test_rules_and_formats() -> None:
    text = "frontend f\n bind :80\n http-request denny\n log-format %nosuch\n log stdout local0\n"
    assert told(text) == ["8:15 `http-request` has no action 'denny'", "9:13 '%nosuch' is not a variable of formats"]


CASES = (
    # An error of reading does not hide those of rules.
    (
        "frontend f\n bind :80\n maxcon 5\n http-request denny\n",
        ["8:2 unknown keyword 'maxcon' in a frontend section", "9:15 `http-request` has no action 'denny'"],
    ),
    # What a line in error makes is not missed besides.
    (
        "frontend f\n bind :80\n acll a path /\n http-request deny if a\n",
        ["8:2 unknown keyword 'acll' in a frontend section"],
    ),
    ("frontend f\n bind :80\n default_backend b\nbackend b x\n", ["9:11 `backend` cannot take the extra argument 'x'"]),
    (
        "backend b\n stick-table type ip size x\n server s :1\nbackend c\n stick on src table b\n server s :1\n",
        ["7:27 `stick-table ... size x`: size 'x' is not a number with a unit"],
    ),
    # But what has nothing to do with it is.
    (
        "frontend f\n bind :80\n maxcon 5\n http-request deny if nobody\n",
        ["8:2 unknown keyword 'maxcon' in a frontend section", "9:23 there is no ACL 'nobody'"],
    ),
    # A mistyped section is read on as what it means.
    (
        "fronted f\n bind 80\n",
        ["6:1 unknown section 'fronted'", "7:7 `bind 80`: no port in '80' (for the port alone write ':80')"],
    ),
    # What looks like the start of a section nobody knows hides its lines.
    (
        "backend b\n server s :1\nnosuch c\n server t :1\n mode what\n",
        ["8:1 unknown keyword 'nosuch' in a backend section"],
    ),
)


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_one_mistake_one_message(text: str, expected: list[str]) -> None:
    assert told(text) == expected


def test_warnings_wait_for_errors() -> None:
    """A line in error may say what seems to be wrong."""
    text = "frontend f\n bind :80\n http-request deny if { res.hdr(a) b }\n"
    assert any("never matches" in one for one in told(text))
    assert not any("never matches" in one for one in told(text + " maxcon 5\n"))


def test_places_are_told_once() -> None:
    configuration, _ = load([("x", HEAD + "frontend f\n bind :80\n http-request denny\n")], {})
    assert configuration is not None
    found = Diagnostics()
    examine(configuration, found)
    once = [one.message for one in found.errors]
    examine(configuration, found)
    assert [one.message for one in found.errors] == once
