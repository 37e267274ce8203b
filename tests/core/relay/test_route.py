"""Settings that depend on both sides of a way, and the replies in each of their forms."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.balance.backend import Backend
from maniple.core.config.model import ErrorFileSpec, ForwardForSpec, ProxySpec, SourceSpec, Timeouts
from maniple.core.http.block import BlockReader
from maniple.core.http.limits import Limits
from maniple.core.http.replies import EARLY_REPLIES, REPLIES
from maniple.core.relay.route import Frontend, Reply, Route, make_replies, milliseconds
from maniple.core.relay.timers import NEVER
from maniple.pools.counters import BackendCounts, FrontendCounts, ServerCounts
from maniple.tests.core.relay.fakes import FakeTransport
from maniple.tests.core.relay.rig import PLACE, Rig, server_spec


def way(front: dict[str, Any] | None = None, back: dict[str, Any] | None = None) -> Route:
    """From a frontend to a backend of its own."""
    frontend_spec = ProxySpec(PLACE, "f", "frontend", **{"mode": "http", **(front or {})})
    backend_spec = ProxySpec(PLACE, "b", "backend", **{"mode": "http", "servers": (server_spec("s1"),), **(back or {})})
    frontend = Frontend(frontend_spec, Rig().relay, FrontendCounts(), None)
    return Route(frontend, Backend(backend_spec, BackendCounts(), lambda name: ServerCounts(), full=1))


def test_milliseconds() -> None:
    assert milliseconds(5) == 5.0
    assert milliseconds(None, 7, 8) == 7.0
    assert milliseconds(None) == milliseconds(0) == milliseconds(None, None) == NEVER


# Replies.


@pytest.mark.parametrize("status", REPLIES)
def test_reply_forms(status: int) -> None:
    reply = Reply(status, REPLIES[status])
    body = REPLIES[status].partition(b"\r\n\r\n")[2]
    if status in (400, 408):
        assert not reply.persistent
        assert reply.closing == REPLIES[status]
    else:
        assert reply.persistent
        assert reply.keeping == REPLIES[status]
        assert reply.closing == REPLIES[status].replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1)
    assert reply.closing == reply.closing_head + body
    assert reply.keeping == reply.keeping_head + body
    assert Reply(status, EARLY_REPLIES[status], early=True).closing == EARLY_REPLIES[status]


@pytest.mark.parametrize(
    ("raw", "persistent", "closing"),
    [
        (
            b"HTTP/1.0 503 X\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
            False,
            b"HTTP/1.0 503 X\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
        ),
        (b"HTTP/1.1 503 X\r\n\r\nbody", False, b"HTTP/1.1 503 X\r\nconnection: close\r\n\r\nbody"),
        (b"", False, b""),
    ],
    ids=["says something", "no length", "empty"],
)
def test_replies_of_others(raw: bytes, persistent: bool, closing: bytes) -> None:
    reply = Reply(503, raw)
    assert (reply.persistent, reply.closing) == (persistent, closing)


def test_error_files_in_layers() -> None:
    def page(text: str) -> ErrorFileSpec:
        return ErrorFileSpec("file", text, b"HTTP/1.1 503 " + text.encode() + b"\nContent-Length: 1\n\n\n")

    replies = make_replies({503: page("front"), 502: page("front")}, {503: page("back")})
    assert replies[503].keeping == b"HTTP/1.1 503 back\r\nContent-Length: 1\r\n\r\n\n"
    assert replies[502].keeping.startswith(b"HTTP/1.1 503 front\r\n")
    assert replies[504].keeping == REPLIES[504]


@pytest.mark.parametrize(("kind", "line"), [("302", b"HTTP/1.1 302 Found"), ("303", b"HTTP/1.1 303 See Other")])
def test_error_locations(kind: str, line: bytes) -> None:
    reply = make_replies({503: ErrorFileSpec(kind, "http://x/")})[503]
    assert reply.keeping == (line + b"\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: http://x/\r\n\r\n")
    assert reply.persistent


def test_empty_error_file() -> None:
    assert make_replies({503: ErrorFileSpec("file", "/dev/null", b"")})[503].closing == b""


# Both sides.


def test_timeouts_of_the_side_they_belong_to() -> None:
    route = way(
        {"timeouts": Timeouts(client=1, client_fin=2, server=90, connect=90)},
        {"timeouts": Timeouts(client=90, server=3, connect=4, tunnel=5, server_fin=6)},
    )
    frontend = route.frontend
    assert (frontend.client_timeout, frontend.request_timeout, frontend.keep_alive_timeout) == (1.0, 1.0, 1.0)
    assert (route.server_timeout, route.connect_timeout, route.tunnel_timeout) == (3.0, 4.0, 5.0)
    assert (route.client_fin, route.server_fin) == (2.0, 6.0)
    assert route.queue_timeout == 4.0
    assert way(back={"timeouts": Timeouts(connect=4, queue=9)}).queue_timeout == 9.0


@pytest.mark.parametrize(
    ("client", "request_", "keep_alive", "last"),
    [
        (None, None, None, True),
        (5, None, None, True),
        (5, None, 5, True),
        (5, None, 4, False),
        (5, 9, 8, False),
        (5, 9, 9, True),
        (5, 9, None, True),
        (9, 5, None, False),
        (None, None, 1, True),
        (None, 5, None, True),
    ],
)
def test_keep_alive_is_the_last_deadline(
    client: int | None, request_: int | None, keep_alive: int | None, last: bool
) -> None:
    """Else a deadline that is filed under a later one would not be looked at in time."""
    timeouts = Timeouts(client=client, http_request=request_, http_keep_alive=keep_alive)
    assert way({"timeouts": timeouts}).frontend.keep_alive_last == last


@pytest.mark.parametrize("front", ["keep-alive", "server-close", "close"])
@pytest.mark.parametrize("back", ["keep-alive", "server-close", "close"])
def test_close_modes(front: str, back: str) -> None:
    route = way({"close_mode": front}, {"close_mode": back})
    assert route.frontend.close == (front == "close")
    assert route.close_server == (back != "keep-alive" or front == "server-close")
    assert route.plain == (not route.close_server)


def test_options_of_either_side() -> None:
    on = {"options": frozenset({"abortonclose"})}
    assert [way(front, back).abort_on_close for front, back in ((None, None), (on, None), (None, on))] == [
        False,
        True,
        True,
    ]
    assert way(back={"options": frozenset({"tcpka"})}).tcp_keepalive
    assert way(back={"options": frozenset({"srvtcpka"})}).tcp_keepalive
    assert not way({"options": frozenset({"tcpka"})}).tcp_keepalive


def test_ordinary_frontends() -> None:
    assert way().frontend.ordinary
    assert not way({"monitor_uri": "/m"}).frontend.ordinary
    assert not way({"close_mode": "close"}).frontend.ordinary


# forwardfor.


def test_forwarded_for() -> None:
    assert way().forward_name == b""
    asked = {"forwardfor": ForwardForSpec()}
    for route in (way(asked), way(back=asked)):
        assert route.forward_line("1.2.3.4") == b"x-forwarded-for: 1.2.3.4\r\n"
        assert not route.plain
        assert route.frontend.wants_source


def test_forwarded_for_backends_name_wins() -> None:
    route = way({"forwardfor": ForwardForSpec("X-F", True)}, {"forwardfor": ForwardForSpec("X-B", True)})
    assert route.forward_name == b"x-b"


@pytest.mark.parametrize("front", [False, True])
@pytest.mark.parametrize("back", [False, True])
def test_forwarded_for_if_none_needs_all_that_ask(front: bool, back: bool) -> None:
    route = way({"forwardfor": ForwardForSpec(if_none=front)}, {"forwardfor": ForwardForSpec(if_none=back)})
    assert route.forward_if_none == (front and back)


def test_forwarded_for_except() -> None:
    route = way({"forwardfor": ForwardForSpec(except_net="127.0.0.0/8")})
    assert route.forward_line("127.0.0.1") == b""
    assert route.forward_line("128.0.0.1") == b"x-forwarded-for: 128.0.0.1\r\n"
    assert route.forward_line("::1") == b"x-forwarded-for: ::1\r\n"
    assert route.forward_line("unix") == b""


def test_has_forward() -> None:
    route = way({"forwardfor": ForwardForSpec()})
    reader = BlockReader(Limits(max_head=1000, max_headers=10, cache_size=0), request=True)
    assert route.has_forward(reader.read(b"X-Forwarded-For: a\r\n\r\n"))
    assert not route.has_forward(reader.read(b"Host: a\r\n\r\n"))


# Sources and sockets.


def test_source_ports() -> None:
    route = way(back={"source": SourceSpec("127.0.0.2", 1000, 1003)})
    server = route.backend.servers[0]
    assert {route.source_of(server) for _ in range(200)} == {("127.0.0.2", port) for port in range(1000, 1004)}
    assert way().source_of(server) is None


def test_keep_alive_probes(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    transport: FakeTransport = rig.client()
    rig.route.keep_alive_probes(transport)
    assert transport.socket.options == [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]


def test_traffic_for_each_server() -> None:
    route = way()
    assert len(route.traffic) == 1
    assert route.frontend.routes == [route]
