"""Which server connection carries which request: strategies, close modes, and what a failed reused one means (T6)."""

from __future__ import annotations

import pytest
from maniple.tests.wire.rig.cases import Case, Differs
from maniple.tests.wire.rig.compare import Plays
from maniple.tests.wire.rig.peers import CLOSE, RESET, Await, End, Quiet, Raise, Request, Response, Script, Send, Sleep
from maniple.tests.wire.rig.scripts import GET, OK, served

MANY: Script = tuple(step for _ in range(12) for step in (Request(), OK))
ONE: Script = (GET, Response(), Quiet(0.03), CLOSE)
TWO: Script = (GET, Response(), GET, Response(), Quiet(0.03), CLOSE)


def in_turn(*scripts: Script) -> tuple[Script, ...]:
    """Clients that start one after the other."""
    ordered: list[Script] = []
    for number, script in enumerate(scripts):
        before: Script = (Await(f"turn{number}"),) if number else ()
        ordered.append((*before, *script, Raise(f"turn{number + 1}")))
    return tuple(ordered)


def strategy(name: str) -> Case:
    return Case(
        f"http-reuse {name}", in_turn(ONE, TWO, ONE, TWO, TWO), {"s1": (MANY,)}, back=f"http-reuse {name}", lines=8
    )


def dies(name: str, reuse: str, clients: tuple[Script, ...], lines: int) -> Case:
    """The server closes its first connection instead of answering its second request."""
    return Case(
        name, clients, {"s1": ((Request(), OK, Request(), CLOSE), MANY)}, back=f"http-reuse {reuse}", lines=lines
    )


LITERAL = "max-reuse counts every use; HAProxy does not count those of the session that opened the connection"

CASES = (
    *(strategy(name) for name in ("never", "safe", "aggressive", "always")),
    # T6.
    Case(
        "reused closes, later request",
        ((GET, Response(), GET, End()),),
        {"s1": ((Request(), OK, Request(), CLOSE), MANY)},
        lines=1,
        expect={"client0.end": "eof", "client0.rest": "b''", "log1": "(none)"},
    ),
    Case(
        "reused resets, later request",
        ((GET, Response(), GET, End()),),
        {"s1": ((Request(), OK, Request(), RESET), MANY)},
        lines=1,
    ),
    Case(
        "reused closes in the head, later request",
        ((GET, Response(), GET, End(0.3)),),
        {"s1": ((Request(), OK, Request(), Send(b"HTTP/1.1 2"), CLOSE), MANY)},
        lines=2,
    ),
    Case(
        "reused stalls, later request",
        ((GET, Response(), GET, Response(), Quiet(0.05)),),
        {"s1": ((Request(), OK, Request(), Quiet(1)), MANY)},
        lines=2,
        times="timeout server 150ms",
    ),
    dies("reused closes, first request, always", "always", in_turn(ONE, (GET, End(0.3))), 2),
    dies("reused closes, later request, aggressive", "aggressive", ((GET, Response(), GET, End()),), 1),
    dies("reused closes, later request, never", "never", ((GET, Response(), GET, End(0.3)),), 2),
    Case(
        "server closes what waits",
        ((GET, Response(), Sleep(0.1), GET, Response(), Quiet(0.03)),),
        {"s1": ((Request(), OK, CLOSE), MANY)},
        lines=2,
    ),
    Case(
        "new connection closed, later request",
        ((GET, Response(), Sleep(0.1), GET, Quiet(0.2)),),
        {"s1": ((Request(), OK, CLOSE), (Request(), CLOSE))},
        lines=2,
    ),
    Case(
        "new connection refused, later request",
        ((Send(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"), Response(), GET, Quiet(0.2)),),
        served(OK),
        servers="server s1 {s1}\nserver s2 {refusing}",
        back="retries 0",
        lines=2,
    ),
    Case(
        "connect timeout, later request",
        ((Send(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"), Response(), GET, Quiet(0.3)),),
        served(OK),
        servers="server s1 {s1}\nserver s2 {hanging}",
        back="retries 0\ntimeout connect 100ms",
        lines=2,
    ),
    Case(
        "server stalls, later request on a new connection",
        ((GET, Response(), GET, Response(), Quiet(0.05)),),
        {"s1": ((Request(), OK, CLOSE), (Request(), Quiet(1)))},
        lines=2,
        times="timeout server 150ms",
        back="option http-server-close",
    ),
    # Close modes.
    Case("httpclose in the frontend", ((GET, Response(), End(0.3)),), {"s1": (MANY,)}, front="option httpclose"),
    Case(
        "httpclose in the backend",
        ((GET, Response(), GET, Response(), Quiet(0.05)),),
        {"s1": (MANY,)},
        back="option httpclose",
        lines=2,
    ),
    Case(
        "http-server-close in the frontend",
        ((GET, Response(), GET, Response(), Quiet(0.05)),),
        {"s1": (MANY,)},
        front="option http-server-close",
        lines=2,
    ),
    Case(
        "http-server-close in the backend",
        ((GET, Response(), GET, Response(), Quiet(0.05)),),
        {"s1": (MANY,)},
        back="option http-server-close",
        lines=2,
    ),
    Case(
        "http-server-close, HTTP/1.0",
        ((Send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), Response(), Quiet(0.05)),),
        {"s1": (MANY,)},
        back="option http-server-close",
    ),
    Case(
        "httpclose, HTTP/1.0",
        ((Send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), Response(), End(0.3)),),
        {"s1": (MANY,)},
        front="option httpclose",
    ),
    Case(
        "client closes, server may be kept",
        in_turn(
            (Send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), End()), (GET, Response(), Quiet(0.03))
        ),
        {"s1": (MANY,)},
        back="http-reuse always",
    ),
    Case(
        "HTTP/1.0 client, server may be kept",
        in_turn((Send(b"GET / HTTP/1.0\r\n\r\n"), End()), (GET, Response(), Quiet(0.03))),
        {"s1": (MANY,)},
        back="http-reuse always",
    ),
    Case(
        "max-reuse",
        ((*(step for _ in range(5) for step in (GET, Response())), Quiet(0.03)),),
        {"s1": (MANY,)},
        servers="server s1 {s1} max-reuse 1",
        lines=5,
        differs={
            "s1.connections": Differs("3", LITERAL),
            "s1.connection0.end": Differs("closed", LITERAL),
            "s1.connection0.request2": Differs("(none)", LITERAL),
            "s1.connection0.request3": Differs("(none)", LITERAL),
            "s1.connection0.request4": Differs("(none)", LITERAL),
            "s1.connection1": Differs("closed", LITERAL),
            "s1.connection1.request0": Differs("GET /a HTTP/1.1", LITERAL),
            "s1.connection1.request1": Differs("GET /a HTTP/1.1", LITERAL),
            "s1.connection2": Differs("open", LITERAL),
            "s1.connection2.request0": Differs("GET /a HTTP/1.1", LITERAL),
        },
    ),
    Case(
        "pool-max-conn 0",
        ((GET, Response(), GET, Response(), Quiet(0.03)),),
        {"s1": (MANY,)},
        servers="server s1 {s1} pool-max-conn 0",
        lines=2,
    ),
    Case(
        "401 then another",
        ((GET, Response(), GET, Response(), Quiet(0.03)),),
        {
            "s1": (
                (
                    Request(),
                    Send(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"),
                    Request(),
                    OK,
                ),
            )
        },
        lines=2,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_as_haproxy(case: Case, plays: Plays) -> None:
    plays.compare(case)
