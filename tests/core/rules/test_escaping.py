from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.rules import escaping


@pytest.mark.parametrize(
    ("raw", "line", "line_e", "capture", "capture_e"),
    [
        (b"GET /a HTTP/1.1", *["GET /a HTTP/1.1"] * 4),
        (b'a"b', *["a#22b"] * 4),
        (b"#1", *["#231"] * 4),
        (b"\x00\x1f\x7f\xff", *["#00#1F#7F#FF"] * 4),
        (b"{a|b}", "{a|b}", "{a|b}", "#7Ba#7Cb#7D", "#7Ba#7Cb#7D"),
        (b"\\]", "\\]", "\\\\\\]", "\\]", "\\\\\\]"),
        (b"", *[""] * 4),
    ],
)
def test_cases(raw: bytes, line: str, line_e: str, capture: str, capture_e: str) -> None:
    assert escaping.escape_line(raw) == line
    assert escaping.escape_line_e(raw) == line_e
    assert escaping.escape_capture(raw.decode("latin-1")) == capture
    assert escaping.escape_capture_e(raw.decode("latin-1")) == capture_e


def unescape(text: str) -> bytes:
    return re.sub(rb"#([0-9A-F]{2})", lambda match: bytes([int(match[1], 16)]), text.encode("ascii"))


@given(st.binary())
def test_nothing_is_lost_and_all_is_printable(raw: bytes) -> None:
    escaped = escaping.escape_line(raw)
    assert unescape(escaped) == raw
    assert re.fullmatch(r"[ !#-~]*", escaped)
    capture = escaping.escape_capture(raw.decode("latin-1"))
    assert unescape(capture) == raw
    assert re.fullmatch(r"[ !#-z~]*", capture)


@given(st.binary())
def test_flag_e_leaves_no_bare_bracket_or_backslash(raw: bytes) -> None:
    for escaped in (escaping.escape_line_e(raw), escaping.escape_capture_e(raw.decode("latin-1"))):
        assert re.fullmatch(r"(?:[ !#-\[^-~]|\\[\\\]])*", escaped)
        assert unescape(re.sub(r"\\([\\\]])", r"\1", escaped)) == raw


def test_own_texts_with_flag_e() -> None:
    assert escaping.escape_text_e('a"b]c\\d#{|}') == 'a\\"b\\]c\\\\d#{|}'
