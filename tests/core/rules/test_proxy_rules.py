"""All rules of a proxy: which lines make which set, what each section sees, what a check finds."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.config.diagnostics import Diagnostics
from maniple.core.rules.acl_set import AclSet
from maniple.core.rules.catalogue import Needs, Stage
from maniple.core.rules.proxy_rules import NO_RULES, check_rules, report_rules, stage_of
from maniple.tests.core.rules.lines import compile_lines, mistake, mistakes, read

REQUEST = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"

FIELDS = (
    ("front", "tcp-request connection accept", "connection"),
    ("front", "tcp-request session accept", "session"),
    ("front", "tcp-request content accept", "content"),
    ("front", "http-request allow", "request"),
    ("front", "redirect location /", "redirects"),
    ("front", "use_backend c", "backends"),
    ("front", "http-response allow", "response"),
    ("front", "http-after-response allow", "after"),
    ("front", "monitor fail if TRUE", "monitor"),
    ("back", "tcp-request content accept", "content"),
    ("back", "http-request allow", "request"),
    ("back", "redirect location /", "redirects"),
    ("back", "use-server s1", "servers"),
    ("back", "tcp-response content accept", "response_content"),
    ("back", "http-response allow", "response"),
    ("back", "http-after-response allow", "after"),
    ("both", "use-server s1", "servers"),
    ("both", "tcp-request connection accept", "connection"),
)
ALL = {field for _, _, field in FIELDS}


@pytest.mark.parametrize(("where", "line", "field"), FIELDS, ids=[f"{row[0]} {row[1]}" for row in FIELDS])
def test_each_kind_has_its_set(make_scope: Any, where: str, line: str, field: str) -> None:
    rules = compile_lines(**{where: line})
    assert {name for name in ALL if getattr(rules, name).rules} == {field}
    assert getattr(rules, field).run(make_scope(request=REQUEST)) is not None


def test_other_lines_are_no_rules() -> None:
    assert compile_lines() is NO_RULES
    rules = compile_lines("capture request header A len 5\nacl a path /\nunique-id-format %pid")
    assert not any(getattr(rules, name).rules for name in ALL)


STAGES = (
    ("http-request", "f", Stage.FRONT_REQUEST),
    ("http-request", "b", Stage.BACK_REQUEST),
    ("http-request", "l", Stage.FRONT_REQUEST | Stage.BACK_REQUEST),
    ("use_backend", "l", Stage.USE_BACKEND),
    ("use-server", "l", Stage.USE_SERVER),
    ("tcp-request connection", "l", Stage.CONNECTION),
    ("http-after-response", "b", Stage.BACK_RESPONSE),
)


@pytest.mark.parametrize(("kind", "name", "stage"), STAGES)
def test_stages(kind: str, name: str, stage: Stage) -> None:
    (spec,) = [one for one in read().proxies if one.name == name]
    assert stage_of(kind, spec) == stage


def test_what_all_need() -> None:
    assert compile_lines("http-request allow").needs == Needs.NOTHING
    needs = compile_lines("http-request deny if { src 10.0.0.1 }\nhttp-response set-header A %[status]").needs
    assert needs & Needs.CONNECTION and needs & Needs.RESPONSE


def test_monitor_fail(make_scope: Any) -> None:
    rules = compile_lines("monitor fail if { path /b }\nmonitor fail unless { path /a }")
    assert rules.monitor.run(make_scope(request=REQUEST)) is None
    assert rules.monitor.run(make_scope(request=b"GET /b HTTP/1.1\r\nHost: h\r\n\r\n")) is not None


DEFAULTS = """defaults d
    mode http
    timeout client 1s
    acl mine path /a
    http-request add-header O defaults if mine
frontend g from d
    bind 127.0.0.1:82
    acl mine path /b
    http-request add-header O own
    http-request add-header O never if mine
    default_backend b
