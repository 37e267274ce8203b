"""Substitutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules.convert_regsub import parse_substitution

CASES: list[tuple[str, Any]] = [
    ("str(abcabc),regsub(b,X)", b"aXcabc"),
    ("str(abcabc),regsub(B,X,ig)", b"aXcaXc"),
    (r"str(abc),regsub('(a)(z)?(b)','[\3\2\1\0\9]')", b"[baab]c"),
    (r"str(abc),regsub('b','\x41\\\q\10')", b"aA\\q0c"),
    (r"str(a.b),regsub('[.]','\g<1>')", b"ag<1>b"),
    ("str(abc),regsub('$',x,g)", b"abcx"),
    ("str(),regsub(x*,-)", b"-"),
    ("bin(61ff62),regsub('.',-,g)", b"---"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_expressions(text: str, expected: Any, value_of: Callable[..., Any]) -> None:
    assert value_of(text, None) == expected


def test_substitutions() -> None:
    constant = parse_substitution(rb"a\x42\c", 0)
    assert callable(constant)
    assert parse_substitution(rb"\1\\", 1) == rb"\g<1>\\"
    assert callable(parse_substitution(rb"\1", 0))
    for text in (b"a\\", rb"\x4", rb"\xgg"):
        with pytest.raises(ValueError, match=r"expected|last"):
            parse_substitution(text, 0)


WRONG: list[tuple[str, int, str]] = [
    ("str(a),regsub('(b',x)", 15, "regular expression"),
    ("str(a),regsub(,x)", 15, "a regular expression is expected"),
    ("str(a),regsub(b,x,h)", 19, "flags are g and i"),
    ("str(a),regsub(b,'\\x4')", 17, "two hexadecimal digits"),
    ("str(a),regsub(b)", 8, "misses its argument"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column
