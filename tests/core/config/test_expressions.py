"""Conditional expressions: their truth, their errors, and the same answers as HAProxy's `-cc`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.environment import Environment
from maniple.core.config.expressions import (
    MAX_PARENTHESES,
    PREDICATES,
    ConditionError,
    ConditionFacts,
    evaluate,
    evaluate_text,
    source_column,
)
from maniple.core.config.lexer import split_words

VARIABLES = {"FOO": "1", "EMPTY": ""}
ENVIRONMENT = Environment(VARIABLES)
FACTS = ConditionFacts(
    ENVIRONMENT,
    features={"THREAD": True, "QUIC": False},
    enabled=frozenset(("EPOLL",)),
    ssl_library="OpenSSL 3.0.17 1 Jul 2025",
)

# as the argument of -cc: (text, truth)
COMMON = [
    ("", False),
    ("0", False),
    ("1", True),
    ("-1", True),
    ("+0", False),
    ("00", False),
    ("010", True),
    ("0x0", False),
    ("0x10", True),
    ("0XaF", True),
    ("99999999999999999999", True),
    ("!1", False),
    ("!!1", True),
    ("! ! 0", False),
    ("1 && 0", False),
    ("1&&1", True),
    ("1\t&&\t1", True),
    ("0 || 1", True),
    ("1 || 0 && 0", True),
    ("0 && 1 || 1", True),
    ("(1 || 0) && 0", False),
    ("( 1 )", True),
    ("(((1)))", True),
    ("!(1 && 0)", True),
    ("defined(FOO)", True),
    ("defined(EMPTY)", True),
    ("defined(NOPE)", False),
    ("defined( FOO )", False),
    ("defined()", False),
    ("defined", False),
    ("streq(a,a)", True),
    ("streq(a, a)", False),
    ("streq(a b,a b)", True),
    ("streq(a,)", False),
    ("streq(,)", True),
    ('streq("$FOO",1)', True),
    ("streq($FOO,1)", False),
    ('streq("${NOPE-1}",1)', True),
    ("streq('a b',\"a b\")", True),
    (r"streq('a\ b',\"a b\")", True),
    (r"streq(\"a,b\",\'a,b\')", True),
    (r"""streq('"a)b"',\"a)b\")""", True),
    (r"""streq("'a\\nb'",'a\\nb')""", True),
    (r"""streq('"a\nb"',"a\nb")""", True),
    (r"""streq('"a\$b"','a$b')""", False),
    ("streq((,()", True),
    ("strneq(a,b)", True),
    ("strneq(a,a)", False),
    ("version_atleast(2.4)", True),
    ("version_before(2.4)", False),
    ("version_before(9.9-dev1)", True),
    ("defined(FOO) && streq(a,a)", True),
    ("!defined(FOO) || !streq(a,b)", True),
    ("feature(THREAD)", True),
    ("feature(+THREAD)", False),
    ("feature(thread)", False),
    ("feature(NOPE)", False),
    ("'1'", True),
    ("ssllib_name_startswith(OpenSSL)", True),
    ("ssllib_name_startswith(openssl)", False),
    ("openssl_version_atleast(1.1.1)", True),
    ("openssl_version_before(1.1.1w)", False),
]

# what 2.6 does not know yet
SINCE_3 = [
    ("strstr(abc,b)", True),
    ("strstr(abc,)", True),
    ("strstr(b,abc)", False),
    ("enabled(EPOLL)", True),
    ("enabled(epoll)", False),
    ("enabled(NOPE)", False),
]

