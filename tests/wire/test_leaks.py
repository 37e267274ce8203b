"""Hundreds of connections of each kind, and nothing of them is left."""

from __future__ import annotations

import gc
import socket
import threading

import pytest
from maniple.core.relay.client import ClientConnection
from maniple.core.relay.exchange import RelayExchange
from maniple.core.relay.tcp import TcpConnection
from maniple.core.relay.tunnel import End, Tunnel
from maniple.core.relay.upstream import ServerConnection
from maniple.tests.wire.rig.cases import Case, Stage
from maniple.tests.wire.rig.ours import LoopThread
from maniple.tests.wire.rig.peers import (
    CLOSE,
    RESET,
    SHUT,
    Peer,
    Request,
    Response,
    Script,
    Send,
    Sleep,
    Until,
)
from maniple.tests.wire.rig.peers import (
    End as Ended,
)
from maniple.tests.wire.rig.scripts import CHUNKED, GET, GET_CLOSE, OK, OK_CLOSE, UNTIL_CLOSE

TIMES = 300
AT_ONCE = 20
POST_HALF = Send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
UPGRADE = Send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
SWITCH = Send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
HALF = Send(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nabc")
OURS = (ClientConnection, TcpConnection, ServerConnection, RelayExchange, Tunnel, End)

KINDS: dict[str, tuple[Script, Script, dict[str, str]]] = {
    "ordinary": ((GET, Response(), CLOSE), (Request(), OK), {}),
    "closing": ((GET_CLOSE, Ended()), (Request(), OK_CLOSE, CLOSE), {}),
    "until close": ((GET, Ended()), (Request(), UNTIL_CLOSE, CLOSE), {}),
    "chunked": ((GET, Response(), CLOSE), (Request(), CHUNKED), {}),
    "silent": ((CLOSE,), (CLOSE,), {}),
    "bad request": ((Send(b"x\r\n\r\n"), Ended()), (CLOSE,), {}),
    "client resets": ((GET, Sleep(0.002), RESET), (Request(), OK), {}),
    "half an upload": ((POST_HALF, Sleep(0.002), RESET), (Until(b"abc"), Ended(), CLOSE), {}),
    "server resets": ((GET, Response(), CLOSE), (Request(), RESET), {}),
    "server closes half-way": ((GET, Ended()), (Request(), HALF, CLOSE), {}),
    "server sends garbage": ((GET, Response(), CLOSE), (Request(), Send(b"garbage\r\n\r\n"), Ended(), CLOSE), {}),
    "upgrade": ((UPGRADE, Until(b"\r\n\r\n"), CLOSE), (Until(b"\r\n\r\n"), SWITCH, Ended(), CLOSE), {}),
    "upgrade, server resets": ((UPGRADE, Until(b"\r\n\r\n"), Ended()), (Until(b"\r\n\r\n"), SWITCH, RESET), {}),
    "refused": ((GET, Response(), CLOSE), (CLOSE,), {"servers": "server s1 {refusing}", "back": "retries 0"}),
    "no server": ((GET, Response(), CLOSE), (CLOSE,), {"servers": "server s1 {refusing} disabled"}),
    "queued": ((GET, Response(), CLOSE), (Request(), OK), {"servers": "server s1 {s1} maxconn 2"}),
    "queued, then gone": (
        (GET, Sleep(0.002), RESET),
        (Request(), Sleep(0.01), OK),
        {"servers": "server s1 {s1} maxconn 2"},
    ),
    "tcp": ((Send(b"ping"), Until(b"pong"), CLOSE), (Until(b"ping"), Send(b"pong"), Ended(), CLOSE), {"mode": "tcp"}),
    "tcp, half-closed": ((Send(b"ping"), SHUT, Ended()), (Ended(), Send(b"pong"), CLOSE), {"mode": "tcp"}),
    "tcp, refused": ((Ended(),), (CLOSE,), {"mode": "tcp", "servers": "server s1 {refusing}", "back": "retries 0"}),
}


def alive() -> int:
    gc.collect()
    return sum(isinstance(item, OURS) for item in gc.get_objects())


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left(loop_thread: LoopThread, kind: str) -> None:
    before = alive()
    play(loop_thread, kind)
    loop_thread.call(lambda: None)
    assert loop_thread.take_complaints() == []
    assert alive() <= before


def play(loop_thread: LoopThread, kind: str) -> None:
    """In a function of its own, so that its variables hold nothing when the living are counted."""
    client, server, more = KINDS[kind]
    again = () if kind not in ("ordinary", "chunked", "queued") else (Request(), server[-1]) * 200
    case = Case(kind, (), {"s1": ((*server, *again),)}, **more)  # type: ignore[arg-type]
    stage = Stage(case)
    run = loop_thread.start(stage.unbound_text, stage.sockets)
    name = stage.sockets[0].getsockname()

    def visit() -> None:
        for _ in range(TIMES // AT_ONCE):
            peer = Peer(socket.create_connection(name), stage.flags)
            peer.sock.settimeout(5)
            peer.run(client)
            peer.close()

    threads = [threading.Thread(target=visit) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert run.settle() == {}
    assert loop_thread.call(lambda: run.runtime.relay.sessions) == TIMES
    run.stop()
    stage.close()
