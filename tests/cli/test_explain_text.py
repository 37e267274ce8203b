from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.cli.explain_text import WIDTH, render
from maniple.core.rules.explanation import (
    ActionTrace,
    Answer,
    Candidate,
    Change,
    Choice,
    ConditionTrace,
    Ending,
    Explanation,
    PassTrace,
    RuleTrace,
    Term,
)


def told(*rules: RuleTrace, ending: Ending | None = None) -> Explanation:
    passes = [PassTrace("frontend f", "http-request", list(rules))] if rules else []
    return Explanation(1, "f", ":80", "192.0.2.1:4", ["GET / HTTP/1.1"], 0, passes, ending)


def lines_of(*rules: RuleTrace) -> list[str]:
    return render(told(*rules)).splitlines()[4:]


def test_a_rule_that_does_not_apply() -> None:
    term = Term("a", False, "path: '/' matches no pattern (beg)", "path_beg /a", "/etc/p.cfg", 3)
    rule = RuleTrace("/etc/p.cfg", 12, "http-request deny if a", ConditionTrace("if a", False, [term]))
    assert lines_of(rule) == [
        "  p.cfg:12  no   deny if a",
        "                 false a: path: '/' matches no pattern (beg)  [p.cfg:3: path_beg /a]",
    ]


def test_what_actions_did() -> None:
    changes = [
        Change("request header", "a", [], ["1"]),
        Change("request header", "b", ["1", "2"], []),
        Change("request header", "c", ["1"], ["2"]),
        Change("variable", "txn.x", [], ["5"]),
        Change("variable", "txn.y", ["5"], ["6"]),
        Change("variable", "txn.z", ["5"], []),
        Change("request", "target", ["/a"], ["/b"]),
        Change("setting", "log level", [], ["silent"]),
        Change("setting", "log level", ["silent"], []),
    ]
    rule = RuleTrace("p", 1, "http-request x", actions=[ActionTrace("x", changes, "answered with 403", ["a note"])])
    assert [line.strip() for line in lines_of(rule)[1:]] == [
        "+ a: 1",
        "- b: 1, 2",
        "~ c: 1 -> 2",
        "txn.x = 5",
        "txn.y: 5 -> 6",
        "txn.z is forgotten, was 5",
        "target: /a -> /b",
        "log level: silent",
        "log level: no longer silent",
        "(a note)",
        "=> answered with 403",
    ]


def test_nothing_and_several_actions() -> None:
    rule = RuleTrace(
        "p", 1, "http-request if a then x ; y", actions=[ActionTrace("x"), ActionTrace("y", verdict="end")]
    )
    assert [line.strip() for line in lines_of(rule)[1:]] == ["x:", "(nothing changes)", "y:", "=> end"]


@pytest.mark.parametrize(("verdict", "back"), [("", True), ("answered with 403", False)])
def test_sets_are_indented(verdict: str, back: bool) -> None:
    inner = RuleTrace("p", 2, "http-request deny", actions=[ActionTrace("deny", verdict=verdict)])
    rule = RuleTrace("p", 1, "http-request jump s", actions=[ActionTrace("jump s", entered=[inner])])
    found = lines_of(rule)
    assert found[0] == "  p:1  yes  jump s" and found[1] == "      p:2  yes  deny"
    assert ("(back from `jump s`)" in found[-1]) is back


def test_rules_that_were_not_looked_at() -> None:
    one = told(RuleTrace("p", 1, "http-request deny"))
    one.passes[0].left = 1
    assert "(1 further rule is not looked at)" in render(one)
    one.passes[0].left = 4
    assert "(4 further rules are not looked at)" in render(one)


def test_files_of_the_same_name_are_told_apart() -> None:
    text = "\n".join(lines_of(RuleTrace("/a/p.cfg", 1, "x"), RuleTrace("/b/p.cfg", 1, "y")))
    assert "/a/p.cfg:1" in text and "/b/p.cfg:1" in text


def test_servers() -> None:
    servers = [
        Candidate("a", "10.0.0.1:80", 2, "up", False, True, 66.7, False, "p", 1),
        Candidate("longer", "10.0.0.2:80", 1, "disabled", True, False, None, False, "p", 2),
    ]
    choice = Choice("b", "use_backend, /etc/p.cfg:5", "roundrobin", servers, "a", "because")
    text = render(told(ending=Ending("forwarded", choice.reason, choice=choice)))
    assert text.splitlines()[3:] == [
        "Forwarded to backend b (use_backend, p.cfg:5), balance roundrobin",
        "  server  address      weight  share   state",
        "  a       10.0.0.1:80  2       66.7 %  up  <- first choice",
        "  longer  10.0.0.2:80  1               disabled, backup not in use",
        "  first choice a: because",
    ]


def test_answers_and_closed_connections() -> None:
    answer = Answer(403, ["HTTP/1.1 403 Forbidden", "a: b"], "body\n", 5)
    text = render(told(ending=Ending("answered", "/x/p.cfg:3", 403, answer)))
    assert text.splitlines()[3:] == [
        "Answered by maniple: 403 (p.cfg:3)",
        "  HTTP/1.1 403 Forbidden",
        "  a: b",
        "",
        "  body",
    ]
    assert "without a word (x)" in render(told(ending=Ending("closed", "x")))
    assert "is not told (x)" in render(told(ending=Ending("dropped", "x")))


def test_colours_only_mark() -> None:
    term = Term("a", True, "why")
    rule = RuleTrace("p", 1, "x", ConditionTrace("if a", True, [term]), [ActionTrace("x", verdict="end", notes=["n"])])
    plain, coloured = render(told(rule)), render(told(rule), colours=True)
    assert coloured != plain and re.sub(r"\033\[\d+m", "", coloured) == plain


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=300))
def test_lines_are_never_longer(text: str) -> None:
    term = Term("a", True, text, text, "p", 1, [text])
    rule = RuleTrace(
        "p",
        1,
        text,
        ConditionTrace("if a", True, [term]),
        [ActionTrace(text, [Change("request header", "x", [], [text])])],
    )
    one = told(rule, ending=Ending("answered", text, 200, Answer(200, [text], text, 3)))
    one.notes.append(text)
    assert all(len(line) <= WIDTH for line in render(one).splitlines())
