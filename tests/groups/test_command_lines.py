from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.groups.command import Payload
from maniple.groups.command_lines import MAX_INPUT, CommandLines, TooLong

Lines = list[list[list[str]]]

CASES: list[tuple[bytes, Lines]] = [
    (b"a b\n", [[["a", "b"]]]),
    (b"a b;c\r\nd\n", [[["a", "b"], ["c"]], [["d"]]]),
    (b"\n", [[[]]]),
    (b"a", []),
    (b"a <<\nx\ny\n\nb\n", [[["a", "x\ny"]], [["b"]]]),
    (b"z;a <<END\nx\n\nEND\n", [[["z"], ["a", "x\n"]]]),
    (b"a <<\n\n", [[["a", ""]]]),
    (b"a <<\nx\n", []),
    # No payload: too long a word; nothing before it.
    (b"a <<12345678\n", [[["a", "<<12345678"]]]),
    (b"<<\n", [[["<<"]]]),
    (b"a \xff\n", [[["a", "\udcff"]]]),
]


def drain(lines: CommandLines) -> Lines:
    found = []
    while (one := lines.take()) is not None:
        found.append(one)
    return found


@pytest.mark.parametrize(("said", "found"), CASES)
def test_whole_and_byte_by_byte(said: bytes, found: Lines) -> None:
    whole = CommandLines(lambda: None)
    whole.feed(said)
    assert drain(whole) == found
    parts = CommandLines(lambda: None)
    assert not parts.begun
    heard = []
    for index in range(len(said)):
        parts.feed(said[index : index + 1])
        heard += drain(parts)
    assert heard == found
    assert parts.begun is (b"\n" in said)


def test_a_payload_is_one_and_its_lines_are_asked_for() -> None:
    wanted: list[bool] = []
    lines = CommandLines(lambda: wanted.append(lines.in_payload))
    lines.feed(b"a <<\nx\ny\n")
    assert lines.take() is None
    assert wanted == [True] * 3 and lines.in_payload
    lines.feed(b"\n")
    ((words,),) = drain(lines)
    assert isinstance(words[-1], Payload) and not lines.in_payload


def test_what_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = CommandLines(lambda: None)
    lines.feed(b"x" * MAX_INPUT)
    assert not lines.full
    with pytest.raises(TooLong, match="Line"):
        lines.feed(b"x")
    monkeypatch.setattr("maniple.groups.command_lines.MAX_PAYLOAD", 10)
    lines = CommandLines(lambda: None)
    lines.feed(b"a <<\n" + b"12345\n" * 2)
    with pytest.raises(TooLong, match="Payload"):
        lines.take()


def test_full_until_lines_are_taken() -> None:
    lines = CommandLines(lambda: None)
    lines.feed(b"a\n" * MAX_INPUT)
    assert lines.full
    assert len(drain(lines)) == MAX_INPUT
    assert not lines.full


@given(st.lists(st.sampled_from([case for case in CASES if case[1]]), max_size=5), st.integers(1, 7))
def test_cases_in_a_row_in_pieces(cases: list[tuple[bytes, Lines]], size: int) -> None:
    said = b"".join(said for said, _ in cases)
    lines = CommandLines(lambda: None)
    heard = []
    for start in range(0, len(said), size):
        lines.feed(said[start : start + size])
        heard += drain(lines)
    assert heard == [line for _, found in cases for line in found]
