"""Rule lines: where they may stand, what defaults hand down, how they are kept."""

from __future__ import annotations

import pytest
from maniple.core.config.dump import dump
from maniple.core.config.model import RuleSpec
from maniple.core.config.rules import static_backend
from maniple.tests.core.config.conftest import Read

FRONT = "frontend f\n    bind :80\n    timeout client 1s\n"
NAMED = "defaults d\n    mode http\n    acl y path /x\n    http-request set-header A 1 if y\n"


def shown(rules: tuple[RuleSpec, ...]) -> list[str]:
    return [f"{rule.scope}|{rule.kind}|{' '.join(word.text for word in rule.words)}" for rule in rules]


def test_words_with_their_columns(read: Read) -> None:
    spec = read('frontend f\n  mode http\n  http-request set-header X "a b" if { path /x }\n').proxy("f")
    (rule,) = spec.rules
    assert (rule.kind, rule.place.line, rule.place.column) == ("http-request", 3, 3)
    assert [(word.text, word.column) for word in rule.words[:4]] == [
        ("set-header", 16),
        ("X", 27),
        ("a b", 30),
        ("if", 35),
    ]


def test_in_the_order_of_the_file(read: Read) -> None:
    text = FRONT + "    http-request deny if x\n    acl x path /\n    use_backend b\nbackend b\n"
    assert shown(read(text).proxy("f").rules) == [
        "|http-request|deny if x",
        "|acl|x path /",
        "|use_backend|b",
    ]


def test_defaults_hand_down_theirs_first(read: Read) -> None:
    found = read(NAMED + FRONT + "    http-request deny\nfrontend g\n")
    assert shown(found.proxy("f").rules) == [
        "d|acl|y path /x",
        "d|http-request|set-header A 1 if y",
        "|http-request|deny",
    ]
    assert len(found.proxy("g").rules) == 2


REFUSED = (
    ("defaults\n  http-request deny\n", "2:3 `http-request` is not allowed in a defaults section without a name"),
    ("defaults\n  acl a path /\n", "2:3 `acl` is not allowed in a defaults section without a name"),
    (
        "defaults\n  tcp-request inspect-delay 5s\n",
        "2:3 `tcp-request inspect-delay` is not allowed in a defaults section without a name",
    ),
    (NAMED + "defaults e from d\n", "5:1 a defaults section cannot inherit from one with rules (case.cfg:1)"),
    (
        NAMED + "frontend f\nbackend b\n",
        "6:9 defaults 'd' has rules, and is used by frontend 'f' and by backend 'b'",
    ),
    (NAMED + "listen l\n", "5:8 listen 'l' cannot take its settings from defaults 'd', which has rules"),
    ("frontend f\n  http-request\n", "2:3 `http-request` expects <action> [<argument>...] [{if|unless} <condition>]"),
    ("request-rules a b\n", "1:17 `request-rules` cannot take the extra argument 'b'"),
    ("request-rules a\nresponse-rules a\n", "2:16 response-rules 'a' has the same name as request-rules in line 1"),
    (
        "request-rules a\n  http-response deny\n",
        "2:3 `http-response` has no place in a request-rules section",
    ),
    ("request-rules a\n  bind :80\n", "2:3 unknown keyword 'bind' in a request-rules section"),
)


@pytest.mark.parametrize(("text", "expected"), REFUSED, ids=lambda item: item.split("\n")[0][:40])
def test_refused(read: Read, text: str, expected: str) -> None:
    assert expected in read(text).errors


MISPLACED = (
    ("backend b\n  use_backend b\n", "use_backend"),
    ("frontend f\n  use-server b\n", "use-server"),
    ("backend b\n  tcp-request connection reject\n", "tcp-request connection"),
    ("frontend f\n  tcp-response content reject\n", "tcp-response content"),
    ("backend b\n  monitor fail if x\n", "monitor fail"),
)


@pytest.mark.parametrize(("text", "name"), MISPLACED, ids=lambda item: item[:20])
def test_ignored_with_a_warning_where_it_has_no_place(read: Read, text: str, name: str) -> None:
    found = read(text)
    assert any(f"`{name}` has no place in" in warning for warning in found.warnings)
    assert not found.good.proxies[0].rules


def test_delays(read: Read) -> None:
    found = read("listen l\n  tcp-request inspect-delay 5s\n  tcp-response inspect-delay 1m\n").proxy("l")
    assert (found.request_inspect_delay, found.response_inspect_delay) == (5000, 60000)


def test_named_sets(read: Read) -> None:
    found = read("request-rules a\n  http-request deny\nresponse-rules b\n  http-response deny\n").good.rule_sets
    assert {name: (one.kind, shown(one.rules)) for name, one in found.items()} == {
        "a": ("request-rules", ["|http-request|deny"]),
        "b": ("response-rules", ["|http-response|deny"]),
    }


def test_static_backend(read: Read) -> None:
    text = FRONT + "    use_backend b if x\n    use_backend %[path]\n    redirect prefix /\nbackend b\n"
    assert [static_backend(rule) for rule in read(text).proxy("f").rules] == ["b", "", ""]


def test_fullconn_counts_frontends_that_may_use_the_backend(read: Read) -> None:
    text = "frontend f\n  maxconn 100\n  use_backend b if x\nfrontend g\n  maxconn 50\n  default_backend b\nbackend b\n"
    assert read(text).proxy("b").fullconn == 15


def test_dumped_with_the_scope_of_their_acls(read: Read) -> None:
    text = dump(read(NAMED + "frontend f\n  acl y path /other\ndefaults\nbackend b\n").good)
    again = read(text).good
    assert dump(again) == text
    assert shown(again.proxies[0].rules)[0] == "d|acl|y path /x"
    assert not again.proxies[1].rules
