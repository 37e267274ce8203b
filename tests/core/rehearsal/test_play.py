from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import orjson
import pytest
from maniple.core.rules.explanation import Explanation, PassTrace, RuleTrace

Explain = Callable[..., Explanation]

GET = b"GET /a/b?q=1 HTTP/1.1\r\nHost: h.example\r\n\r\n"
POST = b"POST /up HTTP/1.1\nHost: h\nContent-Length: 5\n\nhello\n"
OK = b"HTTP/1.1 200 OK\nServer: s\nContent-Length: 2\n\nok"
TAIL = "    default_backend b\nbackend b\n    server s 127.0.0.1:8000\n"


def rule_of(told: Explanation, text: str) -> RuleTrace:
    """The one rule whose text has this."""

    def all_of(rules: list[RuleTrace]) -> list[RuleTrace]:
        return [found for rule in rules for found in (rule, *_inside(rule, all_of))]

    def _inside(rule: RuleTrace, every: Callable[[list[RuleTrace]], list[RuleTrace]]) -> list[RuleTrace]:
        return [one for action in rule.actions for one in every(action.entered or [])]

    found = [rule for one in passes(told) for rule in all_of(one.rules) if text in rule.text]
    assert len(found) == 1, f"{len(found)} rules have '{text}'"
    return found[0]


def passes(told: Explanation) -> list[PassTrace]:
    return [*told.passes, *told.response_passes]


# What ends a request without a server: lines of the frontend, the request, what comes of it, its status, by whom.
# {n} is the number of the first line of `lines`.
ENDS = [
    ("deny", ["http-request deny"], GET, "answered", 403, "t.cfg:{0}"),
    ("deny with status", ["http-request deny deny_status 429 if { path_beg /a }"], GET, "answered", 429, "t.cfg:{0}"),
    ("later", ["http-request deny if { path /x }", "http-request deny"], GET, "answered", 403, "t.cfg:{1}"),
    ("return", ["http-request return status 200 content-type text/plain string hi"], GET, "answered", 200, "t.cfg:{0}"),
    ("auth", ["http-request auth realm x"], GET, "answered", 401, "t.cfg:{0}"),
    ("redirect action", ["http-request redirect location /x"], GET, "answered", 302, "t.cfg:{0}"),
    ("redirect line", ["redirect prefix http://o code 301"], GET, "answered", 301, "t.cfg:{0}"),
    ("tarpit", ["http-request tarpit"], GET, "answered", 500, "t.cfg:{0}"),
    ("reject", ["http-request reject"], GET, "closed", 0, "t.cfg:{0}"),
    ("silent-drop", ["http-request silent-drop"], GET, "dropped", 0, "t.cfg:{0}"),
    ("connection", ["tcp-request connection reject if { src 192.0.2.0/24 }"], GET, "closed", 0, "t.cfg:{0}"),
    ("session", ["tcp-request session silent-drop"], GET, "dropped", 0, "t.cfg:{0}"),
    ("content", ["tcp-request content reject if { path_end b }"], GET, "closed", 0, "t.cfg:{0}"),
    ("strict", ["http-request set-path %[req.hdr(x)]"], GET, "answered", 500, "t.cfg:{0}"),
    ("monitor", ["monitor-uri /a/b?q=1"], GET, "answered", 200, "monitor-uri"),
    ("monitor fails", ["monitor-uri /a/b?q=1", "monitor fail if TRUE"], GET, "answered", 503, "monitor-uri"),
    ("invalid", ["http-request deny"], b"GET / HTTP/1.1\r\nHo st: h\r\n\r\n", "answered", 400, "the request is not"),
    ("no body", ["http-request wait-for-body time 1s"], POST.replace(b"hello\n", b""), "answered", 408, "t.cfg:{0}"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "request_bytes", "kind", "status", "by"), [end[1:] for end in ENDS], ids=[end[0] for end in ENDS]
)
def test_ends_without_a_server(
    explain: Explain, lines: list[str], request_bytes: bytes, kind: str, status: int, by: str
) -> None:
    text = "frontend f\n    bind :80\n" + "".join(f"    {line}\n" for line in lines) + TAIL
    told = explain(text, request_bytes)
    assert told.ending is not None
    assert (told.ending.kind, told.ending.status) == (kind, status)
    assert told.ending.by.startswith(by.format(9, 10))
    assert not told.forwarded and not told.sent
    assert (told.ending.answer is not None) is (kind == "answered")


