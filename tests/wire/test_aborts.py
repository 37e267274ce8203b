"""Clients that leave: CC, CQ, CH, CD, with and without `option abortonclose`."""

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
from maniple.tests.wire.rig.scripts import GET, OK, served

SLOW = {"s1": ((Request(), Raise("asked"), Quiet(0.25), OK),)}
HALF = Send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc")
POST_HALF = Send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
POST_CHUNK = Send(b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
ABORT = "option abortonclose"
FULL = {"s1": ((Request(), Raise("asked"), Quiet(0.3), OK, Request(), OK),)}

GONE = "a client that has reset its connection cannot be answered: its server is not kept busy for nothing"
UNSENT = "only bytes that were sent are counted"
LATE = "reference 3.1: 408 is what a request is told that did not come in time (HAProxy 3.0: 400)"
TIMEOUT_PAGE = (
    r"<html><body><h1>408 Request Time-out</h1>\nYour browser didn't send a complete request in time.\n</body></html>\n"
)

CASES = (
    Case("closes while the server works", ((GET, Await("asked"), CLOSE),), SLOW),
    Case("closes while the server works, abortonclose", ((GET, Await("asked"), CLOSE),), SLOW, back=ABORT),
    Case(
        "resets while the server works",
        ((GET, Await("asked"), RESET),),
        SLOW,
        differs={
            "log0.size": Differs("0", GONE),
            "log0.state": Differs("CH--", GONE),
            "log0.status": Differs("400", GONE),
            "log0.timers": Differs("n/n/n/-1/n", GONE),
            "s1.connection0.end": Differs("closed", GONE),
        },
    ),
    Case(
        "resets while the server works, abortonclose",
        ((GET, Await("asked"), RESET),),
        SLOW,
        back=ABORT,
        differs={"log0.size": Differs("0", GONE), "log0.state": Differs("CH--", GONE)},
    ),
    Case("half-closes while the server works", ((GET, Await("asked"), SHUT, End()),), SLOW),
    Case("half-closes while the server works, abortonclose", ((GET, Await("asked"), SHUT, End()),), SLOW, back=ABORT),
    Case(
        "half-closes while queued, abortonclose",
        ((GET, Response(), Raise("done"), CLOSE), (Await("asked"), GET, Sleep(0.05), SHUT, End())),
        FULL,
        servers="server s1 {s1} maxconn 1",
        back=ABORT,
        ignore=("log",),
        lines=2,
    ),
    Case(
        "half-closes while queued",
        ((GET, Response(), Raise("done"), CLOSE), (Await("asked"), GET, Sleep(0.05), SHUT, End())),
        FULL,
        servers="server s1 {s1} maxconn 1",
        lines=2,
    ),
    Case(
        "resets while queued",
        ((GET, Response(), Raise("done"), CLOSE), (Await("asked"), GET, Sleep(0.05), RESET)),
        FULL,
        servers="server s1 {s1} maxconn 1",
        lines=2,
        settle=0.2,
        compared=False,
        expect={"log0.state": "CQ--", "log1.state": "----", "s1.connections": "1"},
    ),
    Case(
        "half-closes while connecting",
        ((GET, Sleep(0.05), SHUT, End()),),
        servers="server s1 {hanging}",
        back="timeout connect 200ms\nretries 0",
    ),
    Case(
        "half-closes while connecting, abortonclose",
        ((GET, Sleep(0.05), SHUT, End()),),
        servers="server s1 {hanging}",
        back="timeout connect 300ms\nretries 0\n" + ABORT,
    ),
    Case(
        "resets while connecting",
        ((GET, Sleep(0.05), RESET),),
        servers="server s1 {hanging}",
        back="timeout connect 200ms\nretries 0",
        differs={
            "log0.size": Differs("0", GONE),
            "log0.state": Differs("CC--", GONE),
            "log0.status": Differs("-1", GONE),
        },
    ),
    Case("resets in the response", ((GET, Until(b"abc"), RESET),), {"s1": ((Request(), HALF, Quiet(0.3)),)}),
    Case(
        "closes in the response",
        ((GET, Until(b"abc"), CLOSE),),
        {"s1": ((Request(), HALF, Sleep(0.05), Send(b"d" * 1000), Sleep(0.05), Send(b"d" * 1000), Quiet(0.3)),)},
        ignore=("client0.response0.body",),
    ),
    Case(
        "closes in an upload",
        ((POST_HALF, Await("up"), CLOSE),),
        {"s1": ((Until(b"abc"), Raise("up"), Quiet(0.5)),)},
        differs={"log0.size": Differs("0", UNSENT)},
    ),
    Case(
        "half-closes in an upload",
        ((POST_HALF, Await("up"), SHUT, End()),),
        {"s1": ((Until(b"abc"), Raise("up"), Quiet(0.5)),)},
        differs={"log0.size": Differs("0", UNSENT)},
    ),
    Case(
        "half-closes in a chunked upload",
        ((POST_CHUNK, Await("up"), SHUT, End()),),
        {"s1": ((Until(b"abc"), Raise("up"), Quiet(0.5)),)},
        differs={"log0.size": Differs("0", UNSENT)},
    ),
    Case(
        "resets in an upload",
        ((POST_HALF, Await("up"), RESET),),
        {"s1": ((Until(b"abc"), Raise("up"), Quiet(0.5)),)},
        differs={"log0.size": Differs("0", UNSENT)},
    ),
    Case(
        "stalls in an upload",
        ((POST_HALF, End()),),
        {"s1": ((Until(b"abc"), Quiet(0.5)),)},
        times="timeout client 150ms",
        differs={
            "client0.response0.start": Differs("HTTP/1.1 408 Request Time-out", LATE),
            "client0.response0.body": Differs(TIMEOUT_PAGE, LATE),
            "client0.response0.headers": Differs(
                "content-length: 110 | cache-control: no-cache | content-type: text/html | connection: close", LATE
            ),
            "log0.status": Differs("408", LATE),
        },
    ),
    Case(
        "stalls in an upload, server faster",
        ((POST_HALF, End()),),
        {"s1": ((Until(b"abc"), Quiet(0.5)),)},
        times="timeout client 400ms\ntimeout server 150ms",
        differs={
            "client0.response0.start": Differs("HTTP/1.1 408 Request Time-out", LATE),
            "client0.response0.body": Differs(TIMEOUT_PAGE, LATE),
            "client0.response0.headers": Differs(
                "content-length: 110 | cache-control: no-cache | content-type: text/html | connection: close", LATE
            ),
            "log0.status": Differs("408", LATE),
        },
    ),
    Case("leaves after an answer without having read it", ((GET, Sleep(0.05), CLOSE),), served(OK)),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_as_haproxy(case: Case, plays: Plays) -> None:
    plays.compare(case)
