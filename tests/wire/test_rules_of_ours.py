"""What rules can do here and not in HAProxy: named sets, several actions of one condition, map-uri, borrowing."""

from __future__ import annotations

import pytest
from maniple.tests.wire.rig.cases import Case
from maniple.tests.wire.rig.compare import Plays
from maniple.tests.wire.rig.peers import CLOSE, RESET, End, Quiet, Request, Response, Script, Send
from maniple.tests.wire.rig.scripts import GET, ONE
from maniple.tests.wire.test_rules import ask

SETS = """
request-rules api
    acl v1 path_beg /api/v1/
    http-request deny status 410 if v1
    http-request jump marks
    use_backend api if { path_beg /api/ }
    http-request set-header Behind yes
request-rules marks
    http-request wait-for-body time 1s
    http-request set-header Mark %[path]
response-rules polish
    http-response set-header Polished %[status]
"""


def asked(*sends: Send) -> Script:
    return (*(step for send in sends for step in (send, Response())), Quiet(0.03), CLOSE)


def start(number: int, name: str = "s1") -> str:
    return f"{name}.connection0.request{number}.start"


def headers(number: int, name: str = "s1") -> str:
    return f"{name}.connection0.request{number}.headers"


LOCATIONS = Send(
    b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://inner.test/v2/next?x=/v2\r\n"
    b"Content-Location: /v2/here\r\nSet-Cookie: a=1; Path=/v2; Secure\r\nSet-Cookie: b=2; path=/\r\n\r\n"
)

