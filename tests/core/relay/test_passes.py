"""The passes of rules over requests, suspension and its ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from maniple.core.relay.passes import DONE, HANDLERS
from maniple.core.rules.verdicts import JUMP, STOP, Kind
from maniple.tests.core.relay.rig import GET, OK, Rig, client_of
from maniple.tests.core.relay.ruled_rig import ruled

Make = Callable[..., Rig]
POST = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"


def test_every_verdict_has_its_handler() -> None:
    # STOP is nothing to do; JUMP never leaves a rule set.
    assert set(HANDLERS) == set(Kind) - {STOP, JUMP}
    assert DONE.kind is STOP


def test_a_request_is_changed_and_goes_on(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request set-header A b\nhttp-request del-header Host")
    client = rig.ask()
    assert rig.upstream().take() == b"GET / HTTP/1.1\r\na: b\r\n\r\n"
    rig.send(rig.upstream(), OK)
    assert client.take().endswith(b"ok")
    # The next request begins as the first one did.
    rig.send(client, GET)
    assert rig.upstream().take() == b"GET / HTTP/1.1\r\na: b\r\n\r\n"
    rig.send(rig.upstream(), OK)


def test_hints_go_before_the_answer(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request early-hint Link </x>\nhttp-request return status 404")
    got = rig.ask().take()
    assert got.startswith(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 404 Not Found\r\n")


def test_variables_end_with_their_request(make_rig: Make) -> None:
    rig = ruled(
        make_rig,
        "http-request return status 200 hdr T %[var(txn.a)] hdr S %[var(sess.a)] if { path /show }\n"
        "http-request set-var(txn.a) str(t)\nhttp-request set-var(sess.a) str(s)\nhttp-request return status 204",
    )
    client = rig.ask(b"GET /show HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b"t:" not in client.take()


def test_a_body_is_waited_for(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request wait-for-body time 5s\nhttp-request set-header Body %[req.body]")
    client = rig.ask(POST + b"hello")
    assert not rig.dials
    assert client_of(client).exchange is not None
    rig.send(client, b"world")
    assert b"body: helloworld\r\n" in rig.upstream().take()
    rig.send(rig.upstream(), OK)
    assert rig.lines() == [(200, "--")]


def test_a_body_that_does_not_come(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request wait-for-body time 2s")
    client = rig.ask(POST + b"hello")
    rig.loop.advance(2100.0)
    assert client.take().startswith(b"HTTP/1.1 408 ")
    assert rig.lines() == [(408, "cR")]
    assert not rig.dials


def test_a_pause(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request pause 2s\nhttp-request set-header A b")
    rig.ask()
    assert not rig.dials
    rig.loop.advance(2100.0)
    assert b"a: b\r\n" in rig.upstream().take()
    rig.send(rig.upstream(), OK)


@pytest.mark.parametrize(
    "lines", ["http-request pause 20s", "http-request tarpit", "http-request wait-for-body time 9s"]
)
def test_a_client_that_leaves_meanwhile(make_rig: Make, lines: str) -> None:
    rig = ruled(make_rig, lines)
    client = rig.ask(POST + b"x")
    rig.lose(client, ConnectionResetError())
    rig.loop.advance(30_000.0)
    assert not rig.dials
    assert len(rig.log.lines) == 1


def test_a_server_of_choice(make_rig: Make) -> None:
    rig = ruled(make_rig, "use-server s2 if { path /two }", servers=2)
    for _ in range(3):
        client = rig.ask(b"GET /two HTTP/1.1\r\nHost: a\r\n\r\n")
        rig.send(rig.upstream(), OK)
        client.take()
    assert {line.server for line in rig.log.lines} == {"s2"}


def test_zero_cost_without_rules(make_rig: Make) -> None:
    rig = ruled(make_rig, "acl unused path /")
    assert rig.frontend.ordinary and not rig.frontend.plan and rig.route.whole > 0
