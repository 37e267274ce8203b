"""Blocks and messages: which lines count, what is said, and the same as HAProxy does."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.conditions import MAX_NESTING, ConditionFacts, select_lines
from maniple.core.config.diagnostics import Diagnostics
from maniple.core.config.environment import Environment
from maniple.core.config.lexer import read_lines

VARIABLES = {"YES": "1", "NO": "0"}

# (text, words of the lines that count)
BLOCKS = [
    ("a\n", "a"),
    (".if 1\na\n.endif\nb\n", "a b"),
    (".if 0\na\n.endif\nb\n", "b"),
    (".if\na\n.else\nb\n.endif\n", "b"),
    ('.if "${NOPE}"\na\n.else\nb\n.endif\n', "b"),
    ('.if "${NOPE}" 1\na\n.endif\n', "a"),
    ('.if "$YES" && !"$NO"\na\n.endif\n', "a"),
    (".if 0 # 1\na\n.endif # x\nb\n", "b"),
    (".if 0\na\n.elif 1\nb\n.elif 1\nc\n.else\nd\n.endif\n", "b"),
    (".if 0\na\n.elif 0\nb\n.else\nc\n.endif\n", "c"),
    (".if 1\na\n.elif 1\nb\n.else\nc\n.endif\n", "a"),
    (".if 1\n.if 0\na\n.else\nb\n.endif\nc\n.endif\nd\n", "b c d"),
    (".if 0\n.if 1\na\n.else\nb\n.endif\nc\n.else\nd\n.endif\n", "d"),
    # what is not taken is not read, but its words must be words
    (".if 0\n.if foo(\n.elif bar\n.else\n.endif\n.unknown\n.alert x\n.endif\na\n", "a"),
    (".if 1\na\n.elif foo(\nb\n.endif\n", "a"),
    (".if 1\n" * 50 + "a\n" + ".endif\n" * 50, "a"),
    ("  .if 1\n  a\n  .endif\n", "a"),
]

# (text, line, column, part of the message)
ERRORS = [
    (".if 1\n# a\n", 1, 1, "no '.endif'"),
    ("# a\n  .else\n", 2, 3, "'.else' without '.if'"),
    (".elif 1\n", 1, 1, "'.elif' without '.if'"),
    (".endif\n", 1, 1, "'.endif' without '.if'"),
    (".if 1\n.else\n.else\n.endif\n", 3, 1, "'.else' after '.else'"),
    (".if 0\n.else\n.elif 1\n.endif\n", 3, 1, "'.elif' after '.else'"),
    (".if 1\n.else x\n.endif\n", 2, 7, "unexpected word after '.else'"),
    (".if 1\n.endif x\n", 2, 8, "unexpected word after '.endif'"),
    (".unknown\n", 1, 1, "unknown directive '.unknown'"),
    (".IF 1\n", 1, 1, "unknown directive '.IF'"),
    (".if 1 &&  foo\n.endif\n", 1, 11, "unknown predicate 'foo'"),
    (".if 0\n.elif  (1\n.endif\n", 2, 8, "expected ')'"),
    (".if 'a b'\n.endif\n", 1, 6, "unknown predicate 'a'"),
    (".if 0\na 'b\n.endif\n", 2, 3, "unmatched single quote"),
    (".alert 'no TLS'\n", 1, 1, "no TLS"),
    (".notice a b\n", 1, 11, "unexpected word after the message of '.notice'"),
    (".if 1\n" * (MAX_NESTING + 1) + ".endif\n" * (MAX_NESTING + 1), MAX_NESTING + 1, 1, "too many nested '.if'"),
]


def select(text: str, facts: ConditionFacts | None = None) -> tuple[str, Diagnostics]:
    environment = Environment(VARIABLES)
    diagnostics = Diagnostics()
    lines = read_lines("f.cfg", text, environment, diagnostics)
    kept = select_lines(lines, facts or ConditionFacts(environment), diagnostics)
    return " ".join(word.text for line in kept for word in line.words), diagnostics


@pytest.mark.parametrize(("text", "kept"), BLOCKS)
def test_blocks(text: str, kept: str) -> None:
    assert select(text)[0] == kept
    assert select(text)[1].errors == []


@pytest.mark.parametrize(("text", "line", "column", "said"), ERRORS)
def test_errors(text: str, line: int, column: int, said: str) -> None:
    (report,) = select(text)[1].errors
    assert (report.place.line, report.place.column) == (line, column)
    assert said in report.message


def test_a_mistyped_directive_is_recognised() -> None:
    assert select(".notise x\n")[1].errors[0].hint == "did you mean '.notice'?"


def test_an_unreadable_condition_takes_no_branch() -> None:
    kept, diagnostics = select(".if foo\na\n.elif 1\nb\n.else\nc\n.endif\nd\n")
    assert kept == "d"
    assert len(diagnostics.errors) == 1


def test_every_open_block_is_told() -> None:
    _, diagnostics = select(".if 1\n.if 1\n.endif\n .if 0\n")
    assert [(report.place.line, report.place.column) for report in diagnostics.errors] == [(1, 1), (4, 2)]


def test_messages_and_their_levels() -> None:
    text = ".diag d\n.notice 'a n'\n.warning w\n.alert e\n.notice\n"
    _, diagnostics = select(text)
    assert [(report.level, report.message) for report in diagnostics] == [
        ("notice", "a n"),
        ("warning", "w"),
        ("error", "e"),
        ("notice", ""),
    ]
    _, diagnostics = select(text, ConditionFacts(VARIABLES, diagnostic_mode=True))
    assert next(iter(diagnostics)).message == "d"


def test_a_variable_set_above_is_seen_below() -> None:
    environment = Environment({})
    diagnostics = Diagnostics()
    text = 'set\n.if defined(X) && streq("$X",y)\na\n.endif\n.notice "$X"\n'
    kept = []
    for line in select_lines(
        read_lines("f.cfg", text, environment, diagnostics), ConditionFacts(environment), diagnostics
    ):
        kept.append(line.words[0].text)
        environment.set("X", "y")
    assert kept == ["set", "a"]
    assert [report.message for report in diagnostics] == ["y"]


@pytest.mark.parametrize("version", ["haproxy", "haproxy3"])
@pytest.mark.parametrize(("text", "kept"), BLOCKS)
def test_same_lines_as_haproxy(text: str, kept: str, version: str, request: pytest.FixtureRequest) -> None:
    """Each line that counts says its name."""
    oracle = request.getfixturevalue(version)
    spoken = "".join(
        line.replace(line.strip(), f".notice {line.strip()}", 1) if len(line.strip()) == 1 else line
        for line in text.splitlines(keepends=True)
    )
    said = oracle.reports(spoken, VARIABLES)
    assert " ".join(message[1:-2] for _, reports in sorted(said.items()) for _, message in reports) == kept


@pytest.mark.parametrize(("text", "line", "column", "said"), ERRORS)
def test_same_errors_as_haproxy(text: str, line: int, column: int, said: str, haproxy3: Any) -> None:
    text = (
        text.replace("\na\n", "\n# a\n").replace("a\n", "# a\n", 1) if text.startswith(("a\n", ".if 1\na\n")) else text
    )
    refused = haproxy3.refused(text)
    # a block without end, and every block after nonsense, is reported at the last line
    assert refused if "endif" in said or "nested" in said or "word after" in said else line in refused
