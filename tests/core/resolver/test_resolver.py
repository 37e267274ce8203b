"""What is known, for how long, and who waits for what is not."""

from __future__ import annotations

import pytest
from maniple.core.resolver import resolver as module
from maniple.core.resolver.resolver import Resolver
from maniple.core.resolver.status import Family, Status
from maniple.core.rules.samples import pack_ip
from maniple.tests.core.resolver.conftest import Loop, section
from maniple.tests.core.resolver.nameserver import NX, NameServer, addresses, silence

GOOD = pack_ip(b"192.0.2.1")
V4, V6 = Family.IPV4, Family.IPV6


def learn(turning: Loop, resolver: Resolver, name: bytes = b"a.x", family: Family = V4) -> Status | None:
    flight = resolver.ask(name, family)
    assert flight is not None
    turning.until(lambda: flight.status is not None)
    return flight.status


def test_an_address_is_known_for_its_time(turning: Loop, dns: NameServer) -> None:
    dns.put("a.x", addresses("192.0.2.1"))
    resolver = Resolver(section(dns, valid=80), turning.loop)
    now = 5.0
    resolver._clock = lambda: now
    assert resolver.known(b"a.x", V4) is None
    assert learn(turning, resolver) is Status.VALID
    assert resolver.known(b"a.x", V4) == GOOD
    assert resolver.known(b"a.x", V6) is None and resolver.known(b"b.x", V4) is None
    now += 0.079
    assert resolver.known(b"a.x", V4) == GOOD
    now += 0.001
    assert resolver.known(b"a.x", V4) is None
    assert learn(turning, resolver) is Status.VALID
    assert resolver.known(b"a.x", V4) == GOOD and len(dns.asked) == 2


def test_nothing_is_kept_without_hold(turning: Loop, dns: NameServer) -> None:
    dns.put("a.x", addresses("192.0.2.1"))
    resolver = Resolver(section(dns, valid=0), turning.loop)
    assert learn(turning, resolver) is Status.VALID
    assert resolver.known(b"a.x", V4) is None


def test_failures_are_not_kept(turning: Loop, dns: NameServer) -> None:
    dns.put("a.x", NX, NX, addresses("192.0.2.1"))
    resolver = Resolver(section(dns, retries=1), turning.loop)
    assert learn(turning, resolver) is Status.NX
    assert resolver.known(b"a.x", V4) is None
    assert learn(turning, resolver) is Status.VALID


def test_one_question_for_all_who_wait(turning: Loop, dns: NameServer) -> None:
    dns.put("a.x", silence, addresses("192.0.2.1"), kind="A")
    dns.put("a.x", silence, kind="AAAA")
    resolver = Resolver(section(dns, retry=40), turning.loop)
    woken: list[int] = []
    flights = [resolver.ask(b"a.x", V4, lambda number=number: woken.append(number)) for number in range(5)]  # type: ignore[misc]
    assert len(set(map(id, flights))) == 1
    other = resolver.ask(b"a.x", V6)
    assert other is not None and other is not flights[0]
    turning.until(lambda: woken)
    assert woken == [0, 1, 2, 3, 4]
    assert dns.asked.count(("a.x", "A", False)) == 2
    resolver.close()


def test_names_that_cannot_be_asked_for(turning: Loop, dns: NameServer) -> None:
    resolver = Resolver(section(dns), turning.loop)
    for name in (b".", b"a..b", b"x" * 64, b"\xc3\xa4.x"):
        assert resolver.ask(name, V4) is None
    assert Resolver(section(), turning.loop).ask(b"a.x", V4) is None
    assert not dns.asked


def test_limits(turning: Loop, dns: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    monkeypatch.setattr(module, "FLIGHTS", 2)
    for name in ("a.x", "b.x", "c.x"):
        dns.put(name, addresses("192.0.2.1"))
    resolver = Resolver(section(dns), turning.loop)
    learn(turning, resolver, b"a.x")
    learn(turning, resolver, b"b.x")
    learn(turning, resolver, b"a.x")
    learn(turning, resolver, b"c.x")
    assert [resolver.known(name, V4) is not None for name in (b"a.x", b"b.x", b"c.x")] == [True, False, True]
    dns.put("s.x", silence)
    dns.put("t.x", silence)
    assert resolver.ask(b"s.x", V4) and resolver.ask(b"t.x", V4)
    assert resolver.ask(b"c.x", V6) is None
    assert resolver.ask(b"s.x", V4) is not None
    resolver.close()
    assert all(len(one) == 0 for one in resolver.nameservers)
