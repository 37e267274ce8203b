"""Arithmetic of 64 bits beside exact numbers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import trunc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ConfigError
from maniple.core.rules import convert_number as number
from maniple.core.rules.samples import INT, INT_MAX, INT_MIN, STR, clamp

EDGES = st.sampled_from([0, 1, -1, 2, -2, INT_MAX, INT_MIN, INT_MAX - 1, INT_MIN + 1])
NUMBERS = st.integers(INT_MIN, INT_MAX) | EDGES | st.integers(-9, 9)

MODELS: dict[Callable[[int, int], int], Callable[[int, int], int]] = {
    number.add: lambda a, b: clamp(a + b),
    number.subtract: lambda a, b: clamp(a - b),
    number.multiply: lambda a, b: clamp(a * b),
    number.divide: lambda a, b: clamp(trunc(Fraction(a, b))) if b else INT_MAX,
    number.remain: lambda a, b: a - b * trunc(Fraction(a, b)) if b else 0,
}


@pytest.mark.parametrize("operate", MODELS)
@given(a=NUMBERS, b=NUMBERS)
def test_against_exact_numbers(operate: Callable[[int, int], int], a: int, b: int) -> None:
    assert operate(a, b) == MODELS[operate](a, b)


@given(a=NUMBERS)
def test_alone(a: int) -> None:
    assert number.negate(a) == clamp(-a)
    assert number.complement(a) == -a - 1
    assert number.is_odd(a) is bool(a % 2) and number.is_even(a) is not number.is_odd(a)
    assert number.is_zero(a) is (a == 0)


CASES: list[tuple[str, Any]] = [
    ("int(12),and(10)", 8),
    ("int(12),or(3)", 15),
    ("int(-1),xor(10)", -11),
    ("int(12),and(txn.five)", 4),
    ("int(12),sub(txn.five)", 7),
    ("int(12),sub(txn.text)", 12),
    ("int(12),or(txn.none)", None),
    ("int(12),mod(txn.none)", None),
    ("int(5),add()", 5),
    ("int(5),bool", True),
    ("int(0),bool", False),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_expressions(text: str, expected: Any, make_scope: Callable[..., Any], value_of: Callable[..., Any]) -> None:
    x = make_scope(variables={"five": (INT, 5), "text": (STR, b"abc")})
    value = value_of(text, x)
    assert value == expected and type(value) is type(expected)


WRONG: list[tuple[str, int, str]] = [
    ("int(1),add(foo)", 12, "an integer or the name of a variable"),
    ("int(1),div(1x)", 12, "an integer or"),
    ("bin(00),add(1)", 9, "cannot become int"),
    ("int(1),neg(1)", 12, "takes no arguments"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column
