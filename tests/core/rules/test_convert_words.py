"""Fields, words and parameters beside slow models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ConfigError
from maniple.core.rules import keywords
from maniple.core.rules.catalogue import CONVERTERS, Call, Stage

TEXTS = st.text("ab_-", max_size=12).map(str.encode)
INDEXES = st.integers(-4, 4).filter(bool)


assert keywords.MODULES


def convert(name: str, *values: Any) -> Callable[[bytes], bytes | None]:
    call = Call(name, values, (), 1, None, Stage.FRONT_REQUEST)  # type: ignore[arg-type]
    return CONVERTERS[name].make(call)  # type: ignore[return-value]


def spans(value: bytes, words: bool) -> list[tuple[int, int]]:
    """(start, end) of each field or word, byte by byte."""
    found = []
    start = 0
    for index in range(len(value) + 1):
        if index == len(value) or value[index] in b"_-":
            if index > start or not words:
                found.append((start, index))
            start = index + 1
    return found


@given(TEXTS, INDEXES, st.integers(-1, 4), st.sampled_from(["field", "word"]))
def test_against_a_scan(value: bytes, index: int, count: int, name: str) -> None:
    parts = spans(value, name == "word")
    expected = None
    if abs(index) <= len(parts):
        number = index - 1 if index > 0 else len(parts) + index
        if index > 0:
            last = number + count - 1
            end = len(value) if count <= 0 or last >= len(parts) else parts[last][1]
            expected = value[parts[number][0] : end]
        else:
            first = number - count + 1
            start = 0 if count <= 0 or first < 0 else parts[first][0]
            expected = value[start : parts[number][1]]
    assert convert(name, index, b"_-", count)(value) == expected
    if count == 1:
        assert convert(name, index, b"_-", None)(value) == expected


@given(st.text("ab=&", max_size=12).map(str.encode), st.sampled_from([b"a", b"b", b"ab", b"", b"a=b"]))
def test_param_against_a_split(value: bytes, name: bytes) -> None:
    expected = None
    for item in value.split(b"&"):
        if item == name or item.startswith(name + b"="):
            expected = item[len(name) + 1 :]
            break
    assert convert("param", name, None)(value) == expected


def test_param_of_many(value_of: Callable[..., Any]) -> None:
    assert value_of("str(a=1;b=2;b=3),param(b,;)", None) == b"2"


WRONG: list[tuple[str, int, str]] = [
    ("str(a),word(0,_)", 13, "counted from 1"),
    ("str(a),field(1,)", 16, "at least one delimiter"),
    ("str(a),field(x,_)", 14, "an integer is expected"),
    ("str(a),param(a,&&)", 16, "one character"),
    ("str(a),word(1)", 8, "misses its argument"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column