def test_every_explanation_is_json(explain: Explain) -> None:
    for _, lines, message, *_ in ENDS:
        told = explain("frontend f\n    bind :80\n" + "".join(f"    {line}\n" for line in lines) + TAIL, message)
        found = orjson.loads(orjson.dumps(asdict(told)))
        assert found["version"] == 1 and found["ending"]["kind"]


def test_forwarded_without_any_rule(explain: Explain) -> None:
    told = explain("frontend f\n    bind :80\n" + TAIL, GET)
    assert told.forwarded and told.passes == []
    assert told.sent == ["GET /a/b?q=1 HTTP/1.1", "host: h.example"]
    assert told.ending is not None and told.ending.choice is not None
    choice = told.ending.choice
    assert (choice.backend, choice.reason, choice.server) == ("b", "default_backend", "s")


def test_what_rules_change_is_in_the_request_as_it_leaves(explain: Explain) -> None:
    told = explain(
        "frontend f\n    bind :80\n    option forwardfor\n"
        "    http-request set-header X-A %[src]\n"
        "    http-request del-header Host\n"
        "    http-request set-path /new\n"
        "    http-request set-method PUT\n"
        "    http-request set-var(txn.n) int(7)\n"
        "    http-request set-src ipv4(198.51.100.1)\n" + TAIL,
        GET,
    )
    changes = {
        (change.subject, change.name): (change.before, change.after)
        for rule in told.passes[0].rules
        for action in rule.actions
        for change in action.changes
    }
    assert changes["request header", "x-a"] == ([], ["192.0.2.9"])
    assert changes["request header", "host"] == (["h.example"], [])
    assert changes["request", "target"] == (["/a/b?q=1"], ["/new?q=1"])
    assert changes["request", "method"] == (["GET"], ["PUT"])
    assert changes["variable", "txn.n"] == ([], ["7"])
    assert changes["connection", "source"] == (["192.0.2.9:4000"], ["198.51.100.1:4000"])
    assert told.sent == ["PUT /new?q=1 HTTP/1.1", "x-a: 192.0.2.9", "x-forwarded-for: 198.51.100.1"]


def test_conditions_say_why(explain: Explain) -> None:
    told = explain(
        "frontend f\n    bind :80\n    acl api path_beg /a/ /z/\n    acl local src 10.0.0.0/8\n"
        "    http-request set-header X-1 1 if api !local\n"
        "    http-request set-header X-2 1 unless api\n"
        "    http-request set-header X-3 1 if local or { hdr(host),lower h.example }\n" + TAIL,
        GET,
    )
    first = rule_of(told, "X-1").condition
    assert first is not None and first.holds
    assert [(term.text, term.holds, term.line) for term in first.terms] == [("api", True, 9), ("!local", True, 10)]
    assert first.terms[0].why == "path_beg: '/a/b' matches '/a/' (beg)" and first.terms[0].acl == "path_beg /a/ /z/"
    second = rule_of(told, "X-2").condition
    assert second is not None and not second.holds and second.terms[0].holds
    third = rule_of(told, "X-3").condition
    assert third is not None and third.holds and [term.holds for term in third.terms] == [False, True]
    assert third.terms[1].file == "" and "h.example" in third.terms[1].why


def test_the_backend_is_explained(explain: Explain) -> None:
    text = (
        "frontend f\n    bind :80\n    use_backend other if { path_beg /a }\n" + TAIL + "backend other\n"
        "    http-request set-header X-B %[be_name]\n"
        "    use-server two if { url_param(q) 1 }\n"
        "    server one 127.0.0.1:1 weight 3 check\n    server two 127.0.0.1:2\n"
        "    server three 127.0.0.1:3 backup\n    server four 127.0.0.1:4 disabled\n"
    )
    told = explain(text, GET)
    assert [(one.proxy, one.kind) for one in told.passes] == [
        ("frontend f", "use_backend"),
        ("backend other", "http-request"),
        ("backend other", "use-server"),
    ]
    assert told.ending is not None and told.ending.choice is not None
    choice = told.ending.choice
    assert (choice.backend, choice.reason) == ("other", "use_backend, t.cfg:9")
    assert (choice.server, choice.why) == ("two", "use-server")
    assert [(one.name, one.state, one.balanced, one.share) for one in choice.servers] == [
        ("one", "up", True, 75.0),
        ("two", "up", True, 25.0),
        ("three", "up", False, None),
        ("four", "disabled", False, None),
    ]
    assert told.sent[-1] == "x-b: other"
    assert any("health checks" in note for note in told.notes)
    last = explain(text, GET.replace(b"q=1", b"q=2")).ending
    assert last is not None and last.choice is not None and last.choice.server == "one"


