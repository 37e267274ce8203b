"""Arguments: quoting, signatures, kinds."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules.arguments import cut_arguments, parse_signature, read_arguments, show_signature

CUT: list[tuple[str, list[str], str]] = [
    ("()", [""], ""),
    ("( )", [" "], ""),
    ("('')", [""], ""),
    ("(,)", ["", ""], ""),
    ("(a,b),c", ["a", "b"], ",c"),
    ('("a,b")', ["a,b"], ""),
    ("('a b)')", ["a b)"], ""),
    (r"(a\"b\q\n\\z)", ['a"b\\q\n\\z'], ""),
    (r"(a\x\ b)", ["a\\x b"], ""),
    (r'("a\,b\"c\n")', ['a\\,b"c\n'], ""),
    ('(a"b"c)', ["abc"], ""),
    (r"('a\,b')", [r"a\,b"], ""),
    (r"('a\\b')", [r"a\\b"], ""),
    ("( a b )", [" a b "], ""),
]


@pytest.mark.parametrize(("text", "expected", "rest"), CUT)
def test_cut(text: str, expected: list[str], rest: str) -> None:
    arguments, end = cut_arguments(text, 0, 1)
    assert [item.text for item in arguments] == expected
    assert text[end:] == rest


def test_columns() -> None:
    arguments, _ = cut_arguments("str(ab,'cd')", 3, 10)
    assert [item.column for item in arguments] == [14, 17]


@pytest.mark.parametrize(("text", "says"), [("(a", "')' is missing"), ("('a)", "quote ' is not closed")])
def test_unclosed(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says.replace(")", r"\)")) as caught:
        cut_arguments(text, 0, 5)
    assert caught.value.column == 5


READ: list[tuple[str, str, Any]] = [
    ("a:string", "(x)", (b"x",)),
    ("a:integer", "(-5)", (-5,)),
    ("a:integer b:string?", "(1)", (1, None)),
    ("a:ipv4", "(1.2.3.4)", (b"\1\2\3\4",)),
    ("a:mask4", "(24)", (b"\xff\xff\xff\0",)),
    ("a:mask4", "(255.0.0.0)", (b"\xff\0\0\0",)),
    ("a:mask6", "(64)", (b"\xff" * 8 + bytes(8),)),
    ("a:ipv6", "(::1)", (bytes(15) + b"\1",)),
    ("a:time", "(2s)", (2000,)),
    ("a:size", "(4k)", (4096,)),
]


@pytest.mark.parametrize(("signature", "text", "expected"), READ)
def test_read(signature: str, text: str, expected: Any, site: Any) -> None:
    arguments, _ = cut_arguments(text, 0, 1)
    assert read_arguments("x", parse_signature(signature), arguments, 1, site) == expected


WRONG: list[tuple[str, str, int, str]] = [
    ("", "(a)", 2, "takes no arguments"),
    ("a:string", "(a,b)", 4, "at most 1 argument$"),
    ("a:integer", "()", 1, "misses its argument <a>"),
    ("a:integer", "(x)", 2, "an integer is expected"),
    ("a:integer", "(,)", 3, "at most"),
    ("a:string b:integer", "(a,x)", 4, "argument 2, <b>: an integer"),
    ("a:mask4", "(33)", 2, "at most 32 bits"),
    ("a:backend", "(nowhere)", 2, "there is no backend 'nowhere'"),
    ("a:server", "(s)", 2, "no backend has a server"),
    ("a:server", "(b/s)", 2, "there is no backend 'b'"),
]


@pytest.mark.parametrize(("signature", "text", "column", "says"), WRONG)
def test_wrong(signature: str, text: str, column: int, says: str, site: Any) -> None:
    arguments, _ = cut_arguments(text, 0, 1)
    with pytest.raises(ConfigError, match=says) as caught:
        read_arguments("x", parse_signature(signature), arguments, 1, site)
    assert caught.value.column == column


def test_show() -> None:
    assert show_signature(parse_signature("a:string b:integer? c:integer?")) == "(<a>[,<b>[,<c>]])"
    assert show_signature(parse_signature("b:integer?")) == "([<b>])"
    with pytest.raises(ValueError, match="no kind"):
        parse_signature("a:cat")