"""


def test_defaults_come_first_with_acls_of_their_own(make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    compile_lines(more=DEFAULTS, proxy="g").request.run(x)
    assert [value for name, value in x.head.block.fields if name == b"o"] == [b"defaults", b"own"]


def test_http_lines_of_tcp_proxies_are_not_compiled() -> None:
    rules = compile_lines("tcp-request content accept\nhttp-request deny", mode="tcp")
    assert not rules.request.rules and rules.content.rules


# What is wrong.


def test_all_mistakes_are_found_and_the_rest_is_kept() -> None:
    errors = mistakes("http-request nonsense\nacl a nonsense\nhttp-request deny\nuse_backend nobody")
    assert sorted(error.line for error in errors) == [8, 9, 11]


WRONG = (
    ("http-request deny if { status 200 }", "status"),
    ("http-request set-header A %[status]", "status"),
    ("tcp-request connection accept if { path / }", "path"),
    ("http-response set-header A %[req.body]", ""),
    ("monitor fail if nothing", "nothing"),
    ("use_backend c if", ""),
)


@pytest.mark.parametrize(("line", "message"), WRONG[:3] + WRONG[4:], ids=[row[0] for row in WRONG[:3] + WRONG[4:]])
def test_wrong(line: str, message: str) -> None:
    found = check_rules(read(line))
    assert any(message in error.message + error.word for error in found.errors + found.warnings)


def test_disabled_proxies_are_not_looked_at() -> None:
    assert mistakes("disabled\nhttp-request nonsense") == []


def test_reported_once_with_place_word_and_hint() -> None:
    diagnostics = Diagnostics()
    report_rules(read("http-request set-headr A b", both="http-request set-headr A b"), diagnostics)
    shown = diagnostics.render()
    assert shown.count("no action 'set-headr'") == 2
    assert "did you mean `set-header`?" in shown
    assert mistake("http-request set-headr A b").startswith("18 ")


def test_mistakes_of_defaults_are_told_once() -> None:
    more = "defaults d\n    mode http\n    timeout client 1s\n    http-request nonsense\n" + "".join(
        f"frontend {name} from d\n    bind 127.0.0.1:{port}\n    default_backend b\n"
        for name, port in (("g", 82), ("h", 83))
    )
    diagnostics = Diagnostics()
    report_rules(read(more=more), diagnostics)
    assert diagnostics.render().count("no action 'nonsense'") == 1


@pytest.mark.parametrize(
    ("line", "marked"),
    [
        (r"http-request set-header A a\ \ b%[nope]", "nope"),
        (r'http-request set-header A "a\"b %[src,nope]"', "nope"),
        ("http-request set-header A a' b '%[nope]c", "nope"),
        (r"http-request set-header A %[path,word(\'\ \',2,3,4,5)]", "4,5)]"),
        (r"http-request set-var(txn.\x61\x41) src,nope", "nope"),
        (r'http-request set-header A "%[path,${NOTHING-nope}] x"', "${NOTHING"),
        (r'http-request set-header A "${NOTHING-a longer text} %[nope]"', "nope"),
        (r"use_backend c if { path a\ b } !\x6eope", r"\x6eope"),
    ],
)
def test_places_are_those_of_the_text_whatever_is_escaped(line: str, marked: str) -> None:
    assert int(mistake(line).split()[0]) == 5 + line.index(marked)


@pytest.mark.parametrize(
    ("before", "refused"),
    [
        ("http-request deny if { acl(a) }", True),
        ("http-request set-header A %[acl(!a)]", True),
        ("http-request set-var(txn.x) acl(TRUE,a)", True),
        ("use_backend c if { acl(a) -m bool }", True),
        ("http-request deny if { acl(TRUE) }", False),
        ("acl a path /x\nhttp-request deny if { acl(a) }", False),
    ],
)
def test_acls_are_referred_to_behind_their_first_line(before: str, refused: bool) -> None:
    found = mistakes(f"{before}\nacl a path /")
    assert [("there is no ACL 'a' before this line" in error.message) for error in found] == [True] * refused


def test_what_needs_http_is_ignored_in_mode_tcp() -> None:
    """With a warning for each kind of line, as HAProxy does."""
    lines = "http-request deny\nhttp-request deny\nredirect location /x\nhttp-response deny\nuse_backend c"
    rules = compile_lines(lines, mode="tcp")
    assert not (rules.request.rules or rules.redirects.rules or rules.response.rules)
    assert rules.backends.rules
    warnings = [(one.line, one.message) for one in check_rules(read(lines, mode="tcp")).warnings]
    assert warnings == [
        (8, "`http-request` is ignored in frontend 'f': it needs mode http"),
        (10, "`redirect` is ignored in frontend 'f': it needs mode http"),
        (11, "`http-response` is ignored in frontend 'f': it needs mode http"),
    ]


def test_requests_do_not_go_to_backends_of_mode_tcp() -> None:
    more = "backend d\n    mode tcp\n    server s 127.0.0.1:1\n"
    wrong = "17 `use_backend`: frontend 'f' has mode http and backend 'd' mode tcp"
    assert mistake("use_backend d if TRUE", more=more) == wrong


def test_rules_do_not_look_at_all_acls_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of lines `acl`, each with its rule: no rule may list the names that there are."""
    count = 60
    configuration = read("\n".join(f"acl a{n} always_true\nhttp-request allow if a{n}" for n in range(count)))
    seen: list[int | None] = []
    monkeypatch.setattr(AclSet, "names", property(lambda acls: pytest.fail("names are listed")))
    is_later = AclSet.is_later

    def noted(acls: AclSet, name: str) -> bool:
        seen.append(acls.known)
        return is_later(acls, name)

    monkeypatch.setattr(AclSet, "is_later", noted)
    assert check_rules(configuration).errors == []
    assert seen == list(range(1, count + 1))