def test_a_backend_that_a_rule_names_and_that_is_not_there(explain: Explain) -> None:
    told = explain("frontend f\n    bind :80\n    use_backend %[path]\n" + TAIL, GET)
    assert told.ending is not None and told.ending.choice is not None
    assert told.ending.choice.reason.startswith("default_backend: `/a/b`")


def test_nobody_to_go_to(explain: Explain) -> None:
    told = explain(
        "frontend f\n    bind :80\n    default_backend b\nbackend b\n    server s 127.0.0.1:1 disabled\n", GET
    )
    assert told.ending is not None
    assert (told.ending.kind, told.ending.status, told.ending.by) == ("answered", 503, "there is no server to go to")
    assert told.ending.choice is not None and told.ending.choice.servers[0].state == "disabled"
    told = explain("frontend f\n    bind :80\n", GET)
    assert told.ending is not None and told.ending.status == 503


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_a_backup_backend(explain: Explain, mode: str) -> None:
    text = (
        "frontend f\n    bind 127.0.0.1:80\n    default_backend b\nbackend b\n    backup-backend c\n"
        "    server s 127.0.0.1:1{}\nbackend c\n    server t 127.0.0.1:2\n"
    )
    text = f"defaults\n    mode {mode}\n" + text
    request = GET if mode == "http" else b"x"
    ending = explain(text.format(" disabled"), request).ending
    assert ending is not None and (choice := ending.choice) is not None
    assert (choice.backend, choice.reason, choice.server) == ("c", "backup-backend of b, default_backend", "t")
    ending = explain(text.format(""), request).ending
    assert ending is not None and (choice := ending.choice) is not None
    assert (choice.backend, choice.server) == ("b", "s")


def test_named_sets_are_entered_and_left(explain: Explain) -> None:
    told = explain(
        "request-rules inner\n    http-request deny if { path /never }\n    http-request set-header X-I 1\n"
        "request-rules outer\n    http-request jump inner\n    http-request set-header X-O 1\n"
        "frontend f\n    bind :80\n    http-request jump outer if { path_beg /a }\n    http-request set-header X-F 1\n"
        + TAIL,
        GET,
    )
    jump = told.passes[0].rules[0]
    assert jump.actions[0].entered is not None
    outer = jump.actions[0].entered
    assert [rule.text for rule in outer] == ["http-request jump inner", "http-request set-header X-O 1"]
    assert outer[0].actions[0].entered is not None and len(outer[0].actions[0].entered) == 2
    assert told.sent[-3:] == ["x-i: 1", "x-o: 1", "x-f: 1"]


def test_a_set_that_ends_the_pass(explain: Explain) -> None:
    told = explain(
        "request-rules inner\n    http-request deny\n"
        "frontend f\n    bind :80\n    http-request jump inner\n    http-request set-header X-F 1\n" + TAIL,
        GET,
    )
    assert told.ending is not None and told.ending.by == "t.cfg:8"
    assert told.passes[0].left == 1


def test_response_rules(explain: Explain) -> None:
    text = (
        "frontend f\n    bind :80\n    http-response set-header X-F 1\n"
        "    http-after-response set-header X-After %[status]\n"
        + TAIL
        + "    http-request map-uri /a /inner\n    http-response del-header Server\n"
        "    http-response deny if { status 500:599 }\n"
    )
    told = explain(text, GET, OK.replace(b"Server", b"Location: /inner/x\nServer"))
    assert told.forwarded and told.sent[0] == "GET /inner/b?q=1 HTTP/1.1"
    assert [(one.proxy, one.kind) for one in told.response_passes] == [
        ("backend b", "http-response"),
        ("backend b", "map-uri, on the way back"),
        ("frontend f", "http-response"),
        ("frontend f", "http-after-response"),
    ]
    assert sorted(told.returned) == ["HTTP/1.1 200 OK", "content-length: 2", "location: /a/x", "x-after: 200", "x-f: 1"]
    told = explain(text, GET, OK.replace(b"200 OK", b"503 No"))
    assert not told.forwarded and told.returned == []
    assert told.ending is not None and told.ending.kind == "forwarded"
    assert told.response_ending is not None
    assert (told.response_ending.status, told.response_ending.by) == (502, "t.cfg:16")


