"""Requests bound to servers before balancing: who is asked, what messages become, where a bound request waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from maniple.core.build_rules import install
from maniple.core.config.cookie_spec import CookieSpec
from maniple.core.config.model import Configuration
from maniple.core.relay import operating
from maniple.core.relay.exchange import RelayExchange
from maniple.core.session import DIRECT, FORCED, IGNORED
from maniple.tests.core.relay.fakes import FakeTransport
from maniple.tests.core.relay.rig import GET, OK, FakeLog, Rig, client_of
from maniple.tests.core.relay.ruled_rig import rule_lines

Make = Callable[..., Rig]
INDIRECT = CookieSpec("X", "insert", indirect=True)
FORCE = "force-persist if { path / }"


class States(FakeLog):
    """Keeps the four letters and the server, too."""

    def __init__(self) -> None:
        super().__init__()
        self.states: list[str] = []

    def write(self, exchange: RelayExchange, level: int | None = None) -> None:
        super().write(exchange, level)
        self.states.append(f"{exchange.server_name} {(exchange.termination + exchange.cookie_state).decode()}")


def cookied(
    make_rig: Make, rules: str = "acl unused always_true", cookie: CookieSpec | None = INDIRECT, **words: Any
) -> Rig:
    """A rig with servers s1 and s2, whose cookies are a and b."""
    rig = make_rig(servers=2, rules=rule_lines(rules), cookie=cookie, **words)
    lines = [replace(line, cookie=value) for line, value in zip(rig.spec.servers, "ab", strict=True)]
    object.__setattr__(rig.spec, "servers", tuple(lines))
    rig.frontend.access_log = cast(Any, States())
    install(Configuration(proxies=(rig.spec,)), {"px": rig.frontend}, {"px": rig.backend}, rig.relay)
    return rig


def states(rig: Rig) -> list[str]:
    log: Any = rig.frontend.access_log
    return cast(list[str], log.states)


def asking(cookie: str) -> bytes:
    return f"GET / HTTP/1.1\r\nHost: a\r\nCookie: {cookie}\r\n\r\n".encode()


def test_nothing_without_a_cookie(make_rig: Make) -> None:
    rig = cookied(make_rig, cookie=None)
    assert (rig.backend.binders, rig.backend.closers, rig.route.plan, rig.route.response_plan) == ((), (), (), ())
    assert rig.frontend.ordinary
    assert rig.route.whole > 0


def test_bound_by_a_cookie(make_rig: Make) -> None:
    rig = cookied(make_rig)
    client = rig.ask(asking("y=1; X=b"))
    server = rig.upstream()
    assert server.take() == b"GET / HTTP/1.1\r\nhost: a\r\ncookie: y=1\r\n\r\n"
    rig.send(server, OK)
    assert b"set-cookie" not in client.take()
    assert states(rig) == ["s2 --VN"]
    assert client_of(client).exchange is None


def test_a_cookie_is_inserted(make_rig: Make) -> None:
    rig = cookied(make_rig)
    client = rig.ask()
    rig.send(rig.upstream(), OK)
    assert client.take() == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nset-cookie: X=a; path=/\r\n\r\nok"
    # The next request on the same connection has none of it.
    rig.send(client, asking("X=a"))
    assert rig.upstream().take() == b"GET / HTTP/1.1\r\nhost: a\r\n\r\n" * 2
    rig.send(rig.upstream(), OK)
    assert client.take() == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    assert states(rig) == ["s1 --NI", "s1 --VN"]


def test_several_lines(make_rig: Make) -> None:
    rig = cookied(make_rig)
    rig.ask(b"GET / HTTP/1.1\r\nCookie: y=1; X=b\r\nHost: a\r\nCookie: X=a\r\nCookie: z=1\r\n\r\n")
    assert rig.upstream().take() == b"GET / HTTP/1.1\r\ncookie: y=1\r\nhost: a\r\ncookie: z=1\r\n\r\n"
    rig.send(rig.upstream(), OK)
    assert states(rig) == ["s2 --VN"]


def test_the_binders_are_asked_in_their_order(make_rig: Make) -> None:
    rig = cookied(make_rig)
    asked: list[str] = []
    first, second = rig.backend.servers

    def one(x: RelayExchange) -> None:
        asked.append(f"one {x.wanted}")

    def two(x: RelayExchange) -> Any:
        asked.append("two")
        return second

    def three(x: RelayExchange) -> Any:
        asked.append(f"three {x.wanted is second}")
        return first

    rig.backend.binders = cast(Any, (one, two, three))
    rig.ask()
    assert asked == ["one None", "two", "three True"]
    assert second.served == 1
    rig.send(rig.upstream(), OK)


def test_use_server_comes_first(make_rig: Make) -> None:
    rig = cookied(make_rig, "use-server s1 if TRUE")
    client = rig.ask(asking("X=b"))
    assert rig.server.served == 1
    rig.send(rig.upstream(), OK)
    assert b"set-cookie" not in client.take()
    assert states(rig) == ["s1 --UN"]


@pytest.mark.parametrize(
    ("rules", "options", "state"),
    [
        ("acl a always_true", frozenset(), "s1 --DI"),
        ("acl a always_true", frozenset({"persist"}), "s2 --DN"),
        (FORCE, frozenset(), "s2 --DN"),
        ("ignore-persist if { path / }", frozenset({"persist"}), "s1 --UN"),
    ],
)
def test_a_server_that_is_down(make_rig: Make, rules: str, options: frozenset[str], state: str) -> None:
    rig = cookied(make_rig, rules, options=options)
    rig.backend.set_maintenance(rig.backend.servers[1], True)
    client = rig.ask(asking("X=b"))
    rig.send(rig.upstream(), OK)
    assert states(rig) == [state]
    assert client.take().endswith(b"ok")


def test_a_drained_server_serves_its_clients(make_rig: Make) -> None:
    rig = cookied(make_rig)
    rig.backend.set_draining(rig.backend.servers[1], True)
    rig.ask(asking("X=b"))
    rig.send(rig.upstream(), OK)
    assert states(rig) == ["s2 --VN"]


# Full servers.


def full(make_rig: Make, rules: str = "acl unused always_true", **words: Any) -> tuple[Rig, FakeTransport]:
    """s2 serves one request, which is all that it may; and another client wants it."""
    server = {"maxconn": 1, **words.pop("server", {})}
    rig = cookied(make_rig, rules, server=server, **words)
    rig.ask(asking("X=b"))
    return rig, rig.ask(asking("X=b"))


def test_it_waits_for_its_server(make_rig: Make) -> None:
    rig, client = full(make_rig)
    first, second = rig.backend.servers
    assert (first.served, len(second.waiting), len(rig.backend.waiting)) == (0, 1, 0)
    rig.send(rig.upstream(), OK)
    rig.send(rig.upstream(), OK)
    assert client.take().endswith(b"ok")
    assert states(rig) == ["s2 --VN", "s2 --VN"]


def test_it_waits_too_long(make_rig: Make) -> None:
    rig, client = full(make_rig)
    rig.loop.advance(4500)
    assert b"503" in client.take()
    assert states(rig) == ["s2 sQVN"]
    rig.send(rig.upstream(), OK)


@pytest.mark.parametrize("redispatch", [0, -1])
@pytest.mark.parametrize("rules", ["acl unused always_true", FORCE])
def test_no_room_to_wait(make_rig: Make, redispatch: int, rules: str) -> None:
    rig, _ = full(make_rig, rules, server={"maxqueue": 1}, redispatch=redispatch)
    client = rig.ask(asking("X=b"))
    if redispatch and rules != FORCE:
        assert rig.server.served == 1
        rig.send(rig.upstream(), OK)
        assert b"set-cookie: X=a; path=/" in client.take()
        assert states(rig) == ["s1 --DI"]
    else:
        assert b"503" in client.take()
        assert states(rig) == ["s2 SQVN"]
    for _ in range(2):
        for dial in rig.dials:
            if dial.transport is not None and dial.transport.take():
                rig.send(dial.transport, OK)


@pytest.mark.parametrize(
    ("rules", "options", "left", "last"),
    [
        ("acl unused always_true", frozenset(), 0, "s1 --DI"),
        ("acl unused always_true", frozenset({"persist"}), 1, "s2 --VN"),
        (FORCE, frozenset(), 1, "s2 --VN"),
    ],
)
def test_its_server_goes_down(make_rig: Make, rules: str, options: frozenset[str], left: int, last: str) -> None:
    rig, client = full(make_rig, rules, options=options)
    second = rig.backend.servers[1]
    operating.set_server([rig.backend], "px", "s2", "maint", None)
    rig.loop.run()
    assert len(second.waiting) == left
    for _ in range(2):
        for dial in rig.dials:
            if dial.transport is not None and dial.transport.take():
                rig.send(dial.transport, OK)
    assert client.take().endswith(b"ok")
    assert sorted(states(rig)) == sorted(["s2 --VN", last])


# Failures.


@pytest.mark.parametrize(
    ("rules", "cookie", "state"),
    [
        ("acl unused always_true", "X=b", "s1 --DI"),
        (FORCE, "X=b", "s2 SCVN"),
    ],
)
def test_redispatch(make_rig: Make, rules: str, cookie: str, state: str) -> None:
    rig = cookied(make_rig, rules, redispatch=-1, retries=1)
    rig.loop.answer = None
    rig.ask(asking(cookie))
    rig.refuse()
    rig.loop.advance(1500)
    if state.startswith("s1"):
        rig.send(rig.accept(), OK)
    else:
        rig.refuse()
    assert states(rig) == [state]


def test_denied(make_rig: Make) -> None:
    rig = cookied(make_rig, "http-request deny")
    client = rig.ask(asking("X=b"))
    assert b"403" in client.take()
    assert states(rig) == ["s2 PRVN"]


def test_bits() -> None:
    assert len({DIRECT, FORCED, IGNORED, DIRECT | FORCED | IGNORED}) == 4


def test_stale_letters_are_gone(make_rig: Make) -> None:
    rig = cookied(make_rig)
    client = rig.ask(asking("X=b"))
    rig.send(rig.upstream(), OK)
    rig.send(client, b"junk\r\n\r\n")
    assert states(rig) == ["s2 --VN", "<NOSRV> PR--"]
    assert client_of(rig.ask(GET)).exchange is not None
    rig.send(rig.upstream(), OK)
