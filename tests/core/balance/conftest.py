"""A farm of servers described in a line, for all tests of balancing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.balance.algorithm import Algorithm
from maniple.core.balance.backend import Backend
from maniple.core.config.model import Address, BalanceSpec, Place, ProxySpec, ServerSpec
from maniple.core.session import Exchange
from maniple.pools.counters import BackendCounts, ServerCounts

PLACE = Place("test.cfg", 1)


def server_line(name: str, number: int, **words: Any) -> ServerSpec:
    return ServerSpec(PLACE, name, Address("inet", "127.0.0.1", 80, 80), **{"id": number, **words})


def make_farm(
    balance: str = "roundrobin",
    weights: str = "1 1 1",
    *,
    options: tuple[str, ...] = (),
    algorithm: Algorithm | None = None,
    full: int = 100,
    parts: int = 1,
    part: int = 0,
    each: dict[str, dict[str, Any]] | None = None,
    **words: Any,
) -> Backend:
    """Servers a, b, c … with these weights; a weight that ends with `b` is a backup's. `words` are for all server
    lines, `each` for single ones."""
    lines = []
    for number, weight in enumerate(weights.split()):
        name = chr(ord("a") + number) if number < 26 else f"s{number}"
        settings = {
            "weight": int(weight.rstrip("b")),
            "backup": weight.endswith("b"),
            **words,
            **(each or {}).get(name, {}),
        }
        lines.append(server_line(name, number + 1, **settings))
    words_of_balance = balance.split()
    spec = ProxySpec(
        PLACE,
        "farm",
        "backend",
        servers=tuple(lines),
        balance=BalanceSpec(words_of_balance[0], tuple(words_of_balance[1:]), PLACE),
        options=frozenset(options),
    )
    return Backend(
        spec, BackendCounts(), lambda name: ServerCounts(), full=full, parts=parts, part=part, algorithm=algorithm
    )


def make_exchange() -> Exchange:
    exchange = Exchange()
    exchange.head_at = 1000.0
    return exchange


def make_choices(farm: Backend, number: int, avoid: str | None = None) -> str:
    exchange = make_exchange()
    names = ""
    avoided = next((server for server in farm.servers if server.name == avoid), None)
    for _ in range(number):
        server = farm.choose(exchange, avoided)
        if server is None:
            names += "-"
            continue
        names += server.name
        farm.took(server)
        farm.freed(server)
    return names


# Of the session, because they keep nothing: so hypothesis may use them in many examples of one test.


@pytest.fixture(scope="session")
def farm() -> Callable[..., Backend]:
    """Makes a backend: see make_farm."""
    return make_farm


@pytest.fixture(scope="session")
def choices() -> Callable[..., str]:
    """The names of the servers that a number of requests go to, each of which has ended before the next; `-` where none
    is chosen."""
    return make_choices


@pytest.fixture
def exchange() -> Exchange:
    """A request whose head came at second 1 of the thread's clock."""
    return make_exchange()
