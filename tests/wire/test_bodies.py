"""Uploads, interim responses, early answers, streams."""

from __future__ import annotations

import pytest
from maniple.tests.wire.rig.cases import Case, Differs
from maniple.tests.wire.rig.compare import Plays
from maniple.tests.wire.rig.peers import CLOSE, Await, End, Quiet, Raise, Request, Response, Send, Sleep, Until
from maniple.tests.wire.rig.scripts import GET, OK, served

LARGE = bytes(range(256)) * 4096  # 1 MiB
POST = Send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE)
CHUNKED_POST = Send(
    b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"".join(b"%x\r\n%b\r\n" % (size, LARGE[:size]) for size in (1, 10, 1000, 70000, 300000))
    + b"0\r\nx-trailer: a\r\n\r\n"
)
EXPECT = Send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
CONTINUE = Send(b"HTTP/1.1 100 Continue\r\n\r\n")
HINTS = Send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
FORBIDDEN = Send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!")
FORBIDDEN_CLOSE = Send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!")

SAYS_SO = "the server has closed, so the client is told at once; HAProxy waits for its time-out (cL)"
ONCE = "when the client's time is over and logged it is seen off; HAProxy waits for a second time-out"
NOT_1_0 = "RFC 9110 15.2: no interim responses to HTTP/1.0"

