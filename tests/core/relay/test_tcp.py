"""Clients of TCP frontends before their tunnel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.tests.core.relay.fakes import FakeDial
from maniple.tests.core.relay.rig import Rig


@pytest.fixture
def rig(make_rig: Callable[..., Rig], request: pytest.FixtureRequest) -> Rig:
    words: dict[str, Any] = getattr(request, "param", {})
    return make_rig(mode="tcp", **words)


def test_tunnel_at_once(rig: Rig) -> None:
    client = rig.client()
    server = rig.upstream()
    rig.send(client, b"hello")
    assert server.take() == b"hello"
    rig.send(server, b"world")
    assert client.take() == b"world"
    rig.shut(client)
    rig.shut(server)
    assert rig.lines() == [(-1, "--")] or rig.lines() == [(0, "--")]
    assert rig.log.lines[0].bytes_in == 5
    assert rig.log.lines[0].bytes_out == 5


def test_client_speaks_before_the_server_is_there(rig: Rig) -> None:
    rig.loop.answer = None
    client = rig.client()
    rig.send(client, b"one ", b"two")
    assert not client.reading
    server = rig.accept()
    assert server.take() == b"one two"
    assert client.reading


def test_client_ends_before_the_server_is_there(rig: Rig) -> None:
    rig.loop.answer = None
    client = rig.client()
    rig.send(client, b"all")
    rig.shut(client)
    server = rig.accept()
    assert server.take() == b"all"
    rig.loop.run()
    assert server.eof_written
    rig.send(server, b"answer")
    rig.shut(server)
    assert client.take() == b"answer"
    assert client.lost


def test_client_leaves_before_the_server_is_there(rig: Rig) -> None:
    rig.loop.answer = None
    rig.lose(rig.client())
    assert rig.accept().lost
    assert [state for _, state in rig.lines()] == ["CC"]


@pytest.mark.parametrize("rig", [{"server": {"maxconn": 1}}], indirect=True)
def test_waiting_for_a_slot(rig: Rig) -> None:
    first, gone, second = rig.client(), rig.client(), rig.client()
    assert rig.backend.queued == 2
    rig.lose(gone)
    rig.lose(first)
    rig.send(second, b"x")
    assert rig.upstream().take() == b"x"
    assert [state for _, state in rig.lines()] == ["CQ", "--"]


@pytest.mark.parametrize("rig", [{"server": {"maxconn": 1}}], indirect=True)
def test_waiting_for_too_long(rig: Rig) -> None:
    rig.client()
    second = rig.client()
    rig.loop.advance(4_051.0)
    assert second.aborted
    assert [state for _, state in rig.lines()] == ["sQ"]


@pytest.mark.parametrize("rig", [{"retries": 1}], indirect=True)
def test_no_server_to_be_had(rig: Rig) -> None:
    rig.loop.answer = FakeDial.refuse
    client = rig.client()
    rig.loop.advance(2_000.0)
    assert len(rig.dials) == 2
    assert client.lost
    assert client.take() == b""
    assert [state for _, state in rig.lines()] == ["SC"]


def test_connections_are_used_once(rig: Rig) -> None:
    for number in range(3):
        client = rig.client()
        rig.lose(client)
        assert len(rig.dials) == number + 1
    assert rig.idle == 0


def test_draining_lets_tunnels_be(rig: Rig) -> None:
    client = rig.client()
    for connection in list(rig.relay.clients):
        connection.drain(1e9)
    assert not client.closing


def test_default_log_format_at_the_start(rig: Rig) -> None:
    rig.frontend.log_at_start, rig.frontend.access_log = rig.frontend.access_log, None
    client = rig.client()
    assert rig.log.starts == 1
    assert repr(next(iter(rig.relay.clients))) == "<client of px, tcp>"
    rig.lose(client)
    assert rig.log.lines == []
