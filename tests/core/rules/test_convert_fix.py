"""FIX: messages made and read, cut anywhere and changed anywhere (single cases: protocols.txt, beside HAProxy)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.errors import ConfigError
from maniple.core.rules.convert_fix import fix_is_valid

CONTENT = st.binary(min_size=1, max_size=8).filter(lambda text: b"\x01" not in text)
FIELDS = st.lists(st.tuples(st.integers(11, 4_000_000_000).filter(lambda number: number != 35), CONTENT), max_size=4)


def message(fields: list[tuple[int, bytes]]) -> bytes:
    body = b"35=A\x01" + b"".join([b"%d=%b\x01" % field for field in fields])
    text = b"8=FIX.4.4\x019=%d\x01%b" % (len(body), body)
    return b"%b10=%03d\x01" % (text, sum(text) & 255)


@given(FIELDS, st.binary(max_size=3))
def test_whole_messages(fields: list[tuple[int, bytes]], behind: bytes) -> None:
    text = message(fields)
    assert fix_is_valid(text + behind) is True
    # No piece of one is a message, nor refused: there may be more.
    assert {fix_is_valid(text[:size]) for size in range(len(text))} == {None}


@given(FIELDS, st.integers(0, 400), st.integers(1, 255))
def test_one_byte_of_another_value(fields: list[tuple[int, bytes]], place: int, change: int) -> None:
    text = bytearray(message(fields))
    place %= len(text) - 1
    text[place] ^= change
    assert fix_is_valid(bytes(text)) is not True


@given(st.binary(max_size=80))
def test_anything_may_come(text: bytes) -> None:
    assert fix_is_valid(text) in (None, False)
    assert fix_is_valid(b"8=FIX.4.2\x019=5\x01" + text) in (None, False)
    assert fix_is_valid(b"8=FIX.4.2\x019=" + b"9" * 5000 + b"\x01" + text) is not True


CASES: list[tuple[str, bytes | None]] = [
    ("fix_tag_value(35)", b"A"),
    ("fix_tag_value(MsgType)", b"A"),
    ("fix_tag_value(0035)", b"A"),
    ("fix_tag_value(BeginString)", b"FIX.4.4"),
    ("fix_tag_value(49)", b"x=y"),
    ("fix_tag_value(SenderCompID)", b"x=y"),
    ("fix_tag_value(50)", None),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_values_of_tags(text: str, expected: bytes | None, value_of: Callable[..., Any]) -> None:
    source = message([(49, b"x=y"), (49, b"second")]).hex()
    assert value_of(f"bin({source}),{text}", None) == expected


@pytest.mark.parametrize("tag", ["msgtype", "0", "-1", "12345678901", "x", ""])
def test_tags_are_numbers_or_known(tag: str, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match="a tag is a number or one of BeginString") as caught:
        value_of(f"str(a),fix_tag_value({tag})", None)
    assert caught.value.column == 22
