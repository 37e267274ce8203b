"""Expressions: syntax, types, errors with their columns. A small catalogue of its own beside maniple's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules import catalogue
from maniple.core.rules.catalogue import ANYWHERE, REQUEST, Needs, Scoped, Stage
from maniple.core.rules.expression import compile_text, parse_expression, parse_start, parse_words
from maniple.core.rules.samples import ANY, BIN, INT, STR, Type

STAGE = Stage.FRONT_REQUEST


class W:
    def __init__(self, text: str, column: int = 1) -> None:
        self.text = text
        self.column = column


@pytest.fixture(autouse=True, scope="module")
def small_catalogue() -> Iterator[None]:
    fetches, converters = dict(catalogue.FETCHES), dict(catalogue.CONVERTERS)
    catalogue.fetch("t.str", STR, ANYWHERE, "A text", arguments="text:string")(lambda call: lambda x: call.values[0])
    catalogue.plain_fetch("t.bin", BIN, REQUEST, "Bytes")(lambda x: b"\x01\x02")
    catalogue.fetch("t.all", STR, REQUEST, "Several", each=lambda call: lambda x: [b"1", b"", b"3"])(
        lambda call: lambda x: b"3"
    )
    catalogue.plain_fetch("t.any", ANY, ANYWHERE, "A pair")(lambda x: (INT, 41))
    catalogue.plain_converter("t.inc", INT, INT, "One more")(lambda value: value + 1)
    catalogue.plain_converter("t.up", STR, STR, "Capitals")(bytes.upper)
    catalogue.plain_converter("t.none", STR, STR, "Nothing")(lambda value: None)
    catalogue.plain_converter("t.same", ANY, None, "The same")(lambda value: value)
    catalogue.converter("t.of", INT, INT, "Scoped")(lambda call: Scoped(lambda x, value: value + x))
    yield
    for name in set(catalogue.FETCHES) - set(fetches):
        del catalogue.FETCHES[name]
    for name in set(catalogue.CONVERTERS) - set(converters):
        del catalogue.CONVERTERS[name]


CASES: list[tuple[str, Type | None, Any]] = [
    ("t.str(ab)", None, b"ab"),
    ("t.str(ab),t.up", None, b"AB"),
    ("t.str(41),t.inc", None, 42),
    ("t.str(41),t.inc", STR, b"42"),
    ("t.str(41),t.inc,t.of,t.inc", None, 1043),
    ("t.str(a),t.none,t.up", None, None),
    ("t.str(),t.inc", None, None),
    ("t.any", STR, b"41"),
    ("t.any,t.inc", None, 42),
    ("t.any,t.same", None, (INT, 41)),
    ("t.str(1),t.same", ANY, (STR, b"1")),
    ("t.bin,t.up", None, b"\x01\x02"),
]


@pytest.mark.parametrize(("text", "want", "expected"), CASES)
def test_value(text: str, want: Type | None, expected: Any, site: Any) -> None:
    compiled = compile_text(text, site, STAGE, want)
    assert compiled.run(1000) == expected
    assert want is None or compiled.type is want


def test_each(site: Any) -> None:
    compiled = compile_text("t.all,t.inc", site, STAGE, STR)
    assert compiled.each is not None and compiled.each(0) == [b"2", b"4"]
    assert compiled.run(0) == b"4"
    assert compiled.needs is Needs.HEAD
    assert compile_text("t.str(a)", site, STAGE).each is None


WRONG: list[tuple[str, int, str]] = [
    ("", 1, "a sample expression is expected"),
    ("t.strr(a)", 1, "unknown fetch 't.strr'"),
    ("t.str(a),t.upp", 10, "unknown converter 't.upp'"),
    ("t.str", 1, "misses its argument"),
    ("t.str(a", 6, "is missing"),
    ("t.str(a)x", 9, "'x' cannot follow"),
    ("t.str(a),", 10, "a keyword is expected"),
    ("t.bin,t.inc", 7, "type bin cannot become int"),
    ("t.str(a,b)", 9, "at most 1 argument"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, site: Any) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        compile_text(text, site, STAGE, column=30, file="a.cfg", line=7)
    assert (caught.value.file, caught.value.line, caught.value.column) == ("a.cfg", 7, 29 + column)


def test_hint(site: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        compile_text("t.sttr(a)", site, STAGE)
    assert caught.value.hint == "did you mean `t.str`?"


def test_a_stage_without_the_information(site: Any) -> None:
    with pytest.raises(ConfigError, match="nothing to say here"):
        compile_text("t.bin", site, Stage.CONNECTION)


def test_start_of_a_longer_text() -> None:
    expression, end = parse_start("xx t.str(a]),t.up] rest", 1, 3)
    assert expression.text == "t.str(a]),t.up" and end == 17


WORDS: list[tuple[list[str], int, list[str]]] = [
    (["t.str(1)", "t.inc", "if", "x"], 2, ["t.inc"]),
    (["t.str(1),t.inc", "t.inc,t.inc"], 2, ["t.inc", "t.inc", "t.inc"]),
    (["t.str(1),", "t.inc", "-m", "int"], 2, ["t.inc"]),
    (["t.str(1)", "-i", "a"], 1, []),
]


@pytest.mark.parametrize(("words", "end", "converters"), WORDS)
def test_words(words: list[str], end: int, converters: list[str]) -> None:
    expression, index = parse_words([W(word) for word in words])
    assert index == end and [item.name for item in expression.converters] == converters


def test_words_missing() -> None:
    with pytest.raises(ConfigError, match="expected"):
        parse_words([])


def test_parse_keeps_text() -> None:
    assert parse_expression("a.b+c(1,2),d").text == "a.b+c(1,2),d"
