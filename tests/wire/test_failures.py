"""Every row of the failure table (reference 3.3) that can arise: status, log line, and how the connection ends."""

from __future__ import annotations

import pytest
from maniple.tests.wire.rig.cases import Case, Differs
from maniple.tests.wire.rig.compare import Plays
from maniple.tests.wire.rig.peers import (
    CLOSE,
    RESET,
    SHUT,
    Await,
    End,
    Quiet,
    Raise,
    Request,
    Response,
    Send,
    Sleep,
    Until,
)
from maniple.tests.wire.rig.scripts import GET, OK, closing, served

SHORT = "timeout client 200ms\ntimeout server 200ms"


def bad(
    name: str,
    request: bytes,
    status: int = 400,
    *,
    differs: dict[str, Differs] | None = None,
    methods: tuple[str, ...] = (),
) -> Case:
    """Bytes that are no request."""
    return Case(
        name,
        ((Send(request), End()),),
        served(OK),
        expect={"log0.status": str(status), "log0.state": "PR--", "s1.connections": "0"},
        differs=differs or {},
        methods=methods,
    )


WAS_READ = "the request itself was valid and is logged; HAProxy looks at what of the body came with it first"
EARLY = "an answer before the end of the request ends the connection, and says so; HAProxy reads on and keeps it"
STALLED = "the manual's sD, as the server's time-out ended it"

LARGE = "414 and 431, which HAProxy has since 3.3 (before: 400)"


def too_large(status: int, reason: str, sentence: str) -> dict[str, Differs]:
    body = f"<html><body><h1>{status} {reason}</h1>\\n{sentence}\\n</body></html>\\n"
    length = len(body) - body.count("\\n")
    headers = f"Content-length: {length} | Cache-Control: no-cache | Content-Type: text/html"
    return {
        "client0.response0.start": Differs(f"HTTP/1.1 {status} {reason}", LARGE),
        "client0.response0.headers": Differs(headers, LARGE),
        "client0.response0.body": Differs(body, LARGE),
        "log0.status": Differs(str(status), LARGE),
    }


