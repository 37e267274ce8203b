"""Questions to one name server: answers, lies, and what becomes of the socket."""

from __future__ import annotations

import copy
import socket
from collections.abc import Sequence

import dns.message
import pytest
from maniple.core.config.resolver_spec import NameserverSpec
from maniple.core.resolver import nameserver
from maniple.core.resolver.nameserver import Nameserver
from maniple.core.resolver.status import Family, Status
from maniple.core.resolver.wire import Question
from maniple.core.rules.samples import pack_ip
from maniple.tests.core.resolver.conftest import PLACE, Loop, one
from maniple.tests.core.resolver.nameserver import NX, NameServer, addresses, answer, rows, silence, truncated

GOOD = pack_ip(b"192.0.2.1")
QUESTION = Question(b"a.x", Family.IPV4)
Got = list[tuple[Status, tuple[bytes, ...]]]


def asking(asked: Nameserver, got: Got, question: Question = QUESTION) -> int:
    return asked.ask(question, lambda who, status, found: got.append((status, found)))


def test_an_answer(turning: Loop, dns: NameServer) -> None:
    dns.put("a.x", addresses("192.0.2.1"))
    asked, got = Nameserver(one(dns), turning.loop), Got()
    number = asking(asked, got)
    assert number >= 0 and len(asked) == 1 and not got
    turning.until(lambda: got)
    assert got == [(Status.VALID, (GOOD,))]
    assert len(asked) == 0 and asked._socket is None
    assert dns.asked == [("a.x", "A", False)] and dns.payloads == [512]


def forged(kind: str) -> object:
    """Lies before the truth."""

    def react(question: dns.message.QueryMessage, stream: bool) -> Sequence[bytes]:
        lie = answer(question, "a.x A 203.0.113.6")
        if kind == "number":
            lie.id = (question.id + 1) % 65536
        elif kind == "name":
            lie = answer(dns.message.make_query("b.x", "A", id=question.id), "b.x A 203.0.113.6", "a.x A 203.0.113.6")
        elif kind == "type":
            lie = answer(dns.message.make_query("a.x", "AAAA", id=question.id), "a.x A 203.0.113.6")
        elif kind == "echo":
            return [question.to_wire(), *addresses("192.0.2.1")(question, stream)]
        elif kind == "short":
            return [b"", b"\0" * 5, lie.to_wire()[:14], *addresses("192.0.2.1")(question, stream)]
        elif kind == "twice":
            return [*addresses("192.0.2.1")(question, stream), lie.to_wire()]
        return [lie.to_wire(), *addresses("192.0.2.1")(question, stream)]

    return react


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", ["number", "name", "type", "echo", "short", "twice"])
def test_lies_are_not_believed(turning: Loop, dns: NameServer, kind: str, stream: bool) -> None:
    dns.put("a.x", forged(kind))  # type: ignore[arg-type]
    asked, got = Nameserver(one(dns, stream), turning.loop), Got()
    asking(asked, got)
    turning.until(lambda: got)
    assert got == [(Status.VALID, (GOOD,))]
    asked.close()


def test_what_comes_from_elsewhere_is_not_believed(turning: Loop, dns: NameServer) -> None:
    dns.put("a.x", silence)
    asked, got = Nameserver(one(dns), turning.loop), Got()
    asking(asked, got)
    turning.until(lambda: dns.peers)
    lie = answer(copy.copy(dns_message(dns)), "a.x A 203.0.113.6").to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger:
        forger.sendto(lie, dns.peers[0])
    dns.put("a.x", addresses("192.0.2.1"))
    asking(asked, got)
    turning.until(lambda: got)
    assert got == [(Status.VALID, (GOOD,))] and len(asked) == 1
    asked.close()
    assert len(asked) == 0 and asked._socket is None


def dns_message(server: NameServer) -> dns.message.Message:
    return dns.message.from_wire(QUESTION.packet(server.numbers[0]))


