"""What rules do to an exchange besides its messages, and that nothing of it is left for the next one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from maniple.tests.core.relay.rig import GET, OK, Rig, client_of, connection_of
from maniple.tests.core.relay.ruled_rig import ruled

Make = Callable[..., Rig]
CHANGED = b"GET /changed HTTP/1.1\r\nHost: a\r\n\r\n"


def test_an_address_of_one_request(make_rig: Make) -> None:
    rig = ruled(
        make_rig,
        "http-request set-src ipv4(192.0.2.9) if { path /changed }\nhttp-request set-header Src %[src]",
    )
    client = rig.ask(CHANGED)
    assert b"src: 192.0.2.9\r\n" in rig.upstream().take()
    rig.send(rig.upstream(), OK)
    rig.send(client, GET)
    assert b"192.0.2.9" not in rig.upstream().take()
    rig.send(rig.upstream(), OK)


def test_an_address_of_a_connection(make_rig: Make) -> None:
    rig = ruled(make_rig, "tcp-request connection set-src ipv4(192.0.2.9)\nhttp-request set-header Src %[src]")
    client = rig.ask()
    for _ in range(2):
        assert b"src: 192.0.2.9\r\n" in rig.upstream().take()
        rig.send(rig.upstream(), OK)
        rig.send(client, GET)
    rig.send(rig.upstream(), OK)
    assert client_of(client).client_host == "192.0.2.9"


def test_a_timeout_of_one_request(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request set-timeout server 2s if { path /changed }")
    client = rig.ask()
    rig.send(rig.upstream(), OK)
    rig.send(client, CHANGED)
    rig.loop.advance(2_200.0)
    assert rig.lines() == [(200, "--"), (504, "sH")]


def test_the_next_request_has_the_old_timeout(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request set-timeout server 2s if { path /changed }")
    client = rig.ask(CHANGED)
    rig.send(rig.upstream(), OK)
    rig.send(client, GET)
    rig.loop.advance(10_000.0)
    assert rig.lines() == [(200, "--")]
    assert connection_of(rig.upstream()).exchange is not None
    rig.send(rig.upstream(), OK)
    assert rig.lines() == [(200, "--"), (200, "--")]


def test_retries_of_one_request(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request set-retries 0", retries=3)
    assert rig.frontend.plan
    client = rig.ask()
    exchange = client_of(client).exchange
    assert exchange is not None
    assert (exchange.route.retries, rig.route.retries) == (0, 3)
    rig.send(rig.upstream(), OK)


def test_priorities_do_not_outlive_their_request(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request set-priority-class int(5)\nhttp-request set-priority-offset int(-7)")
    client = rig.ask()
    exchange = client_of(client).exchange
    assert exchange is not None
    assert (exchange.priority_class, exchange.priority_offset) == (5, -7)
    rig.send(rig.upstream(), OK)
    assert (exchange.priority_class, exchange.priority_offset) == (0, 0)


@pytest.mark.parametrize("line", ["set-mark 1", "set-tos 0x10", "set-fc-mark int(1)", "set-fc-tos int(16)"])
def test_options_of_sockets_that_cannot_be_set(make_rig: Make, line: str) -> None:
    rig = ruled(make_rig, f"http-request {line}")
    rig.ask()
    rig.send(rig.upstream(), OK)
    assert rig.lines() == [(200, "--")]


def test_captured_values_are_cut(make_rig: Make) -> None:
    lines = (
        "declare capture request len 3",
        "http-request capture path id 0",
        "http-request add-header x %[path,capture-req(7)]",
    )
    rig = ruled(make_rig, "\n".join(lines))
    client = rig.ask(b"GET /abcdef HTTP/1.1\r\nHost: a\r\n\r\n")
    exchange = client_of(client).exchange
    assert exchange is not None
    assert exchange.request_captures == ["/ab"]
    rig.send(rig.upstream(), OK)


def test_how_much_of_a_body_is_here(make_rig: Make) -> None:
    rig = ruled(make_rig, "http-request wait-for-body time 9s")
    client = rig.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
    exchange = client_of(client).exchange
    assert exchange is not None
    assert exchange.has_body(5) and not exchange.has_body(6) and not exchange.has_body(0)
    rig.send(client, b"world")
    assert exchange.has_body(0)
    rig.send(rig.upstream(), OK)


def test_a_timeout_of_the_client_of_one_request(make_rig: Make) -> None:
    upload = b"POST /%b HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nx"
    rig = ruled(make_rig, "http-request set-timeout client 2s if { path /changed }")
    client = rig.ask(upload % b"changed")
    rig.send(client, b"y")
    rig.loop.advance(2_100.0)
    assert client.take().startswith(b"HTTP/1.1 408 ")
    other = rig.ask(upload % b"other")
    rig.loop.advance(10_000.0)
    assert other.take() == b""
