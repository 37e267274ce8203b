"""Servers of TCP backends that speak or close before the tunnel stands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from maniple.core.relay.tcp_upstream import TcpServerConnection
from maniple.core.relay.upstream import ServerConnection
from maniple.tests.core.relay.rig import Rig


@pytest.fixture
def rig(make_rig: Callable[..., Rig]) -> Rig:
    rig = make_rig(mode="tcp")
    rig.loop.answer = None
    return rig


def test_server_speaks_first(rig: Rig) -> None:
    """Its bytes arrive in the turn in which it accepts, before the tunnel."""
    client = rig.client()
    server = rig.dials[0].accept()
    assert isinstance(server.protocol, TcpServerConnection)
    server.feed(b"220 ", b"hello")
    assert not server.reading
    assert client.take() == b""
    rig.loop.run()
    assert client.take() == b"220 hello"
    assert server.reading


def test_server_speaks_and_closes(rig: Rig) -> None:
    client = rig.client()
    server = rig.dials[0].accept()
    server.feed(b"no")
    server.feed_eof()
    rig.loop.run()
    assert client.take() == b"no"
    assert client.eof_written
    rig.shut(client)
    assert server.lost


def test_server_closes_at_once(rig: Rig) -> None:
    client = rig.client()
    server = rig.dials[0].accept()
    server.feed_eof()
    rig.loop.run()
    assert client.eof_written
    rig.shut(client)
    assert client.lost


def test_http_servers_have_none_of_it(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.ask()
    assert type(rig.upstream().protocol) is ServerConnection