BAD = (
    bad("no request line", b"hello\r\n\r\n"),
    bad("bad version", b"GET / HTTP/x\r\n\r\n"),
    bad("http/0.9", b"GET /\r\n\r\n"),
    bad("space in name", b"GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n"),
    bad("two lengths", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    bad("two hosts", b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
    bad("nul", b"GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n"),
    bad(
        "too many headers", b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"a%d: b\r\n" % n for n in range(120)) + b"\r\n"
    ),
    bad(
        "target too large",
        b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        414,
        differs=too_large(414, "URI Too Long", "The request target is too long."),
    ),
    bad(
        "headers too large",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 5000 + b"\r\n",
        431,
        differs=too_large(431, "Request Header Fields Too Large", "The request's header fields are too large."),
    ),
    bad("unknown coding", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 422),
    bad("coding without chunked", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"),
    bad("http/1.0 GET with a body", b"GET / HTTP/1.0\r\nContent-Length: 1\r\n\r\na", 413),
    bad("websocket without key", b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
)

CASES = (
    *BAD,
    Case("bad request after a good one", ((GET, Response(), Send(b"x\r\n\r\n"), End()),), served(OK), lines=2),
    Case("bad request pipelined after a good one", ((Send(GET.data + b"x\r\n\r\n"), End()),), served(OK), lines=2),
    Case(
        "bad first chunk",
        ((Send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"), End()),),
        served(OK),
        differs={
            "client0.response0.headers": Differs(
                "content-length: 90 | cache-control: no-cache | content-type: text/html | connection: close", WAS_READ
            ),
            "log0.backend": Differs("b", WAS_READ),
            "log0.request": Differs("POST / HTTP/1.1", WAS_READ),
            "log0.size": Differs("n", WAS_READ),
            "log0.timers": Differs("n/-1/-1/-1/n", WAS_READ),
        },
    ),
    Case(
        "bad later chunk",
        (
            (
                Send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
                Await("up"),
                Send(b"xyz\r\n"),
                End(),
            ),
        ),
        {"s1": ((Until(b"abc"), Raise("up")),)},
        differs={"log0.state": Differs("PR--", "it is the request that was blocked, whenever it was")},
    ),
    Case(
        "bad chunk after the response began",
        (
            (
                Send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
                Until(b"hel"),
                Send(b"xyz\r\n"),
                End(),
            ),
        ),
        {"s1": ((Until(b"abc"), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel")),)},
    ),
    # The client stops, or goes, before there is a request.
    Case(
        "silent client times out",
        ((End(),),),
        times=SHORT,
        origins=served(OK),
        expect={"log0.status": "408", "log0.state": "cR--"},
    ),
    Case("silent client, http-request timeout", ((End(),),), times="timeout http-request 150ms", origins=served(OK)),
    Case(
        "silent client, http-ignore-probes",
        ((End(),),),
        times=SHORT,
        front="option http-ignore-probes",
        origins=served(OK),
        lines=0,
    ),
    Case(
        "silent client, dontlognull", ((End(),),), times=SHORT, front="option dontlognull", origins=served(OK), lines=0
    ),
    Case(
        "half a head times out",
        ((Send(b"GET / HTTP/1.1\r\nHo"), End()),),
        times="timeout http-request 150ms",
        origins=served(OK),
        expect={"log0.status": "408", "log0.state": "cR--"},
    ),
    Case(
        "half a head, dribbled, times out",
        ((*(step for _ in range(6) for step in (Send(b"GET"), Sleep(0.05))), End()),),
        times="timeout http-request 200ms",
        origins=served(OK),
    ),
    Case(
        "half a second head times out",
        ((GET, Response(), Send(b"GET / HT"), End()),),
        times="timeout http-request 150ms",
        origins=served(OK),
        lines=2,
    ),
    Case(
        "half a head, dontlognull and probes",
        ((Send(b"GET / HTTP/1.1\r\nHo"), End()),),
        times=SHORT,
        front="option dontlognull\noption http-ignore-probes",
        origins=served(OK),
    ),
    Case(
        "idle after a request times out",
        ((GET, Response(), End()),),
        times="timeout http-keep-alive 150ms",
        origins=served(OK),
        lines=1,
    ),
    Case(
        "idle after a request, http-request",
        ((GET, Response(), End()),),
        times="timeout http-request 150ms",
        origins=served(OK),
        lines=1,
    ),
    Case("silent client closes", ((CLOSE,),), origins=served(OK), expect={"log0.state": "CR--"}),
    Case("silent client half-closes", ((SHUT, End()),), origins=served(OK)),
    Case("silent client resets", ((RESET,),), origins=served(OK)),
    Case("silent client closes, dontlognull", ((CLOSE,),), front="option dontlognull", origins=served(OK), lines=0),
    Case(
        "silent client closes, http-ignore-probes",
        ((CLOSE,),),
        front="option http-ignore-probes",
        origins=served(OK),
        lines=0,
    ),
    Case(
        "half a head and close",
        ((Send(b"GET / HT"), SHUT, End()),),
        origins=served(OK),
        expect={"log0.status": "400", "log0.state": "CR--"},
    ),
    Case("half a head and reset", ((Send(b"GET / HT"), Sleep(0.03), RESET),), origins=served(OK)),
    Case(
        "half a second head and close",
        ((GET, Response(), Send(b"GET / HT"), SHUT, End()),),
        origins=served(OK),
        lines=2,
    ),
    Case("second request not begun, reset", ((GET, Response(), RESET),), origins=served(OK), lines=1),
    # No server.
    Case(
        "no server line",
        ((GET, Response(), Quiet(0.05)),),
        expect={"log0.status": "503", "log0.state": "SC--", "log0.server": "<NOSRV>"},
    ),
    Case(
        "no server line, HEAD",
        ((Send(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"), Response("HEAD"), Quiet(0.05)),),
        methods=("HEAD",),
    ),
    Case("no server line, HTTP/1.0", ((Send(b"GET / HTTP/1.0\r\n\r\n"), End()),)),
    Case("no server line, keep-alive after it", ((GET, Response(), GET, Response(), Quiet(0.05)),), lines=2),
    Case(
        "no server line, upload",
        ((Send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab"), Response(), Send(b"cde"), End(0.3)),),
        differs={
            "client0.response0.headers": Differs(
                "content-length: 107 | cache-control: no-cache | content-type: text/html | connection: close", EARLY
            ),
            "client0.end": Differs("eof", EARLY),
            "client0.failure": Differs("(none)", EARLY),
        },
    ),
    Case("all servers disabled", ((GET, Response(), Quiet(0.05)),), servers="server s1 {refusing} disabled"),
    Case(
        "refused",
        ((GET, Response(), Quiet(0.05)),),
        servers="server s1 {refusing}",
        back="retries 0",
        expect={"log0.status": "503", "log0.state": "SC--"},
    ),
    Case(
        "refused after retries",
        ((GET, Response(), Quiet(0.05)),),
        servers="server s1 {refusing}",
        back="retries 2\ntimeout connect 60ms",
        expect={"log0.retries": "2"},
    ),
    Case(
        "connect timeout",
        ((GET, Response(), Quiet(0.05)),),
        servers="server s1 {hanging}",
        back="retries 0\ntimeout connect 100ms",
        expect={"log0.state": "sC--", "log0.status": "503"},
    ),
    Case(
        "connect timeout with a retry",
        ((GET, Response(), Quiet(0.05)),),
        servers="server s1 {hanging}",
        back="retries 1\ntimeout connect 100ms",
    ),
    Case(
        "redispatch to the one that lives",
        ((GET, Response(), Quiet(0.05)),),
        served(OK),
        servers="server s0 {refusing}\nserver s1 {s1}",
        back="option redispatch\nretries 1",
        expect={"log0.retries": "+1"},
    ),
    # The server fails.
    Case(
        "server closes at once",
        ((GET, Response(), Quiet(0.05)),),
        {"s1": ((Request(), CLOSE),)},
        expect={"log0.status": "502", "log0.state": "SH--"},
    ),
    Case(
        "server resets at once",
        ((GET, Response(), Quiet(0.05)),),
        {"s1": ((Request(), RESET),)},
        expect={"log0.status": "502", "log0.state": "SH--"},
    ),
    Case("server closes in the head", ((GET, Response(), Quiet(0.05)),), closing(Send(b"HTTP/1.1 200 OK\r\nConte"))),
    Case("server closes without reading", ((GET, Response(), Quiet(0.05)),), {"s1": ((CLOSE,),)}),
    Case(
        "server stalls",
        ((GET, Response(), Quiet(0.05)),),
        {"s1": ((Request(), Quiet(1)),)},
        times=SHORT,
        expect={"log0.status": "504", "log0.state": "sH--"},
    ),
    Case(
        "server stalls in the head",
        ((GET, Response(), Quiet(0.05)),),
        {"s1": ((Request(), Send(b"HTTP/1.1 200 OK\r\nConte"), Quiet(1)),)},
        times=SHORT,
    ),
    Case(
        "server stalls in the body",
        ((GET, End()),),
        {"s1": ((Request(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nabc"), Quiet(1)),)},
        times="timeout server 150ms",
        differs={"log0.state": Differs("sD--", STALLED)},
    ),
    Case(
        "server stalls in a chunk",
        ((GET, End()),),
        {"s1": ((Request(), Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"), Quiet(1)),)},
        times="timeout server 150ms",
        differs={"log0.state": Differs("sD--", STALLED)},
    ),
    Case(
        "server closes in the body",
        ((GET, End()),),
        closing(Send(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nabc")),
        expect={"log0.state": "SD--"},
    ),
    Case(
        "server resets in the body",
        ((GET, End()),),
        {"s1": ((Request(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nabc"), Sleep(0.05), RESET),)},
    ),
    Case(
        "server closes in a chunk",
        ((GET, End()),),
        closing(Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc")),
        expect={"log0.state": "SD--"},
    ),
    Case(
        "server closes between chunks",
        ((GET, End()),),
        closing(Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")),
    ),
    Case(
        "server resets a body until close",
        ((GET, End()),),
        {"s1": ((Request(), Send(b"HTTP/1.1 200 OK\r\n\r\nabc"), Sleep(0.05), RESET),)},
    ),
    Case(
        "bad chunk from the server",
        ((GET, End()),),
        closing(Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n")),
    ),
    Case(
        "garbage",
        ((GET, Response(), Quiet(0.05)),),
        closing(Send(b"garbage\r\n\r\n")),
        expect={"log0.status": "502", "log0.state": "PH--"},
    ),
    Case(
        "garbage without an end",
        ((GET, Response(), Quiet(0.05)),),
        {"s1": ((Request(), Send(b"garbage, no line end"), Quiet(1)),)},
        times=SHORT,
    ),
    Case(
        "response head too large",
        ((GET, Response(), Quiet(0.05)),),
        closing(Send(b"HTTP/1.1 200 OK\r\nA: " + b"a" * 20000 + b"\r\n\r\n")),
    ),
    Case(
        "two lengths in a response",
        ((GET, Response(), Quiet(0.05)),),
        closing(Send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")),
    ),
    Case(
        "unknown coding in a response",
        ((GET, Response(), Quiet(0.05)),),
        closing(Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab")),
    ),
    Case(
        "too much",
        ((GET, Response(), GET, Response(), Quiet(0.05)),),
        {
            "s1": (
                (Request(), Send(OK.data + b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad"), Quiet(0.2)),
                (Request(), OK),
            )
        },
        lines=2,
    ),
    Case(
        "too much later",
        ((GET, Response(), Quiet(0.1), GET, Response(), Quiet(0.05)),),
        {
            "s1": (
                (Request(), OK, Sleep(0.05), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad")),
                (Request(), OK),
            )
        },
        lines=2,
    ),
    Case(
        "101 that nobody asked for",
        ((GET, Response(), Quiet(0.05)),),
        closing(Send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n")),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_as_haproxy(case: Case, plays: Plays) -> None:
    plays.compare(case)
