from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ConfigError
from maniple.core.rules.format_syntax import Part, Sample, Space, Text, Variable, Whole, parse_format


def variable(name: str, column: int, flags: str = "") -> Variable:
    return Variable(name, "Q" in flags, "X" in flags, "E" in flags, column)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("a  b", [Text("a"), Space(), Text("b")]),
        ("%ci:%cp", [variable("ci", 1), Text(":"), variable("cp", 5)]),
        ("100%% %%ci", [Text("100%"), Space(), Text("%ci")]),
        ("%{+Q}r", [variable("r", 1, "Q")]),
        ("%{+Q,+E}r", [variable("r", 1, "QE")]),
        ("%{Q, X}r", [variable("r", 1, "QX")]),
        ("%{}r", [variable("r", 1)]),
        (
            "%{+Q}o %r %{-Q,+X}s%f",
            [Space(), variable("r", 8, "Q"), Space(), variable("s", 11, "X"), variable("f", 20, "Q")],
        ),
        ("%(name)ci", [variable("ci", 1)]),
        ("%(name:sint){+X}cp", [variable("cp", 1, "X")]),
        ("%ci_x", [variable("ci", 1), Text("_x")]),
        ("%o", []),
    ],
)
def test_parts(text: str, parts: list[Part]) -> None:
    assert parse_format(text) == parts


@pytest.mark.parametrize(
    ("text", "message", "column", "word"),
    [
        ("a %[src", "']' is missing", 3, "%[src"),
        ("%{+Q}[src,lower(] b", "')' is missing", 16, "(] b"),
        ("%[src lower]", "' lower' cannot follow 'src'", 6, " lower"),
        ("%[]", "a keyword is expected", 3, "]"),
        ("x %", "name is missing", 3, "%"),
        ("% x", "name is missing", 1, "% "),
        ("%ci %{+Q", "'}' is missing", 5, "%{+Q"),
        ("%(a", "')' is missing", 1, "%(a"),
        ("%{+Z}r", "'+Z' is not a flag", 3, "+Z"),
        ("%{+jsn}o", "'+jsn' is not a flag", 3, "+jsn"),
        ("%(a:float)r", "'float' is not a type", 3, "a:float"),
        ("x %(a:raw)[src]", "type raw", 3, "a:raw"),
        ("%(a b)r", "' ' cannot stand in the name", 4, "a b"),
        ("%(é:str)r", "'é' cannot stand in the name", 3, "é:str"),
    ],
)
def test_complaints(text: str, message: str, column: int, word: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_format(text)
    assert message in caught.value.message
    assert (caught.value.column, caught.value.word) == (column, word)


@given(st.text(alphabet="%{}()[]+-QXEcio,: ab"))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        parts = parse_format(text)
    except ConfigError:
        return
    assert not any(isinstance(a, Space) and isinstance(b, Space) for a, b in pairwise(parts))


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("%{+json}o %(a)f x %ST %(b:str)ST", [Whole("json", False), "a  json", "b str json"]),
        ("%(a)f %{+cbor,+bin}o", [Whole("cbor", True), "a  cbor bin"]),
        ("%{+json}o%{+Q}o %(a)f", [Whole("json", False), "a  json"]),
        ("%{+json,+cbor}o %(a)[src]", [Whole("json", False), "a  json"]),
        ("%{+Q}o%{+json}o%(a)f", ["a  json"]),
        ("%(a:sint){+cbor,+bin}f", ["a sint cbor"]),
        ("%{+json}o", []),
        ("%(a)f", [None]),
    ],
)
def test_fields(text: str, fields: list[Whole | str | None]) -> None:
    found: list[Whole | str | None] = []
    for part in parse_format(text):
        if isinstance(part, Whole):
            found.append(part)
        elif isinstance(part, Variable | Sample):
            one = part.field
            found.append(None if one is None else f"{one.name} {one.kind} {one.encoding}{' bin' if one.binary else ''}")
    assert found == fields


def test_encodings_can_be_ignored() -> None:
    assert parse_format("%{+json}o %(a)f x", encodings=False) == [Space(), variable("f", 11), Space(), Text("x")]
