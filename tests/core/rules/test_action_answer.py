"""Actions that end a pass: which verdict each gives, and what it carries."""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.rules.verdicts import ANSWER, DROP, REJECT, STOP, SWITCH, TARPIT, Answer, Kind, Switch
from maniple.tests.core.rules.lines import compile_lines, mistake, run_request, run_response

REQUEST = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\n\r\n"

KINDS: tuple[tuple[str, str, Kind], ...] = (
    ("tcp-request connection accept", "connection", STOP),
    ("tcp-request connection reject", "connection", REJECT),
    ("tcp-request connection silent-drop", "connection", DROP),
    ("tcp-request session accept", "session", STOP),
    ("tcp-request session reject", "session", REJECT),
    ("tcp-request content accept", "content", STOP),
    ("tcp-request content reject", "content", REJECT),
    ("tcp-request content silent-drop rst-ttl 5", "content", DROP),
    ("http-request allow", "request", STOP),
    ("http-request reject", "request", REJECT),
    ("http-request silent-drop", "request", DROP),
    ("http-request deny", "request", ANSWER),
    ("http-request return", "request", ANSWER),
    ("http-request redirect location /", "request", ANSWER),
    ("http-request auth", "request", ANSWER),
    ("http-request tarpit", "request", TARPIT),
    ("use_backend c", "backends", SWITCH),
    ("http-request if TRUE then use_backend c", "request", SWITCH),
    ("http-response allow", "response", STOP),
    ("http-response deny", "response", ANSWER),
    ("http-response silent-drop", "response", DROP),
    ("http-after-response allow", "after", STOP),
)


@pytest.mark.parametrize(("line", "field", "kind"), KINDS, ids=[row[0] for row in KINDS])
def test_kinds(make_scope: Any, line: str, field: str, kind: Kind) -> None:
    x = make_scope(request=REQUEST, response=RESPONSE)
    verdict = getattr(compile_lines(line), field).run(x)
    assert verdict is not None and verdict.kind is kind
    assert verdict.place is not None and verdict.place.line == 8
    assert verdict.unread is (line.startswith("tcp-request content") and kind in (REJECT, DROP))


def test_content_rules_of_backends_come_after_the_request(make_scope: Any) -> None:
    verdict = compile_lines(back="tcp-request content reject").content.run(make_scope(request=REQUEST))
    assert verdict is not None and verdict.kind is REJECT and not verdict.unread


PAGES = (
    # (line, status, page, termination, denied)
    ("deny", 403, True, b"PR", True),
    ("deny deny_status 429", 429, True, b"PR", True),
    ("deny status 418", 418, False, b"PR", True),
    ("tarpit", 500, True, b"PT", True),
    ("tarpit deny_status 403", 403, True, b"PT", True),
    ("return", 200, False, b"LR", False),
    ("return status 404 default-errorfiles", 404, True, b"LR", False),
    ("auth", 401, True, b"LR", False),
)


@pytest.mark.parametrize(("line", "status", "page", "termination", "denied"), PAGES, ids=[row[0] for row in PAGES])
def test_answers(make_scope: Any, line: str, status: int, page: bool, termination: bytes, denied: bool) -> None:
    verdict = run_request(line, make_scope(request=REQUEST))
    assert isinstance(verdict, Answer)
    assert (verdict.status, verdict.page, verdict.termination, verdict.denied) == (status, page, termination, denied)


def test_responses_are_denied_with_502(make_scope: Any) -> None:
    verdict = run_response("deny", make_scope(request=REQUEST, response=RESPONSE))
    assert isinstance(verdict, Answer) and (verdict.status, verdict.page) == (502, True)


def test_auth_is_asked_for_with_401(make_scope: Any) -> None:
    """Whatever the target's form: 407 is HAProxy's answer with `option http-use-proxy-header` only."""
    for request in (REQUEST, b"GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n"):
        verdict = run_request("auth", make_scope(request=request))
        assert isinstance(verdict, Answer)
        assert (verdict.status, verdict.extra) == (401, b'www-authenticate: Basic realm="f"\r\n')


def test_realms_are_quoted(make_scope: Any) -> None:
    verdict = run_request("auth realm 'a \"b\" \\c'", make_scope(request=REQUEST))
    assert isinstance(verdict, Answer)
    assert verdict.extra == b'www-authenticate: Basic realm="a \\"b\\" \\\\c"\r\n'


def test_switch_names(make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    for line, name in (("c", b"c"), ("%[path,field(2,/)]", b"a"), ("b%[int(1)]", b"b1")):
        verdict = compile_lines(f"use_backend {line}").backends.run(x)
        assert isinstance(verdict, Switch) and verdict.name(x) == name


def test_use_server_asks_whether_it_is_up(make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    for lines, name in (
        ("use-server s2", "s2"),
        ("use-server s3\nuse-server s2", "s2"),
        ("use-server %[str(s1)]", "s1"),
        ("use-server %[str(nobody)]", None),
        ("use-server s3", None),
        ("use-server s1 if { path /b }\nuse-server s2 unless { path /b }", "s2"),
    ):
        x.wanted = None
        x.persistence = 0
        verdict = compile_lines(back=lines).servers.run(x)
        assert (verdict.kind if verdict else None) == (None if name is None else STOP)
        assert (x.wanted.name if x.wanted else None) == name


def test_close_lets_the_server_connection_go(make_scope: Any) -> None:
    class Upstream:
        keep = True

    x = make_scope(request=REQUEST, response=RESPONSE, upstream=Upstream())
    verdict = compile_lines(back="tcp-response content close").response_content.run(x)
    assert verdict is not None and verdict.kind is STOP
    assert x.upstream.keep is False


WRONG = (
    ("http-request accept", "it is no action of `http-request`"),
    ("http-request allow now", "`if` or `unless` is expected instead of 'now'"),
    ("http-response tarpit", "it is no action of `http-response`"),
    ("http-response reject", "it is no action of `http-response`"),
    ("http-after-response deny", "it is no action of `http-after-response`"),
    ("http-request silent-drop rst-ttl 0", "from 1 to 255"),
    ("http-request deny deny_status 99", "from 200 to 599"),
    ("http-request return status 404 status", "expects a status"),
    ("use_backend nobody", "there is no backend 'nobody'"),
    ("tcp-request connection deny", "deny"),
)


@pytest.mark.parametrize(("line", "message"), WRONG, ids=[line for line, _ in WRONG])
def test_wrong(line: str, message: str) -> None:
    assert message in mistake(line)


def test_servers_that_do_not_exist() -> None:
    assert "backend 'b' has no server 's9'" in mistake(back="use-server s9")
