"""A server's state, its limits, and the pool that its line asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.balance.backend import Backend
from maniple.core.balance.server import floats, make_pool
from maniple.core.config.model import Address, Place, ServerSpec
from maniple.pools.halflife import HalfLife, PurgeDelay


class Connection:
    reuses = 0
    safe = False


def line(**words: Any) -> ServerSpec:
    return ServerSpec(Place("test.cfg", 1), "a", Address("inet", "127.0.0.1", 80, 80), **words)


@pytest.mark.parametrize(
    ("up", "maintenance", "draining", "weight", "usable", "eligible"),
    [
        (True, False, False, 1, True, True),
        (True, False, True, 1, True, False),
        (True, False, False, 0, True, False),
        (False, False, False, 1, False, False),
        (True, True, False, 1, False, False),
    ],
)
def test_state(
    up: bool,
    maintenance: bool,
    draining: bool,
    weight: int,
    usable: bool,
    eligible: bool,
    farm: Callable[..., Backend],
) -> None:
    backend = farm(weights="1")
    (server,) = backend.servers
    backend.set_usable(server, up)
    backend.set_maintenance(server, maintenance)
    backend.set_draining(server, draining)
    backend.set_weight(server, weight)
    assert (server.usable, server.eligible) == (usable, eligible)


def test_disabled_server_starts_in_maintenance(farm: Callable[..., Backend]) -> None:
    backend = farm(weights="1", disabled=True)
    assert not backend.servers[0].usable
    backend.set_maintenance(backend.servers[0], False)
    assert backend.servers[0].eligible


def test_effective_weight_is_sixteenfold(farm: Callable[..., Backend]) -> None:
    assert farm(weights="7").servers[0].eweight == 112


@pytest.mark.parametrize(
    ("maxconn", "minconn", "parts", "shares"),
    [
        (0, 0, 3, [(0, 0), (0, 0), (0, 0)]),
        (10, 0, 3, [(4, 0), (3, 0), (3, 0)]),
        (10, 4, 2, [(5, 2), (5, 2)]),
        (0, 4, 2, [(2, 0), (2, 0)]),
        (4, 4, 1, [(4, 0)]),
        (2, 0, 4, [(1, 0)] * 4),
    ],
)
def test_limits_are_shared_by_the_threads(
    maxconn: int, minconn: int, parts: int, shares: list[tuple[int, int]], farm: Callable[..., Backend]
) -> None:
    servers = [
        farm(weights="1", maxconn=maxconn, minconn=minconn, parts=parts, part=part).servers[0] for part in range(parts)
    ]
    assert [(server.maxconn, server.minconn) for server in servers] == shares


def test_saturation(farm: Callable[..., Backend]) -> None:
    backend = farm(weights="1 1", each={"a": {"maxconn": 2}})
    limited, unlimited = backend.servers
    for _ in range(2):
        assert not limited.saturated()
        backend.took(limited)
        backend.took(unlimited)
    assert limited.saturated()
    assert not unlimited.saturated()
    limited.set_limits(3)
    assert not limited.saturated()
    limited.set_limits(0)
    assert not limited.saturated()
    assert limited.limit() == 0


def test_dynamic_limit_follows_the_load(farm: Callable[..., Backend]) -> None:
    backend = farm(weights="1 1", full=10, each={"a": {"maxconn": 10, "minconn": 2}})
    server, other = backend.servers
    limits = []
    for _ in range(11):
        limits.append(server.limit())
        backend.took(other)
    assert limits == [2, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10]


def test_ceiling_never_promises_a_slot_that_is_not_there(farm: Callable[..., Backend]) -> None:
    backend = farm(weights="1 1", full=10, each={"a": {"maxconn": 10, "minconn": 2}})
    server, other = backend.servers
    for _ in range(8):
        for _ in range(3):
            if server.served < server.ceiling:
                assert not server.saturated()
            if not server.saturated():
                backend.took(server)
        backend.took(other)
        assert server.served <= server.limit()


@pytest.mark.parametrize(
    ("words", "kind", "kept"),
    [
        ({}, PurgeDelay, True),
        ({"pool_purge_delay": 0}, type(None), False),
        ({"pool_half_life": 60000}, HalfLife, True),
        ({"pool_half_life": 60000, "pool_purge_delay": 0}, HalfLife, True),
        ({"pool_max": 0}, PurgeDelay, False),
        ({"max_reuse": 0}, PurgeDelay, False),
    ],
)
def test_pool_of_a_line(words: dict[str, Any], kind: type[object], kept: bool) -> None:
    pool = make_pool(line(**words), "safe")
    assert type(pool.eviction) is kind
    pool.took()
    assert pool.give(Connection(), False) is kept


def test_half_life_of_a_line() -> None:
    rule = make_pool(line(pool_half_life=60000, pool_purge_batches=5, pool_min=7), "safe").eviction
    assert isinstance(rule, HalfLife)
    assert (rule.batches, rule.minimum, rule.turns.interval, rule.latched) == (5, 7, 12000, True)
    rule = make_pool(line(pool_half_life=60000), "safe").eviction
    assert isinstance(rule, HalfLife)
    assert rule.batches == 10
    # Batches that would follow each other faster than the pulse are fewer instead.
    for half_life, batches, interval in ((2000, 10, 200), (1000, 5, 200), (500, 2, 250), (3, 1, 3)):
        rule = make_pool(line(pool_half_life=half_life), "safe").eviction
        assert isinstance(rule, HalfLife)
        assert (rule.batches, rule.turns.interval) == (batches, interval)


def test_pool_limits_are_shared_exactly() -> None:
    pools = [make_pool(line(pool_max=2, pool_min=5, pool_low=1), "safe", 3, index) for index in range(3)]
    assert [pool.minimum for pool in pools] == [2, 2, 1]
    assert [pool.low for pool in pools] == [1, 0, 0]
    for pool, kept in zip(pools, (True, True, False), strict=True):
        pool.took()
        assert pool.give(Connection(), False) is kept


def test_maintenance_reaches_the_pool(farm: Callable[..., Backend]) -> None:
    backend = farm(weights="1")
    (server,) = backend.servers
    server.pool.took()
    backend.set_maintenance(server, True)
    assert not server.pool.give(Connection(), False)


def test_limits_are_dealt_anew(farm: Callable[..., Backend]) -> None:
    words = {"maxconn": 10, "minconn": 5, "maxqueue": 4, "pool_max": 8, "pool_min": 2, "pool_low": 4}
    (server,) = farm(weights="1", each={"a": words}).servers
    for parts, part, limits in ((2, 0, (5, 3, 2)), (2, 1, (5, 2, 2)), (4, 3, (2, 1, 1)), (1, 0, (10, 5, 4))):
        server.deal(part, parts)
        assert (server.maxconn, server.minconn, server.maxqueue) == limits
        assert server.ceiling == server.minconn
        pool = server.pool
        assert (pool._room, pool.minimum, pool.low) == (8 // parts, 2 // parts + (part < 2 % parts), 4 // parts)


def test_maintenance_survives_a_deal(farm: Callable[..., Backend]) -> None:
    backend = farm(weights="1")
    (server,) = backend.servers
    backend.set_maintenance(server, True)
    server.deal(0, 2)
    assert not server.pool.give(Connection(), False)


def test_counts_before_publication(farm: Callable[..., Backend]) -> None:
    backend = farm(weights="1")
    (server,) = backend.servers
    for _ in range(3):
        backend.took(server)
    backend.freed(server)
    for _ in range(2):
        server.pool.took()
    server.pool.give(Connection(), False)
    server.refresh_counts()
    counts = server.counts
    assert (counts.scur, counts.smax, counts.connect, counts.reuse) == (2, 3, 2, 0)
    assert (counts.idle_conn_cur, counts.safe_conn_cur, counts.used_conn_cur, counts.need_conn_est) == (1, 0, 1, 2)


def test_repr(farm: Callable[..., Backend]) -> None:
    backend = farm(weights="1 1", each={"a": {"maxconn": 5}})
    one, two = backend.servers
    backend.took(one)
    assert repr(one) == "<Server farm/a up: 1/5 served, 0 waiting>"
    backend.set_draining(two, True)
    assert repr(two) == "<Server farm/b drain: 0/unlimited served, 0 waiting>"
    backend.set_usable(two, False)
    assert " down: " in repr(two)
    backend.set_maintenance(two, True)
    assert " maintenance: " in repr(two)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (Address("inet", "10.0.0.1", 80, 80), False),
        (Address("inet", "0.0.0.0", 80, 80), True),
        (Address("inet", "", 80, 80), True),
        (Address("inet6", "::", 80, 80), True),
        (Address("inet", "10.0.0.1", 0, 0), True),
        (Address("inet", "10.0.0.1", 5, 5, port_offset=True), True),
        (Address("unix", "/run/x"), False),
        (Address("abns", "x"), False),
    ],
)
def test_lines_that_go_where_the_client_says(address: Address, expected: bool) -> None:
    """Their connections are used once: the next request may want to go elsewhere."""
    assert floats(address) is expected

    class Connection:
        reuses = 0
        safe = False

    for strategy in ("always", "never"):
        pool = make_pool(ServerSpec(Place("f", 1), "s", address), strategy)
        pool.took()
        connection = Connection()
        if strategy == "never":
            assert pool.reserve(connection, "client") is not expected
        else:
            assert pool.give(connection, True) is not expected
