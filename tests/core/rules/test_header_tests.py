"""ACLs on headers in one function: the same as the general way, whatever the head is like."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.model import RuleWord
from maniple.core.rules import keywords
from maniple.core.rules.acl import compile_acl
from maniple.core.rules.catalogue import HeaderOf, Stage
from maniple.core.rules.expression import compile_text
from maniple.core.rules.header_tests import test_header as make_test
from maniple.core.rules.patterns import METHODS, Patterns, compile_patterns
from maniple.core.rules.samples import STR

assert keywords.MODULES

TEXTS = [method.name for method in METHODS.values() if method.want is STR and method.name != "len"] + ["found", "bin"]

values = st.sampled_from([b"a", b"A", b"b, a", b"ab", b"", b",", b'"a,b"', b"a/b", b"a.b", b"b"])
heads = st.lists(st.tuples(st.sampled_from([b"X", b"Y"]), values), max_size=4)
patterns = st.lists(st.sampled_from(["a", "A", "b", "ab", "a,b", "b, a"]), min_size=1, max_size=3)


@given(heads, patterns, st.sampled_from(TEXTS), st.booleans(), st.booleans())
def test_the_same_as_the_general_way(
    make_site: Any,
    make_scope: Any,
    fields: list[tuple[bytes, bytes]],
    texts: list[str],
    method: str,
    fold: bool,
    full: bool,
) -> None:
    site = make_site()
    lines = b"".join([b"%b: %b\r\n" % field for field in fields])
    x = make_scope(
        request=b"GET / HTTP/1.1\r\nHost: h\r\n%b\r\n" % lines,
        response=b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%b\r\n" % lines,
    )
    if method == "bin":
        texts = [text.encode().hex() for text in texts]
    words = [RuleWord(text, 1) for text in texts]
    for fetch, stage in (("req", Stage.FRONT_REQUEST), ("res", Stage.FRONT_RESPONSE)):
        name = f"{fetch}.{'fhdr' if full else 'hdr'}(X)"
        compiled = compile_text(name, site, stage)
        assert compiled.header == HeaderOf("head" if fetch == "req" else "answer", b"x", full)
        assert compiled.each is not None
        searched = compile_patterns(method, words, ignore_case=fold)
        expected = any(searched.match(value) for value in compiled.each(x))
        assert make_test(compiled.header, searched.matcher, compiled.each)(x) is expected
        flags = ["-m", method, *(["-i"] if fold else []), "--"]
        written = [RuleWord(text, 1) for text in (name, *flags)] + words
        assert compile_acl(written, site, stage).test(x) is expected


@pytest.mark.parametrize("method", [name for name in TEXTS if name != "found"])
@pytest.mark.parametrize("fold", [False, True])
def test_changes_are_followed(method: str, fold: bool, site: Any, make_scope: Any) -> None:
    searched = Patterns(method, fold)
    searched.load([(b"aa", 1)])
    compiled = compile_text("req.hdr(x)", site, Stage.FRONT_REQUEST)
    assert compiled.header is not None and compiled.each is not None
    test = make_test(compiled.header, searched.matcher, compiled.each)
    x = make_scope(
        request=b"GET / HTTP/1.1\r\nX: \xbb\xbb\r\nY: bb\r\n\r\n"
        if method == "bin"
        else b"GET / HTTP/1.1\r\nX: bb\r\n\r\n"
    )
    assert not test(x)
    searched.load([(b"%02x" % number, 2) for number in range(20)] + [(b"bbbb" if method == "bin" else b"bb", 1)])
    assert test(x)
    assert not test(make_scope())


def test_no_short_way_for_occurrences_and_converters(site: Any) -> None:
    for text in ("req.hdr(x,1)", "req.hdr", "req.hdr(x),lower", "path"):
        assert compile_text(text, site, Stage.FRONT_REQUEST).header is None


def test_a_search_in_lines_is_one_in_values(site: Any, make_scope: Any) -> None:
    """`sub` looks at whole lines where it makes no difference."""
    x = make_scope(request=b'GET / HTTP/1.1\r\nX: (KHTML, like Gecko) a ,b\r\nX: "c,d"\r\n\r\n')
    for text, expected in (
        ("KHTML", True),
        ("like Gecko", True),
        ("a ,b", False),
        ("a ", False),
        ("c,d", True),
        (", l", False),
    ):
        words = [RuleWord(word, 1) for word in ("hdr_sub(x)", text)]
        assert compile_acl(words, site, Stage.FRONT_REQUEST).test(x) is expected, text