def test_invalid_responses(explain: Explain) -> None:
    told = explain("frontend f\n    bind :80\n" + TAIL, GET, b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n")
    assert told.response_ending is not None and told.response_ending.status == 502
    assert told.response_ending.by.startswith("the response is not valid: ")


def test_a_response_for_a_request_that_never_leaves(explain: Explain) -> None:
    told = explain("frontend f\n    bind :80\n    http-request deny\n" + TAIL, GET, OK)
    assert told.response == [] and any("never reaches" in note for note in told.notes)


def test_after_response_rules_see_our_answers(explain: Explain) -> None:
    told = explain(
        "frontend f\n    bind :80\n    http-request deny\n    http-after-response set-header X-After %[status]\n"
        + TAIL,
        GET,
    )
    assert [one.kind for one in told.passes] == ["http-request", "http-after-response"]
    assert told.ending is not None and told.ending.answer is not None
    assert "x-after: 403" in told.ending.answer.head


def test_bodies(explain: Explain) -> None:
    text = (
        "frontend f\n    bind :80\n    http-request wait-for-body time 1s\n"
        "    http-request set-header X-B %[req.body]\n" + TAIL
    )
    told = explain(text, POST)
    assert told.body == 5 and told.sent[-1] == "x-b: hello"
    told = explain(text, POST.replace(b"5", b"3"))
    assert told.body == 3 and any("3 bytes behind" in note for note in told.notes)
    chunked = b"POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n3\r\nabc\r\n0\r\n\r\n"
    assert explain(text, chunked).sent[-1] == "x-b: abc"
    told = explain("frontend f\n    bind :80\n" + TAIL, GET + b"more")
    assert told.forwarded and any("announces no body" in note for note in told.notes)


def test_a_listen_section(explain: Explain) -> None:
    told = explain("listen l\n    bind :80\n    http-request set-header X 1\n    server s 127.0.0.1:1\n", GET)
    assert told.passes[0].proxy == "listen l"
    assert told.ending is not None and told.ending.choice is not None
    assert told.ending.choice.reason == "the section itself"


def test_tcp(explain: Explain) -> None:
    text = (
        "frontend f\n    mode tcp\n    bind :80\n    tcp-request inspect-delay 1s\n"
        "    tcp-request content reject if { src 192.0.2.9 } { dst_port 81 }\n    default_backend b\n"
        "backend b\n    mode tcp\n    server s 127.0.0.1:1\n    server t 127.0.0.1:2\n"
    )
    told = explain(text, b"\x16\x03\x01")
    assert told.forwarded and told.body == 3 and told.sent == []
    assert told.ending is not None and told.ending.choice is not None and told.ending.choice.server == "s"
    told = explain(text, b"x", destination=("127.0.0.1", 81))
    assert told.ending is not None and told.ending.kind == "closed" and told.ending.by == "t.cfg:11"


def test_unix_sockets(explain: Explain) -> None:
    told = explain(
        "frontend f\n    bind :80\n    http-request deny if { src -m found }\n" + TAIL,
        GET,
        source=None,
        destination=None,
    )
    assert told.forwarded and told.source == "a unix socket"
    assert rule_of(told, "deny").condition is not None


def test_what_cannot_be_known_is_said(explain: Explain) -> None:
    told = explain(
        "frontend f\n    bind :80\n    http-request set-header X %[rand(10)] if { be_conn(b) lt 5 }\n" + TAIL, GET
    )
    rule = rule_of(told, "rand")
    assert rule.condition is not None and "load of the moment" in rule.condition.terms[0].notes[0]
    assert "another one each time" in rule.actions[0].notes[0]


def test_identifiers_and_captures(explain: Explain) -> None:
    told = explain(
        "frontend f\n    bind :80\n    capture request header host len 20\n    unique-id-format id-%ci\n"
        "    unique-id-header X-Id\n" + TAIL,
        GET,
    )
    found = {change.name for one in told.passes for change in one.changes}
    assert "capture of the request, id 0" in found and "x-id" in found
    assert told.sent[-1] == "x-id: id-192.0.2.9"
