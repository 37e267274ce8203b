"""Options of proxies that show on the wire: forwardfor, error pages, monitor-uri, source, addresses, logs."""

from __future__ import annotations

import pytest
from maniple.tests.wire.rig.cases import Case, Differs
from maniple.tests.wire.rig.compare import Plays
from maniple.tests.wire.rig.peers import CLOSE, End, Quiet, Request, Response, Script, Send, Until
from maniple.tests.wire.rig.scripts import GET, OK, served

WITH_FORWARD = Send(b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n")
TWO_FORWARDS = Send(
    b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2\r\nA: b\r\n\r\n"
)
REFUSE = {"servers": "server s1 {refusing}", "back": "retries 0\n"}


def forwarded(name: str, front: str, back: str = "", send: Send = GET) -> Case:
    return Case(f"forwardfor {name}", ((send, Response(), Quiet(0.03)),), served(OK), front=front, back=back)


def spread(name: str, back: str, servers: str, requests: int = 6, ordered: bool = True) -> Case:
    """Requests of one client, one after the other; the servers say who they are. Not `ordered`: only how many go where
    is compared, not the turns."""
    client: Script = (*(step for _ in range(requests) for step in (GET, Response())), Quiet(0.03), CLOSE)
    origins = {}
    for server in ("s1", "s2", "s3"):
        answer = Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + server.encode())
        origins[server] = (tuple(step for _ in range(requests) for step in (Request(), answer)),)
    chance = () if ordered else ("client0.response", "log")
    return Case(name, (client,), origins, back=back, servers=servers, lines=requests, ignore=chance)


OWN_PAGE = (
    "the manual promises the page for this status too; HAProxy 3.0 honours only an empty one for what is no request"
)
AS_WRITTEN = "a page is sent as its author wrote it"

