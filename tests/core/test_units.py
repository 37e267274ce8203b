"""Times and sizes: values, refusals, and the same verdict as HAProxy's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.units import MAX_SIZE, MAX_TIME, format_size, format_time, parse_size, parse_time

TIMES = [
    ("0", 0),
    ("1", 1),
    ("007", 7),
    ("1us", 1),
    ("500us", 1),
    ("1000us", 1),
    ("1001us", 2),
    ("15ms", 15),
    ("3s", 3_000),
    ("2m", 120_000),
    ("1h", 3_600_000),
    ("24d", 2_073_600_000),
    ("2147483647", MAX_TIME),
]

BAD_TIMES = [
    ("", "is empty"),
    ("s", "not a number"),
    ("-5", "must not be negative"),
    ("+5s", "must not have a sign"),
    ("1.5s", "decimal"),
    ("1,5s", "decimal"),
    ("10S", "lower case: '10s'"),
    ("1u", "unknown unit 'u'"),
    ("5 s", "not a number"),
    ("s5", "not a number"),
    ("0x10", "not a number"),
    ("٣s", "not a number"),
    ("2147483648", "too long"),
    ("25d", "too long"),
    ("9" * 30, "too long"),
]

# HAProxy stops reading at the end of the unit and lets what follows pass; we say that it is junk.
STRICTER_TIMES = ["5sx", "5mss", "1s1s", "10sec"]

SIZES = [
    ("0", 0),
    ("16384", 16384),
    ("16k", 16384),
    ("16K", 16384),
    ("1m", 1 << 20),
    ("3G", 3 << 30),
    ("4294967295", MAX_SIZE),
]

BAD_SIZES = [
    ("", "is empty"),
    ("k", "not a number"),
    ("-1", "must not be negative"),
    ("1.5k", "decimal"),
    ("1kb", "unknown unit 'kb'"),
    ("1t", "unknown unit 't'"),
    ("4g", "too large"),
    ("4294967296", "too large"),
]


@pytest.mark.parametrize(("text", "milliseconds"), TIMES)
def test_time(text: str, milliseconds: int) -> None:
    assert parse_time(text) == milliseconds


@pytest.mark.parametrize(("text", "said"), BAD_TIMES)
def test_bad_time(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_time(text)


@pytest.mark.parametrize("text", STRICTER_TIMES)
def test_junk_after_a_unit(text: str) -> None:
    with pytest.raises(ValueError, match="time '"):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "default", "result", "value"),
    [
        ("5", "s", "ms", 5000),
        ("5", "s", "s", 5),
        ("1500ms", "s", "s", 2),
        ("5", "us", "us", 5),
        ("2", "d", "h", 48),
        ("2147483647s", "s", "s", MAX_TIME),
    ],
)
def test_other_units(text: str, default: str, result: str, value: int) -> None:
    assert parse_time(text, default, result) == value


def test_refusals_name_the_default_unit() -> None:
    with pytest.raises(ValueError, match=r"\(default s\)"):
        parse_time("x", "s")


@pytest.mark.parametrize(("text", "size"), SIZES)
def test_size(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(("text", "said"), BAD_SIZES)
def test_bad_size(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_size(text)


@given(st.integers(min_value=0, max_value=MAX_TIME))
def test_formatted_time_reads_back(milliseconds: int) -> None:
    assert parse_time(format_time(milliseconds)) == milliseconds


@given(st.integers(min_value=0, max_value=MAX_SIZE))
def test_formatted_size_reads_back(size: int) -> None:
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(0, "0"), (1, "1ms"), (1500, "1500ms"), (90_000, "90s"), (86_400_000, "1d")]
)
def test_format_time(milliseconds: int, text: str) -> None:
    assert format_time(milliseconds) == text


@pytest.mark.parametrize(("size", "text"), [(0, "0"), (1000, "1000"), (16384, "16k"), (3 << 20, "3m"), (1 << 30, "1g")])
def test_format_size(size: int, text: str) -> None:
    assert format_size(size) == text


def test_negative_is_not_formatted() -> None:
    with pytest.raises(ValueError, match="negative"):
        format_time(-1)


@pytest.mark.parametrize("version", ["haproxy", "haproxy3"])
def test_same_times_as_haproxy(version: str, request: pytest.FixtureRequest) -> None:
    oracle = request.getfixturevalue(version)
    texts = [text for text, _ in TIMES] + [text for text, _ in BAD_TIMES if text and " " not in text]
    lines = ["backend b", *(f" timeout connect {text}" for text in texts)]
    refused = oracle.refused("\n".join(lines) + "\n")
    assert refused == {number for number, text in enumerate(texts, start=2) if not _is_time(text)}


def _is_time(text: str) -> bool:
    try:
        parse_time(text)
    except ValueError:
        return False
    return True