CASES = (
    Case("upload of 1 MiB", ((POST, Response(), GET, Response(), Quiet(0.03)),), served(OK, OK), lines=2),
    Case("upload in chunks", ((CHUNKED_POST, Response(), GET, Response(), Quiet(0.03)),), served(OK, OK), lines=2),
    Case(
        "upload in small pieces",
        (
            (
                Send(
                    b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
                    1,
                ),
                Response(),
                Quiet(0.03),
            ),
        ),
        served(OK),
    ),
    Case(
        "upload before there is a server",
        ((POST, Response(), Quiet(0.03)),),
        served(OK),
        servers="server s0 {refusing}\nserver s1 {s1}",
        back="option redispatch",
    ),
    Case(
        "upload that waits in the queue",
        ((GET, Response(), CLOSE), (Await("asked"), POST, Response(), CLOSE)),
        {"s1": ((Request(), Raise("asked"), Sleep(0.15), OK, Request(), OK), (Request(), OK))},
        servers="server s1 {s1} maxconn 1",
        ignore=("s1.connection",),
        lines=2,
    ),
    Case(
        "download of 1 MiB",
        ((GET, Response(), GET, Response(), Quiet(0.03)),),
        served(Send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE), OK),
        lines=2,
    ),
    Case(
        "download in chunks",
        ((GET, Response(), GET, Response(), Quiet(0.03)),),
        served(
            Send(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + b"".join(b"%x\r\n%b\r\n" % (size, LARGE[:size]) for size in (1, 10, 1000, 70000, 300000))
                + b"0\r\n\r\n"
            ),
            OK,
        ),
        lines=2,
    ),
    Case(
        "download until close",
        ((GET, Response(), End()),),
        {"s1": ((Request(), Send(b"HTTP/1.1 200 OK\r\n\r\n" + LARGE), CLOSE),)},
    ),
    Case(
        "PUT of nothing",
        ((Send(b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), Response(), Quiet(0.03)),),
        served(OK),
    ),
    Case(
        "POST without a length", ((Send(b"POST /a HTTP/1.1\r\nHost: x\r\n\r\n"), Response(), Quiet(0.03)),), served(OK)
    ),
    Case(
        "length and coding",
        (
            (
                Send(
                    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                ),
                Response(),
                End(0.3),
            ),
        ),
        served(OK),
    ),
    Case(
        "HTTP/1.0 upload",
        ((Send(b"POST /a HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"), Response(), End(0.3)),),
        served(OK),
    ),
    # Interim responses.
    Case(
        "Expect, the server says continue",
        ((EXPECT, Until(b"100 Continue\r\n\r\n"), Send(b"hello"), Until(b"hello"), Quiet(0.03)),),
        {"s1": ((Until(b"\r\n\r\n"), CONTINUE, Until(b"hello"), OK),)},
    ),
    Case(
        "Expect, the server refuses",
        ((EXPECT, Until(b"no!"), Quiet(0.05)),),
        {"s1": ((Until(b"\r\n\r\n"), FORBIDDEN),)},
        differs={"client0.end": Differs("eof", ONCE)},
    ),
    Case(
        "Expect, the server refuses and closes",
        ((EXPECT, Until(b"no!"), End(0.3)),),
        {"s1": ((Until(b"\r\n\r\n"), FORBIDDEN_CLOSE, CLOSE),)},
        differs={
            "client0.end": Differs("eof", SAYS_SO),
            "client0.failure": Differs("(none)", SAYS_SO),
            "log0.state": Differs("----", SAYS_SO),
        },
    ),
    Case(
        "Expect, the body comes at once",
        ((Send(EXPECT.data + b"hello"), Response("POST"), Quiet(0.03)),),
        {"s1": ((Request(), CONTINUE, OK),)},
    ),
    Case(
        "Expect, HTTP/1.0",
        (
            (
                Send(b"POST /a HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"),
                Sleep(0.05),
                Send(b"hello"),
                End(0.3),
            ),
        ),
        {"s1": ((Until(b"hello"), OK),)},
    ),
    Case(
        "103",
        ((GET, Response(), GET, Response(), Quiet(0.03)),),
        {"s1": ((Request(), HINTS, Sleep(0.03), OK, Request(), Send(HINTS.data * 3 + OK.data)),)},
        lines=2,
    ),
    Case(
        "103 to HTTP/1.0",
        ((Send(b"GET / HTTP/1.0\r\n\r\n"), End()),),
        served(Send(HINTS.data + OK.data)),
        differs={
            "client0.response0.start": Differs("HTTP/1.1 200 OK", NOT_1_0),
            "client0.response0.body": Differs("hello", NOT_1_0),
            "client0.response0.headers": Differs("content-length: 5 | x-up: A | connection: close", NOT_1_0),
            "client0.response1": Differs("(none)", NOT_1_0),
        },
    ),
    Case(
        "102 then failure",
        ((GET, End(0.3)),),
        {"s1": ((Request(), Send(b"HTTP/1.1 102 Processing\r\n\r\n"), Sleep(0.03), CLOSE),)},
    ),
    Case("100 that nobody asked for", ((GET, Until(b"hello"), Quiet(0.03)),), served(Send(CONTINUE.data + OK.data))),
    # The server answers before it has the whole request.
    Case(
        "early answer, keep-alive, then the rest",
        (
            (
                Send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"),
                Until(b"no!"),
                Send(b"defghij"),
                Quiet(0.05),
                GET,
                Response(),
                Quiet(0.03),
            ),
        ),
        {"s1": ((Until(b"abc"), FORBIDDEN, Until(b"j"), Request(), OK),)},
        lines=2,
    ),
    Case(
        "early answer and close",
        (
            (
                Send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"),
                Until(b"no!"),
                Quiet(0.05),
                Send(b"defghij"),
                End(0.3),
            ),
        ),
        {"s1": ((Until(b"abc"), FORBIDDEN_CLOSE, CLOSE),)},
        differs={"client0.end": Differs("eof", SAYS_SO), "client0.failure": Differs("(none)", SAYS_SO)},
    ),
    Case(
        "early answer to a large upload",
        ((POST, Until(b"no!"), End(0.5)),),
        {"s1": ((Until(b"\r\n\r\n"), FORBIDDEN_CLOSE, Sleep(0.05), CLOSE),)},
        ignore=("s1",),
    ),
    # Streams.
    Case(
        "events one by one",
        ((GET, Until(b"one"), Raise("1"), Until(b"two"), Raise("2"), Until(b"three"), End()),),
        {
            "s1": (
                (
                    Request(),
                    Send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"),
                    Send(b"data: one\n\n"),
                    Await("1"),
                    Send(b"data: two\n\n"),
                    Await("2"),
                    Send(b"data: three\n\n"),
                    CLOSE,
                ),
            )
        },
    ),
    Case(
        "chunks one by one",
        ((GET, Until(b"one"), Raise("1"), Until(b"two"), Raise("2"), Until(b"0\r\n\r\n"), Quiet(0.03)),),
        {
            "s1": (
                (
                    Request(),
                    Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
                    Send(b"3\r\none\r\n"),
                    Await("1"),
                    Send(b"3\r\ntwo\r\n"),
                    Await("2"),
                    Send(b"0\r\n\r\n"),
                ),
            )
        },
    ),
    Case(
        "head before the body",
        ((GET, Until(b"\r\n\r\n"), Raise("1"), Until(b"abc"), Quiet(0.03)),),
        {"s1": ((Request(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"), Await("1"), Send(b"abc")),)},
    ),
    Case(
        "both ways at a time",
        (
            (
                Send(b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"),
                Until(b"A"),
                Send(b"1\r\nb\r\n"),
                Until(b"B"),
                Send(b"0\r\n\r\n"),
                Until(b"0\r\n\r\n"),
                Quiet(0.03),
            ),
        ),
        {
            "s1": (
                (
                    Until(b"a\r\n"),
                    Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n"),
                    Until(b"b\r\n"),
                    Send(b"1\r\nB\r\n"),
                    Until(b"0\r\n\r\n"),
                    Send(b"0\r\n\r\n"),
                ),
            )
        },
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_as_haproxy(case: Case, plays: Plays) -> None:
    plays.compare(case)
