"""Values of encoded fields; HAProxy's own lines are compared in wire/test_formats."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.rules import keywords
from maniple.core.rules.catalogue import Stage
from maniple.core.rules.encodings import Json
from maniple.core.rules.format_encoded import sample_piece, variable_piece
from maniple.core.rules.format_syntax import Field, Sample, Variable, parse_format
from maniple.core.rules.format_variables import VARIABLES
from maniple.core.rules.text_format import read_text_format

assert keywords.MODULES


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("%(a){+json}[int(5)]", "5"),
        ("%(a:str){+json}[int(5)]", '"5"'),
        ("%(a:bool){+json}[int(5)]", "true"),
        ("%(a:raw){+json}[str(x)]", "x"),
        ("%(a:bool){+json}[src]", '""'),
        ("%(a){+json}[var(txn.none)]", '""'),
        ("%(a:sint){+json}[str(7x)]", "7"),
    ],
)
def test_samples(expression: str, expected: str, site: Any, make_scope: Any) -> None:
    (part,) = parse_format(expression)
    assert isinstance(part, Sample) and part.field is not None
    show, _ = sample_piece(part, part.field, Json(), site, Stage.LOG)
    assert show(make_scope()) == expected


@pytest.mark.parametrize("kind", sorted({entry.kind for entry in VARIABLES.values()}))
@pytest.mark.parametrize("flags", ["", "Q", "X"])
def test_every_kind_is_a_piece_of_source(kind: str, flags: str) -> None:
    field = Field("a", "", "json", False)
    part = Variable("x", "Q" in flags, "X" in flags, False, 1, field)
    compile('f"' + variable_piece(kind, "{v}" if kind == "date" else "v", part, field, "json") + '"', "<piece>", "eval")


def test_variables_are_encoded_and_messages_not(site: Any, make_scope: Any) -> None:
    x = make_scope(request=b'GET /a"b HTTP/1.1\r\n\r\n')
    for text, encoded, expected in (
        ("a %(p){+json}[path] b", False, b'a "/a\\"b" b'),
        ("%{+json}o %(p)[path] b %(i)[int(3)]", False, b'{"p": "/a\\"b", "i": 3}'),
        ("%{+json}o %(p)[path] b", True, b' /a"b b'),
    ):
        assert read_text_format(text, site, Stage.FRONT_REQUEST, encoded=encoded).run(x) == expected
