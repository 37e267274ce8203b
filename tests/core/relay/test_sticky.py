"""Sticky sessions in one thread: log letters, events, full and failing servers. The rules one by one are tests of pins
and of tests/wire/test_sticky.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from maniple.core.balance.pins import make_pin, number_of
from maniple.core.balance.sticky_cookie import learned_key
from maniple.core.build_rules import install
from maniple.core.build_sticky import install_sticky
from maniple.core.config.model import Configuration, Place
from maniple.core.config.sticky import sticky_tables
from maniple.core.config.sticky_spec import StickySpec
from maniple.core.relay import operating
from maniple.core.relay.sticky import pick
from maniple.core.report.syslog_header import WARNING
from maniple.core.rules.private_tables import private_tables
from maniple.pools.table import Table
from maniple.tests.core.relay.rig import OK, Rig
from maniple.tests.core.relay.test_binding import States, states

Make = Callable[..., Rig]
HEADER = StickySpec("header", "x")
COOKIE = StickySpec("cookie", "S")
PLACE = Place("test.cfg", 1)


class StickyRig(Rig):
    """With what was told."""

    told: list[tuple[str, int, str]]
    table: Table


def sticky(make_rig: Make, spec: StickySpec = HEADER, servers: int = 2, **words: Any) -> StickyRig:
    rig = cast(StickyRig, make_rig(servers=servers, sticky=spec, http_reuse="never", **words))
    rig.frontend.access_log = cast(Any, States())
    install(Configuration(proxies=(rig.spec,)), {"px": rig.frontend}, {"px": rig.backend}, rig.relay)
    tables = private_tables({one.name: one for one in sticky_tables([rig.spec])})
    install_sticky([rig.frontend], {"px": rig.backend}, tables, b"", rig.relay)
    rig.table = tables[spec.table]
    rig.told = []
    rig.relay.tell = lambda *words: rig.told.append(words)
    return rig


def asking(*lines: str) -> bytes:
    return ("GET / HTTP/1.1\r\nHost: a\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n").encode()


def answered(rig: Rig, *lines: str) -> bytes:
    """The answer of whichever server is asked."""
    client = rig.ask(asking(*lines))
    rig.send(rig.upstream(), OK)
    said = client.take()
    rig.lose(client)
    return said


def test_nothing_without_sessions(make_rig: Make) -> None:
    rig = make_rig(servers=2)
    install(Configuration(proxies=(rig.spec,)), {"px": rig.frontend}, {"px": rig.backend}, rig.relay)
    install_sticky([rig.frontend], {"px": rig.backend}, {}, b"", rig.relay)
    assert (rig.route.plan, rig.route.response_plan) == ((), ())
    assert rig.frontend.ordinary
    assert rig.route.whole > 0


def test_the_letters_of_the_log(make_rig: Make) -> None:
    """As those of the persistence cookie (manual 8.5)."""
    rig = sticky(make_rig, COOKIE, sticky_strict=True)
    said = answered(rig)
    cookie = said.partition(b"S=")[2].partition(b";")[0].decode()
    answered(rig, f"Cookie: S={cookie}")
    answered(rig, "Cookie: S=bad")
    operating.set_server([rig.backend], "px", "s1", "maint", None)
    client = rig.ask(asking(f"Cookie: S={cookie}"))
    assert client.take().startswith(b"HTTP/1.1 503 ")
    assert states(rig) == ["s1 --NI", "s1 --VN", "s2 --II", "s1 SCDN"]


def test_a_pin_that_is_not_there_and_one_that_is(make_rig: Make) -> None:
    rig = sticky(make_rig)
    answered(rig, "X: 1")
    (slot,) = rig.table.slots()
    assert rig.table.key(slot) == learned_key(b"1")
    words = [cast(Any, rig.table.cell("gpt", place)).value(slot, 0) for place in range(8)]
    assert sorted(words)[-1] == make_pin(number_of("px"), number_of("px/s1"))
    assert sum(map(bool, words)) == 1
    assert not any(rig.table.arrays.held[1])


def test_a_session_gets_another_name(make_rig: Make) -> None:
    rig = sticky(make_rig, StickySpec("learn cookie", "S"))
    for cookie, named in (("", "1"), ("S=1", "2"), ("S=2", ""), ("S=1", "")):
        client = rig.ask(asking(f"Cookie: {cookie}") if cookie else asking())
        lines = f"Set-Cookie: S={named}\r\n" if named else ""
        rig.send(rig.upstream(), f"HTTP/1.1 200 OK\r\n{lines}Content-Length: 0\r\n\r\n".encode())
        rig.lose(client)
    assert states(rig) == ["s1 ----"] * 4


def test_a_session_that_moves_is_told_once_a_second(make_rig: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("maniple.core.relay.sticky.time", lambda: now[0])
    rig = sticky(make_rig)
    for number in range(8):
        answered(rig, f"X: {number}")
    operating.set_server([rig.backend], "px", "s1", "maint", None)
    for number in range(8):
        answered(rig, f"X: {number}")
    text = "Sticky sessions move from px/s1 to px/s2: px/s1 is not usable."
    assert rig.told == [("px", WARNING, text)]
    assert rig.backend.servers[0].counts.wredis == rig.backend.counts.wredis == 4
    operating.set_server([rig.backend], "px", "s1", "ready", None)
    operating.set_server([rig.backend], "px", "s2", "maint", None)
    now[0] += 1
    answered(rig, "X: 0")
    assert len(rig.told) == 2


def test_a_server_that_names_two_sessions_is_told_once_a_second(
    make_rig: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maniple.core.relay.sticky.time", lambda: 1000.0)
    rig = sticky(make_rig, StickySpec("learn header", "x"))
    for _ in range(3):
        client = rig.ask()
        rig.send(rig.upstream(), OK.replace(b"\r\n\r\n", b"\r\nX: 1\r\nX: 2\r\n\r\n"))
        rig.lose(client)
    assert rig.told == [("px", WARNING, "A server names two sessions 'x': none is learned.")]
    assert len(rig.table) == 0


@pytest.mark.parametrize("strict", [True, False])
def test_who_waits_for_a_server_that_goes(make_rig: Make, strict: bool) -> None:
    """A strict session goes on waiting for it (until `timeout queue`), any other goes elsewhere."""
    rig = sticky(make_rig, server={"maxconn": 1}, sticky_strict=strict)
    answered(rig, "X: 1")
    first = rig.ask(asking("X: 1"))
    server = rig.upstream()
    second = rig.ask(asking("X: 1"))
    assert len(rig.backend.servers[0].waiting) == 1
    operating.set_server([rig.backend], "px", "s1", "maint", None)
    assert len(rig.backend.servers[0].waiting) == int(strict)
    assert rig.backend.servers[1].served == int(not strict)
    rig.send(server, OK)
    assert first.take()
    if strict:
        operating.set_server([rig.backend], "px", "s1", "ready", None)
    rig.send(rig.upstream(), OK)
    assert second.take().startswith(b"HTTP/1.1 200")
    # It has followed.
    assert states(rig)[-1].startswith("s1" if strict else "s2")


def test_all_servers_are_full(make_rig: Make) -> None:
    """A new session gets the least busy server nevertheless, in whose queue it waits: it is never on two (D3.7)."""
    rig = sticky(make_rig, server={"maxconn": 1})
    clients = [rig.ask(asking(f"X: {number}")) for number in range(2)]
    waiting = [rig.ask(asking("X: 5")) for _ in range(2)]
    assert [len(server.waiting) for server in rig.backend.servers] == [2, 0]
    for client in clients + waiting:
        rig.lose(client)


def test_pick(make_rig: Make) -> None:
    rig = sticky(make_rig, server={"maxconn": 1})
    exchange: Any = type("X", (), {"avoid": None})()
    first, second = rig.backend.servers
    assert [pick(rig.backend, exchange) for _ in range(2)] == [first, second]
    for server in (first, second):
        rig.backend.took(server)
    assert pick(rig.backend, exchange) is first
    rig.backend.wait("one", 0, first)
    assert pick(rig.backend, exchange) is second
    rig.backend.evacuate(first)
    for server in (first, second):
        rig.backend.freed(server)
