"""Text matchers against simple models, few patterns and many, with and without case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.rules.matching import Exact, Matcher
from maniple.core.rules.searching import FEW, Prefixes, Substrings, Suffixes, Words

texts = st.text("aAb/.?:", max_size=7).map(str.encode)
keys = st.lists(st.text("aAb/.?:", min_size=1, max_size=4).map(str.encode), max_size=FEW + 6)

KEYS = [b"a", b"A", b"b/", b"aa", b"ab", *[b"a%d" % number for number in range(FEW)]]


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


@pytest.mark.parametrize("method", ["beg", "end", "sub"])
@given(
    steps=st.lists(st.tuples(st.sampled_from(["add", "remove", "set"]), st.sampled_from(KEYS), st.integers(0, 3))),
    value=texts,
)
def test_changed_one_by_one(method: str, steps: list[tuple[str, bytes, int]], value: bytes) -> None:
    changed, fresh = MODELS[method][0](False), MODELS[method][0](False)
    changed.load([])
    model: dict[bytes, int] = {}
    for what, key, number in steps:
        if what == "add" and key not in model:
            assert changed.add(key, number)
            model[key] = number
        elif what == "remove" and key in model:
            assert changed.remove(key)
            del model[key]
        elif what == "set" and key in model:
            assert changed.set(key, number)
            model[key] = number
    fresh.load(model.items())
    assert changed.match(value) is fresh.match(value)
    assert changed.found(value) == fresh.found(value)


def test_matchers_that_cannot_change_one_by_one_say_so() -> None:
    matchers: list[Any] = [Substrings(True), Prefixes(True), Suffixes(True), Words(False, b"/")]
    for matcher in matchers:
        matcher.load([(b"a", 1)])
        assert not matcher.add(b"b", 1) and not matcher.remove(b"a") and not matcher.set(b"a", 2)
        assert matcher.found(b"a") == 1
