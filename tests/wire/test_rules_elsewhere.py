"""Actions in all the sets that they may stand in, captures, and error pages of one's own under rules."""

from __future__ import annotations

from base64 import b64encode

import pytest
from maniple.tests.wire.rig.cases import Case, Differs
from maniple.tests.wire.rig.compare import Plays
from maniple.tests.wire.rig.peers import CLOSE, End, Quiet, Request, Response, Send, Until
from maniple.tests.wire.rig.scripts import GET, OK, ONE, served
from maniple.tests.wire.test_rules import TARPIT_TIMES, ask, on_paths

SECTIONED = """http-errors one
    errorfile 503 {folder}/503.http
    errorfile 404 {folder}/400.http
http-errors two
    errorfile 503 {folder}/400.http
defaults d
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
    {more}
frontend f from d
    bind {bind}
    {front}
    http-request return status 404 errorfiles one if { path /404 }
    http-request return status 500 errorfiles one if { path /500 }
    http-request deny deny_status 503 errorfiles two if { path /deny }
    default_backend b
backend b from d
    {back}
"""
_TEXT = "http-error status 503 content-type text/plain string own"
PAGE_LINES = (
    ("", "errorfiles one", ""),
    ("", "errorfiles one 404", ""),
    ("", "errorfile 503 {folder}/400.http\n    errorfiles one", ""),
    ("", "errorfiles one\n    errorfile 503 {folder}/400.http", ""),
    ("", "errorfiles one\n    errorfiles two", ""),
    ("", f"{_TEXT}\n    errorfile 503 {{folder}}/400.http", ""),
    ("", f"errorfile 503 {{folder}}/400.http\n    {_TEXT}", ""),
    ("", f"{_TEXT}\n    errorloc 503 /x", ""),
    ("", f"{_TEXT}\n    errorfiles one", ""),
    ("", "http-error status 503 errorfiles one", ""),
    ("", f"{_TEXT}\n    http-error status 500 errorfiles one", ""),
    ("", _TEXT, "errorfile 503 {folder}/503.http"),
    ("", "errorfile 503 {folder}/503.http", "errorfiles one 404"),
    ("errorfiles one", "errorfile 503 {folder}/400.http", ""),
    ("errorfile 503 {folder}/400.http", "errorfiles one", "errorfiles one"),
    (_TEXT, "errorfile 503 {folder}/400.http", "errorfile 503 {folder}/400.http"),
    ("errorfiles one\n    errorfiles two", "", ""),
    ("errorfile 503 {folder}/400.http", "", "http-error status 503 default-errorfiles"),
)
"""Lines of the defaults, the frontend, the backend."""

EARLY = """
tcp-request connection set-src str(10.1.2.3)
tcp-request connection set-src-port int(77)
tcp-request connection set-dst str(10.9.9.9)
tcp-request connection set-dst-port int(78)
tcp-request connection set-var(sess.a) src
tcp-request connection set-var-fmt(sess.b) %[src]:%[src_port]
tcp-request connection set-var(sess.gone) int(5)
tcp-request connection unset-var(sess.gone)
tcp-request connection set-tos 16
tcp-request connection set-mark 1
tcp-request session set-var(sess.c) dst_port
tcp-request session set-var-fmt(sess.d) <%[var(sess.a)]>
tcp-request session unset-var(sess.none)
tcp-request session set-tos 8
"""
SHOWN = "\n".join(f"http-request set-header V-{name} %[var(sess.{name})]" for name in ("a", "b", "c", "d", "gone"))
ADDRESSES = "\nhttp-request set-header Src %[src]:%[src_port]\nhttp-request set-header Dst %[dst]:%[dst_port]"

