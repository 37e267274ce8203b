"""JSON: escaping beside a parser that undoes it, look-ups beside a parser of everything."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ConfigError
from maniple.core.rules.convert_json import escape_bytes, parse_path, query
from maniple.core.rules.samples import BOOL, INT, STR

MODES = ["utf8", "utf8s", "utf8p", "utf8ps"]


@given(st.binary())
def test_every_byte_comes_back(value: bytes) -> None:
    escaped = escape_bytes(value)
    assert escaped.isascii()
    assert json.loads(b'"' + escaped + b'"') == value.decode("latin-1")


@given(text=st.text(st.characters(max_codepoint=0xFFFD, exclude_categories=["Cs"])), mode=st.sampled_from(MODES))
def test_every_character_comes_back(text: str, mode: str, value_of: Callable[..., Any]) -> None:
    escaped = value_of(f"bin({text.encode().hex()}),json({mode})", None)
    # The cast from bytes to text ends at NUL.
    assert json.loads(b'"' + escaped + b'"') == text.partition("\0")[0]


@given(value=st.binary(max_size=8).filter(lambda value: b"\0" not in value))
def test_what_is_no_utf8(value: bytes, value_of: Callable[..., Any]) -> None:
    digits = value.hex()
    strict = value_of(f"bin({digits}),json(utf8)", None)
    silent = value_of(f"bin({digits}),json(utf8s)", None)
    permissive = value_of(f"bin({digits}),json(utf8p)", None)
    assert silent.isascii()
    try:
        right = all(ord(character) <= 0xFFFD for character in value.decode())
    except UnicodeDecodeError:
        right = False
    assert (strict is not None) is right
    if right:
        assert strict == silent == permissive


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, st.lists(st.integers(0, 2), max_size=3), st.booleans())
def test_against_a_whole_parser(value: Any, turns: list[int], spaced: bool) -> None:
    text = json.dumps(value, ensure_ascii=spaced, indent=2 if spaced else None)
    path = "$"
    found = json.loads(text)
    for turn in turns:
        if isinstance(found, dict) and found:
            name = list(found)[turn % len(found)]
            path += "." + re.sub(r"([\\.\[])", r"\\\1", name)
            found = found[name]
        elif isinstance(found, list) and found:
            path += f"[{turn % len(found)}]"
            found = found[turn % len(found)]
    result = query(path.encode(), True)(text.encode())
    if found is None or isinstance(found, dict):
        assert result is None
    elif isinstance(found, bool):
        assert result == (BOOL, found)
    elif isinstance(found, int):
        assert result == (INT, found)
    elif isinstance(found, list):
        assert result is not None and json.loads(result[1]) == found
    elif not re.search("[\ud800-\udfff]", found):
        assert result == (STR, found.encode())


CASES: list[tuple[bytes, bytes, Any]] = [
    (b"$.a", b'{"a":4.50}', (STR, b"4.5")),
    (b"$.a", b'{"a":1234567}', (STR, b"1.23457e+06")),
    (b"$.a", b'{"a":1', (STR, b"1")),
    (b"$.a", b'{"a":01}', None),
    (b"$.a", b'{"a":1 x', (STR, b"1")),
    (b"$.a", b'{"a":"x\ty"}', (STR, b"x\ty")),
    (b"$.a", b'{"a":"\xff"}', (STR, b"\xff")),
    (b"$.a", b'{"a":"\\ud83d"}', None),
    (b"$.a", b'{"b":[1,{"a":2}],"a":3}', (STR, b"3")),
    (b"$.a", b'{b:1,"a":3}', None),
    (b"$.a", b'{"b"1,"a":3}', None),
    (b"$.a", b'{"b":1 "a":3}', None),
    (b"$[1]", b"[1]", None),
    (b"$[0]", b"{}", None),
    (b"$.a", b"[]", None),
    (b"$", b"", None),
    (b"$", b"[" * 100000, None),
    (b"$", b"1e999", (STR, b"inf")),
    (b"$", b"NaN", None),
]


@pytest.mark.parametrize(("path", "text", "expected"), CASES)
def test_look_ups(path: bytes, text: bytes, expected: Any) -> None:
    assert query(path, False)(text) == expected


INTEGERS = [(b"4.9", 4), (b"-5", -5), (b"1e3", 1), (b"9223372036854775807", None), (b"9223372036854775806", 2**63 - 2)]


@pytest.mark.parametrize(("text", "number"), INTEGERS)
def test_integers(text: bytes, number: int | None) -> None:
    assert query(b"$", True)(text) == (None if number is None else (INT, number))


def test_paths() -> None:
    assert parse_path(rb"$.a\.b[2].c d..[0]") == ("a.b", 2, "c d", "", "", 0)
    for text in (b"a", b"$a", b"$[", b"$[a]", b"$[-1]", b"$.a]["):
        with pytest.raises(ValueError, match="path"):
            parse_path(text)


WRONG: list[tuple[str, int, str]] = [
    ("str(a),json(utf16)", 13, "utf8ps"),
    ("str(a),json_query(a)", 19, "starts with"),
    ("str(a),json_query('$.a',str)", 25, "int is the only type"),
    ("str(a),json_query()", 19, "a path is expected"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_column(text: str, column: int, says: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        value_of(text, None)
    assert caught.value.column == column
