"""The registry of actions, and how an action takes its words."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.model import Place, RuleWord
from maniple.core.errors import ConfigError
from maniple.core.rules import all_actions
from maniple.core.rules.actions import ACTIONS, ALL, REQUEST, Act, Ground, Use, action, find, missing
from maniple.core.rules.catalogue import Needs, Stage
from maniple.core.rules.samples import INT
from maniple.tests.core.rules.lines import mistake

assert all_actions.MODULES
PLACE = Place("a.cfg", 3, 5)


def use(text: str, site: Any, kind: str = "http-request") -> Use:
    words, column = [], 14
    for word in text.split(" "):
        words.append(RuleWord(word, column))
        column += len(word) + 1
    return Use(Ground(kind, site, Stage.FRONT_REQUEST), words, PLACE, {})


def test_words_from_left_to_right(site: Any) -> None:
    one = use("name a b if TRUE", site)
    assert (one.name, one.argument, one.ended(), one.peek()) == ("name", None, False, "a")
    assert one.take("x").text == "a" and not one.skip("a") and one.skip("b")
    assert one.ended() and one.peek() == ""
    assert [word.text for word in one.rest] == ["if", "TRUE"]


def test_argument_in_parentheses(site: Any) -> None:
    one = use("set-var(txn.a,ifexists) int(5)", site)
    assert (one.name, one.argument) == ("set-var", RuleWord("txn.a,ifexists", 22))


NUMBERS = (("5", 5), ("0x1F", 31), ("0", 0), ("-3", -3))


@pytest.mark.parametrize(("text", "value"), NUMBERS)
def test_numbers(site: Any, text: str, value: int) -> None:
    assert use(f"name {text}", site).number("a number", -5, 100) == value


@pytest.mark.parametrize("text", ["x", "0xg", "101", "-6", "1.5"])
def test_no_numbers(site: Any, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        use(f"name {text}", site).number("a number", -5, 100)
    assert caught.value.column == 19 and caught.value.word == text


def test_expressions_and_what_they_need(site: Any) -> None:
    one = use("name int(3) , add(4) rest", site)
    assert one.expression(INT).run(None) == 3
    one = use("name path if TRUE", site)
    one.expression()
    assert one.needs & Needs.HEAD and one.peek() == ""
    with pytest.raises(ConfigError, match="expects a sample expression"):
        use("name if TRUE", site).expression()


def test_formats(site: Any, make_scope: Any) -> None:
    one = use("name <%[method]>", site)
    assert one.format("a value")(make_scope(request=b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")) == b"<GET>"


def test_errors_point_at_words(site: Any) -> None:
    one = use("name bad", site)
    word = one.take("x")
    error = one.error("no", word, "a hint")
    assert (error.column, error.word, error.hint, error.message) == (19, "bad", "a hint", "`name`: no")
    assert one.error("no").column == 14


@pytest.mark.parametrize(
    ("kind", "request_side"),
    [("http-request", True), ("tcp-request content", True), ("http-response", False), ("http-after-response", False)],
)
def test_ground_knows_its_side(site: Any, kind: str, request_side: bool) -> None:
    assert Ground(kind, site, Stage.FRONT_REQUEST).request is request_side


def test_registering_twice() -> None:
    def make(one: Use) -> Act:
        return lambda x: None

    with pytest.raises(ValueError, match="registered twice"):
        action("deny", REQUEST, "", "again")(make)


def test_find(site: Any) -> None:
    assert find(use("deny", site)) is ACTIONS["deny"]
    with pytest.raises(ConfigError, match="no action 'dney'") as caught:
        find(use("dney", site))
    assert caught.value.hint == "did you mean `deny`?"
    with pytest.raises(ConfigError, match="no action of `http-response`") as caught:
        find(use("set-path /", site, "http-response"))
    assert caught.value.hint == "it belongs in http-request"
    with pytest.raises(ConfigError, match="takes no argument"):
        find(use("deny(5)", site))


def test_what_is_missing_says_why(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    known = dict(ACTIONS)
    monkeypatch.setattr("maniple.core.rules.actions.ACTIONS", known)
    missing("do-magic do-more", ALL, "it needs magic")
    assert known["do-more"].missing == "it needs magic"
    with pytest.raises(ConfigError, match="not supported by maniple yet: it needs magic"):
        find(use("do-magic x", site)).make(use("do-magic x", site))
    assert "not supported by maniple yet: it needs caches" in mistake("http-request cache-use c")


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_all_say_what_they_are(name: str) -> None:
    entry = ACTIONS[name]
    assert entry.name == name and entry.sets and entry.summary


@pytest.mark.parametrize(
    "line",
    ["set-var(txn.a path", 'set-var-fmt(txn.a "x"', "unset-var(txn.a", "sc-inc-gpc0(0", "set-map(", "del-acl(/a"],
)
def test_a_parenthesis_is_closed(line: str, site: Any) -> None:
    with pytest.raises(ConfigError, match=r"'\)' is missing behind") as caught:
        find(use(line, site))
    name = line.partition("(")[0]
    assert caught.value.hint.startswith(f"usage: {name}(<") and caught.value.column == 14 + len(name) + 1


def test_usages_have_their_argument(site: Any) -> None:
    assert use("set-var path", site).usage() == "usage: set-var(<scope>.<name>[,<condition>]...) <expression>"
    assert use("set-map a b", site).usage() == "usage: set-map(<file>) <key> <value>"
    assert use("sc-inc-gpc0", site).usage() == "usage: sc-inc-gpc0(<set>) [{if|unless} <condition>]"
