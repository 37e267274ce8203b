"""Flags and operators of ACLs by themselves; whole ACLs are in test_acl."""

from __future__ import annotations

import pytest
from maniple.core.config.model import RuleWord
from maniple.core.errors import ConfigError
from maniple.core.rules.acl_flags import apply_operators, late_flags, read_flags


def words(text: str) -> list[RuleWord]:
    return [RuleWord(word, index) for index, word in enumerate(text.split())]


def test_all_flags() -> None:
    flags, rest = read_flags(words("-m beg -n -f one -i -M -f two -u 12 -- -i x"))
    assert (flags.method, flags.resolve, flags.ignore_case, flags.as_map) == ("beg", False, True, True)
    assert flags.identity == "12" and flags.ended
    assert [(word.text, fold, as_map) for word, fold, as_map in flags.files or ()] == [
        ("one", False, False),
        ("two", True, True),
    ]
    assert [word.text for word in rest] == ["-i", "x"]


def test_late_flags() -> None:
    (warning,) = late_flags(words("a -m found -i"))
    assert (warning.word, warning.column) == ("-m", 1) and "`--`" in warning.hint
    assert late_flags(words("a -5 --")) == []


def test_flags_end_at_the_first_pattern() -> None:
    flags, rest = read_flags(words("-i a -n"))
    assert flags.ignore_case and flags.resolve and not flags.ended
    assert [word.text for word in rest] == ["a", "-n"]


OPERATORS = [
    ("5 7:9", ["5", "7:9"]),
    ("eq 5", ["5"]),
    ("gt 5 6", ["6:", "7:"]),
    ("ge 5", ["5:"]),
    ("lt 0", [":-1"]),
    ("le 5 eq 7", [":5", "7"]),
    ("gt 1:3 5", ["1:3", "6:"]),
    ("gt -1", ["-1"]),
    ("gt", []),
]


@pytest.mark.parametrize(("text", "expected"), OPERATORS)
def test_operators(text: str, expected: list[str]) -> None:
    notes: list[ConfigError] = []
    assert [word.text for word in apply_operators(words(text), notes)] == expected
    assert bool(notes) is ("-1" in text)


def test_what_is_no_number_behind_an_operator() -> None:
    with pytest.raises(ConfigError, match="neither a number nor") as caught:
        apply_operators(words("gt 5 abc"), [])
    assert caught.value.column == 2
