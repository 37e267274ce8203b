"""Rules: each action on the wire, as HAProxy has it. Most cases ask for many paths on one connection, each rule having
one of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from maniple.tests.wire.rig.cases import Case, Differs
from maniple.tests.wire.rig.compare import Plays
from maniple.tests.wire.rig.peers import CLOSE, End, Message, Quiet, Request, Response, Script, Send, Until
from maniple.tests.wire.rig.scripts import GET, OK, ONE, served


def ask(path: str, method: str = "GET", headers: str = "", body: str = "") -> Send:
    """A request; `headers` are parted by `|`."""
    lines = [f"{method} {path} HTTP/1.1", "Host: x.test", *filter(None, headers.split("|"))]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return Send(("\r\n".join([*lines, "", ""]) + body).encode())


def on_paths(
    name: str,
    rules: str,
    requests: Sequence[Send | str],
    *,
    back: str = "",
    answer: Send = OK,
    methods: tuple[str, ...] = (),
    differs: dict[str, Differs] | None = None,
    **words: object,
) -> Case:
    """One client that asks one after the other; all that get through are answered."""
    sends = [ask(item) if isinstance(item, str) else item for item in requests]
    steps: list[Any] = []
    for number, send in enumerate(sends):
        method = methods[number] if number < len(methods) else "GET"
        steps += (send, Response(method))
    script: Script = (*steps, Quiet(0.03), CLOSE)
    count = len(sends)
    logged = words.pop("logged", count)
    return Case(
        name,
        (script,),
        {"s1": ((Request(), answer) * count,) * 3},
        front=rules,
        back=back,
        lines=logged,  # type: ignore[arg-type]
        methods=methods,
        differs=differs or {},
        **words,  # type: ignore[arg-type]
    )


def numbered(rules: Sequence[str]) -> tuple[str, list[str]]:
    """Rules of which each has a path: `/0`, `/1`, ...; the lines, and the paths."""
    lines = [f"{rule} if {{ path_beg /{number}/ }}" for number, rule in enumerate(rules)]
    return "\n".join(lines), [f"/{number}/p?a=1&b=2" for number in range(len(rules))]


ANSWERS, ANSWER_PATHS = numbered(
    (
        "http-request return",
        "http-request return status 404",
        "http-request return status 299",
        "http-request return status 404 default-errorfiles",
        "http-request return status 200 hdr A b hdr c %[path]",
        "http-request return status 200 content-type text/plain string hello hdr A b",
        'http-request return status 200 content-type text/plain lf-string "<%[path]>"',
        "http-request return content-type text/plain file {folder}/400.http",
        "http-request return content-type text/plain lf-file {folder}/400.http hdr Empty %[hdr(none)]",
        "http-request return status 503 content-type text/plain string x",
        "http-request deny",
        "http-request deny deny_status 429",
        "http-request deny status 418",
        "http-request deny status 418 hdr A b",
        "http-request deny status 403 content-type text/plain string no",
        "http-request deny content-type text/plain string no",
        "http-request auth",
        'http-request auth realm "a realm"',
        "http-request redirect location /x",
        "http-request redirect location /x%[path] code 301",
        "http-request redirect location /x code 303 set-cookie A=1",
        "http-request redirect location /x code 308 clear-cookie A=",
        "http-request redirect location /x code 307 clear-cookie A",
        "http-request redirect prefix http://y",
        "http-request redirect prefix http://y drop-query",
        "http-request redirect prefix http://y drop-query append-slash",
        "http-request redirect prefix http://y append-slash",
        "http-request redirect scheme https append-slash",
        "http-request redirect prefix / set-cookie SEEN=1",
        "http-request redirect scheme https code 301",
        "http-request redirect scheme https drop-query",
        "http-request redirect location %[hdr(none)] ignore-empty",
        "redirect location /old%[path] code 301",
        "redirect prefix /old",
    )
)

URIS, URI_PATHS = numbered(
    (
        "http-request set-path /new",
        "http-request set-path /x%[path]",
        "http-request set-pathq /new?z=1",
        "http-request set-pathq /new",
        "http-request set-query z=%[query]",
        "http-request set-query %[hdr(none)]",
        "http-request set-uri /u?v",
        "http-request set-uri http://other.test/u?v",
        "http-request set-method OPTIONS",
        "http-request replace-path /5./p /miss",
        "http-request replace-path (.*)/p(.*) /\\1x\\2",
        "http-request replace-pathq ([^?]*)(\\?(.*))? \\1/foo\\2",
        "http-request replace-uri ([^/:]*://[^/]*)?(.*) \\1/foo\\2",
        "http-request replace-uri ^/(.)(.) /\\2\\1\\0\\9",
        "http-request replace-path (.*) /%[method]\\1",
    )
)

HEADERS, HEADER_PATHS = numbered(
    (
        "http-request set-header X-A new",
        "http-request set-header X-New %[path]",
        "http-request set-header X-A %[hdr(x-a)]+",
        "http-request add-header X-A more",
        "http-request add-header Via z",
        "http-request del-header X-A",
        "http-request del-header x-a -m str",
        "http-request del-header x- -m beg",
        "http-request del-header -list -m end",
        "http-request del-header lis -m sub",
        "http-request del-header ^X-[AB] -m reg",
        "http-request del-header none",
        "http-request replace-header X-A (.*) <\\1>",
        "http-request replace-header X-A o. %[path]",
        "http-request replace-header X-List b;q b",
        "http-request replace-value X-List ^b(.*) B\\1",
        "http-request replace-value X-List c 1,2",
        "http-request replace-header none a b",
        "http-request set-header Host other.test",
    )
)
MANY_HEADERS = "X-A: one|X-B: two|X-List: a, b;q=1 ,c|x-a: again"

VARIABLES, VARIABLE_PATHS = numbered(
    (
        "http-request set-var(txn.a) path",
        "http-request set-var(req.a) int(5)",
        "http-request set-var(txn.a,ifexists) str(no)",
        "http-request set-var(txn.a,ifnotexists) str(yes)",
        "http-request set-var(sess.a) str(kept)",
        "http-request set-var-fmt(txn.a) %[path]/%[method]",
        "http-request set-var(txn.a,ifnotempty) hdr(none)",
        "http-request set-var(sess.n,ifgt) int(3)",
        "http-request set-var(sess.n,ifgt) int(7)",
        "http-request set-var(sess.n,iflt) int(9)",
        "http-request unset-var(sess.a)",
        "http-request set-var(proc.p) src",
    )
)
SHOWN = "\n".join(
    f"http-request set-header {name.replace('.', '-')} %[var({name})]"
    for name in ("txn.a", "req.a", "sess.a", "sess.n", "proc.p")
)

NORMALIZERS = {
    "path-merge-slashes": ("//a///b?x=//", "/"),
    "path-strip-dot": ("/a/./b/.", "/.well-known/", "/.", "/./", "/a/./a"),
    "path-strip-dotdot": ("/a/../b/../../c", "/a/..", "/../..", "//../x", "/a/b/../..", "/a/%2E%2E/", "/a/../b/"),
    "path-strip-dotdot full": ("/../../x", "/a/../..", "/..", "/a/../../b/../"),
    "percent-decode-unreserved": ("/%61%2f%7E?%41=%zz", "/%%36%36", "/%4", "/%"),
    "percent-decode-unreserved strict": ("/%61%7e?%2f",),
    "percent-to-uppercase": ("/%6f%zz?%aa", "/%", "/%a"),
    "percent-to-uppercase strict": ("/%6f?%af",),
    "query-sort-by-name": ("/?c=3&a=1&b=2", "/?aaa=3&a=1&aa=2", "/?a=3&b=4&a=1&b=5&a=2", "/x", "/x?", "/x?b&a"),
}
"""Without a condition: HAProxy takes one for the word after the normalizer."""

RESPONSES, RESPONSE_PATHS = numbered(
    (
        "http-response set-header X-Up new",
        "http-response add-header X-Up more",
        "http-response del-header X-Up",
        "http-response del-header x- -m beg",
        "http-response replace-header X-Up (.*) <\\1>",
        "http-response replace-value X-Up A B",
        "http-response set-status 431",
        'http-response set-status 503 reason "Slow Down"',
        "http-response set-header Status %[status]",
        "http-response set-var(res.a) status",
        "http-response allow",
        "http-response deny",
        "http-response deny status 418 hdr A b",
        "http-response return status 404 content-type text/plain string gone",
        "http-response redirect location /else code 301",
        "http-response set-log-level err",
        "http-response strict-mode off",
        "http-response set-nice 5",
    )
)
RESPONSES = RESPONSES.replace("{ path_beg", "{ var(txn.path) -m beg")
KEEP_PATH = "http-request set-var(txn.path) path\n"

NO_REQUEST_LINE = "what is forwarded stays a request line: HAProxy sends `GET  HTTP/1.1` here"

TARPIT_TIMES = Differs("n/n/-1/-1/n", "the time to receive the request is known: HAProxy forgets it")

CASES = (
    on_paths("rules: answers", ANSWERS, ANSWER_PATHS),
    on_paths("rules: answers to HEAD", ANSWERS, [ask(p, "HEAD") for p in ANSWER_PATHS], methods=("HEAD",) * 40),
    on_paths("rules: answers to POST", ANSWERS, [ask(p, "POST", body="hello") for p in ANSWER_PATHS[:20]]),
    on_paths("rules: answers of a backend", "", ANSWER_PATHS, back=ANSWERS),
    Case("rules: return 204", ((GET, Response(), End()),), front="http-request return status 204 hdr a b", servers=""),
    Case(
        "rules: return an errorfile",
        ((GET, Response(), Quiet(0.03)),),
        served(OK),
        front="http-request return status 400 errorfile {folder}/400.http",
        differs={
            "client0.response0.headers": Differs("Content-Type: text/plain | connection: close", "sent as written"),
        },
    ),
    on_paths("rules: the request line", URIS, URI_PATHS),
    on_paths(
        "rules: the request line, absolute",
        URIS,
        [ask(f"http://x.test{path}") for path in URI_PATHS if not path.startswith("/13")],
    ),
    on_paths("rules: headers", HEADERS, [ask(path, headers=MANY_HEADERS) for path in HEADER_PATHS]),
    on_paths("rules: headers of uploads", HEADERS, [ask(path, "PUT", MANY_HEADERS, "12345") for path in HEADER_PATHS]),
    on_paths("rules: variables", f"{VARIABLES}\n{SHOWN}", VARIABLE_PATHS),
    *(
        on_paths(
            f"rules: {name}", f"http-request normalize-uri {name}", paths, settings="expose-experimental-directives"
        )
        for name, paths in NORMALIZERS.items()
    ),
    *(
        Case(
            f"rules: {name}, refused",
            ((ask("/%zz"), Response(), End()),),
            served(OK),
            front=f"http-request normalize-uri {name}",
            settings="expose-experimental-directives",
            differs={"log0.timers": Differs("n/-1/-1/-1/n", "the request was received")},
        )
        for name in NORMALIZERS
        if name.endswith(" strict")
    ),
    on_paths("rules: responses of the frontend", KEEP_PATH + RESPONSES, RESPONSE_PATHS),
    on_paths("rules: responses of the backend", KEEP_PATH, RESPONSE_PATHS, back=RESPONSES),
    on_paths(
        "rules: responses, backend before frontend",
        "http-response add-header Order front\nhttp-after-response add-header After front",
        ["/a"],
        back="http-response add-header Order back\nhttp-after-response add-header After back",
    ),
    on_paths(
        "rules: requests, frontend before backend",
        "http-request add-header Order front\nhttp-request allow\nhttp-request add-header Order never",
        ["/a"],
        back="http-request add-header Order back",
    ),
    on_paths(
        "rules: after every response",
        "http-request deny if { path /deny }\nhttp-request return status 200 if { path /return }\n"
        "http-after-response set-header After %[status]\nhttp-after-response del-header cache-control\n"
        "http-after-response set-status 599 if { status 200 }",
        ["/deny", "/return", "/a"],
    ),
    Case(
        "rules: after a failure",
        ((GET, Response(), Quiet(0.03)),),
        front="http-after-response set-header After %[status]",
        back="retries 0",
        servers="server s1 {refusing}",
    ),
    Case(
        "rules: a listen section once",
        ((GET, Response(), Quiet(0.03)),),
        served(OK),
        whole="listen f\n    bind {bind}\n    http-request add-header Once a\n    http-response add-header Once b\n"
        "    http-after-response add-header After b\n    server s1 {s1}\n",
    ),
    Case(
        "rules: defaults first",
        ((GET, Response(), Quiet(0.03)),),
        served(OK),
        whole="defaults d\n    mode http\n    log global\n    option httplog\n    timeout client 1s\n"
        "    timeout server 1s\n    timeout connect 1s\n    acl y path /a\n"
        "    http-request add-header Order defaults if y\n    http-response add-header Order defaults\n"
        "frontend f from d\n    bind {bind}\n    acl y path /no\n    http-request add-header Order own\n"
        "    http-request add-header Order never if y\n    http-response add-header Order own\n"
        "    default_backend b\ndefaults e\n    mode http\n    timeout server 1s\n    timeout connect 1s\n"
        "backend b from e\n    server s1 {s1}\n",
    ),
    # Reject, drop, tarpit.
    Case("rules: reject", ((GET, End()),), served(OK), front="http-request reject"),
    Case("rules: reject in the backend", ((GET, End()),), served(OK), back="http-request reject"),
    Case("rules: content reject", ((GET, End()),), served(OK), front="tcp-request content reject"),
    Case("rules: connection reject", ((End(),),), served(OK), front="tcp-request connection reject", lines=0),
    Case("rules: session reject", ((End(),),), served(OK), front="tcp-request session reject", lines=0),
    Case(
        "rules: connection accept",
        ((GET, Response(), Quiet(0.03)),),
        served(OK),
        front="tcp-request connection accept if TRUE\ntcp-request connection reject\n"
        "tcp-request session set-var(sess.a) src_port\ntcp-request session accept\ntcp-request session reject\n"
        "tcp-request content accept if { var(sess.a) -m found }\ntcp-request content reject\n"
        "http-request set-header A yes if { var(sess.a) -m found }",
    ),
    Case(
        "rules: tarpit",
        ((GET, Response(), Quiet(0.03)),),
        served(OK),
        front="http-request tarpit",
        times="timeout tarpit 100ms",
        differs={"log0.timers": TARPIT_TIMES},
    ),
    Case(
        "rules: tarpit in the backend",
        ((GET, Response(), Quiet(0.03)),),
        served(OK),
        back="http-request tarpit status 418 hdr A b",
        times="timeout tarpit 100ms",
        differs={"log0.timers": TARPIT_TIMES},
    ),
    Case("rules: silent drop", ((GET, Quiet(0.1)),), served(OK), front="http-request silent-drop"),
    # The kernel delays acknowledging a second request; its client would send it again after 200 ms, and be reset.
    Case(
        "rules: silent drop of a later request",
        ((GET, Response(), ask("/drop"), Quiet(0.35)),),
        served(OK),
        front="http-request silent-drop if { path /drop }",
    ),
    # Choosing.
    on_paths(
        "rules: use-server",
        "",
        ["/2", "/3", "/none", "/2"],
        back="use-server s2 if { path /2 }\nuse-server s3 if { path /3 }",
        servers="server s1 {s1}\nserver s2 {s1} weight 0\nserver s3 {s1} disabled",
        ignore=("s1",),
    ),
    Case(
        "rules: use_backend",
        (
            (
                *tuple(
                    step
                    for path in ("/two", "/dynamic?b=three", "/dynamic?b=nobody", "/x")
                    for step in (ask(path), Response())
                ),
                Quiet(0.03),
                CLOSE,
            ),
        ),
        dict.fromkeys(("s1", "s2", "s3"), (ONE * 3,)),
        lines=4,
        whole="frontend f\n    bind {bind}\n    use_backend two if { path /two }\n"
        "    use_backend %[url_param(b)] if { path /dynamic }\n    default_backend one\n"
        "backend one\n    server s1 {s1}\nbackend two\n    http-request set-header Two %[be_name]\n"
        "    http-response set-header Two 2\n    server s2 {s2}\n"
        "backend three\n    http-request deny if { path /no }\n    server s3 {s3}\n",
    ),
    Case(
        "rules: no backend",
        ((GET, Response(), Quiet(0.03)),),
        {"s1": (ONE,)},
        whole="frontend f\n    bind {bind}\n    use_backend b if { path /no }\nbackend b\n    server s1 {s1}\n",
    ),
    on_paths(
        "rules: monitor fail",
        "monitor-uri /alive\nacl sick hdr(x-sick) yes\nmonitor fail if sick\nhttp-request deny if { path /alive }",
        [ask("/alive"), ask("/alive", headers="X-Sick: yes"), ask("/a")],
    ),
    # Waiting.
    Case(
        "rules: wait for the body",
        (
            (
                Send(b"POST /a HTTP/1.1\r\nHost: x.test\r\nContent-Length: 10\r\n\r\nhello"),
                Quiet(0.05),
                Send(b"world"),
                Response("POST"),
                Quiet(0.03),
            ),
        ),
        served(OK),
        front="http-request wait-for-body time 1s\nhttp-request set-header Body %[req.body]",
    ),
    Case(
        "rules: wait for a chunked body",
        (
            (
                Send(b"POST /a HTTP/1.1\r\nHost: x.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
                Quiet(0.05),
                Send(b"5\r\nworld\r\n0\r\n\r\n"),
                Response("POST"),
                Quiet(0.03),
            ),
        ),
        served(OK),
        front="http-request wait-for-body time 1s\nhttp-request set-header Body %[req.body]",
    ),
    *(
        Case(
            f"rules: http-buffer-request in the {where}",
            (
                (
                    Send(b"POST /a HTTP/1.1\r\nHost: x.test\r\nContent-Length: 10\r\n\r\nhello"),
                    Quiet(0.05),
                    Send(b"world"),
                    Response("POST"),
                    Quiet(0.03),
                ),
            ),
            served(OK),
            **{where: "option http-buffer-request\nhttp-request set-header Body %[req.body]"},  # type: ignore[arg-type]
        )
        for where in ("front", "back")
    ),
    Case(
        "rules: wait for the start of a body",
        (
            (
                Send(b"POST /a HTTP/1.1\r\nHost: x.test\r\nContent-Length: 10\r\n\r\nhello"),
                Quiet(0.05),
                Send(b"world"),
                Response("POST"),
                Quiet(0.03),
            ),
        ),
        served(OK),
        front="http-request wait-for-body time 1s at-least 3\nhttp-request set-header Body yes",
    ),
    Case(
        "rules: wait for a body that does not come",
        ((Send(b"POST /a HTTP/1.1\r\nHost: x.test\r\nContent-Length: 10\r\n\r\nhello"), End()),),
        served(OK),
        front="http-request wait-for-body time 100ms",
    ),
    Case(
        "rules: wait for the body, Expect",
        (
            (
                Send(b"POST /a HTTP/1.1\r\nHost: x.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
                Until(b"100 Continue\r\n\r\n"),
                Send(b"hello"),
                Message(b"POST"),
                Quiet(0.03),
            ),
        ),
        served(OK),
        front="http-request wait-for-body time 1s\nhttp-request set-header Body %[req.body]",
    ),
    # The rest.
    on_paths(
        "rules: addresses",
        "http-request set-src hdr(x-ip) if { path /src }\nhttp-request set-src-port int(77) if { path /port }\n"
        "http-request set-dst hdr(x-ip) if { path /dst }\nhttp-request set-dst-port int(78) if { path /dport }\n"
        "http-request set-header Src %[src]\nhttp-request set-header Dst %[dst]\n"
        "http-request set-header Dport %[dst_port] if { path /dport }\n"
        "http-request set-header Port %[src_port] if { path /port }\noption forwardfor",
        [ask(path, headers="X-Ip: 192.0.2.9") for path in ("/src", "/port", "/dst", "/dport", "/none")],
        ignore=("s1.connection0.request3.headers", "log"),
    ),
    on_paths(
        "rules: timeouts",
        "",
        ["/a", "/slow"],
        back="http-request set-timeout server 150ms if { path /slow }",
        times="timeout server 3s",
    ),
    on_paths(
        "rules: accepted ones",
        "http-request set-nice 5\nhttp-request set-tos 0x10\nhttp-request set-mark 1\n"
        "http-request set-priority-class int(5)\nhttp-request set-priority-offset int(-5)\n"
        "http-request set-log-level silent if { path /silent }\nhttp-request strict-mode off\n"
        "http-request set-header A %[prio_class]\nhttp-request set-header B %[prio_offset]\n"
        "http-response set-tos 2\nhttp-response set-mark 2",
        ["/a", "/silent", "/a"],
        logged=2,
    ),
    on_paths("rules: early hint", 'http-request early-hint Link "<%[path]>; rel=preload"', ["/a"]),
    # TCP.
    Case(
        "rules: tcp, content",
        ((Send(b"ping"), Until(b"pong"), CLOSE),),
        {"s1": ((Until(b"ping"), Send(b"pong"), End(), CLOSE),)},
        front="tcp-request inspect-delay 1s\ntcp-request content accept if { src 127.0.0.1 }\n"
        "tcp-request content reject",
        mode="tcp",
        raw=True,
    ),
    Case(
        "rules: tcp, rejected",
        ((Send(b"ping"), End()),),
        {"s1": ((Until(b"ping"), Send(b"pong"), End(), CLOSE),)},
        front="tcp-request content reject if { dst_port gt 0 }",
        mode="tcp",
        raw=True,
        # A reset where the client's bytes were not read: the kernel's choice.
        ignore=("client0.end",),
    ),
    Case(
        "rules: tcp, backend",
        ((Send(b"ping"), End()),),
        {"s1": ((Until(b"ping"), Send(b"pong"), End(), CLOSE),)},
        back="tcp-request content reject",
        mode="tcp",
        raw=True,
        ignore=("client0.end",),
    ),
    Case(
        "rules: tcp, use_backend",
        ((Send(b"ping"), Until(b"pong"), CLOSE),),
        {"s1": ((End(),),), "s2": ((Until(b"ping"), Send(b"pong"), End(), CLOSE),)},
        whole="frontend f\n    mode tcp\n    bind {bind}\n    use_backend two if { src 127.0.0.0/8 }\n"
        "    default_backend one\nbackend one\n    server s1 {s1}\nbackend two\n    server s2 {s2}\n",
        mode="tcp",
        raw=True,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_as_haproxy(case: Case, plays: Plays) -> None:
    plays.compare(case)
