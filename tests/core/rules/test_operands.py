"""Arguments that are values or names of variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules.arguments import Argument
from maniple.core.rules.catalogue import Call, Stage
from maniple.core.rules.operands import read_number, read_variable
from maniple.core.rules.samples import INT, INT_MAX, INT_MIN, IP, STR


@pytest.fixture
def call(site: Any) -> Callable[[bytes | None], Call]:
    def make(value: bytes | None) -> Call:
        text = (value or b"").decode()
        return Call("c", (value,), (Argument(text, 7),), 5, site, Stage.FRONT_REQUEST)

    return make


NUMBERS = [
    (None, 0),
    (b"", 0),
    (b"+3", 3),
    (b"-3", -3),
    (b"-12", -12),
    (b"99999999999999999999", INT_MAX),
    (b"-99999999999999999999", INT_MIN),
]


@pytest.mark.parametrize(("text", "number"), NUMBERS)
def test_numbers(text: bytes | None, number: int, call: Callable[[bytes | None], Call]) -> None:
    assert read_number(call(text), 0) == number


def test_variables(call: Callable[[bytes | None], Call], make_scope: Callable[..., Any]) -> None:
    read = read_number(call(b"txn.a"), 0)
    assert callable(read)
    assert read(make_scope()) is None
    assert read(make_scope(variables={"a": (STR, b"7x")})) == 7
    assert read(make_scope(variables={"a": (STR, b"12")})) == 12
    assert read(make_scope(variables={"a": (IP, bytes(16))})) is None
    as_text = read_variable(call(b"txn.a"), 0, STR)
    assert as_text(make_scope(variables={"a": (INT, 7)})) == b"7"


@pytest.mark.parametrize("text", [b"a", b"x", b" 3", b"3 ", b"0x3", b"txn", b"txn.", b"txn.a-b"])
def test_neither(text: bytes, call: Callable[[bytes | None], Call]) -> None:
    with pytest.raises(ConfigError, match="an integer or the name of a variable") as caught:
        read_number(call(text), 0)
    assert caught.value.column == 7
    with pytest.raises(ConfigError):
        read_variable(call(text), 0, STR)
