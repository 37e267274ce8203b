from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.parser import load

CASES = [
    ("server a 192.0.2.1:80 weight", "27:`weight` expects <0..256>"),
    ("server a 192.0.2.1:80 weight 300", "34:`weight 300`: must be from 0 to 256"),
    ("server a 192.0.2.1:80 wieght 3", "27:unknown word 'wieght' on a server line"),
    ("server a 192.0.2.1:80 foo bar weight 300", "27:unknown word 'foo'|31:unknown word 'bar'|42:`weight 300`"),
    (
        "server a 192.0.2.1:80 ssl verify none weight x",
        "27:HAProxy's server keyword `ssl`|31:HAProxy's server keyword `verify`|50:",
    ),
    ("server a 192.0.2.1:80 source 192.0.2.9 usesrc clientip", "44:HAProxy's server keyword `usesrc`"),
]


@pytest.mark.parametrize(("line", "expected"), CASES)
def test_every_wrong_word_is_reported(read: Any, line: str, expected: str) -> None:
    errors = read(f"backend b\n    {line}\n").errors
    wanted = expected.split("|")
    assert len(errors) == len(wanted), errors
    for error, start in zip(errors, wanted, strict=True):
        assert error.removeprefix("2:").replace(" ", ":", 1).startswith(start), error


def test_suggestion(read: Any) -> None:
    outcome = read("backend b\n    server a 192.0.2.1:80 wieght\n")
    assert [report.hint for report in outcome.diagnostics.errors] == ["did you mean `weight`?"]


def test_accepted_words_are_notices(read: Any) -> None:
    outcome = read("backend b\n    server a 192.0.2.1:80 check inter 5s\n")
    assert outcome.notices == [
        "2:27 `check` on a server line: accepted, not yet in force",
        "2:33 `inter` on a server line: accepted, not yet in force",
    ]


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        # A number behind a word that nobody knows belongs to it.
        ("nosuch 100 weight 2", ["unknown word 'nosuch' on a server line"]),
        ("nosuch backup weight 2", ["unknown word 'nosuch' on a server line"]),
        # A word in an argument's place is a word all the same.
        ("maxconn weight 2", ["`maxconn weight`: an integer is expected"]),
        ("weight weight 300", ["`weight weight`: an integer is expected", "`weight 300`: must be from 0 to 256"]),
    ],
)
def test_one_mistake_one_message(words: str, messages: list[str]) -> None:
    _, found = load([("x", f"backend b\n server s :1 {words}\n")], {})
    assert [one.message for one in found.errors] == messages
    assert all(one.hint for one in found.errors)
