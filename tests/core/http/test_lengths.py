"""Content-Length and Transfer-Encoding values against a plain model."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from maniple.core.http.lengths import LENGTH_MAX, Coding, read_content_length, read_transfer_encoding


@pytest.mark.parametrize(
    ("value", "length"),
    [
        (b"0", 0),
        (b"5", 5),
        (b"0005", 5),
        (b"5,5", 5),
        (b"5 ,\t05", 5),
        (b"%d" % LENGTH_MAX, LENGTH_MAX),
        (b"%d" % (LENGTH_MAX + 1), -1),
        (b"9" * 5000, -1),
        (b"0" * 5000 + b"7", 7),
        (b"", -1),
        (b",", -1),
        (b"5,", -1),
        (b",5", -1),
        (b"5,6", -1),
        (b"+5", -1),
        (b"-5", -1),
        (b"0x5", -1),
        (b"5 5", -1),
        (b"1_0", -1),
        (b"\xb2", -1),
        (b"5\n", -1),
    ],
)
def test_content_length(value: bytes, length: int) -> None:
    assert read_content_length(value) == length


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4))
def test_lists_agree_or_fail(numbers: list[int]) -> None:
    expected = numbers[0] if len(set(numbers)) == 1 else -1
    assert read_content_length(b", ".join(b"%02d" % number for number in numbers)) == expected


@given(st.binary(max_size=12))
@example(b"\xd9\xa1")
def test_never_a_length_but_from_digits(value: bytes) -> None:
    length = read_content_length(value)
    if length >= 0:
        assert not value.translate(None, b"0123456789, \t")


@pytest.mark.parametrize(
    ("values", "coding"),
    [
        ([b"chunked"], Coding.CHUNKED),
        ([b" Chunked\t"], Coding.CHUNKED),
        ([b"gzip, chunked"], Coding.UNKNOWN_CHUNKED),
        ([b"gzip", b"chunked"], Coding.UNKNOWN_CHUNKED),
        ([b"gzip"], Coding.NOT_CHUNKED),
        ([b"identity"], Coding.NOT_CHUNKED),
        ([b"chunked;q=1"], Coding.NOT_CHUNKED),
        ([b"\x0bchunked"], Coding.NOT_CHUNKED),
        ([b""], Coding.BAD),
        ([b"chunked,"], Coding.BAD),
        ([b",chunked"], Coding.BAD),
        ([b"chunked, chunked"], Coding.BAD),
        ([b"chunked", b"chunked"], Coding.BAD),
        ([b"chunked", b"gzip"], Coding.BAD),
    ],
)
def test_transfer_encoding(values: list[bytes], coding: Coding) -> None:
    assert read_transfer_encoding(values) is coding