CONTENT = """
tcp-request content set-src str(10.1.2.3)
tcp-request content set-src-port int(77)
tcp-request content set-dst str(10.9.9.9)
tcp-request content set-dst-port int(78)
tcp-request content set-var(txn.a) src
tcp-request content set-var-fmt(txn.b) <%[dst]>
tcp-request content set-var(sess.c) path
tcp-request content unset-var(txn.none)
tcp-request content set-priority-class int(3)
tcp-request content set-priority-offset int(-3)
tcp-request content set-nice 4
tcp-request content set-tos 8
tcp-request content set-mark 1
tcp-request content set-log-level warning
tcp-request content capture path len 4
http-request set-header A %[var(txn.a)]
http-request set-header B %[var(txn.b)]
http-request set-header C %[var(sess.c)]
http-request set-header P %[prio_class]/%[prio_offset]
"""

RESPONSE_CONTENT = """
tcp-response content set-var(txn.a) str(first)
tcp-response content set-var-fmt(res.b) <%[var(txn.a)]>
tcp-response content set-var(res.gone) int(5)
tcp-response content unset-var(res.gone)
tcp-response content set-nice 4
tcp-response content set-log-level warning
tcp-response content accept if { var(txn.path) -m str /accept }
tcp-response content close if { var(txn.path) -m str /close }
tcp-response content set-var(txn.a) str(last)
http-response set-header Seen %[var(txn.a)]|%[var(res.b)]|%[var(res.gone)]
"""
CLOSING = "tcp-response content close if { var(txn.path) -m str /close }\n"

AFTER = """
http-after-response set-var(txn.s) status
http-after-response set-var-fmt(res.f) <%[status]>
http-after-response unset-var(txn.path)
http-after-response set-header S %[var(txn.s)]%[var(res.f)]%[var(txn.path)]
http-after-response replace-header S ^(.) s\\1
http-after-response replace-value X-List ^b B
http-after-response add-header X-List e
http-after-response strict-mode off
http-after-response allow if { status 403 }
http-after-response set-header Late yes
"""
LISTED = Send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-List: a,b,c\r\n\r\nhello")

CAPTURES = """
declare capture request len 6
declare capture response len 6
capture request header User-Agent len 10
capture response header X-Up len 3
http-request capture path len 5 if { path_beg /a }
http-request capture req.hdr(x-a) id 0
http-response capture status id 0
http-response capture res.hdr(x-up) id 1 if { status 404 }
http-request set-header Seen %[capture.req.hdr(0)]|%[capture.req.hdr(1)]|%[capture.req.hdr(2)]
http-response set-header Seen %[capture.res.hdr(0)]|%[capture.req.method]|%[capture.req.uri]
"""

PAGES = """
errorfile 403 {folder}/503.http
http-error status 404 content-type text/plain string "not here"
http-error status 429 content-type text/plain lf-string "slow down, %[src]" hdr X-Why %[path]
http-error status 500 errorfile {folder}/400.http
http-request deny if { path /403 }
http-request deny deny_status 404 if { path /404 }
http-request deny deny_status 429 if { path /429 }
http-request deny deny_status 500 if { path /500 }
http-request return status 404 default-errorfiles if { path /return }
http-request deny deny_status 404 hdr A b if { path /hdr }
http-request tarpit deny_status 404 if { path /tarpit }
"""
PAGE_PATHS = ("/404", "/429", "/return", "/hdr", "/tarpit", "/a")


def as_written(headers: str) -> dict[str, Differs]:
    """Files of whole responses are not spelled anew."""
    return {"client0.response0.headers": Differs(f"{headers} | connection: close", "sent as written")}


HEAD = Send(b"HEAD / HTTP/1.1\r\nHost: x.test\r\nUser-Agent: t\r\n\r\n")


def _as_user(name: str) -> Send:
    """A request of `user:password`, or of nobody."""
    line = f"Authorization: Basic {b64encode(name.encode()).decode()}\r\n" if name else ""
    return Send(f"GET / HTTP/1.1\r\nHost: x.test\r\n{line}\r\n".encode())


