"""Names of sections, servers, peers."""

from __future__ import annotations

import pytest
from maniple.core.config.lexer import Word
from maniple.core.config.names import LETTERS, checked_name
from maniple.core.config.statement import Refusal


@pytest.mark.parametrize("name", ["a", "A-1", "x.y:z_0"])
def test_names(name: str) -> None:
    assert checked_name(Word(name, 1), "server") == name


@pytest.mark.parametrize(("name", "bad"), [("a b", " "), ("é", "é"), ("", ""), ("a/b", "/")])
def test_no_names(name: str, bad: str) -> None:
    with pytest.raises(Refusal) as raised:
        checked_name(Word(name, 3), "server")
    assert raised.value.message == f"character '{bad}' is not permitted in the server name '{name}'"
    assert raised.value.word == Word(name, 3) and raised.value.hint == LETTERS
