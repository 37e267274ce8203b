"""Rules over what a TCP server says, with a fake loop. Compared with HAProxy in tests/wire/test_inspection.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.relay.inspected_end import InspectedEnd
from maniple.core.relay.tunnel import End
from maniple.tests.core.relay.rig import Rig
from maniple.tests.core.relay.ruled_rig import ruled

Make = Callable[..., Rig]
GREETED = "tcp-response content accept if { res.payload(0,3) -m str 220 }; tcp-response content reject"


def rig_of(make_rig: Make, lines: str, delay: int | None = 2000) -> Rig:
    return ruled(make_rig, lines.replace("; ", "\n"), mode="tcp", response_inspect_delay=delay)


def begun(rig: Rig) -> tuple[Any, Any]:
    client = rig.client()
    rig.send(client, b"hi")
    return client, rig.upstream()


def test_accepted(make_rig: Make) -> None:
    rig = rig_of(make_rig, GREETED)
    client, server = begun(rig)
    assert server.take() == b"hi"
    assert isinstance(server.get_protocol(), InspectedEnd)
    rig.send(server, b"2", b"2")
    rig.send(client, b" there")
    assert client.take() == b"" and server.take() == b" there"
    rig.send(server, b"0 x")
    assert client.take() == b"220 x" and type(server.get_protocol()) is End
    rig.send(server, b"y")
    assert client.take() == b"y"
    rig.shut(server)
    rig.shut(client)
    assert rig.lines() == [(-1, "--")]
    assert rig.log.lines[0].bytes_out == 6


@pytest.mark.parametrize("said", [b"554", b"554 and more"])
def test_rejected(make_rig: Make, said: bytes) -> None:
    rig = rig_of(make_rig, GREETED)
    client, server = begun(rig)
    rig.send(server, said)
    assert client.take() == b"" and client.lost and server.lost
    assert rig.lines() == [(-1, "PD")]
    assert rig.frontend.counts.dresp == rig.backend.counts.dresp == 1


@pytest.mark.parametrize("how", ["time", "end", "reset"])
def test_no_more_comes(make_rig: Make, how: str) -> None:
    rig = rig_of(make_rig, GREETED)
    client, server = begun(rig)
    rig.send(server, b"22")
    if how == "time":
        rig.loop.advance(2_100.0)
    elif how == "end":
        rig.shut(server)
    else:
        rig.lose(server, ConnectionResetError())
    assert client.lost and client.take() == b""
    assert rig.lines() == [(-1, "PD")]


@pytest.mark.parametrize("how", ["end", "reset"])
def test_what_was_said_is_handed_on(make_rig: Make, how: str) -> None:
    rig = rig_of(make_rig, "tcp-response content reject if { res.payload(0,3) -m str 220 }")
    client, server = begun(rig)
    rig.send(server, b"22")
    if how == "end":
        rig.shut(server)
        rig.shut(client)
    else:
        rig.lose(server, ConnectionResetError())
    assert client.take() == b"22"
    assert rig.lines() == [(-1, "--" if how == "end" else "SD")]


def test_client_leaves(make_rig: Make) -> None:
    rig = rig_of(make_rig, GREETED)
    client, server = begun(rig)
    rig.send(server, b"2")
    rig.lose(client, ConnectionResetError())
    rig.loop.advance(5_000.0)
    assert server.lost and rig.lines() == [(-1, "CD")]


def test_closed(make_rig: Make) -> None:
    rig = rig_of(make_rig, "tcp-response content close if { res.len ge 3 }")
    client, server = begun(rig)
    rig.send(server, b"22")
    assert not server.lost
    rig.send(server, b"0")
    assert server.lost and client.lost and client.take() == b""


def test_silently_dropped(make_rig: Make) -> None:
    rig = rig_of(make_rig, "tcp-response content silent-drop")
    client, server = begun(rig)
    assert client.lost and server.lost


def test_without_a_delay_nothing_is_waited_for(make_rig: Make) -> None:
    rig = rig_of(make_rig, GREETED, None)
    client, _ = begun(rig)
    assert client.lost and rig.lines() == [(-1, "PD")]


def test_a_full_buffer_is_all_that_there_is(make_rig: Make) -> None:
    rig = rig_of(make_rig, "tcp-response content reject if { res.payload(0,16000) -m found }")
    client, server = begun(rig)
    rig.send(server, b"x" * 15_000)
    assert client.take() == b""
    rig.send(server, b"x" * 10_000)
    assert len(client.take()) == 25_000
    rig.lose(server)


def test_proxies_without_such_rules_have_none(make_rig: Make) -> None:
    rig = make_rig(mode="tcp")
    _, server = begun(rig)
    assert type(server.get_protocol()) is End
    rig.lose(server)


def test_accepted_is_the_end_of_its_own_set_only(make_rig: Make) -> None:
    rig = rig_of(make_rig, "tcp-response content accept if { res.payload(0,3) -m str 220 }")
    route = rig.frontend.default_route
    seen: list[bytes] = []
    route.response_plan += (lambda x: seen.append(x.response_payload() or b""),)
    _, server = begun(rig)
    rig.send(server, b"22")
    assert seen == []
    rig.send(server, b"0")
    rig.send(server, b" more")
    assert seen == [b"220"]


def test_rejected_no_other_set_is_run(make_rig: Make) -> None:
    rig = rig_of(make_rig, GREETED)
    route = rig.frontend.default_route
    seen: list[bytes] = []
    route.response_plan += (lambda x: seen.append(b""),)
    _, server = begun(rig)
    rig.send(server, b"554")
    assert seen == [] and rig.lines() == [(-1, "PD")]