CASES = (
    forwarded("in the frontend", "option forwardfor"),
    forwarded("in the backend", "", "option forwardfor"),
    forwarded("in both", "option forwardfor", "option forwardfor"),
    forwarded("appended", "option forwardfor", send=WITH_FORWARD),
    forwarded("appended to two", "option forwardfor", send=TWO_FORWARDS),
    forwarded("if-none without one", "option forwardfor if-none"),
    forwarded("if-none with one", "option forwardfor if-none", send=WITH_FORWARD),
    forwarded("if-none on one side", "option forwardfor if-none", "option forwardfor", send=WITH_FORWARD),
    forwarded("if-none on both sides", "option forwardfor if-none", "option forwardfor if-none", send=WITH_FORWARD),
    forwarded("except", "option forwardfor except 127.0.0.0/8"),
    forwarded("except another", "option forwardfor except 10.0.0.0/8"),
    forwarded("header", "option forwardfor header X-Client"),
    forwarded("header of the backend", "option forwardfor header X-Client", "option forwardfor header X-Real"),
    forwarded("header of the frontend, plain in the backend", "option forwardfor header X-Client", "option forwardfor"),
    forwarded("except in the frontend only", "option forwardfor except 127.0.0.0/8", "option forwardfor"),
    # Error pages.
    Case(
        "errorloc302",
        ((GET, Response(), Quiet(0.03)),),
        back=REFUSE["back"] + "errorloc302 503 http://e.test/503",
        servers=REFUSE["servers"],
    ),
    Case(
        "errorloc303",
        ((GET, Response(), Quiet(0.03)),),
        back=REFUSE["back"] + "errorloc303 503 http://e.test/503",
        servers=REFUSE["servers"],
    ),
    Case(
        "errorloc in the frontend",
        ((GET, Response(), Quiet(0.03)),),
        front="errorloc 503 http://e.test/503",
        back=REFUSE["back"],
        servers=REFUSE["servers"],
    ),
    Case(
        "errorloc in both",
        ((GET, Response(), Quiet(0.03)),),
        front="errorloc 503 http://f.test/503",
        back=REFUSE["back"] + "errorloc 503 http://b.test/503",
        servers=REFUSE["servers"],
    ),
    Case(
        "errorloc for a bad request",
        ((Send(b"x\r\n\r\n"), End()),),
        front="errorloc 400 http://e.test/400",
        servers=REFUSE["servers"],
        differs={
            "client0.response0.start": Differs("HTTP/1.1 302 Found", OWN_PAGE),
            "client0.response0.headers": Differs(
                "cache-control: no-cache | content-length: 0 | location: http://e.test/400", OWN_PAGE
            ),
            "client0.response0.body": Differs("", OWN_PAGE),
        },
    ),
    Case(
        "errorfile",
        ((GET, Response(), Quiet(0.03)),),
        front="errorfile 503 {folder}/503.http",
        back=REFUSE["back"],
        servers=REFUSE["servers"],
        differs={
            "client0.response0.headers": Differs(
                "Cache-Control: no-cache | Content-Type: text/plain | connection: close", AS_WRITTEN
            )
        },
    ),
    Case(
        "errorfile, HEAD",
        ((Send(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"), Response("HEAD"), Quiet(0.03)),),
        front="errorfile 503 {folder}/503.http",
        back=REFUSE["back"],
        servers=REFUSE["servers"],
        methods=("HEAD",),
        differs={
            "client0.response0.headers": Differs(
                "Cache-Control: no-cache | Content-Type: text/plain | connection: close", AS_WRITTEN
            )
        },
    ),
    Case(
        "errorfile for a bad request",
        ((Send(b"x\r\n\r\n"), End()),),
        front="errorfile 400 {folder}/400.http",
        servers=REFUSE["servers"],
        differs={
            "client0.response0.start": Differs("HTTP/1.1 400 What", OWN_PAGE),
            "client0.response0.headers": Differs("Content-Type: text/plain", OWN_PAGE),
            "client0.response0.body": Differs("not understood\\n", OWN_PAGE),
        },
    ),
    Case(
        "errorfile for nobody",
        ((End(),),),
        front="errorfile 408 /dev/null\ntimeout http-request 100ms",
        servers=REFUSE["servers"],
    ),
    # monitor-uri.
    Case(
        "monitor-uri",
        ((Send(b"GET /alive HTTP/1.1\r\nHost: x\r\n\r\n"), Response(), GET, Response(), Quiet(0.03)),),
        served(OK),
        front="monitor-uri /alive",
        lines=1,
    ),
    Case(
        "monitor-uri, HEAD",
        ((Send(b"HEAD /alive HTTP/1.0\r\n\r\n"), End()),),
        served(OK),
        front="monitor-uri /alive",
        lines=0,
        methods=("HEAD",),
    ),
    Case(
        "monitor-uri with a query",
        ((Send(b"GET /alive?a HTTP/1.1\r\nHost: x\r\n\r\n"), Response(), Quiet(0.03)),),
        served(OK),
        front="monitor-uri /alive",
    ),
    # Addresses.
    Case("unix socket", ((GET, Response(), Quiet(0.03)),), {"unix1": ((Request(), OK),)}, servers="server s1 {unix1}"),
    Case("source", ((GET, Response(), Quiet(0.03)),), served(OK), servers="server s1 {s1} source 127.0.0.5"),
    Case("source of the backend", ((GET, Response(), Quiet(0.03)),), served(OK), back="source 127.0.0.6"),
    # Who gets what.
    spread("roundrobin", "balance roundrobin", "server s1 {s1}\nserver s2 {s2}\nserver s3 {s3}"),
    spread(
        "weights",
        "balance roundrobin",
        "server s1 {s1} weight 3\nserver s2 {s2} weight 2\nserver s3 {s3} weight 1",
        12,
        ordered=False,
    ),
    spread(
        "static-rr",
        "balance static-rr",
        "server s1 {s1} weight 3\nserver s2 {s2} weight 2\nserver s3 {s3} weight 1",
        12,
        ordered=False,
    ),
    spread("weight 0", "balance roundrobin", "server s1 {s1} weight 0\nserver s2 {s2}\nserver s3 {s3}"),
    spread("leastconn", "balance leastconn", "server s1 {s1}\nserver s2 {s2}\nserver s3 {s3}"),
    spread("first", "balance first", "server s1 {s1}\nserver s2 {s2}\nserver s3 {s3}"),
    spread("backup not used", "balance roundrobin", "server s1 {s1}\nserver s2 {s2} backup\nserver s3 {s3} backup"),
    spread(
        "first backup", "balance roundrobin", "server s1 {s1} disabled\nserver s2 {s2} backup\nserver s3 {s3} backup"
    ),
    spread(
        "allbackups",
        "balance roundrobin\noption allbackups",
        "server s1 {s1} disabled\nserver s2 {s2} backup\nserver s3 {s3} backup",
    ),
    Case(
        "tcp to unix",
        ((Send(b"ping"), Until(b"pong"), CLOSE),),
        {"unix1": ((Until(b"ping"), Send(b"pong"), End(), CLOSE),)},
        servers="server s1 {unix1}",
        mode="tcp",
        raw=True,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_as_haproxy(case: Case, plays: Plays) -> None:
    plays.compare(case)
