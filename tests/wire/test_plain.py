"""Ordinary requests and responses: framing, versions, connection modes."""

from __future__ import annotations

import pytest
from maniple.tests.wire.rig.cases import Case, Differs
from maniple.tests.wire.rig.compare import Plays
from maniple.tests.wire.rig.peers import CLOSE, SHUT, End, Quiet, Request, Response, Send
from maniple.tests.wire.rig.scripts import (
    CHUNKED,
    GET,
    GET_10,
    GET_10_KEEP,
    GET_CLOSE,
    OK,
    OK_10,
    OK_10_KEEP,
    OK_CLOSE,
    TRAILERS,
    UNTIL_CLOSE,
    UNTIL_CLOSE_10,
    closing,
    served,
)

NO_CODING = "RFC 9112 6.1: no transfer coding towards HTTP/1.0; HAProxy sends it nevertheless"
LENGTH_0 = "a length of 0 on a 204 contradicts nobody: it is left out, and the connections persist"


CASES = (
    Case("keep-alive", ((GET, Response(), GET, Response(), GET, Response(), Quiet()),), served(OK, OK, OK), lines=3),
    Case("client closes", ((GET, Response(), CLOSE),), served(OK)),
    Case("client half-closes after its request", ((GET, SHUT, Response(), End()),), served(OK)),
    Case(
        "client half-closes with its request, server slow",
        ((GET, SHUT, End()),),
        {"s1": ((Request(), Quiet(0.1), OK),)},
    ),
    Case("connection: close", ((GET_CLOSE, Response(), End()),), served(OK)),
    Case("server closes", ((GET, Response(), GET, Response(), Quiet()),), served(OK_CLOSE), lines=2),
    Case("http/1.0", ((GET_10, End()),), served(OK)),
    Case(
        "http/1.0 keep-alive", ((GET_10_KEEP, Response(), GET_10_KEEP, Response(), Quiet()),), served(OK, OK), lines=2
    ),
    Case("http/1.0 server", ((GET, Response(), GET, Response(), Quiet()),), closing(OK_10), lines=2),
    Case(
        "http/1.0 server keep-alive",
        ((GET, Response(), GET, Response(), Quiet()),),
        served(OK_10_KEEP, OK_10_KEEP),
        lines=2,
    ),
    Case(
        "both http/1.0 keep-alive",
        ((GET_10_KEEP, Response(), GET_10_KEEP, Response(), Quiet()),),
        served(OK_10_KEEP, OK_10_KEEP),
        lines=2,
    ),
    Case("until close", ((GET, Response(), End()),), closing(UNTIL_CLOSE)),
    Case("until close, http/1.0 server", ((GET, Response(), End()),), closing(UNTIL_CLOSE_10)),
    Case("until close, http/1.0 client", ((GET_10, Response(), End()),), closing(UNTIL_CLOSE)),
    Case("until close, http/1.0 client that would keep", ((GET_10_KEEP, Response(), End()),), closing(UNTIL_CLOSE)),
    Case("chunked", ((GET, Response(), GET, Response(), Quiet()),), served(CHUNKED, OK), lines=2),
    Case(
        "trailers",
        ((GET, Response(), GET, Response(), Quiet()),),
        served(TRAILERS, OK),
        lines=2,
        differs={"client0.response0.trailers": Differs("X-T: one | X-U: two", "the bytes of a body are not rewritten")},
    ),
    Case(
        "chunked to http/1.0",
        ((GET_10, End()),),
        served(CHUNKED),
        differs={"client0.response0.headers": Differs("connection: close", NO_CODING)},
    ),
    Case(
        "chunked to http/1.0 that would keep",
        ((GET_10_KEEP, End(0.4)),),
        served(CHUNKED),
        differs={
            "client0.response0.headers": Differs("connection: close", NO_CODING),
            "client0.end": Differs("eof", NO_CODING),
            "client0.failure": Differs("(none)", NO_CODING),
        },
    ),
    Case("both http/1.0, close", ((GET_10, End()),), served(OK_10)),
    Case("both http/1.0, until close", ((GET_10, End()),), closing(UNTIL_CLOSE_10)),
    Case(
        "HEAD",
        ((Send(b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n"), Response("HEAD"), GET, Response(), Quiet()),),
        served(Send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"), OK),
        methods=("HEAD", "GET"),
        lines=2,
    ),
    Case(
        "HEAD chunked",
        ((Send(b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n"), Response("HEAD"), GET, Response(), Quiet()),),
        served(Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), OK),
        methods=("HEAD", "GET"),
        lines=2,
    ),
    Case(
        "HEAD without framing",
        ((Send(b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n"), Response("HEAD"), GET, Response(), Quiet()),),
        served(Send(b"HTTP/1.1 200 OK\r\n\r\n"), OK),
        methods=("HEAD", "GET"),
        lines=2,
    ),
    Case(
        "204",
        ((GET, Response(), GET, Response(), Quiet()),),
        served(Send(b"HTTP/1.1 204 No Content\r\n\r\n"), OK),
        lines=2,
    ),
    Case(
        "304",
        ((GET, Response(), GET, Response(), Quiet()),),
        served(Send(b'HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: "a"\r\n\r\n'), OK),
        lines=2,
    ),
    Case(
        "204 with a length",
        ((GET, Response(), GET, Response(), Quiet()),),
        served(Send(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"), OK),
        lines=2,
        expect={"client0.response0.headers": "", "client0.response1.body": "hello"},
        differs={
            "client0.end": Differs("open", LENGTH_0),
            "client0.failure": Differs("(none)", LENGTH_0),
            "client0.response0.headers": Differs("", LENGTH_0),
            "client0.response1": Differs("HTTP/1.1 200 OK", LENGTH_0),
            "log1": Differs("200 ---- GET /a HTTP/1.1", LENGTH_0),
            "s1.connection0.request1": Differs("GET /a HTTP/1.1", LENGTH_0),
        },
    ),
    Case(
        "absolute form",
        ((Send(b"GET http://x.test/b?c HTTP/1.1\r\nHost: x.test\r\n\r\n"), Response(), Quiet(0.05)),),
        served(OK),
    ),
    Case(
        "absolute form with a port",
        ((Send(b"GET http://x.test:80/b?c HTTP/1.1\r\nHost: x.test\r\n\r\n"), Response(), Quiet(0.05)),),
        served(OK),
        differs={"log0.request": Differs("GET http://x.test:80/b?c HTTP/1.1", "%r is what was received")},
    ),
    Case(
        "absolute form without Host",
        ((Send(b"GET http://x.test/b HTTP/1.1\r\n\r\n"), Response(), Quiet(0.05)),),
        served(OK),
    ),
    Case("OPTIONS *", ((Send(b"OPTIONS * HTTP/1.1\r\nHost: x.test\r\n\r\n"), Response(), Quiet(0.05)),), served(OK)),
    Case(
        "unknown method", ((Send(b"BREW /pot HTTP/1.1\r\nHost: x.test\r\n\r\n"), Response(), Quiet(0.05)),), served(OK)
    ),
    Case(
        "hop-by-hop headers",
        (
            (
                Send(
                    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, X-Own\r\nKeep-Alive: timeout=5\r\n"
                    b"X-Own: 1\r\nTE: trailers, gzip\r\nProxy-Connection: keep-alive\r\n\r\n"
                ),
                Response(),
                Quiet(0.05),
            ),
        ),
        served(
            Send(b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=9\r\nContent-Length: 0\r\n\r\n")
        ),
    ),
    Case("byte by byte", ((Send(GET.data, 1), Response(), Quiet(0.05)),), {"s1": ((Request(), Send(OK.data, 1)),)}),
    Case(
        "empty lines before",
        ((Send(b"\r\n\r\n" + GET.data), Response(), Send(b"\r\n"), Send(GET.data), Response(), Quiet(0.05)),),
        served(OK, OK),
        lines=2,
    ),
    Case("pipelined", ((Send(GET.data * 5), Response(times=5), Quiet(0.05)),), served(OK, OK, OK, OK, OK), lines=5),
    Case(
        "pipelined with close in the middle",
        ((Send(GET.data + GET_CLOSE.data + GET.data), Response(times=2), End()),),
        served(OK, OK, OK),
        lines=2,
    ),
    Case("pipelined and half-closed", ((Send(GET.data * 3), SHUT, End()),), served(OK, OK, OK), lines=3),
    Case(
        "pipelined with bodies",
        (
            (
                Send(
                    b"POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                    b"POST /2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ndef\r\n0\r\n\r\n"
                    b"GET /3 HTTP/1.1\r\nHost: x\r\n\r\n"
                ),
                Response(times=3),
                Quiet(0.05),
            ),
        ),
        served(OK, OK, OK),
        lines=3,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_as_haproxy(case: Case, plays: Plays) -> None:
    plays.compare(case)