ERRORS = [
    # (text, position, part of the message)
    ("!", 1, "missing at the end"),
    ("()", 1, r"missing at '\)'"),
    ("(1", 0, "expected '\\)'"),
    ("1)", 1, "unexpected character '\\)'"),
    ("1abc", 1, "unexpected character 'a'"),
    ("08", 1, "unexpected character '8'"),
    ("0b1", 1, "unexpected character 'b'"),
    ("1.5", 1, "unexpected character '.'"),
    ("1 1", 2, "unexpected character '1'"),
    ("1 # comment", 2, "unexpected character '#'"),
    ("1 &", 2, "unexpected character '&'"),
    ("1 & & 1", 2, "unexpected character '&'"),
    ("1 | 1", 2, "unexpected character '\\|'"),
    ("1 &&", 4, "missing at the end"),
    ("&& 1", 0, "missing at '&& 1'"),
    ("foo", 0, "unknown predicate 'foo'"),
    ("0 && foo(1)", 5, "unknown predicate 'foo'"),
    ("defined(FOO,BAR)", 0, "too many arguments for 'defined': 2 instead of 1"),
    ("defined (FOO)", 8, "unexpected character '\\('"),
    ("defined(FOO", 0, "expected '\\)'"),
    ("defined(FOO)1", 12, "unexpected character '1'"),
    ("streq(a)", 0, "missing arguments for 'streq': 1 instead of 2"),
    ("streq", 0, "missing arguments for 'streq': 0 instead of 2"),
    ("streq(a,b,c)", 0, "too many arguments"),
    ('streq("a,b",c)', 0, "too many arguments"),
    ("streq(a,a", 0, "expected '\\)'"),
    (r"streq(\"a,b)", 0, 'a closing "'),
    ('1 "', 2, "unmatched double quote"),
    ("openssl_version_atleast(9)", 0, "is not an OpenSSL version"),
]

# HAProxy answers these instead of telling that they make no sense
STRICTER = [("version_atleast(x)", "'x' is not a version"), ("version_atleast()", "is not a version")]

OURS = [
    ("version_atleast(3.2)", True),
    ("version_atleast(3.2.0)", True),
    ("version_atleast(3.2-dev5)", True),
    ("version_atleast(3.2.1)", False),
    ("version_before(3.3-dev0)", True),
    ("openssl_version_atleast(3.0.17)", True),
    ("openssl_version_before(3.0.18)", True),
    ("awslc_api_atleast(1)", False),
]


@pytest.mark.parametrize(("text", "truth"), COMMON + SINCE_3 + OURS)
def test_truth(text: str, truth: bool) -> None:
    assert evaluate_text(text, ENVIRONMENT, FACTS) is truth


@pytest.mark.parametrize(("text", "position", "said"), ERRORS)
def test_errors(text: str, position: int, said: str) -> None:
    with pytest.raises(ConditionError, match=said) as caught:
        evaluate_text(text, ENVIRONMENT, FACTS)
    assert caught.value.position == position


@pytest.mark.parametrize(("text", "said"), [*STRICTER, ("awslc_api_atleast(x)", "'x' is not a number")])
def test_senseless_arguments(text: str, said: str) -> None:
    with pytest.raises(ConditionError, match=said):
        evaluate(text, FACTS)


def test_a_mistyped_predicate_is_recognised() -> None:
    with pytest.raises(ConditionError) as caught:
        evaluate("defind(FOO)", FACTS)
    assert caught.value.hint == "did you mean 'defined'?"


def test_without_a_tls_library_nothing_is_claimed_of_it() -> None:
    facts = ConditionFacts(ENVIRONMENT)
    for text in ("openssl_version_atleast(0.9.8)", "openssl_version_before(9.0.0)", "ssllib_name_startswith()"):
        assert not evaluate(text, facts)


def test_aws_lc() -> None:
    facts = ConditionFacts(ENVIRONMENT, ssl_library="AWS-LC 1.50.0", awslc_api=33)
    assert evaluate("awslc_api_atleast(33) && !awslc_api_atleast(34)", facts)
    assert not evaluate("openssl_version_atleast(1.1.1)", facts)


def test_environment_is_asked_when_the_question_is() -> None:
    environment = Environment({})
    facts = ConditionFacts(environment)
    assert not evaluate("defined(LATER)", facts)
    environment.set("LATER", "")
    assert evaluate("defined(LATER)", facts)