CASES = (
    on_paths("elsewhere: connections", EARLY + SHOWN + ADDRESSES + "\noption forwardfor", ["/a", "/b"]),
    on_paths("elsewhere: content", CONTENT + ADDRESSES, ["/long/path", "/b"]),
    on_paths("elsewhere: content, backend", "", ["/a", "/b"], back=CONTENT.replace("capture path len 4", "set-nice 1")),
    on_paths(
        "elsewhere: content of responses",
        "http-request set-var(txn.path) path",
        ["/accept", "/a", "/b"],
        back=RESPONSE_CONTENT.replace(CLOSING, ""),
    ),
    on_paths(
        "elsewhere: the server connection is closed",
        "http-request set-var(txn.path) path",
        ["/close", "/a"],
        back=RESPONSE_CONTENT,
        compared=False,
        expect={
            # HAProxy closes it at once, and answers 502 itself: here the response is handed on first.
            "client0.response0.start": "HTTP/1.1 200 OK",
            "client0.response0.headers": "content-length: 5 | x-up: A | seen: first|<first>|",
            "client0.response1.headers": "content-length: 5 | x-up: A | seen: last|<first>|",
            "s1.connections": "2",
            "s1.connection0.end": "closed",
        },
    ),
    Case(
        "elsewhere: response rejected",
        ((GET, Response(), Quiet(0.03)),),
        served(OK),
        back="tcp-response content reject",
    ),
    Case("elsewhere: response dropped", ((GET, Quiet(0.1)),), served(OK), front="http-response silent-drop"),
    Case("elsewhere: content dropped", ((GET, Quiet(0.1)),), served(OK), front="tcp-request content silent-drop"),
    Case(
        "elsewhere: connection dropped",
        ((Quiet(0.1),),),
        served(OK),
        front="tcp-request connection silent-drop",
        lines=0,
    ),
    on_paths(
        "elsewhere: after responses",
        AFTER + "http-request set-var(txn.path) path\nhttp-request deny if { path /deny }\n"
        "http-request return status 200 hdr X-List b if { path /return }\n"
        "http-request redirect location / if { path /r }",
        ["/a", "/deny", "/return", "/r", "/b"],
        answer=LISTED,
    ),
    on_paths(
        "elsewhere: variables of responses",
        "http-request set-var(txn.a) path\nhttp-response set-var(txn.b) status\nhttp-response unset-var(txn.a)\n"
        "http-response set-var-fmt(res.c) <%[var(txn.b)]%[var(txn.a)]>\nhttp-response set-header C %[var(res.c)]\n"
        "http-response set-timeout client 5s\nhttp-response set-tos 8",
        ["/a", "/b"],
    ),
    on_paths(
        "elsewhere: captures",
        CAPTURES,
        [ask("/a/long", headers="User-Agent: a long name|X-A: header"), ask("/b"), ask("/a", headers="X-A: 1")],
    ),
    on_paths("elsewhere: pages", PAGES, PAGE_PATHS, times="timeout tarpit 50ms", differs={"log4.timers": TARPIT_TIMES}),
    on_paths(
        "elsewhere: pages of the backend",
        "",
        PAGE_PATHS,
        back=PAGES,
        times="timeout tarpit 50ms",
        differs={"log4.timers": TARPIT_TIMES},
    ),
    on_paths(
        "elsewhere: a page out of a file",
        PAGES,
        ["/403"],
        differs=as_written("Cache-Control: no-cache | Content-Type: text/plain"),
    ),
    on_paths("elsewhere: a page for its status", PAGES, ["/500"], differs=as_written("Content-Type: text/plain")),
    on_paths(
        "elsewhere: pages of both",
        "http-error status 403 content-type a/b string front\nhttp-error status 404 content-type a/b string front\n"
        "http-request deny if { path /front }\nhttp-after-response set-header After %[status]",
        ["/front", "/403", "/404", "/a"],
        back="http-error status 403 content-type a/b string back\nhttp-request deny if { path /403 }\n"
        "http-request deny deny_status 404 if { path /404 }",
    ),
    Case(
        "elsewhere: after what is no request",
        ((Send(b"NONSENSE\r\n\r\n"), End()),),
        served(OK),
        front="http-after-response set-header After %[status]\nhttp-request set-header A b",
    ),
    Case(
        "elsewhere: a page of one's own when no server is there",
        ((GET, Response(), Quiet(0.03)),),
        front="http-after-response set-header After %[status]",
        back="retries 0\nhttp-error status 503 content-type text/plain string gone hdr X-Why down",
        servers="server s1 {refusing}",
    ),
    Case(
        "elsewhere: tcp, addresses",
        ((Send(b"ping"), Until(b"pong"), CLOSE),),
        {"s1": ((End(),),), "s2": ((Until(b"ping"), Send(b"pong"), End(), CLOSE),)},
        whole="frontend f\n    mode tcp\n    bind {bind}\n    tcp-request connection set-src str(10.1.1.1)\n"
        "    tcp-request session set-var(sess.a) src\n    tcp-request content set-var(txn.b) var(sess.a)\n"
        "    tcp-request content set-log-level err\n    use_backend two if { var(txn.b) -m ip 10.0.0.0/8 }\n"
        "    default_backend one\nbackend one\n    server s1 {s1}\nbackend two\n    server s2 {s2}\n",
        mode="tcp",
        raw=True,
    ),
    Case(
        "elsewhere: later rules see the received method",
        ((GET, Response(), Quiet(0.03)),),
        {"s1": (ONE,)},
        front="http-request set-method PUT\nhttp-request set-header Now %[method],%HM\n"
        "http-request set-header Get 1 if METH_GET\nhttp-request set-header Put 1 if { method PUT }",
    ),
    Case(
        "elsewhere: a HEAD that becomes a GET",
        ((HEAD, Response("HEAD"), Quiet(0.03), CLOSE),),
        {"s1": ((Request(), OK),)},
        front="http-request set-method GET",
        methods=("HEAD",),
        ignore=("s1.connection0.end",),
    ),
    Case(
        "elsewhere: our own answer to a HEAD that became a GET",
        ((HEAD, Response("HEAD"), Quiet(0.03), CLOSE),),
        {},
        front="http-request set-method GET\nhttp-request return status 200 content-type text/plain string own",
        methods=("HEAD",),
    ),
    *(
        Case(
            f"elsewhere: error pages {number}",
            tuple((ask(path), Response(), Quiet(0.02), CLOSE) for path in ("/", "/404", "/500", "/deny")),
            whole=SECTIONED.replace("{front}", front).replace("{back}", back).replace("{more}", more),
            # Files are sent as written, and closed behind.
            ignore=tuple(
                f"client{client}.{fact}" for client in range(4) for fact in ("response0.headers", "end", "closed")
            ),
        )
        for number, (more, front, back) in enumerate(PAGE_LINES)
    ),
    Case(
        "elsewhere: userlists",
        (
            (
                *(step for name in ("", "ann:pw", "ann:no", "bob:pw") for step in (_as_user(name), Response())),
                Quiet(0.03),
                CLOSE,
            ),
        ),
        {"s1": ((Request(), OK),)},
        whole="userlist staff\n    group admin users ann\n"
        "    user ann password $5$abcdefgh$ijtOJ//yvc/9bq1g0llFn9dB688BwBDRD90DlKKSKE1\n"
        "    user bob insecure-password pw\nfrontend f\n    bind {bind}\n"
        "    http-request auth realm staff unless { http_auth(staff) }\n"
        "    http-request deny unless { http_auth_group(staff) admin }\n"
        "    default_backend b\nbackend b\n    server s1 {s1}\n",
        lines=4,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_as_haproxy(case: Case, plays: Plays) -> None:
    plays.compare(case)
