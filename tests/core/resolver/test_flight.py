"""The order of questions for one name. What is said of HAProxy in the module is compared in tests/wire/test_resolve."""

from __future__ import annotations

import time

import pytest
from maniple.core.config.resolver_spec import ResolversSpec
from maniple.core.resolver.flight import Flight
from maniple.core.resolver.nameserver import Nameserver
from maniple.core.resolver.status import Family, Status
from maniple.core.resolver.wire import Question
from maniple.core.rules.samples import pack_ip
from maniple.tests.core.resolver.conftest import Loop, section
from maniple.tests.core.resolver.nameserver import (
    NX,
    REFUSED,
    SERVFAIL,
    NameServer,
    Reaction,
    addresses,
    silence,
)

GOOD = addresses("192.0.2.1")
SIX = addresses("2001:db8::1")
RETRY = 60


def fly(turning: Loop, spec: ResolversSpec, family: Family = Family.IPV4) -> Flight:
    """A flight for a.x, to its end."""
    ended: list[Flight] = []
    servers = [Nameserver(one, turning.loop) for one in spec.nameservers]
    flight = Flight(
        turning.loop,
        servers,
        Question(b"a.x", family),
        lambda other: Question(b"a.x", other),
        spec.retries,
        spec.timeout_retry / 1000,
        ended.append,
    )
    woken: list[int] = []
    flight.waiting += [lambda: woken.append(1), lambda: woken.append(2)]
    flight.start()
    assert flight.status is None and not ended
    turning.until(lambda: ended)
    assert ended == [flight] and woken == [1, 2]
    assert all(len(one) == 0 for one in servers)
    return flight


A, AAAA = ("a.x", "A", False), ("a.x", "AAAA", False)
ORDERS: tuple[tuple[str, list[Reaction], list[Reaction], Family, Status, str, list[tuple[str, str, bool]]], ...] = (
    ("at once", [GOOD], [], Family.IPV4, Status.VALID, "192.0.2.1", [A]),
    ("IPv6", [SIX], [], Family.IPV6, Status.VALID, "2001:db8::1", [AAAA]),
    ("the other family", [SIX], [], Family.IPV4, Status.VALID, "2001:db8::1", [A, AAAA]),
    ("the other family, 6", [GOOD], [], Family.IPV6, Status.VALID, "192.0.2.1", [AAAA, A]),
    ("a lost question", [silence, GOOD], [], Family.IPV4, Status.VALID, "192.0.2.1", [A, A]),
    ("a failure that passes", [SERVFAIL, SERVFAIL, GOOD], [], Family.IPV4, Status.VALID, "192.0.2.1", [A, AAAA, A]),
    ("silence", [silence], [], Family.IPV4, Status.TIMEOUT, "", [A, A]),
    ("no such name", [NX], [], Family.IPV4, Status.NX, "", [A, AAAA, A, AAAA]),
    ("refused", [REFUSED], [], Family.IPV4, Status.REFUSED, "", [A, AAAA, A, AAAA]),
    ("the last failure", [NX, REFUSED, NX, SERVFAIL], [], Family.IPV4, Status.OTHER, "", [A, AAAA, A, AAAA]),
    ("the second server", [silence], [GOOD], Family.IPV4, Status.VALID, "192.0.2.1", [A]),
    ("a failure beside an answer", [NX], [GOOD], Family.IPV4, Status.VALID, "192.0.2.1", [A]),
    ("a failure beside silence", [SERVFAIL], [silence, GOOD], Family.IPV4, Status.VALID, "192.0.2.1", [A, AAAA, A]),
)


@pytest.mark.parametrize(
    ("first", "other", "family", "status", "address", "asked"),
    [row[1:] for row in ORDERS],
    ids=[row[0] for row in ORDERS],
)
def test_order(
    turning: Loop,
    dns: NameServer,
    second: NameServer,
    first: list[Reaction],
    other: list[Reaction],
    family: Family,
    status: Status,
    address: str,
    asked: list[tuple[str, str, bool]],
) -> None:
    dns.put("a.x", *first)
    second.put("a.x", *other)
    servers = (dns, second) if other else (dns,)
    flight = fly(turning, section(*servers, retry=RETRY, retries=2), family)
    assert flight.status is status
    assert flight.addresses == ((pack_ip(address.encode()),) if address else ())
    if other:
        turning.until(lambda: len(dns.asked) >= len(asked))
    assert dns.asked == asked


def test_after_failures_the_next_try_has_its_time(turning: Loop, dns: NameServer) -> None:
    begin = time.monotonic()
    fly(turning, section(dns, retry=RETRY, retries=3))
    # And there is no waiting behind the last one.
    assert time.monotonic() - begin >= 0.12
    assert len(dns.asked) == 6


def test_a_flight_that_is_closed_tells_nobody(turning: Loop, dns: NameServer) -> None:
    dns.put("a.x", silence)
    servers = [Nameserver(one, turning.loop) for one in section(dns).nameservers]
    question = Question(b"a.x", Family.IPV4)
    flight = Flight(
        turning.loop, servers, question, lambda other: question, 1, 0.01, lambda flight: pytest.fail("told")
    )
    flight.start()
    flight.close()
    end = turning.loop.time() + 0.03
    turning.until(lambda: turning.loop.time() > end)
    assert flight.status is None and len(servers[0]) == 0
