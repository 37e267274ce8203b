"""What backslashes mean in replacements, and which value becomes what."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.core.rules.regexes import Piece, pieces_of
from maniple.core.rules.replacing import fill
from maniple.tests.core.rules.lines import mistake, run_request, sent

TEMPLATES: tuple[tuple[bytes, list[Piece]], ...] = (
    (rb"abc", [b"abc"]),
    (rb"\1", [1]),
    (rb"<\0>", [b"<", 0, b">"]),
    (rb"a\\1", [b"a", b"\\", b"1"]),
    (rb"\x41\x7a", [b"A", b"z"]),
    (rb"\x4", [b"x", b"4"]),
    (rb"\q", [b"q"]),
    (b"a\\", [b"a"]),
    (b"", []),
    (rb"\12", [1, b"2"]),
)


@pytest.mark.parametrize(("text", "pieces"), TEMPLATES, ids=lambda item: repr(item))
def test_template(text: bytes, pieces: list[Piece]) -> None:
    assert pieces_of(text) == pieces


@pytest.mark.parametrize(
    ("regex", "value", "text", "expected"),
    [
        (rb"(b)(c)?", b"abd", rb"<\0|\1|\2|\3>", b"<b|b||>"),
        (rb"x*", b"abc", rb"[\0]", b"[]"),
        (rb"(.*)", b"abc", rb"\1\1", b"abcabc"),
    ],
)
def test_fill(regex: bytes, value: bytes, text: bytes, expected: bytes) -> None:
    match = re.search(regex, value)
    assert match is not None
    assert fill(pieces_of(text), match) == expected


@settings(max_examples=40)
@given(st.binary(max_size=20).filter(lambda value: b"\\" not in value))
def test_text_without_backslash_is_itself(text: bytes) -> None:
    match = re.search(b"", b"anything")
    assert match is not None
    assert fill(pieces_of(text), match) == text


REQUEST = b"GET /abc HTTP/1.1\r\nHost: h\r\nX: one two\r\n\r\n"


def test_constant_and_not(make_scope: Any) -> None:
    for text, expected in ((r"<\1>", b"x: <one>"), (r"%[path]\1", b"x: /abcone"), (r"\\", b"x: \\")):
        x = make_scope(request=REQUEST)
        assert run_request(f"replace-header X '^(\\w+) .*' '{text}'", x) is None
        assert expected in sent(x).split(b"\r\n")


def test_no_match_leaves_all_as_it_is(make_scope: Any) -> None:
    for text in ("x", "%[path]"):
        x = make_scope(request=REQUEST)
        run_request(f"replace-header X nothing {text}", x)
        assert b"x: one two\r\n" in sent(x)


def test_bad_expression_has_its_place() -> None:
    assert mistake("http-request replace-header X ( a").startswith("35 `replace-header`: ")
