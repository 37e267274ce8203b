"""Opaque bytes both ways: order, half-close, back-pressure, time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from maniple.core.config.model import Timeouts
from maniple.core.relay.tunnel import End
from maniple.tests.core.relay.fakes import FakeTransport
from maniple.tests.core.relay.rig import Rig

MakeRig = Callable[..., Rig]

UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"
CONNECT = b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"


def tunnel(rig: Rig) -> tuple[FakeTransport, FakeTransport]:
    """A tunnel after an upgrade: both ends, with nothing to take."""
    client = rig.ask(UPGRADE)
    server = rig.upstream()
    server.take()
    rig.send(server, SWITCH)
    assert client.take() == SWITCHED
    assert isinstance(client.protocol, End)
    return client, server


def test_bytes_both_ways(make_rig: MakeRig) -> None:
    rig = make_rig()
    client, server = tunnel(rig)
    rig.send(client, b"ping", b" and GET / HTTP/1.1\r\n\r\n")
    assert server.take() == b"ping and GET / HTTP/1.1\r\n\r\n"
    rig.send(server, b"pong")
    assert client.take() == b"pong"
    assert rig.lines() == []
    rig.lose(client)
    assert server.lost
    assert rig.lines() == [(101, "--")]
    assert rig.log.lines[0].bytes_out == len(SWITCHED) + 4


def test_what_comes_with_the_answer(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask(UPGRADE + b"early")
    server = rig.upstream()
    server.take()
    rig.send(server, SWITCH + b"first")
    assert client.take() == SWITCHED + b"first"
    assert server.take() == b"early"


def test_connect(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask(CONNECT)
    server = rig.upstream()
    rig.send(server, b"HTTP/1.1 200 OK\r\n\r\n")
    rig.send(client, b"x")
    assert server.take().endswith(b"\r\n\r\nx")
    rig.send(server, b"y")
    assert client.take() == b"HTTP/1.1 200 OK\r\n\r\ny"


def test_connect_refused_is_no_tunnel(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask(CONNECT)
    rig.send(rig.upstream(), b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    assert client.take().startswith(b"HTTP/1.1 403 ")
    assert not rig.relay.tunnels
    assert rig.lines() == [(403, "--")]


@pytest.mark.parametrize("client_first", [True, False])
def test_half_close(make_rig: MakeRig, client_first: bool) -> None:
    rig = make_rig()
    client, server = tunnel(rig)
    first, second = (client, server) if client_first else (server, client)
    rig.shut(first)
    assert second.eof_written
    assert not first.closing
    rig.send(second, b"still here")
    assert first.take() == b"still here"
    rig.shut(second)
    assert client.lost
    assert server.lost
    assert rig.lines() == [(101, "--")]


def test_client_had_shut_its_side_before(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask(UPGRADE)
    rig.shut(client)
    server = rig.upstream()
    rig.send(server, SWITCH + b"bye")
    assert server.eof_written
    assert client.take() == SWITCHED + b"bye"
    rig.shut(server)
    assert client.lost


@pytest.mark.parametrize(("client_breaks", "state"), [(True, "CD"), (False, "SD")])
def test_one_side_breaks(make_rig: MakeRig, client_breaks: bool, state: str) -> None:
    rig = make_rig()
    client, server = tunnel(rig)
    broken, other = (client, server) if client_breaks else (server, client)
    rig.send(broken, b"last words")
    rig.lose(broken, ConnectionResetError())
    assert other.lost
    assert not other.aborted, "what it has to deliver is delivered"
    assert other.take() == b"last words"
    assert rig.lines() == [(101, state)]


@pytest.mark.parametrize("client_slow", [True, False])
def test_back_pressure(make_rig: MakeRig, client_slow: bool) -> None:
    rig = make_rig()
    client, server = tunnel(rig)
    slow, fast = (client, server) if client_slow else (server, client)
    slow.hold()
    assert not fast.reading
    slow.release()
    assert fast.reading
    slow.hold()
    rig.lose(fast)
    slow.release()
    rig.loop.run()
    assert slow.lost


def test_time_is_that_of_the_last_byte(make_rig: MakeRig) -> None:
    rig = make_rig(timeouts=Timeouts(client=30_000, server=20_000, connect=4_000, tunnel=60_000))
    client, server = tunnel(rig)
    for sender in (client, server, client):
        rig.loop.advance(59_900.0)
        rig.send(sender, b"x")
    rig.loop.advance(59_900.0)
    assert not client.closing
    rig.loop.advance(151.0)
    assert client.lost
    assert server.lost
    assert rig.lines() == [(101, "cD")] or rig.lines() == [(101, "sD")]


@pytest.mark.parametrize(("client", "server", "state"), [(5_000, 9_000, "cD"), (9_000, 5_000, "sD")])
def test_without_timeout_tunnel_the_shorter_one(make_rig: MakeRig, client: int, server: int, state: str) -> None:
    rig = make_rig(timeouts=Timeouts(client=client, server=server, connect=4_000))
    tunnel(rig)
    rig.loop.advance(4_990.0)
    assert rig.lines() == []
    rig.loop.advance(61.0)
    assert rig.lines() == [(101, state)]


@pytest.mark.parametrize(("client_first", "after", "state"), [(True, 2_000, "sD"), (False, 1_000, "cD")])
def test_fin_timeouts(make_rig: MakeRig, client_first: bool, after: int, state: str) -> None:
    """The side that was told that the other one is done has its own time to end."""
    rig = make_rig(
        timeouts=Timeouts(client=30_000, server=30_000, connect=4_000, client_fin=1_000, server_fin=2_000),
    )
    client, server = tunnel(rig)
    rig.shut(client if client_first else server)
    rig.loop.advance(after - 10.0)
    assert not client.closing
    rig.loop.advance(61.0)
    assert client.lost
    assert rig.lines() == [(101, state)]


def test_closed_from_outside(make_rig: MakeRig) -> None:
    rig = make_rig()
    client, server = tunnel(rig)
    (one,) = rig.relay.tunnels
    one.close(b"K-")
    rig.loop.run()
    assert client.aborted
    assert server.aborted
    assert rig.lines() == [(101, "K-")]


def test_books_after_a_tunnel(make_rig: MakeRig) -> None:
    """Its server connection never comes back into the pool."""
    rig = make_rig()
    client, _ = tunnel(rig)
    pool = rig.server.pool
    assert (rig.backend.served, pool.used_count, len(rig.relay.tunnels)) == (1, 1, 1)
    rig.lose(client)
    assert (rig.backend.served, pool.used_count, pool.total_count, rig.idle) == (0, 0, 0, 0)
    assert (rig.relay.connections, rig.relay.descriptors) == (0, 0)
