"""A trace does what the set does: the same verdict, the same edits, whatever the rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from maniple.core.config.model import Place, ProxySpec, RuleSpec, RuleWord
from maniple.core.rules import all_actions
from maniple.core.rules.acl_set import AclSet
from maniple.core.rules.actions import Ground
from maniple.core.rules.catalogue import Stage
from maniple.core.rules.effects import take
from maniple.core.rules.ruleset import RuleSet, compile_rules, make_set
from maniple.core.rules.tracing import trace

assert all_actions.MODULES

GET = b"GET /a?q=1 HTTP/1.1\r\nHost: h\r\nCookie: x=1\r\n\r\n"


def line(number: int, text: str) -> RuleSpec:
    keyword, _, rest = text.partition(" ")
    return RuleSpec(Place("t", number), keyword, tuple(RuleWord(word, 1) for word in rest.split()))


def compiled(lines: list[str], site: Any) -> RuleSet:
    specs = [line(number, text) for number, text in enumerate(lines, 1)]
    acls = AclSet(specs, site)
    errors: list[Any] = []
    spec = ProxySpec(Place("t", 0), "f", "frontend", mode="http")
    ground = Ground("http-request", acls.site, Stage.FRONT_REQUEST, spec)
    rules = compile_rules([one for one in specs if one.kind != "acl"], acls, ground, errors)
    assert not errors
    return make_set(rules)


def scope(make_scope: Callable[..., Any]) -> Any:
    x = make_scope(request=GET)
    x.steps = None
    x.lenient = False
    x.dirty = False
    return x


def test_terms_stop_where_the_result_is_known(site: Any, make_scope: Callable[..., Any]) -> None:
    rules = compiled(
        ["acl a path /a", "acl b path /b", "http-request set-header X 1 if b a or a !b or b"],
        site,
    )
    traces, verdict = trace(rules, scope(make_scope), {})
    assert verdict is None and traces[0].condition is not None
    assert [(term.text, term.holds, term.line) for term in traces[0].condition.terms] == [
        ("b", False, 2),
        ("a", True, 1),
        ("!b", True, 2),
    ]


def test_what_follows_a_verdict_is_not_looked_at(site: Any, make_scope: Callable[..., Any]) -> None:
    rules = compiled(["http-request allow if TRUE", "http-request deny"], site)
    traces, verdict = trace(rules, scope(make_scope), {})
    assert len(traces) == 1 and verdict is not None
    assert traces[0].actions[0].verdict == "the rules of this section end here"


def test_a_wait_lasts_as_long_as_it_may(site: Any, make_scope: Callable[..., Any]) -> None:
    x = scope(make_scope)
    x.has_body = lambda least: False
    rules = compiled(["http-request pause 50ms", "http-request wait-for-body time 1s", "http-request deny"], site)
    traces, verdict = trace(rules, x, {})
    assert len(traces) == 2 and verdict is not None and getattr(verdict, "status", 0) == 408
    assert traces[0].actions[0].notes == ["waits, 50 ms"] and "1000 ms at most" in traces[1].actions[0].notes[0]


LINES = (
    "http-request set-header X-A %[path]",
    "http-request add-header X-A 2 if a",
    "http-request del-header Cookie unless b",
    "http-request set-path /b if a",
    "http-request replace-header Host (.*) \\1.x",
    "http-request set-var(txn.v) int(3) if !b",
    "http-request deny if { var(txn.v) -m int 3 } b",
    "http-request allow if b !a",
    "http-request return status 200 if { hdr(x-a) -m found } b",
    "http-request if a then set-header X-C 1 ; set-method PUT",
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.sampled_from(LINES), max_size=8))
def test_a_trace_does_what_the_set_does(site: Any, make_scope: Callable[..., Any], lines: list[str]) -> None:
    rules = compiled(["acl a path /a", "acl b path /b", *lines], site)
    one, other = scope(make_scope), scope(make_scope)
    expected = rules.run(one)
    traces, verdict = trace(rules, other, {})
    assert verdict is expected
    assert take(one, {}) == take(other, {})
    assert len(traces) <= len(lines)