def test_ports_and_numbers_change(turning: Loop, dns: NameServer) -> None:
    dns.put("a.x", NX)
    asked, got = Nameserver(one(dns), turning.loop), Got()
    for count in range(1, 9):
        asking(asked, got)
        turning.until(lambda: len(got) == count)  # noqa: B023
    assert len({peer[1] for peer in dns.peers}) > 1
    assert len(set(dns.numbers)) > 4
    assert got == [(Status.NX, ())] * 8


def test_many_at_a_time(turning: Loop, dns: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(40):
        dns.put(f"n{number}.x", rows(f"n{number}.x A 192.0.2.{number}"))
    asked, got = Nameserver(one(dns), turning.loop), Got()
    for number in range(40):
        asking(asked, got, Question(b"n%d.x" % number, Family.IPV4))
    turning.until(lambda: len(got) == 40)
    assert {found[0][3] for _, found in got} == set(range(40))
    monkeypatch.setattr(nameserver, "MOST", 1)
    dns.put("a.x", silence)
    assert asking(asked, got) >= 0 > asking(asked, got)
    asked.close()


def test_a_cut_answer_is_asked_for_over_tcp(turning: Loop, dns: NameServer) -> None:
    many = [f"192.0.2.{number}" for number in range(1, 200)]
    dns.put("a.x", truncated(addresses(*many)))
    asked, got = Nameserver(one(dns), turning.loop), Got()
    asking(asked, got)
    turning.until(lambda: got)
    assert got[0][0] is Status.VALID and len(got[0][1]) == 199
    assert dns.asked == [("a.x", "A", False), ("a.x", "A", True)]
    assert len(asked) == 0 and not asked._streams


def test_a_cut_answer_that_cannot_be_had(turning: Loop, dns: NameServer) -> None:
    dns.put("a.x", truncated(silence))
    asked, got = Nameserver(one(dns), turning.loop), Got()
    asking(asked, got)
    turning.until(lambda: got)
    assert got == [(Status.OTHER, ())] and len(asked) == 0


def test_tcp_only(turning: Loop, dns: NameServer) -> None:
    dns.put("a.x", addresses("192.0.2.1"))
    asked, got = Nameserver(one(dns, True), turning.loop), Got()
    asking(asked, got)
    turning.until(lambda: got)
    assert got == [(Status.VALID, (GOOD,))] and dns.asked == [("a.x", "A", True)]


def test_forgotten_questions_are_not_answered(turning: Loop, dns: NameServer) -> None:
    dns.put("a.x", addresses("192.0.2.1"))
    for stream in (False, True):
        asked, got = Nameserver(one(dns, stream), turning.loop), Got()
        number = asking(asked, got)
        asked.forget(number)
        asked.forget(number)
        assert len(asked) == 0 and asked._socket is None and not asked._streams
        asking(asked, got)
        turning.until(lambda: got)  # noqa: B023
        assert len(got) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_nobody_is_there(turning: Loop, stream: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    spec = NameserverSpec(PLACE, "n", "127.0.0.1", port, stream)
    asked, got = Nameserver(spec, turning.loop), Got()
    asking(asked, got)
    asking(asked, got)
    end = turning.loop.time() + 0.05
    turning.until(lambda: turning.loop.time() > end)
    # It may come back: nothing was answered.
    assert not got and len(asked) == 2
    asked.close()


def test_an_address_that_cannot_be_reached(turning: Loop) -> None:
    asked, got = Nameserver(NameserverSpec(PLACE, "n", "255.255.255.255", 53), turning.loop), Got()
    assert asking(asked, got) >= 0
    assert asked._socket is None
    asked.close()


def test_ipv6(turning: Loop) -> None:
    server = NameServer("::1")
    server.put("a.x", truncated(addresses("192.0.2.1")))
    asked, got = Nameserver(one(server), turning.loop), Got()
    asking(asked, got)
    turning.until(lambda: got)
    server.close()
    assert got == [(Status.VALID, (GOOD,))]