CASES = (
    Case(
        "ours: named sets",
        (asked(ask("/api/v1/x"), ask("/api/v2/x"), ask("/else"), ask("/plain")),),
        {"s1": (ONE * 4,), "s2": (ONE * 4,)},
        whole="frontend f\n    bind {bind}\n    http-request jump api unless { path /plain }\n"
        "    http-request set-header After jump\n    default_backend b\n"
        "backend b\n    http-response jump polish\n    http-response set-header After jump\n    server s1 {s1}\n"
        "backend api\n    server s2 {s2}\n" + SETS,
        lines=4,
        compared=False,
        expect={
            "client0.response0.start": "HTTP/1.1 410 Gone",
            "log0.backend": "f",
            headers(0, "s2"): "host: x.test | mark: /api/v2/x",
            "client0.response1.headers": "content-length: 5 | x-up: A",
            headers(0): "host: x.test | mark: /else | behind: yes | after: jump",
            "client0.response2.headers": "content-length: 5 | x-up: A | polished: 200 | after: jump",
            headers(1): "host: x.test | after: jump",
        },
    ),
    Case(
        "ours: a set that waits",
        (
            (
                Send(b"POST /api/v2/x HTTP/1.1\r\nHost: x.test\r\nContent-Length: 10\r\n\r\nhello"),
                Quiet(0.05),
                Send(b"world"),
                Response("POST"),
                Quiet(0.03),
            ),
        ),
        {"s1": (ONE,)},
        whole="frontend f\n    bind {bind}\n    http-request jump api\n    http-request set-header Body %[req.body]\n"
        "    default_backend api\nbackend api\n    server s1 {s1}\n"
        + SETS.replace("use_backend api if", "http-request set-header U x if"),
        compared=False,
        expect={
            headers(0): "host: x.test | content-length: 10 | mark: /api/v2/x | u: x | behind: yes | body: helloworld",
        },
    ),
    Case(
        "ours: several actions of one condition",
        (asked(ask("/images/a.png"), ask("/other"), ask("/images/no")),),
        {"s1": (ONE * 3,), "s2": (ONE * 3,)},
        whole="frontend f\n    bind {bind}\n"
        "    http-request if { path_beg /images/ } !{ path_end no } then replace-path ^/images(.*) \\1 ;"
        " set-header Pool images ; use_backend images\n"
        "    http-request unless { path_beg /images/ } then set-header A 1 ; set-header B 2\n"
        "    http-request if { path_end no } then set-header A 1 ; deny status 410\n"
        "    default_backend b\nbackend b\n    server s1 {s1}\nbackend images\n    server s2 {s2}\n",
        lines=3,
        compared=False,
        expect={
            start(0, "s2"): "GET /a.png HTTP/1.1",
            headers(0, "s2"): "host: x.test | pool: images",
            headers(0): "host: x.test | a: 1 | b: 2",
            "client0.response2.start": "HTTP/1.1 410 Gone",
        },
    ),
    Case(
        "ours: map-uri and its mirror",
        (asked(ask("/app/page?q=1"), ask("/apple"), ask("/app")),),
        {"s1": ((Request(), LOCATIONS) * 3,)},
        front="http-request map-uri /app/ /v2/\nhttp-request set-header Host inner.test",
        lines=3,
        compared=False,
        expect={
            start(0): "GET /v2/page?q=1 HTTP/1.1",
            headers(0): "host: inner.test",
            "client0.response0.headers": "content-length: 0 | location: http://x.test/app/next?x=/v2 | "
            "content-location: /app/here | set-cookie: a=1; Path=/app; Secure | set-cookie: b=2; path=/",
            start(1): "GET /apple HTTP/1.1",
            "client0.response1.headers": "content-length: 0 | location: http://inner.test/v2/next?x=/v2 | "
            "content-location: /v2/here | set-cookie: a=1; Path=/v2; Secure | set-cookie: b=2; path=/",
            start(2): "GET /v2 HTTP/1.1",
        },
    ),
    Case(
        "ours: two mappings, undone in reverse",
        (asked(ask("/a/x")),),
        {"s1": ((Request(), LOCATIONS),)},
        front="http-request map-uri /a /b",
        back="http-request map-uri /b /v2\nhttp-response set-header Seen %[res.hdr(content-location)]",
        compared=False,
        expect={
            start(0): "GET /v2/x HTTP/1.1",
            "client0.response0.headers": "content-length: 0 | location: http://inner.test/v2/next?x=/v2 | "
            "content-location: /a/here | set-cookie: a=1; Path=/a; Secure | set-cookie: b=2; path=/ | seen: /v2/here",
        },
    ),
    Case(
        "ours: set-retries and pause",
        ((GET, Response(), Quiet(0.03)),),
        front="http-request pause 30ms\nhttp-request pause int(20)\nhttp-request set-retries 0",
        back="retries 3",
        servers="server s1 {refusing}",
        compared=False,
        expect={"client0.response0.start": "HTTP/1.1 503 Service Unavailable", "log0.retries": "0"},
    ),
    Case(
        "ours: a client that leaves while rules wait",
        ((GET, Quiet(0.05), RESET),),
        {"s1": (ONE,)},
        front="http-request pause 300ms",
        compared=False,
        expect={"s1.connections": "0", "log0.state": "CC--"},
    ),
    Case(
        "ours: a request line that would be none",
        (asked(ask("/uri"), ask("/method"), ask("/lenient")),),
        {"s1": (ONE,)},
        front="http-request strict-mode off if { path /lenient }\n"
        "http-request set-path %[hdr(none)] if !{ path /method }\n"
        "http-request set-method %[hdr(none)] if { path /method }",
        lines=3,
        compared=False,
        expect={
            "client0.response0.start": "HTTP/1.1 500 Internal Server Error",
            "client0.response1.start": "HTTP/1.1 500 Internal Server Error",
            start(0): "GET /lenient HTTP/1.1",
        },
    ),
    Case(
        "ours: borrowed rules and servers",
        (asked(ask("/a")),),
        {"s1": (ONE,)},
        whole="frontend f\n    bind {bind}\n    default_backend b\n"
        "backend b\n    use_filters_from rules\n    use_backend_from servers\n"
        "backend rules\n    http-request set-header Borrowed %[be_name]\n"
        "backend servers\n    server s1 {s1}\n",
        compared=False,
        expect={headers(0): "host: x.test | borrowed: b", "log0.backend": "b", "log0.server": "s1"},
    ),
    Case(
        "ours: a response of which only the head is here",
        ((GET, End()),),
        {"s1": ((Request(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhe"), End(), CLOSE),)},
        front="http-response deny\nhttp-after-response set-header Connection2 x",
        times="timeout client 300ms",
        compared=False,
        expect={
            "client0.response0.start": "HTTP/1.1 502 Bad Gateway",
            "log0.state": "PH--",
            "s1.connection0.end": "closed",
        },
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_ours(case: Case, plays: Plays) -> None:
    plays.compare(case)
