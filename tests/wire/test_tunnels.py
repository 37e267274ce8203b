"""Opaque bytes both ways: upgrades, CONNECT, `mode tcp`; half-close and the time-outs."""

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
    Script,
    Send,
    Sleep,
    Until,
)

KEY = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
UPGRADE = Send(b"GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + KEY + b"\r\n")
SWITCH = Send(
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
CONNECT = Send(b"CONNECT y.test:443 HTTP/1.1\r\nHost: y.test:443\r\n\r\n")
ESTABLISHED = Send(b"HTTP/1.1 200 Connection established\r\n\r\n")
ECHO: Script = (Until(b"\r\n\r\n"), SWITCH, Until(b"ping"), Send(b"pong"))
PING = Send(b"ping")
SHORT = "timeout tunnel 150ms\ntimeout client 3s\ntimeout server 3s"


def tcp(name: str, client: Script, server: Script, *, times: str = "", **more: object) -> Case:
    return Case(name, (client,), {"s1": (server,)}, mode="tcp", raw=True, times=times, **more)  # type: ignore[arg-type]


HALF_CLOSE = "half-close works both ways; HAProxy ends an upgraded connection when its server ends"
TOKEN = "S15: without an Upgrade to h2c there is nothing that the token upgrade could name"

CASES = (
    Case("upgrade", ((UPGRADE, Until(b"\r\n\r\n"), PING, Until(b"pong"), CLOSE),), {"s1": ((*ECHO, End()),)}),
    Case(
        "upgrade, the server closes",
        ((UPGRADE, Until(b"\r\n\r\n"), PING, Until(b"pong"), End()),),
        {"s1": ((*ECHO, CLOSE),)},
    ),
    Case(
        "upgrade, the client half-closes",
        ((UPGRADE, Until(b"\r\n\r\n"), PING, SHUT, Until(b"last"), End()),),
        {"s1": ((*ECHO, End(), Send(b"last"), CLOSE),)},
    ),
    Case(
        "upgrade, the server half-closes",
        ((UPGRADE, Until(b"\r\n\r\n"), PING, Until(b"pong"), End(), Send(b"last"), CLOSE),),
        {"s1": ((*ECHO, SHUT, Until(b"last"), End()),)},
        differs={"s1.connection0.rest": Differs("b'pinglast'", HALF_CLOSE)},
    ),
    Case(
        "upgrade, bytes right behind the 101",
        ((UPGRADE, Until(b"hello"), PING, CLOSE),),
        {"s1": ((Until(b"\r\n\r\n"), Send(SWITCH.data + b"hello"), End()),)},
    ),
    Case(
        "upgrade, bytes right behind the request",
        ((Send(UPGRADE.data + b"early"), Until(b"\r\n\r\n"), PING, Sleep(0.05), CLOSE),),
        {"s1": ((Until(b"\r\n\r\n"), Sleep(0.05), SWITCH, End()),)},
    ),
    Case(
        "upgrade, silence",
        ((UPGRADE, Until(b"\r\n\r\n"), End()),),
        {"s1": ((Until(b"\r\n\r\n"), SWITCH, End()),)},
        times=SHORT,
    ),
    Case(
        "upgrade, silence without timeout tunnel",
        ((UPGRADE, Until(b"\r\n\r\n"), End()),),
        {"s1": ((Until(b"\r\n\r\n"), SWITCH, End()),)},
        times="timeout client 200ms\ntimeout server 200ms",
    ),
    Case(
        "upgrade, kept alive by bytes",
        ((UPGRADE, Until(b"\r\n\r\n"), *(step for _ in range(4) for step in (PING, Sleep(0.06))), CLOSE),),
        {"s1": ((Until(b"\r\n\r\n"), SWITCH, End()),)},
        times=SHORT,
    ),
    Case(
        "upgrade, client-fin",
        ((UPGRADE, Until(b"\r\n\r\n"), SHUT, End()),),
        {"s1": ((Until(b"\r\n\r\n"), SWITCH, Quiet(0.6)),)},
        times="timeout client-fin 100ms\ntimeout tunnel 3s",
    ),
    Case(
        "upgrade, server-fin",
        ((UPGRADE, Until(b"\r\n\r\n"), End(), Quiet(0.5)),),
        {"s1": ((Until(b"\r\n\r\n"), SWITCH, SHUT, End()),)},
        times="timeout server-fin 100ms\ntimeout tunnel 3s",
    ),
    Case(
        "upgrade, the client resets",
        ((UPGRADE, Until(b"\r\n\r\n"), PING, Until(b"pong"), RESET),),
        {"s1": ((*ECHO, End()),)},
    ),
    Case(
        "upgrade, the server resets",
        ((UPGRADE, Until(b"\r\n\r\n"), PING, Until(b"pong"), End()),),
        {"s1": ((*ECHO, Sleep(0.03), RESET),)},
    ),
    Case(
        "upgrade refused",
        ((UPGRADE, Response(), Quiet(0.03)),),
        {"s1": ((Until(b"\r\n\r\n"), Send(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")),)},
    ),
    Case(
        "upgrade ignored",
        ((UPGRADE, Response(), Send(b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n"), Response(), Quiet(0.03)),),
        {
            "s1": (
                (
                    Request(),
                    Send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
                    Request(),
                    Send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
                ),
            )
        },
        lines=2,
    ),
    Case(
        "upgrade to h2c",
        (
            (
                Send(
                    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                    b"HTTP2-Settings: AA\r\n\r\n"
                ),
                Response(),
                Quiet(0.03),
            ),
        ),
        {"s1": ((Request(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),)},
        differs={
            "s1.connection0.request0.headers": Differs(
                "host: x | http2-settings: AA | connection: http2-settings", TOKEN
            )
        },
    ),
    Case(
        "CONNECT",
        ((CONNECT, Until(b"\r\n\r\n"), PING, Until(b"pong"), CLOSE),),
        {"s1": ((Until(b"\r\n\r\n"), ESTABLISHED, Until(b"ping"), Send(b"pong"), End()),)},
        methods=("CONNECT",),
    ),
    Case(
        "CONNECT refused",
        ((CONNECT, Until(b"no"), Quiet(0.05)),),
        {"s1": ((Until(b"\r\n\r\n"), Send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")),)},
        methods=("CONNECT",),
    ),
    Case(
        "CONNECT, bytes at once",
        ((Send(CONNECT.data + b"ping"), Until(b"pong"), CLOSE),),
        {"s1": ((Until(b"\r\n\r\n"), ESTABLISHED, Until(b"ping"), Send(b"pong"), End()),)},
        methods=("CONNECT",),
    ),
    tcp("tcp", (PING, Until(b"pong"), CLOSE), (Until(b"ping"), Send(b"pong"), End())),
    tcp("tcp, the server speaks first", (Until(b"220"), PING, End()), (Send(b"220"), Until(b"ping"), CLOSE)),
    tcp(
        "tcp, the client half-closes",
        (PING, SHUT, Until(b"pong"), End()),
        (Until(b"ping"), End(), Send(b"pong"), CLOSE),
    ),
    tcp(
        "tcp, the server half-closes", (Until(b"220"), End(), PING, CLOSE), (Send(b"220"), SHUT, Until(b"ping"), End())
    ),
    tcp("tcp, client gone at once", (CLOSE,), (End(),)),
    tcp("tcp, the client resets", (PING, Until(b"pong"), RESET), (Until(b"ping"), Send(b"pong"), End())),
    tcp("tcp, the server resets", (PING, Until(b"pong"), End()), (Until(b"ping"), Send(b"pong"), Sleep(0.03), RESET)),
    tcp("tcp, the server closes at once", (End(),), (CLOSE,)),
    tcp("tcp, silence", (End(),), (End(),), times="timeout client 150ms\ntimeout server 400ms"),
    tcp("tcp, silence, server timeout first", (End(),), (End(),), times="timeout client 400ms\ntimeout server 150ms"),
    tcp(
        "tcp, server-fin",
        (PING, SHUT, End()),
        (Until(b"ping"), Quiet(0.6)),
        times="timeout server-fin 100ms\ntimeout server 3s\ntimeout client 3s",
    ),
    tcp(
        "tcp, client-fin",
        (Quiet(0.6),),
        (Send(b"220"), SHUT, End()),
        times="timeout client-fin 100ms\ntimeout server 3s\ntimeout client 3s",
    ),
    tcp(
        "tcp, a mebibyte",
        (Send(b"a" * 1048576), SHUT, End()),
        (End(), Send(b"b" * 1048576), CLOSE),
        ignore=("client0.raw", "s1.connection0.raw"),
    ),
    tcp(
        "tcp, refused",
        (End(),),
        (End(),),
        servers="server s1 {refusing}",
        times="timeout connect 50ms\nretries 1",
        ignore=("s1",),
    ),
    tcp(
        "tcp, connect timeout",
        (PING, End()),
        (End(),),
        servers="server s1 {hanging}",
        times="timeout connect 100ms\nretries 0",
        ignore=("s1",),
    ),
    Case("tcp, no server", ((End(),),), mode="tcp", raw=True),
    Case(
        "tcp, queued",
        ((PING, Until(b"pong"), Raise("first"), Sleep(0.1), CLOSE), (Await("first"), PING, Until(b"pong"), CLOSE)),
        {"s1": ((Until(b"ping"), Send(b"pong"), End()),)},
        mode="tcp",
        raw=True,
        servers="server s1 {s1} maxconn 1",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_as_haproxy(case: Case, plays: Plays) -> None:
    plays.compare(case)
