"""Cookies in a line: cases, and what must hold for any line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.http.cookie_pairs import read_pairs, value_end

CASES = [
    (b"", []),
    (b"a=1", [(b"", b"a", True, b"1", b"")]),
    (b"a=1; b=2", [(b"", b"a", True, b"1", b""), (b"; ", b"b", True, b"2", b"")]),
    (b"a = 1 ;b", [(b"", b"a", True, b"1", b" "), (b";", b"b", False, b"", b"")]),
    (b"a,b=2", [(b"", b"a", False, b"", b""), (b",", b"b", True, b"2", b"")]),
    (b";;a=", [(b";", b"", False, b"", b""), (b";", b"a", True, b"", b"")]),
    (b'a="x;y\\";z";b=1', [(b"", b"a", True, b'"x;y\\";z"', b""), (b";", b"b", True, b"1", b"")]),
    (b"a=b=c", [(b"", b"a", True, b"b=c", b"")]),
    (b"=a", [(b"", b"", True, b"a", b"")]),
]
LINES = st.text(alphabet='ab=;, \t"\\$~|', max_size=30).map(lambda text: text.strip(" \t").encode())


@pytest.mark.parametrize(("line", "pairs"), CASES)
def test_cases(line: bytes, pairs: list[tuple[bytes, bytes, bool, bytes, bytes]]) -> None:
    assert [tuple(pair[1:]) for pair in read_pairs(line)] == pairs


@given(LINES)
def test_nothing_is_lost(line: bytes) -> None:
    found = list(read_pairs(line))
    assert b"".join(pair.raw for pair in found) == line
    for pair in found:
        assert pair.raw
        assert pair.text.replace(b" ", b"").replace(b"\t", b"") == pair.raw.replace(b" ", b"").replace(b"\t", b"")
        assert pair.name == pair.name.strip(b" \t")
        assert pair.value == pair.value.strip(b" \t")
    assert all(pair.lead[:1] in (b";", b",") for pair in found[1:])


@given(LINES)
def test_reading_again_gives_the_same(line: bytes) -> None:
    text = b"".join(pair.text for pair in read_pairs(line))
    again = [(pair.name, pair.sign, pair.value) for pair in read_pairs(text)]
    assert again == [(pair.name, pair.sign, pair.value) for pair in read_pairs(line)]


def test_the_end_of_a_value() -> None:
    assert value_end(b"ab;c", 0) == 2
    assert value_end(b'"a;b', 0) == 4
    assert value_end(b"", 0) == 0
