from __future__ import annotations

from collections.abc import Callable

import pytest
from maniple.core.config.model import Place
from maniple.core.config.statement import Refusal, Statement
from maniple.core.config.values import Duration, Integer

Make = Callable[[str], Statement]


def test_arguments_and_places(statement: Make) -> None:
    line = statement("  retries 3 'a b'")
    assert line.texts == ("3", "a b")
    assert line.text(1) == "a b"
    assert line.text(2) == ""
    assert line.place == Place("case.cfg", 7, 3)
    assert line.place_of(line.arguments[1]) == Place("case.cfg", 7, 13)


def test_value_names_the_keyword_and_the_word(statement: Make) -> None:
    line = statement("retries x")
    with pytest.raises(Refusal) as caught:
        line.value(0, Integer())
    assert caught.value.message == "`retries x`: an integer is expected"
    assert caught.value.word is line.arguments[0]


def test_missing_value(statement: Make) -> None:
    with pytest.raises(Refusal, match=r"`retries` expects <0\.\.9>"):
        statement("retries").value(0, Integer(0, 9))


def test_how_a_value_is_written_is_the_hint(statement: Make) -> None:
    with pytest.raises(Refusal) as caught:
        statement("grace 5x").value(0, Duration())
    assert caught.value.message == "`grace 5x`: time '5x' has the unknown unit 'x'"
    assert caught.value.hint.startswith("a time is an integer")


@pytest.mark.parametrize(
    ("text", "least", "most", "complaint"),
    [
        ("retries", 1, 1, "`retries` expects <n>"),
        ("retries 1 2", 1, 1, "cannot take the extra argument '2'"),
        ("retries 1", 0, 0, "cannot take the extra argument '1'"),
    ],
)
def test_arity(statement: Make, text: str, least: int, most: int, complaint: str) -> None:
    with pytest.raises(Refusal, match=complaint):
        statement(text).expect(least, most, "<n>")


def test_any_number_of_arguments(statement: Make) -> None:
    statement("retries 1 2 3").expect(0, -1, "")


def test_part_of_a_line(statement: Make) -> None:
    part = statement("server a 127.0.0.1:80 weight 3 check").part("weight", 2, 1)
    assert (part.name, part.texts, part.place.column) == ("weight", ("3",), 23)


def test_reports(statement: Make) -> None:
    line = statement("retries 3")
    line.error("wrong")
    line.warn("odd", line.arguments[0])
    line.note("later")
    line.refuse(Refusal("refused", line.arguments[0], "hint"))
    assert [(r.level, r.place.column, r.message, r.word) for r in line.diagnostics] == [
        ("error", 1, "wrong", "retries"),
        ("warning", 9, "odd", "3"),
        ("notice", 1, "later", "retries"),
        ("error", 9, "refused", "3"),
    ]
