"""leastconn against a scan of all servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.core.balance.backend import Backend
from maniple.core.balance.leastconn import LeastConnections
from maniple.core.balance.server import Server
from maniple.core.session import Exchange


def load(server: Server) -> int:
    inflight = server.served + len(server.waiting)
    return (inflight + 1) * 4096 // server.eweight if inflight else 0


@pytest.mark.parametrize(("number", "chosen"), [(6, "abcabc"), (7, "abcabca")])
def test_in_turn_among_equals(
    number: int, chosen: str, farm: Callable[..., Backend], choices: Callable[..., str]
) -> None:
    """Idle servers, one request after the other."""
    assert choices(farm("leastconn"), number) == chosen


def test_connections_that_stay_are_spread_by_weight(farm: Callable[..., Backend], exchange: Exchange) -> None:
    backend = farm("leastconn", "1 2 5")
    for _ in range(80):
        server = backend.choose(exchange)
        assert server is not None
        backend.took(server)
    assert [server.served for server in backend.servers] == pytest.approx([10, 20, 50], abs=1)


def test_avoided_and_saturated(farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    backend = farm("leastconn", "1 1 1", each={"a": {"maxconn": 1}})
    backend.took(backend.servers[0])
    assert set(choices(backend, 10)) == {"b", "c"}
    assert set(choices(backend, 10, avoid="b")) == {"c"}
    assert choices(farm("leastconn", "1"), 2, avoid="a") == "aa"
    assert choices(farm("leastconn", ""), 1) == "-"


def test_all_saturated_without_and_with_maxqueue(farm: Callable[..., Backend], exchange: Exchange) -> None:
    """Manual, maxqueue: leastconn adds to a server's queue up to it, where it is set."""
    for maxqueue, expected in ((0, [0, 0]), (2, [2, 2])):
        backend = farm("leastconn", "1 1", maxconn=1, maxqueue=maxqueue)
        for number in range(8):
            backend.place(exchange, number, number)
        assert [server.served for server in backend.servers] == [1, 1]
        assert [len(server.waiting) for server in backend.servers] == expected
        assert len(backend.waiting) == 6 - sum(expected)


@settings(max_examples=60)
@given(
    weights=st.lists(st.integers(1, 5), min_size=1, max_size=6),
    moves=st.lists(
        st.one_of(
            st.just(("take", 0)),
            st.tuples(st.sampled_from(["free", "down", "up", "persist"]), st.integers(0, 5)),
            st.tuples(st.just("weight"), st.integers(0, 30)),
        ),
        max_size=120,
    ),
)
def test_chosen_has_the_lowest_load(
    farm: Callable[..., Backend], weights: list[int], moves: list[tuple[str, int]]
) -> None:
    backend = farm("leastconn", " ".join(map(str, weights)))
    algorithm = backend.algorithm
    assert isinstance(algorithm, LeastConnections)
    exchange = Exchange()
    for move, number in moves:
        server = backend.servers[number % len(backend.servers)]
        if move == "take":
            chosen = backend.choose(exchange)
            candidates = [one for one in backend.servers if one.eligible]
            if not candidates:
                assert chosen is None
                continue
            assert chosen is not None
            assert chosen.eligible
            assert load(chosen) == min(map(load, candidates))
            backend.took(chosen)
        elif move == "persist":
            backend.took(server)
        elif move == "free":
            if server.served:
                backend.freed(server)
        elif move == "weight":
            backend.set_weight(server, number // 6)
        else:
            backend.set_usable(server, move == "up")
        assert len(algorithm._heap) <= 4 * len(backend.servers) + 17


def test_long_run_leaves_no_rubbish_and_is_fair(farm: Callable[..., Backend], exchange: Exchange) -> None:
    backend = farm("leastconn", "1 1 1")
    held: list[Server] = []
    chosen: Counter[str] = Counter()
    for _ in range(3000):
        server = backend.choose(exchange)
        assert server is not None
        chosen[server.name] += 1
        backend.took(server)
        held.append(server)
        if len(held) > 10:
            backend.freed(held.pop(0))
    assert max(chosen.values()) - min(chosen.values()) <= 10
