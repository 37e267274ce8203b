"""Names of ACLs: several lines, stages, references, errors with file and line."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import pytest
from maniple.core.config.model import Place, RuleSpec, RuleWord
from maniple.core.errors import ConfigError
from maniple.core.rules import keywords
from maniple.core.rules.acl_set import AclSet, either
from maniple.core.rules.catalogue import Needs, Stage

assert keywords.MODULES

STAGE = Stage.FRONT_REQUEST
REQUEST = b"GET /img/a.gif HTTP/1.1\r\nHost: h\r\n\r\n"


def line(text: str, number: int = 1, kind: str = "acl") -> RuleSpec:
    words, column = [], 9
    for word in text.split(" "):
        words.append(RuleWord(word, column))
        column += len(word) + 1
    return RuleSpec(Place("a.cfg", number, 5), kind, tuple(words))


def lines(*texts: str) -> list[RuleSpec]:
    return [line(text, number) for number, text in enumerate(texts, 1)]


def test_lines_of_one_name_are_alternatives(site: Any, make_scope: Any) -> None:
    acls = AclSet(lines("a path_beg /x", "a path_end .gif", "a src 10.0.0.0/8", "b path /"), site)
    acl = acls.find("a", STAGE)
    assert acl is not None and acl.test(make_scope(request=REQUEST))
    assert acl.needs == Needs.HEAD | Needs.CONNECTION and acl.name == "a"
    assert acl.why(make_scope(request=REQUEST)) == "path_end: '/img/a.gif' matches '.gif' (end)"
    assert "no pattern" in acl.why(make_scope(request=b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"))
    assert acls.names == ("a", "b") and acls.find("c", STAGE) is None
    assert acls.find("a", STAGE) is acl


def test_other_kinds_of_lines_are_passed_over(site: Any) -> None:
    assert AclSet([line("deny if a", 1, "http-request"), line("a path /")], site).names == ("a",)


def test_names_go_before_predefined_ones(site: Any, make_scope: Any) -> None:
    acls = AclSet(lines("TRUE always_false"), site)
    found = acls.find("TRUE", STAGE)
    assert found is not None and not found.test(make_scope(request=REQUEST))
    get = acls.find("METH_GET", STAGE)
    assert get is not None and get.test(make_scope(request=REQUEST)) and get.place is None


@pytest.mark.parametrize(
    "rule", ["deny if METH_POST", "deny unless a !METH_POST", "deny if { path METH_POST }", "deny"]
)
def test_a_predefined_one_that_is_used_before_stays(site: Any, make_scope: Any, rule: str) -> None:
    """As in HAProxy: the first use takes it in, and later lines of its name add to it."""
    acls = AclSet([line("a path /", 1), line(rule, 2, "http-request"), line("METH_POST path /b", 3)], site)
    acl = acls.find("METH_POST", STAGE)
    assert acl is not None and acl.test(make_scope(request=b"GET /b HTTP/1.1\r\nHost: h\r\n\r\n"))
    kept = "METH_POST" in rule and "{" not in rule
    assert acl.test(make_scope(request=b"POST /a HTTP/1.1\r\nHost: h\r\n\r\n")) is kept


WRONG = [
    ("or path /", 9, "cannot be called 'or'"),
    ("OR path /", 9, "cannot be called 'OR'"),
    ("a!b path /", 9, "is no name"),
    ("a", 5, "needs a criterion"),
    ("a path_bge /x", 11, "unknown fetch"),
    ("a src x:y", 15, "not a valid IPv4"),
]


@pytest.mark.parametrize(("text", "column", "says"), WRONG)
def test_errors_have_their_place(text: str, column: int, says: str, site: Any) -> None:
    acls = AclSet(lines("fine path /", text), site)
    assert len(acls.errors) == 1
    error = acls.errors[0]
    assert says in error.message and (error.file, error.line, error.column) == ("a.cfg", 2, column)


def test_an_error_is_told_once_and_its_acl_never_matches(site: Any, make_scope: Any) -> None:
    acls = AclSet(lines("a path_bge /x", "a path_beg /img"), site)
    for stage in (STAGE, Stage.BACK_REQUEST):
        acl = acls.find("a", stage)
        assert acl is not None and acl.test(make_scope(request=REQUEST))
    assert len(acls.errors) == 1


def test_warnings_are_of_the_stages_in_use(site: Any) -> None:
    acls = AclSet(lines("a status 200"), site)
    assert not acls.warnings
    acls.find("a", Stage.FRONT_RESPONSE)
    assert not acls.warnings
    acls.find("a", STAGE)
    assert [(warning.file, warning.line, warning.column) for warning in acls.warnings] == [("a.cfg", 1, 11)]


def test_acls_that_refer_to_each_other(site: Any, make_scope: Any) -> None:
    acls = AclSet(lines("b path_beg /img", "c path_end .png", "a acl(b,!c)"), site)
    assert not acls.errors
    acl = acls.find("a", STAGE)
    assert acl is not None and acl.test(make_scope(request=REQUEST)) and acl.needs is Needs.HEAD


def test_acls_refer_to_lines_above(site: Any) -> None:
    acls = AclSet(lines("a acl(b)", "b path_beg /img", "c acl(b,TRUE)", "b acl(c)", "TRUE path /"), site)
    messages = sorted(error.message for error in acls.errors)
    assert messages == ["'acl': there is no ACL 'b' before this line", "ACL 'b' refers to itself"]


@pytest.mark.parametrize("texts", [("a acl(a)",), ("a acl(b)", "b acl(a)")])
def test_circles_are_errors(texts: tuple[str, ...], site: Any) -> None:
    acls = AclSet(lines(*texts), site)
    assert acls.errors and "refers to itself" in acls.errors[0].message
    assert acls.errors[0].file == "a.cfg"


def test_unknown(site: Any) -> None:
    error = AclSet(lines("images path_beg /img"), site).unknown("imges", 7)
    assert (error.column, error.hint) == (7, "did you mean `images`?")
    assert isinstance(error, ConfigError)


def test_the_site_of_the_proxy_is_the_site_with_acls(site: Any) -> None:
    acls = AclSet([], site)
    assert acls.site.threads == site.threads and acls.site.acls is acls  # type: ignore[attr-defined]


def test_either() -> None:
    for count in (2, 3):
        test = either([number.__eq__ for number in range(count)])
        assert [test(value) for value in range(-1, count + 1)] == [False, *[True] * count, False]


def kept(site: Any, count: int) -> int:
    """Bytes that so many ACLs keep, besides what is kept of each line anyway."""
    listed = lines(*[f"a{number} always_true" for number in range(count)])
    gc.collect()
    tracemalloc.start()
    try:
        acls = AclSet(listed, site)
        acls.known = count // 2
        assert acls.is_later(f"a{count - 1}") and not acls.is_later("a0") and acls.is_known("a0")
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_many_acls_keep_what_a_few_keep_each(site: Any) -> None:
    assert kept(site, 1200) < 5 * kept(site, 300), "no line may keep all names before it"


def test_names_are_known_by_their_first_line(site: Any) -> None:
    acls = AclSet(lines("a path /", "? path /", "b path /", "a path /b"), site)
    for before, later in ((0, "ab"), (1, "b"), (2, "b"), (3, "")):
        acls.known = before
        assert "".join(name for name in "abc" if acls.is_later(name)) == later
    assert not acls.is_known("c") and acls.is_known("TRUE") and not acls.is_later("TRUE")
