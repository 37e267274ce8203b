"""Single pieces; whole formats are compared with HAProxy in wire/test_formats."""

from __future__ import annotations

import pytest
from maniple.core.rules.format_pieces import SHOWN, Style
from maniple.core.rules.format_syntax import Variable
from maniple.core.rules.format_variables import VARIABLES


def variable(flags: str = "") -> Variable:
    return Variable("x", "Q" in flags, "X" in flags, "E" in flags, 1)


@pytest.mark.parametrize(
    ("kind", "flags", "style", "piece"),
    [
        ("number", "QXE", Style(), "{DIGITS[v]}"),
        ("plus", "", Style(early=True), "+{v}"),
        ("plus", "", Style(), "{v}"),
        ("counter", "X", Style(), "{v:04X}"),
        ("text", "", Style(missing="-"), "{v or '-'}"),
        ("text", "Q", Style(), '\\"{v}\\"'),
        ("name", "QE", Style(), '\\"{escape_text_e(v)}\\"'),
    ],
)
def test_piece(kind: str, flags: str, style: Style, piece: str) -> None:
    assert SHOWN[kind]("v", variable(flags), style) == piece


def test_every_kind_has_one() -> None:
    assert {entry.kind for entry in VARIABLES.values()} == set(SHOWN) | {"braces", "fields"}
