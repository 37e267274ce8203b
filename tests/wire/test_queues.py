"""Requests that wait for a slot: order, limits, time-outs; retries and their pauses."""

from __future__ import annotations

import pytest
from maniple.tests.wire.rig.cases import Case
from maniple.tests.wire.rig.compare import Plays
from maniple.tests.wire.rig.peers import CLOSE, Await, Quiet, Raise, Request, Response, Script, Send, Sleep
from maniple.tests.wire.rig.scripts import GET, OK


def numbered(number: int) -> Send:
    return Send(b"GET /%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % number)


def crowd(size: int) -> tuple[Script, ...]:
    """Clients that come one after the other while the first one is being served."""
    return (
        (numbered(0), Await("busy"), Raise("came0"), Response(), CLOSE),
        *(
            (Await(f"came{number - 1}"), Sleep(0.03), numbered(number), Raise(f"came{number}"), Response(), CLOSE)
            for number in range(1, size)
        ),
    )


SLOW: Script = (Request(), Raise("busy"), Sleep(0.4), OK, *(step for _ in range(8) for step in (Request(), OK)))
QUICK: Script = tuple(step for _ in range(8) for step in (Request(), OK))
BUSY = {"s1": (SLOW, QUICK)}

CASES = (
    Case("maxconn 1, in order", crowd(4), BUSY, servers="server s1 {s1} maxconn 1", lines=4),
    Case(
        "maxconn 1, in order, over one connection",
        crowd(4),
        BUSY,
        servers="server s1 {s1} maxconn 1",
        back="http-reuse always",
        lines=4,
    ),
    Case("maxconn 2", crowd(4), {"s1": (SLOW, QUICK)}, servers="server s1 {s1} maxconn 2", lines=4),
    Case("timeout queue", crowd(2), BUSY, servers="server s1 {s1} maxconn 1", times="timeout queue 100ms", lines=2),
    Case(
        "timeout queue is timeout connect",
        crowd(2),
        BUSY,
        servers="server s1 {s1} maxconn 1",
        times="timeout connect 100ms",
        lines=2,
    ),
    Case(
        "queue in the backend, two servers",
        crowd(4),
        {"s1": (SLOW, QUICK), "s2": (SLOW, QUICK)},
        servers="server s1 {s1} maxconn 1\nserver s2 {s2} maxconn 1",
        lines=4,
        ignore=("s1", "s2"),
    ),
    Case(
        "minconn",
        crowd(4),
        BUSY,
        servers="server s1 {s1} minconn 1 maxconn 10",
        back="fullconn 100",
        lines=4,
        ignore=("log", "s1"),
    ),
    Case("waiting client half-closes", (*crowd(2),), BUSY, servers="server s1 {s1} maxconn 1", lines=2),
    # Attempts.
    Case("retries 0", ((GET, Response(), Quiet(0.03)),), servers="server s1 {refusing}", back="retries 0"),
    Case(
        "retries 3 with pauses",
        ((GET, Response(), Quiet(0.03)),),
        servers="server s1 {refusing}",
        back="retries 3\ntimeout connect 50ms",
    ),
    Case(
        "pause of a second at most",
        ((GET, Quiet(0.5), CLOSE),),
        servers="server s1 {refusing}",
        back="retries 1\ntimeout connect 5s",
        lines=0,
    ),
    Case(
        "redispatch at the last",
        ((GET, Response(), Quiet(0.03)),),
        {"s2": (QUICK,)},
        servers="server s1 {refusing}\nserver s2 {s2}",
        back="retries 2\noption redispatch\ntimeout connect 50ms",
    ),
    Case(
        "redispatch 1",
        ((GET, Response(), Quiet(0.03)),),
        {"s2": (QUICK,)},
        servers="server s1 {refusing}\nserver s2 {s2}",
        back="retries 3\noption redispatch 1\ntimeout connect 50ms",
    ),
    Case(
        "no redispatch",
        ((GET, Response(), Quiet(0.03)),),
        {"s2": (QUICK,)},
        servers="server s1 {refusing}\nserver s2 {s2}",
        back="retries 1\ntimeout connect 50ms",
    ),
    Case(
        "redispatch, all refuse",
        ((GET, Response(), Quiet(0.03)),),
        servers="server s1 {refusing}\nserver s2 {refusing}",
        back="retries 2\noption redispatch\ntimeout connect 50ms",
    ),
    Case(
        "redispatch after a connect time-out",
        ((GET, Response(), Quiet(0.03)),),
        {"s2": (QUICK,)},
        servers="server s1 {hanging}\nserver s2 {s2}",
        back="retries 1\noption redispatch\ntimeout connect 80ms",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_as_haproxy(case: Case, plays: Plays) -> None:
    plays.compare(case)
