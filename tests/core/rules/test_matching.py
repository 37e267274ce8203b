"""Matchers of whole values, of methods and of regular expressions; parts of texts are in test_searching."""

from __future__ import annotations

import re

from maniple.core.rules.matching import (
    Exact,
    Methods,
    Presence,
    Regexes,
    Truth,
)
from maniple.core.rules.regexes import compile_regex


def test_exact_one_by_one() -> None:
    matcher = Exact(True)
    assert matcher.add(b"A", 1) and matcher.match(b"a")
    assert matcher.remove(b"a") and not matcher.match(b"a")
    matcher.add(b"A", 1)
    matcher.add(b"a", 2)
    assert matcher.found(b"A") == 1
    # Both are one key: the list of patterns has to tell.
    assert not matcher.remove(b"a")


def test_exact_shares_a_dict() -> None:
    table = {b"a": b"1"}
    matcher = Exact(False)
    matcher.share(table)
    test = matcher.over(lambda x: x)
    table[b"b"] = b"2"
    assert test(b"b") and matcher.found(b"b") == b"2"


def test_methods_are_known_by_name() -> None:
    matcher = Methods(True)
    matcher.load([(b"get", 1), (b"purge", 2), (b"POST", 3)])
    assert [matcher.match(name) for name in (b"GET", b"PURGE", b"Purge", b"POST", b"post")] == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert matcher.found(b"PURGE") == 2 and matcher.over(lambda x: x)(b"PURGE")
    plain = Methods(False)
    plain.load([(b"GET", 1)])
    assert plain.over(lambda x: x)(b"GET") and not plain.over(lambda x: x)(b"get")


def test_presence_and_truth() -> None:
    presence, truth = Presence(), Truth()
    presence.load([(b"x", 1)])
    truth.load([])
    assert presence.over(lambda x: x)(b"") and not presence.over(lambda x: x)(None)
    assert presence.over_each(lambda x: x)([b""]) and not presence.over_each(lambda x: x)([])
    assert [truth.over(lambda x: x)(value) for value in (True, False, None, 0, 5, -1)] == [
        True,
        False,
        False,
        False,
        True,
        True,
    ]
    assert truth.over_each(lambda x: x)([0, 3]) and truth.found(0) is None
    assert presence.match(b"") and presence.found(b"") is not None


def test_regexes_first_counts() -> None:
    matcher = Regexes()
    matcher.load([(re.compile(b"b+"), 1), (re.compile(b"^(a)"), 2)])
    assert matcher.found(b"ab") == 1 and matcher.found(b"ac") == 2 and matcher.found(b"c") is None
    hit = matcher.found_match(b"ac")
    assert hit is not None and hit[0][1] == b"a" and hit[1] == 2
    assert matcher.found_match(b"") is None
    test = matcher.over(lambda x: x)
    assert test(b"b") and not test(None) and not test(b"c")
    one = Regexes()
    one.load([(re.compile(b"b"), 1)])
    single = one.over(lambda x: x)
    assert single(b"b") and not single(None)
    one.load([(re.compile(b"c"), 1), (re.compile(b"d"), 1)])
    assert single(b"d") and not single(b"b")
    one.load([])
    assert not single(b"d")


def test_regexes_one_by_one() -> None:
    matcher = Regexes()
    one, other, same = (compile_regex(text) for text in (b"^a", b"b", b"^a"))
    matcher.load([(one, 1)])
    test = matcher.over(lambda x: x)
    assert matcher.add(other, 2) and test(b"xb") and matcher.found(b"xb") == 2
    assert matcher.set(one, 3) and matcher.found(b"a") == 3
    assert matcher.remove(other) and not test(b"xb")
    # Which of two it is nobody can tell.
    matcher.add(same, 4)
    assert not matcher.remove(one) and not matcher.set(same, 5) and matcher.found(b"a") == 3
