"""One attempt to connect: where to, how it ends, and who hears of it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable

import pytest
from maniple.core.config.model import Address, SourceSpec
from maniple.core.http.replies import REPLIES
from maniple.tests.core.relay.rig import GET_SENT, OK, OK_SENT, Rig

MakeRig = Callable[..., Rig]


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        (Address("inet", "127.0.0.1", 8001, 8001), ("127.0.0.1", 8001)),
        (Address("inet6", "::1", 8001, 8001), ("::1", 8001)),
        # A port that is not written, or an offset, counts from the client's (manual 5).
        (Address("inet", "127.0.0.1", 0, 0), ("127.0.0.1", 80)),
        (Address("inet", "127.0.0.1", 1000, 1000, port_offset=True), ("127.0.0.1", 1080)),
        (Address("inet", "127.0.0.1", 80, 80, port_offset=True), ("127.0.0.1", 160)),
        # So does an address that stands for any.
        (Address("inet", "0.0.0.0", 8001, 8001), ("192.0.2.9", 8001)),
        (Address("inet6", "::", 0, 0, port_offset=True), ("192.0.2.9", 80)),
        (Address("inet", "", -1, -1, port_offset=True), ("192.0.2.9", 79)),
        (Address("unix", "/run/x"), "/run/x"),
    ],
)
def test_addresses(make_rig: MakeRig, address: Address, reached: object) -> None:
    rig = make_rig(server={"address": address})
    rig.ask()
    assert rig.dials[0].address == reached


def test_abstract_names_are_padded(make_rig: MakeRig) -> None:
    """As on `bind`, so that one maniple finds the other; where nobody listens the attempt is refused."""
    name = f"maniple-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(b"\0" + name.encode().ljust(107, b"\0"))
        listening.listen(1)
        rig = make_rig(server={"address": Address("abns", name)})
        rig.ask()
        assert rig.dials[0].address == listening.getsockname()
    other = make_rig(server={"address": Address("abns", name)}, retries=0)
    assert other.ask().take() == REPLIES[503]


@pytest.mark.parametrize("of_server", [False, True])
def test_source(make_rig: MakeRig, of_server: bool) -> None:
    mine, backends = SourceSpec("127.0.0.2"), SourceSpec("127.0.0.3", 1000, 1000)
    rig = make_rig(server={"source": mine if of_server else None}, source=backends)
    rig.ask()
    assert rig.dials[0].source == (("127.0.0.2", 0) if of_server else ("127.0.0.3", 1000))


def test_no_task_is_made(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.ask()
    assert rig.loop.asked["create_task"] == rig.loop.asked["create_future"] == 0


def test_success_counts_a_used_connection(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.loop.answer = None
    client = rig.ask()
    pool = rig.server.pool
    assert (pool.used_count, pool.connect_count, rig.relay.descriptors) == (1, 1, 1)
    server = rig.accept()
    assert (pool.used_count, rig.relay.descriptors) == (1, 2)
    rig.send(server, OK)
    assert (pool.used_count, rig.idle, rig.relay.descriptors) == (0, 1, 2)
    assert client.take() == OK_SENT


def test_failure_gives_the_count_back(make_rig: MakeRig) -> None:
    rig = make_rig(retries=0)
    rig.loop.answer = None
    rig.ask()
    rig.refuse()
    assert (rig.server.pool.used_count, rig.server.pool.total_count) == (0, 0)
    assert len(rig.relay.timers) == 1, "only the client's own"


def test_made_and_lost_at_once(make_rig: MakeRig) -> None:
    """The server accepts and resets before the coroutine hears of its success: that is no refusal."""
    rig = make_rig(retries=0)
    rig.loop.answer = None
    client = rig.ask()
    transport = rig.dials[0].accept()
    transport.lose(ConnectionResetError())
    rig.loop.run()
    assert client.take() == REPLIES[502]
    assert rig.lines() == [(502, "SH")]


def test_too_late_and_made_at_once(make_rig: MakeRig) -> None:
    """The time is up in the same turn in which the connection was made: it is closed, not used."""
    rig = make_rig(retries=0)
    rig.loop.answer = None
    client = rig.ask()
    dial = rig.dials[0]
    rig.loop.now += 5.0
    transport = dial.accept()
    rig.relay.timers.tick(rig.loop.now * 1000.0)
    rig.loop.run()
    assert client.take() == REPLIES[503]
    assert transport.lost
    assert transport.take() == b""


def test_abandoned_and_refused(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.loop.answer = None
    client = rig.ask()
    rig.lose(client)
    rig.refuse()
    rig.loop.advance(10_000.0)
    assert len(rig.dials) == 1
    assert rig.server.pool.used_count == 0


def test_abandoned_and_too_late(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.loop.answer = None
    client = rig.ask()
    rig.lose(client)
    rig.loop.advance(4_051.0)
    assert rig.dials[0].outcome.cancelled()
    assert len(rig.dials) == 1
    assert rig.server.pool.used_count == 0


def test_abandoned_without_a_pool_to_go_to(make_rig: MakeRig) -> None:
    rig = make_rig(server={"pool_max": 0})
    rig.loop.answer = None
    client = rig.ask()
    rig.lose(client)
    assert rig.accept().lost


def test_waits_for_several_things(make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop may yield more than once before a connection stands, with and without a future."""
    rig = make_rig()
    real = rig.loop.create_connection
    steps: list[str] = []
    waiting: list[asyncio.Future[None]] = []

    async def slow(*arguments: object, **words: object) -> object:
        await asyncio.sleep(0)
        steps.append("a bare yield")
        waiting.append(rig.loop.future())
        await waiting[0]
        steps.append("a future")
        return await real(*arguments, **words)  # type: ignore[arg-type]

    monkeypatch.setattr(rig.loop, "create_connection", slow)
    client = rig.ask()
    assert steps == ["a bare yield"]
    waiting[0].set_result(None)
    rig.loop.run()
    assert steps == ["a bare yield", "a future"]
    assert rig.upstream().take() == GET_SENT
    rig.send(rig.upstream(), OK)
    assert client.take() == OK_SENT


@pytest.mark.parametrize("unix", [False, True])
def test_tcp_ut(make_rig: MakeRig, unix: bool) -> None:
    address = Address("unix", "/run/x") if unix else Address("inet", "127.0.0.1", 8001, 8001)
    rig = make_rig(server={"address": address, "tcp_ut": 1500})
    rig.ask()
    wanted = [] if unix else [(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1500)]
    assert rig.upstream().socket.options == wanted
    rig.send(rig.upstream(), OK)
