"""Regular expressions: what PCRE writes differently."""

from __future__ import annotations

import re

import pytest
from maniple.core.rules.regexes import compile_regex, translate

MATCHES: list[tuple[bytes, bytes, bool]] = [
    (rb"^/img", b"/img/a", True),
    (rb"[[:digit:]]+", b"a5", True),
    (rb"^[[:alpha:]_-]+$", b"ab_-", True),
    (rb"^[^[:space:]]+$", b"a b", False),
    (rb"^[[:^digit:]]+$", b"ab", True),
    (rb"[[:punct:]]", b"]", True),
    (rb"^[]a]+$", b"]a", True),
    (rb"^[^]a]+$", b"b]", False),
    (rb"[a[]", b"[", True),
    (rb"^[--9]+$", b"-./09", True),
    (rb"^[a--]+$", b"", False),
    (rb"[a&&b]", b"&", True),
    (rb"[a||b~~]", b"~", True),
    (rb"(?<year>\d+)-\k<year>", b"5-5", True),
    (rb"(?<year>\d+)-\k{year}", b"5-6", False),
    (rb"(a)\g{1}", b"aa", True),
    (rb"(a)\g1", b"ab", False),
    (rb"(?i)abc", b"ABC", True),
    (rb"a(?i)bc", b"aBC", True),
    (rb"a(?i)bc", b"ABC", False),
    (rb"^(a(?i)b)c$", b"aBc", True),
    (rb"^(a(?i)b)c$", b"aBC", False),
    (rb"(?i)a|B", b"b", True),
    (rb"\Qa.b\E.c", b"a.bxc", True),
    (rb"\Qa.b", b"axb", False),
    (rb"\h\H", b" x", True),
    (rb"[\h]", b"\t", True),
    (rb"\e\x{41}", b"\x1bA", True),
    (rb"[\x{41}]", b"A", True),
    (rb"a\z", b"a\n", False),
    (rb"a\Z", b"a\n", True),
    (rb"a$", b"a\n", True),
    (rb"^a\Rb$", b"a\r\nb", True),
    (rb"^a\Nb$", b"a\nb", False),
    (rb"(?>a+)b", b"aab", True),
    (rb"a++a", b"aaa", False),
    (rb"(?<=a)b", b"ab", True),
    (rb"(?<!a)b", b"ab", False),
    (rb"\d\w\s", b"5a ", True),
    (rb"a{2,3}", b"aa", True),
    (rb"(?#note)a", b"a", True),
    (rb"\(\[", b"([", True),
    (rb".", b"\xff", True),
    (rb"(?s).", b"\n", True),
    (rb"a{,2}", b"a", True),
]


@pytest.mark.parametrize(("pattern", "value", "expected"), MATCHES)
def test_matches(pattern: bytes, value: bytes, expected: bool) -> None:
    assert (compile_regex(pattern).search(value) is not None) is expected


def test_case() -> None:
    assert compile_regex(b"^ABC$", True).search(b"abc")
    assert not compile_regex(b"^ABC$").search(b"abc")


def test_plain_expressions_stay_as_they_are() -> None:
    assert translate(b"^/a.*b$") == b"^/a.*b$"


WRONG = [
    b"[",
    b"[a",
    b"(",
    b")",
    b"*a",
    b"a**",
    rb"\Ka",
    rb"\pL",
    rb"\p{L}",
    rb"\G",
    rb"\X",
    b"(*UTF8)a",
    b"(?R)",
    b"[[:nope:]]",
    rb"\x{100}",
    rb"(?<a>.)\k<b>",
    b"a{3,2}",
    b"(?<=a+)b",
]


@pytest.mark.parametrize("pattern", WRONG)
def test_what_is_wrong(pattern: bytes) -> None:
    with pytest.raises(ValueError, match="regular expression"):
        compile_regex(pattern)


def test_result_is_of_bytes() -> None:
    assert isinstance(compile_regex(b"a"), re.Pattern)