@pytest.mark.parametrize("depth", [MAX_PARENTHESES, MAX_PARENTHESES + 1, 5000])
def test_nested_parentheses(depth: int) -> None:
    text = "(" * depth + "1" + ")" * depth
    if depth <= MAX_PARENTHESES:
        assert evaluate(text, FACTS)
    else:
        with pytest.raises(ConditionError, match="too many nested"):
            evaluate(text, FACTS)


def test_long_chains_do_not_nest() -> None:
    assert evaluate("1 && " * 5000 + "!" * 5000 + "1", FACTS)


@pytest.mark.parametrize(
    ("source", "position", "column"),
    [
        ("  a  bb", 2, 6),  # first character of the second word
        ("  a  bb", 3, 7),
        ("a 'b b' c", 3, 5),
        ('a "$FOO-b" c', 2, 4),  # what a variable gave: where it stands
        ('a "$FOO-b" c', 4, 9),
        ("a 'b b' c", 6, 9),
        ("a", 9, 2),
    ],
)
def test_source_column(source: str, position: int, column: int) -> None:
    assert source_column(split_words(source, ENVIRONMENT), source, position) == column


TERMS = st.sampled_from([("0", False), ("1", True), ("defined(FOO)", True), ("streq(a,b)", False)])


def _joined(parts: st.SearchStrategy[tuple[str, bool]]) -> st.SearchStrategy[tuple[str, bool]]:
    return (
        st.tuples(parts, parts).map(lambda two: (f"({two[0][0]} && {two[1][0]})", two[0][1] and two[1][1]))
        | st.tuples(parts, parts).map(lambda two: (f"({two[0][0]}||{two[1][0]})", two[0][1] or two[1][1]))
        | parts.map(lambda one: (f"! {one[0]}", not one[1]))
    )


@given(st.recursive(TERMS, _joined, max_leaves=12))
def test_truth_of_any_expression(built: tuple[str, bool]) -> None:
    text, truth = built
    assert evaluate(text, FACTS) is truth


@given(st.text("01()!&| ,a\"'\\") | st.text())
def test_any_text_is_true_false_or_an_error(text: str) -> None:
    try:
        evaluate(text, FACTS)
    except ConditionError as error:
        assert 0 <= error.position <= len(text)


def test_every_predicate_of_the_manual_is_there() -> None:
    assert PREDICATES.keys() == {
        "defined",
        "streq",
        "strneq",
        "strstr",
        "version_atleast",
        "version_before",
        "openssl_version_atleast",
        "openssl_version_before",
        "ssllib_name_startswith",
        "feature",
        "enabled",
        "awslc_api_atleast",
    }


@pytest.mark.parametrize("version", ["haproxy", "haproxy3"])
def test_same_truth_as_haproxy(version: str, request: pytest.FixtureRequest) -> None:
    """The expressions that the file's language answers alike, in one file."""
    oracle = request.getfixturevalue(version)
    cases = [(text, truth) for text, truth in COMMON + (SINCE_3 if version == "haproxy3" else []) if text]
    text = "".join(f".if {expression}\n.notice yes\n.else\n.notice no\n.endif\n" for expression, _ in cases)
    said = oracle.reports(text, VARIABLES)
    answers = [5 * index + 2 in said for index in range(len(cases))]
    assert dict(zip(cases, answers, strict=True)) == {(expression, truth): truth for expression, truth in cases}


@pytest.mark.parametrize("version", ["haproxy", "haproxy3"])
def test_same_errors_as_haproxy(version: str, request: pytest.FixtureRequest) -> None:
    oracle = request.getfixturevalue(version)
    assert [text for text, _, _ in ERRORS if oracle.condition(text, VARIABLES) != 2] == []


@pytest.mark.parametrize("text", ["1", "0", "", "defined(FOO) && !defined(NOPE)", "1 # x", "'"])
def test_same_exit_code_as_haproxy(text: str, haproxy: object) -> None:
    try:
        code = 0 if evaluate_text(text, ENVIRONMENT, FACTS) else 1
    except ConditionError:
        code = 2
    assert haproxy.condition(text, VARIABLES) == code  # type: ignore[attr-defined]
