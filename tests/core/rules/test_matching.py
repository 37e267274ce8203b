"""Text matchers against simple models, few patterns and many, with and without case."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.rules.matching import (
    FEW,
    Exact,
    Matcher,
    Methods,
    Prefixes,
    Presence,
    Regexes,
    Substrings,
    Suffixes,
    Truth,
    Words,
)

texts = st.text("aAb/.?:", max_size=7).map(str.encode)
keys = st.lists(st.text("aAb/.?:", min_size=1, max_size=4).map(str.encode), max_size=FEW + 6)


def has_word(value: bytes, key: bytes, delimiters: bytes) -> bool:
    """HAProxy's words: a slow but plain reading of the manual."""
    word = key.strip(delimiters)
    if not word:
        return False
    for start in range(len(value) - len(word) + 1):
        end = start + len(word)
        before = start == 0 or value[start - 1] in delimiters
        after = end == len(value) or value[end] in delimiters
        if before and after and value[start:end] == word:
            return True
    return False


MODELS: dict[str, tuple[Callable[[bool], Matcher], Callable[[bytes, bytes], bool]]] = {
    "str": (Exact, lambda value, key: value == key),
    "beg": (Prefixes, lambda value, key: value.startswith(key)),
    "end": (Suffixes, lambda value, key: value.endswith(key)),
    "sub": (Substrings, lambda value, key: key in value),
    "dir": (lambda fold: Words(fold, b"/?"), lambda value, key: has_word(value, key, b"/?")),
    "dom": (lambda fold: Words(fold, b"/?.:"), lambda value, key: has_word(value, key, b"/?.:")),
}


@pytest.mark.parametrize("method", MODELS)
@given(listed=keys, value=texts, fold=st.booleans())
def test_texts(method: str, listed: list[bytes], value: bytes, fold: bool) -> None:
    make, model = MODELS[method]
    matcher = make(fold)
    matcher.load([(key, index) for index, key in enumerate(listed)])
    hits = [
        index
        for index, key in enumerate(listed)
        if model(value.lower() if fold else value, key.lower() if fold else key)
    ]
    assert matcher.match(value) is bool(hits)
    assert matcher.over(lambda x: x)(value) is bool(hits)
    assert matcher.over_each(lambda x: [b"?", *x])([value]) is (bool(hits) or matcher.match(b"?"))
    if not hits:
        assert matcher.found(value) is None
    elif method == "beg" and not fold:
        # HAProxy's tree: the longest prefix.
        longest = max(len(listed[index]) for index in hits)
        assert matcher.found(value) == next(index for index in hits if len(listed[index]) == longest)
    else:
        assert matcher.found(value) == hits[0]


@pytest.mark.parametrize("method", MODELS)
@pytest.mark.parametrize("fold", [False, True])
def test_no_value_never_matches_and_changes_are_followed(method: str, fold: bool) -> None:
    matcher = MODELS[method][0](fold)
    matcher.load([(b"one", 1)])
    test, test_each = matcher.over(lambda x: x), matcher.over_each(lambda x: x)
    assert test(None) is False and test_each([]) is False
    assert test(b"one") and test_each([b"x", b"one"])
    matcher.load([(b"two", 2)])
    assert not test(b"one") and test(b"two") and test_each([b"two"]) and not test_each([b"one"])
    matcher.load([(b"%d" % number, number) for number in range(FEW * 2)])
    assert test(b"7") and not test(b"two")


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


def test_matchers_that_cannot_change_one_by_one_say_so() -> None:
    matcher: Any = Substrings(False)
    assert not matcher.add(b"a", 1) and not matcher.remove(b"a")
