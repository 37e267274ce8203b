"""first: the lowest id with a free slot."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.core.balance.backend import Backend
from maniple.core.session import Exchange


def test_without_limits_the_first_gets_all(farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    assert choices(farm("first"), 3) == "aaa"


def test_fills_one_after_the_other(farm: Callable[..., Backend], exchange: Exchange) -> None:
    backend = farm("first", maxconn=2)
    for number in range(8):
        backend.place(exchange, number, number)
    assert [server.served for server in backend.servers] == [2, 2, 2]
    assert backend.queued == 2


def test_order_is_the_ids_not_the_files(farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    assert choices(farm("first", each={"a": {"id": 9}}), 1) == "b"


def test_avoided_and_nobody(farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    assert choices(farm("first"), 2, avoid="a") == "bb"
    assert choices(farm("first", "1"), 2, avoid="a") == "aa"
    assert choices(farm("first", ""), 1) == "-"


def test_limit_that_grows_with_the_load_is_seen(farm: Callable[..., Backend], exchange: Exchange) -> None:
    """A server with minconn has more slots as the backend fills up, without freeing any."""
    backend = farm("first", "1 1", full=10, each={"a": {"minconn": 1, "maxconn": 10}})
    names = ""
    for _ in range(12):
        server = backend.choose(exchange)
        assert server is not None
        backend.took(server)
        names += server.name
    assert names.startswith("ab")
    assert names.count("a") > 5


@settings(max_examples=60)
@given(
    limits=st.lists(st.integers(0, 3), min_size=1, max_size=6),
    moves=st.lists(st.tuples(st.sampled_from(["take", "take", "free", "persist"]), st.integers(0, 5)), max_size=80),
)
def test_against_a_scan(farm: Callable[..., Backend], limits: list[int], moves: list[tuple[str, int]]) -> None:
    each = {"abcdef"[number]: {"maxconn": limit} for number, limit in enumerate(limits)}
    backend = farm("first", " ".join("1" for _ in limits), each=each)
    exchange = Exchange()
    for move, number in moves:
        server = backend.servers[number % len(limits)]
        if move == "take":
            free = [one for one in backend.servers if not one.maxconn or one.served < one.maxconn]
            chosen = backend.choose(exchange)
            assert chosen is (free[0] if free else None)
            if chosen is not None:
                backend.took(chosen)
        elif move == "persist":
            backend.took(server)
        elif server.served:
            backend.freed(server)
