"""Sets of rules as one function: the same as their plain loop, whatever the head and the rules are like."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.core.config.model import PatternFileSpec, Place, ProxySpec, RuleSpec, RuleWord
from maniple.core.rules import fused
from maniple.core.rules.fused import edit_of, is_pure
from maniple.core.rules.pattern_files import PatternFiles
from maniple.core.rules.proxy_rules import Findings, ProxyRules, compile_proxy
from maniple.core.rules.ruleset import RuleSet, runner


def lines_of(texts: list[list[str]]) -> tuple[RuleSpec, ...]:
    return tuple(
        RuleSpec(Place("f", number + 1), words[0], tuple([RuleWord(word, 1) for word in words[1:]]))
        for number, words in enumerate(texts)
    )


def compiled(site: Any, *texts: list[str]) -> ProxyRules:
    found = Findings()
    spec = ProxySpec(Place("f", 1), "p", "frontend", mode="http", rules=lines_of(list(texts)))
    rules = compile_proxy(spec, site, None, found)
    assert not found.errors, found.errors
    return rules


def rule(text: str) -> list[str]:
    kind, _, rest = text.partition(" ")
    return [kind, *rest.split(" ")]


def outcome(run: Any, x: Any, attribute: str) -> tuple[Any, ...]:
    verdict = run(x)
    head = getattr(x, attribute)
    block = head.block
    if block.edited:
        block.seal()
    index = block.index or block.make_index()
    facts = [getattr(head, name) for name in ("start", "line", "length", "keep_alive", "ordinary", "version")]
    assert block.repeats or len(block.seen()) == len(index)
    return verdict, block.wire, dict(index), block.seen(), *facts


FETCHES = ["req.hdr(a)", "hdr(b)", "req.fhdr(a)", "hdr(A)", "req.hdr(c)", "req.hdr(a,1)", "path", "req.hdr_cnt(a)"]
METHODS = ["str", "beg", "end", "sub", "dir", "dom", "reg", "found", "len"]
TEXTS = ["x", "X", "xy", "y", "x,y", "several", " x", "", '"', "/"]
VALUES = [b"x", b"X", b"y, x", b"xy ,y", b"", b",", b'"x,y"', b"x/y", b"several", b"  x", b'a, "x']
ACTIONS = ["set-header a x", "set-header b y", "add-header c x,y", "add-header a z", "del-header a", "del-header c",
           "set-header host q", "set-header d %[path]", "deny", "allow", "set-header content-length 3"]  # fmt: skip

tests = st.tuples(
    st.sampled_from(FETCHES),
    st.sampled_from(METHODS),
    st.booleans(),
    st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3),
)
conditions = st.lists(st.tuples(st.booleans(), tests, st.sampled_from(["", "or"])), max_size=3)
rules = st.lists(st.tuples(conditions, st.sampled_from(["if", "unless"]), st.sampled_from(ACTIONS)), max_size=5)
heads = st.lists(st.tuples(st.sampled_from([b"A", b"B", b"C", b"Connection"]), st.sampled_from(VALUES)), max_size=4)


def written(condition: Any, kind: str, action: str) -> list[str]:
    words = ["http-request", *action.split(" ")]
    if not condition:
        return words
    words.append(kind)
    for place, (negated, (fetch, method, fold, texts), joint) in enumerate(condition):
        if place and joint:
            words.append(joint)
        if method == "len" or fetch.startswith("req.hdr_cnt"):
            method, texts = "len" if method == "len" else "int", ["1", "3:"]
        if method == "reg":
            texts = [text for text in texts if text != '"'] or ["x"]
        words += ["!{" if negated else "{", fetch, "-m", method, *(["-i"] if fold else []), "--", *texts, "}"]
    return words


@settings(max_examples=250)
@given(rules, st.lists(heads, min_size=1, max_size=3))
def test_the_same_as_the_plain_loop(
    make_site: Any, make_scope: Any, rules: list[Any], heads: list[list[tuple[bytes, bytes]]]
) -> None:
    made = compiled(make_site(), *[written(*one) for one in rules]).request
    plain = runner(made.steps)
    for fields in heads:
        raw = b"GET /x HTTP/1.1\r\nHost: h\r\n%b\r\n" % b"".join([b"%b: %b\r\n" % field for field in fields])
        x = make_scope(request=raw)
        head = x.head
        wanted = outcome(plain, x, "head")
        wire = head.block.wire
        for _ in range(3):
            # The first time nothing is kept with the block, the third time what the second one left there is used.
            x.head = head
            assert outcome(made.run, x, "head") == wanted
            assert head.block.wire == wire, "shared heads stay as they are"
            assert not (is_pure(made.run) and x.head.block.edited)


@settings(max_examples=100)
@given(
    st.lists(st.tuples(tests, st.sampled_from(["set-header a x", "del-header c", "add-header d y"])), max_size=4), heads
)
def test_responses(make_site: Any, make_scope: Any, rules: list[Any], fields: list[tuple[bytes, bytes]]) -> None:
    texts = [
        ["http-response", *written([(False, test, "")], "if", action)[1:]]
        for test, action in rules
        if not test[0].startswith(("path", "req.hdr_cnt", "hdr"))
    ]
    texts = [[word.replace("req.", "res.") for word in words] for words in texts]
    made = compiled(make_site(), *texts).response
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%b\r\n" % b"".join([b"%b: %b\r\n" % one for one in fields])
    x = make_scope(response=response)
    head = x.answer
    wanted = outcome(runner(made.steps), x, "answer")
    x.answer = head
    assert outcome(made.run, x, "answer") == wanted


PURE = [
    "http-request set-header a b",
    "http-request add-header a b if { req.hdr(x) -m sub y }",
    "http-request del-header a unless { hdr(x) y } || !{ req.fhdr(y) -m found }",
]
NOT_PURE = [
    "http-request set-header a %[path]",
    "http-request set-header host b",
    "http-request deny if { req.hdr(x) y }",
    "http-request set-header a b if { path / }",
    "http-request set-header a b if { req.hdr(x) -u 7 y }",
    "http-request del-header a -m beg",
]


@pytest.mark.parametrize("text", PURE)
def test_pure(site: Any, text: str) -> None:
    assert is_pure(compiled(site, rule(text)).request.run)


@pytest.mark.parametrize("text", NOT_PURE)
def test_not_pure(site: Any, text: str) -> None:
    assert not is_pure(compiled(site, rule(text)).request.run)


def test_what_is_edited_is_looked_at_anew(site: Any, make_scope: Any) -> None:
    texts = "http-request set-header a 1", "http-request set-header b 2 if { req.hdr(a) 1 }"
    made = compiled(site, *map(rule, texts)).request
    assert not is_pure(made.run)
    x = make_scope(request=b"GET / HTTP/1.1\r\nHost: h\r\nA: 0\r\n\r\n")
    assert outcome(made.run, x, "head")[1] == b"host: h\r\na: 1\r\nb: 2\r\n"


def test_two_sets_on_one_block(site: Any, make_scope: Any) -> None:
    """What one set makes of a block is not taken for what another does."""
    first = compiled(site, rule("http-request set-header a 1")).request
    second = compiled(site, rule("http-request set-header a 2")).request
    x = make_scope(request=b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    head = x.head
    for made, value in [(first, b"1"), (second, b"2")] * 2:
        x.head = head
        made.run(x)
        assert x.head.block.wire == b"host: h\r\na: %b\r\n" % value
    second.run(x)
    first.run(x)
    assert x.head.block.wire == b"host: h\r\na: 1\r\n"


def test_nothing_to_do_leaves_the_head(site: Any, make_scope: Any) -> None:
    made = compiled(site, rule("http-request set-header a 1 if { req.hdr(x) -m found }")).request
    x = make_scope(request=b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    head = x.head
    made.run(x)
    made.run(x)
    assert x.head is head


@pytest.mark.parametrize("flags", ["-u 7 -m beg", "-m sub -f l", "-f l"])
def test_patterns_that_can_change_are_followed(make_site: Any, make_scope: Any, flags: str) -> None:
    files = PatternFiles({"l": PatternFileSpec("l", False, {b"1": b""})})
    site = make_site(pattern_files=files)
    last = "1 " if "-u" in flags else ""
    made = compiled(site, rule(f"http-request set-header b 1 if {{ req.hdr(a) {flags} {last}}}")).request
    x = make_scope(request=b"GET / HTTP/1.1\r\nHost: h\r\nA: 2\r\n\r\n")
    assert b"b: 1" not in outcome(made.run, x, "head")[1]
    if "-u" in flags:
        files.named["7"][1].load([(b"2", b"2")])
    else:
        files.file("l", False).add(b"2")
    assert b"b: 1" in outcome(made.run, x, "head")[1]


def test_many_combinations_are_not_kept_for_ever(site: Any, make_scope: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused, "KEPT", 2)
    texts = [f"http-request set-header x{number} 1 if {{ req.hdr(a) -m sub {number} }}" for number in range(4)]
    made = compiled(site, *map(rule, texts)).request
    for bits in range(16):
        digits = "".join([str(number) for number in range(4) if bits >> number & 1])
        x = make_scope(request=b"GET / HTTP/1.1\r\nHost: h\r\nA: %b\r\n\r\n" % digits.encode())
        made.run(x)
        assert x.head.block.wire.count(b"\r\nx") == len(digits)


def test_large_sets_are_looped_over(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused, "MOST", 2)
    made: RuleSet = compiled(site, *[rule("http-request set-header a 1")] * 3).request
    assert not is_pure(made.run)
    assert edit_of(made.steps[0][1]) is not None
