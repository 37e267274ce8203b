"""Conditions: logic against a model, syntax, errors with their columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.model import Place, RuleSpec, RuleWord
from maniple.core.errors import ConfigError
from maniple.core.rules import keywords
from maniple.core.rules.acl import Acl
from maniple.core.rules.acl_set import AclSet
from maniple.core.rules.catalogue import Needs, Stage
from maniple.core.rules.condition import Literal, compile_condition, join_terms

assert keywords.MODULES

STAGE = Stage.FRONT_REQUEST


def words(text: str, column: int = 1) -> tuple[RuleWord, ...]:
    found = []
    for word in text.split(" "):
        found.append(RuleWord(word, column))
        column += len(word) + 1
    return tuple(found)


def acl(text: str) -> RuleSpec:
    return RuleSpec(Place("a.cfg", 1, 1), "acl", words(text))


@pytest.fixture
def acls(site: Any) -> AclSet:
    return AclSet([acl("yes always_true"), acl("no always_false"), acl("img path_beg /img")], site)


LOGIC = [
    ("if yes", True),
    ("if !yes", False),
    ("if ! yes", False),
    ("if !! yes", True),
    ("if !!!yes", False),
    ("unless yes", False),
    ("unless no", True),
    ("unless !no", False),
    ("if yes no", False),
    ("if yes !no", True),
    ("if no or yes", True),
    ("if no || no yes", False),
    ("if no Or yes yes", True),
    ("if yes or no no", True),
    ("if no no or no or yes", True),
    ("unless no or no", True),
    ("unless no or yes no or !no", False),
    ("if or yes", True),
    ("if yes or", True),
    ("if { path /x }", True),
    ("if !{ path /x }", False),
    ("if ! { path /x } or img", False),
    ("if { path /x } { method GET } !img", True),
    ("if ! or yes", True),
]


@pytest.mark.parametrize(("text", "expected"), LOGIC)
def test_logic(text: str, expected: bool, acls: AclSet, make_scope: Any) -> None:
    condition = compile_condition(words(text), acls, acls.site, STAGE)
    assert condition.test(make_scope(request=b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n")) is expected
    assert condition.text == text and condition.negated is text.startswith("unless")


literals = st.tuples(st.integers(0, 3), st.booleans())


def bit(number: int) -> Callable[[int], bool]:
    """The test of one bit."""
    return lambda x: bool(x >> number & 1)


@given(st.lists(st.lists(literals, min_size=1, max_size=4), min_size=1, max_size=4), st.booleans(), st.integers(0, 15))
def test_terms(terms: list[list[tuple[int, bool]]], unless: bool, bits: int) -> None:
    made = [
        [Literal(Acl(bit(number), Needs.NOTHING, "a", None, "", str), negated) for number, negated in term]
        for term in terms
    ]
    expected = any(all(bool(bits >> number & 1) is not negated for number, negated in term) for term in terms)
    test = join_terms(made, unless)
    assert test(bits) is (expected is not unless)
    assert any(all(literal.holds(bits) for literal in term) for term in made) is expected


def test_terms_are_kept(acls: AclSet) -> None:
    condition = compile_condition(words("if img !yes or { path /a }"), acls, acls.site, STAGE)
    assert [[literal.text for literal in term] for term in condition.terms] == [["img", "!yes"], ["{ path /a }"]]
    assert condition.needs is Needs.HEAD


def test_one_acl_is_its_own_test(acls: AclSet) -> None:
    found = acls.find("img", STAGE)
    assert found is not None
    assert compile_condition(words("if img"), acls, acls.site, STAGE).test is found.test


WRONG = [
    ("", 0, "`if` or `unless` is expected"),
    ("when yes", 1, "`if` or `unless` is expected"),
    ("if", 1, "an ACL is expected after 'if'"),
    ("if or", 4, "an ACL is expected after 'or'"),
    ("if !", 4, "an ACL is expected after '!'"),
    ("if yes nope", 8, "there is no ACL 'nope'"),
    ("if !!nope", 6, "there is no ACL 'nope'"),
    ("if { path /x", 4, "'}' is missing"),
    ("if yes !{ path /x", 9, "'}' is missing"),
    ("if { }", 4, "nothing between the braces"),
    ("if {path /x }", 4, "there is no ACL '{path'"),
    ("if { path_bge /x }", 6, "unknown fetch"),
    ("if yes { src 1.2.3.4/99 }", 14, "not a valid IPv4"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors(text: str, column: int, says: str, acls: AclSet) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        compile_condition(words(text) if text else (), acls, acls.site, STAGE)
    assert caught.value.column == column


def test_warnings_have_columns(acls: AclSet) -> None:
    compile_condition(words("if yes { status 200 }"), acls, acls.site, STAGE)
    assert [warning.column for warning in acls.warnings] == [10]
