"""Patterns: methods, what each reads, changes, explanations."""

from __future__ import annotations

import pytest
from maniple.core.config.model import RuleWord
from maniple.core.errors import ConfigError
from maniple.core.rules.patterns import (
    DEFAULT_METHODS,
    METHODS,
    PatternError,
    Patterns,
    compile_patterns,
    show_sample,
    show_value,
)
from maniple.core.rules.samples import BIN, BOOL, INT, IP, STR


def words(*texts: str) -> list[RuleWord]:
    return [RuleWord(text, 10 * (index + 1)) for index, text in enumerate(texts)]


def test_each_type_has_the_manuals_default() -> None:
    assert DEFAULT_METHODS == {BOOL: "bool", INT: "int", IP: "ip", STR: "str"}
    assert METHODS["bin"].want is BIN and METHODS["found"].want is None


WRONG = [
    ("int", "abc", "not a number"),
    ("int", "5:3", "not a valid number range"),
    ("len", "x", "not a number"),
    ("ip", "1.2.3.4/33", "not a valid IPv4"),
    ("bin", "abc", "even number"),
    ("bin", "zz", "hexadecimal digits"),
    ("bin", "a b ", "hexadecimal digits"),
    ("reg", "[", "is invalid"),
]


@pytest.mark.parametrize(("method", "text", "says"), WRONG)
def test_errors_are_at_the_word(method: str, text: str, says: str) -> None:
    fine = {"int": "5", "len": "5", "ip": "::1", "bin": "00", "reg": "a"}[method]
    with pytest.raises(ConfigError, match=says) as caught:
        compile_patterns(method, words(fine, text))
    assert (caught.value.column, caught.value.word) == (20, text)


def test_unknown_method() -> None:
    with pytest.raises(ConfigError, match="unknown matching method 'foo'"):
        compile_patterns("foo", [])


def test_payload_is_the_text() -> None:
    patterns = compile_patterns("reg", words("^a", "B"), ignore_case=True)
    assert patterns.found(b"xb") == b"B" and patterns.match(b"A") and patterns.ignore_case


def test_load_changes_all_or_nothing() -> None:
    patterns = Patterns("int")
    patterns.load([(b"1", 1), (b"5:", 2)])
    with pytest.raises(PatternError) as caught:
        patterns.load([(b"7", 3), (b"x", 4)])
    assert caught.value.text == b"x"
    assert patterns.found(7) == 2 and patterns.count == 2


def test_one_by_one() -> None:
    patterns = Patterns("ip")
    assert patterns.add(b"10.0.0.0/8", 1) and patterns.match(bytes((10, 0, 0, 1)))
    assert patterns.remove(b"10.0.0.0/8") and not patterns.match(bytes((10, 0, 0, 1)))
    assert Patterns("beg").add(b"a", 1) and not Patterns("dir").add(b"a", 1)
    with pytest.raises(ValueError, match="not a valid"):
        patterns.add(b"x:", 1)


def test_sharing() -> None:
    table = {b"a": b"1"}
    patterns = Patterns("str")
    assert patterns.shares and not Patterns("str", True).shares and not Patterns("bin").shares
    patterns.share(table)
    table[b"b"] = b"2"
    assert patterns.match(b"b") and patterns.found(b"b") == b"2"
    assert patterns.add(b"c", b"") and patterns.remove(b"c")


WHY = [
    ("beg", ("/img", "/a"), b"/img/x", "'/img/x' matches '/img' (beg)"),
    ("beg", ("/img",), b"/x", "'/x' matches no pattern (beg)"),
    ("int", ("gt",), None, None),
    ("found", (), b"", "'' is there"),
    ("bool", (), 0, "0 is false"),
    ("bool", (), True, "True is true"),
]


@pytest.mark.parametrize(("method", "texts", "value", "expected"), [case for case in WHY if case[3] is not None])
def test_why(method: str, texts: tuple[str, ...], value: object, expected: str) -> None:
    assert compile_patterns(method, words(*texts)).why(value) == expected


def test_why_says_that_case_is_ignored() -> None:
    assert compile_patterns("str", words("A"), ignore_case=True).why(b"a") == "'a' matches 'A' (str, whatever the case)"


def test_values_for_people() -> None:
    assert show_value(b"a\xff") == "'a\\xff'" and show_value(5) == "5"
    assert show_sample(IP, bytes((10, 0, 0, 1))) == "10.0.0.1" and show_sample(STR, b"x") == "'x'"
