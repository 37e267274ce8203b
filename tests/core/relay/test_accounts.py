"""Sessions in the books: counted when they come, and taken out when they leave."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from maniple.core.relay.accounts import identify
from maniple.tests.core.relay.rig import DATE, Rig, client_of

MakeRig = Callable[..., Rig]


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_in_and_out(make_rig: MakeRig, mode: str) -> None:
    rig = make_rig(mode=mode)
    first, second = rig.client(), rig.client()
    relay, counts = rig.relay, rig.frontend.counts
    assert (relay.connections, rig.frontend.connections, len(relay.clients)) == (2, 2, 2)
    rig.lose(first)
    assert (relay.connections, rig.frontend.connections, len(relay.clients)) == (1, 1, 1)
    rig.client()
    assert (relay.sessions, counts.stot, counts.conn_tot, counts.smax) == (3, 3, 3, 2)
    assert (relay.counts.cum_conns, relay.counts.max_conns) == (3, 2)
    rig.lose(second)


def test_facts_of_a_session(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.loop.advance(500.0)
    session = client_of(rig.client())
    assert session.accept_at == session.idle_since == pytest.approx(1_000_500.0)
    assert session.accept_date == pytest.approx(DATE + 1000.5)
    assert session.number == 1
    assert (session.client_host, session.client_port) == ("192.0.2.1", 4000)
    assert (session.frontend_host, session.frontend_port) == ("192.0.2.9", 80)
    assert (session.frontend_name, session.listener_name, session.tls) == ("px", "1", False)


def test_unix_sockets_have_no_address(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.frontend.wants_source = False
    client = rig.client()
    client._extra.update(peername="", sockname="/run/x")  # type: ignore[attr-defined]
    identify(client_of(client))
    assert (client_of(client).client_host, client_of(client).frontend_host) == ("unix", "unix")


@pytest.mark.parametrize("limit", ["frontend", "process", "descriptors"])
def test_the_last_one_that_fits_is_told(make_rig: MakeRig, limit: str) -> None:
    rig = make_rig()
    told: list[int] = []
    freed: list[int] = []
    rig.relay.full = lambda: told.append(rig.relay.connections)
    rig.relay.room = lambda: freed.append(rig.relay.connections)
    if limit == "frontend":
        rig.frontend.maxconn = 2
    elif limit == "process":
        rig.relay.maxconn = 2
    else:
        rig.relay.descriptor_limit = 2
    first = rig.client()
    assert told == []
    rig.client()
    assert told == [2]
    rig.lose(first)
    assert freed == [1]


def test_server_connections_count_as_descriptors(make_rig: MakeRig) -> None:
    rig = make_rig()
    freed: list[int] = []
    rig.relay.room = lambda: freed.append(rig.relay.descriptors)
    rig.ask()
    assert rig.relay.descriptors == 2
    rig.lose(rig.upstream())
    assert rig.relay.descriptors == 1
    assert freed == [1]
