"""Notations of encoded formats; HAProxy's own lines are compared in wire/test_formats."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.rules.encodings import Cbor, Json, encoding_of


@given(st.text())
def test_texts_are_always_json(text: str) -> None:
    shown = Json().text(text)
    assert json.loads(shown) == text
    assert not any(ord(character) < 32 for character in shown)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (Json().number(True), "1"),
        (Json().digits(5), '"5"'),
        (Json().truth(7), "true"),
        (Json().items(["a", "-"]), '["a", "-"]'),
        (Json().octets(b"a\xff\0b"), '"a\udcff"'),
        (
            Json().begin() + Json().key("a", True) + "1" + Json().key("b", False) + "2" + Json().end(),
            '{"a": 1, "b": 2}',
        ),
        # The examples of RFC 8949, appendix A.
        (Cbor().number(0), "00"),
        (Cbor().number(23), "17"),
        (Cbor().number(24), "1818"),
        (Cbor().number(1000), "1903E8"),
        (Cbor().number(1000000), "1A000F4240"),
        (Cbor().number(1000000000000), "1B000000E8D4A51000"),
        (Cbor().number(-1), "20"),
        (Cbor().number(-100), "3863"),
        (Cbor().number(-1000), "3903E7"),
        (Cbor().truth(0), "F4"),
        (Cbor().truth(1), "F5"),
        (Cbor().text("IETF"), "6449455446"),
        (Cbor().text("\u00fc"), "62C3BC"),
        (Cbor().text(""), "F6"),
        # What HAProxy 3.0 writes.
        (Cbor().line("x#22y"), "7F6178632332326179FF"),
        (Cbor().braces("{a||#7B}"), "7F617B6161617C617C63233742617DFF"),
        (Cbor().items(["", "-"]), "9F7FFF7F612DFFFF"),
        (Cbor().octets(b"\0\xff"), "5F4200FFFF"),
        (Cbor().begin() + Cbor().key("a", True) + Cbor().end(), "BF6161FF"),
        (Cbor(True).octets(b"\0\xff"), "_B\0\udcff\udcff"),
    ],
)
def test_values(shown: str, expected: str) -> None:
    assert shown == expected


def test_names() -> None:
    assert isinstance(encoding_of("json", True), Json)
    assert encoding_of("cbor", True).missing == "\udcf6"
    assert encoding_of("cbor", False).missing == "F6"
