"""Where a request goes or waits; who gets a slot that is freed; which servers are balanced over."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.core.balance.algorithm import Algorithm
from maniple.core.balance.backend import Backend
from maniple.core.balance.chance import Chance
from maniple.core.balance.server import Server
from maniple.core.config.model import BalanceSpec, Place, ProxySpec
from maniple.core.session import Exchange
from maniple.pools.counters import BackendCounts, ServerCounts
from maniple.pools.waiting import Ticket


def names(servers: Sequence[Server]) -> str:
    return "".join(server.name for server in servers)


def fill(backend: Backend) -> None:
    """Takes all slots."""
    for server in backend.servers:
        while not server.saturated():
            backend.took(server)


# Who is balanced over.


@pytest.mark.parametrize(
    ("weights", "down", "options", "expected"),
    [
        ("1 1 1b 1b", "", (), "ab"),
        ("1 1 1b 1b", "a", (), "b"),
        ("1 1 1b 1b", "ab", (), "c"),
        ("1 1 1b 1b", "abc", (), "d"),
        ("1 1 1b 1b", "abcd", (), ""),
        ("1 1 1b 1b", "ab", ("allbackups",), "cd"),
        ("1 1 1b 1b", "a", ("allbackups",), "b"),
        ("0 1 1b", "", (), "b"),
        ("0 0 1b", "", (), "c"),
        ("1 0b 1b", "a", (), "c"),
    ],
)
def test_candidates(
    weights: str, down: str, options: tuple[str, ...], expected: str, farm: Callable[..., Backend], exchange: Exchange
) -> None:
    backend = farm(weights=weights, options=options)
    for server in backend.servers:
        if server.name in down:
            backend.set_usable(server, False)
    assert names(backend.candidates) == expected
    assert names([server for server in backend.servers if server.balanced]) == expected
    placed = backend.place(exchange, None, 0)
    assert (placed.name in expected) if isinstance(placed, Server) else (expected == "" and placed is None)


def test_counts_of_eligible_servers(farm: Callable[..., Backend]) -> None:
    backend = farm(weights="1 1 0 1b 1b")
    assert (backend.active_count, backend.backup_count) == (2, 2)
    backend.set_draining(backend.servers[0], True)
    backend.set_maintenance(backend.servers[4], True)
    assert (backend.active_count, backend.backup_count) == (1, 1)
    assert repr(backend) == "<Backend farm: 1 active, 1 backup; 0 served, 0 waiting>"


def test_first_backup_goes_when_an_active_comes_back(farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    backend = farm(weights="1 1b")
    backend.set_usable(backend.servers[0], False)
    assert choices(backend, 2) == "bb"
    backend.set_usable(backend.servers[0], True)
    assert choices(backend, 2) == "aa"


@pytest.mark.parametrize("weight", [-1, 257])
def test_weights_have_limits(weight: int, farm: Callable[..., Backend]) -> None:
    backend = farm()
    with pytest.raises(ValueError, match="0 to 256"):
        backend.set_weight(backend.servers[0], weight)


def test_backend_without_servers(farm: Callable[..., Backend], exchange: Exchange) -> None:
    assert farm(weights="").place(exchange, None, 0) is None


def test_counts_may_be_a_list() -> None:
    spec = ProxySpec(Place("x", 1), "be", "backend", balance=BalanceSpec())
    assert Backend(spec, BackendCounts(), [], full=1).servers == ()
    with pytest.raises(ValueError, match="zip"):
        Backend(spec, BackendCounts(), [ServerCounts()], full=1)


# Where a request goes.


def test_persistence_goes_before_the_algorithm(farm: Callable[..., Backend], exchange: Exchange) -> None:
    backend = farm(weights="1 0 1")
    assert backend.place(exchange, None, 0, wanted=backend.servers[1]) is backend.servers[1]
    backend.set_usable(backend.servers[1], False)
    assert backend.place(exchange, None, 0, wanted=backend.servers[1]) is backend.servers[0]


def test_persistent_request_waits_for_its_server(farm: Callable[..., Backend], exchange: Exchange) -> None:
    backend = farm(maxconn=1, maxqueue=1)
    wanted = backend.servers[1]
    backend.took(wanted)
    ticket = backend.place(exchange, "one", 0, wanted=wanted)
    assert isinstance(ticket, Ticket)
    assert ticket.queue is wanted.waiting
    # Its queue is full: as without persistence.
    assert backend.place(exchange, "two", 0, wanted=wanted) is backend.servers[0]


def test_full_farm_means_the_backends_queue(farm: Callable[..., Backend], exchange: Exchange) -> None:
    backend = farm(maxconn=1)
    fill(backend)
    ticket = backend.place(exchange, "one", 0)
    assert isinstance(ticket, Ticket)
    assert ticket.queue is backend.waiting
    backend.refresh_counts()
    assert (backend.counts.qcur, backend.counts.qmax, backend.counts.scur, backend.counts.smax) == (1, 1, 4, 4)


def test_nobody_overtakes(farm: Callable[..., Backend], exchange: Exchange) -> None:
    """A slot that came up unnoticed (its limit grew) is for those that wait."""
    backend = farm(weights="1", maxconn=1)
    fill(backend)
    backend.place(exchange, "one", 5)
    backend.servers[0].set_limits(3)
    assert backend.choose(exchange) is None
    assert isinstance(backend.place(exchange, "two", 1), Ticket)
    assert backend.resume(backend.servers[0]) == ["two", "one"]


def test_queue_in_front_of_an_idle_farm_blocks_nobody(farm: Callable[..., Backend], exchange: Exchange) -> None:
    backend = farm(weights="1", maxconn=2)
    fill(backend)
    backend.place(exchange, "one", 0)
    backend.set_usable(backend.servers[0], False)
    for _ in range(2):
        assert backend.freed(backend.servers[0]) is None
    backend.set_usable(backend.servers[0], True)
    # Nobody called resume; a new request comes through, and when it ends the waiting one does.
    assert backend.place(exchange, "two", 1) is backend.servers[0]
    assert backend.freed(backend.servers[0]) == "one"


def test_last_server_is_preferred_if_it_may_be(farm: Callable[..., Backend], exchange: Exchange) -> None:
    backend = farm(options=("prefer-last-server",))
    assert backend.prefer_last
    last = backend.servers[2]
    for _ in range(3):
        assert backend.choose(exchange, None, last) is last
    assert backend.choose(exchange, last, last) is not last
    backend.set_draining(last, True)
    assert backend.choose(exchange, None, last) is not last


def test_hashing_does_not_prefer_the_last_server(farm: Callable[..., Backend], exchange: Exchange) -> None:
    class Fixed(Algorithm):
        rotating = False

        def changed(self, servers: Sequence[Server]) -> None:
            self.servers = servers

        def choose(self, exchange: Exchange, avoid: Server | None) -> Server | None:
            return self.servers[0]

    backend = farm(algorithm=Fixed())
    assert backend.choose(exchange, None, backend.servers[2]) is backend.servers[0]


def test_choices_are_counted(farm: Callable[..., Backend], choices: Callable[..., str], exchange: Exchange) -> None:
    backend = farm()
    choices(backend, 7)
    backend.place(exchange, None, 0, wanted=backend.servers[0])
    backend.refresh_counts()
    assert [server.counts.lbtot for server in backend.servers] == [3, 2, 2]
    assert backend.counts.lbtot == 7


# Who gets a slot.


def test_better_of_both_heads(farm: Callable[..., Backend], exchange: Exchange) -> None:
    backend = farm(weights="1", maxconn=1)
    (server,) = backend.servers
    fill(backend)
    backend.wait("backend 5", 5, None)
    backend.wait("server 7", 7, server)
    backend.wait("server 3", 3, server)
    backend.wait("backend 7", 7, None)
    called = [backend.freed(server) for _ in range(5)]
    # Of the two with 7 the one that came first.
    assert called == ["server 3", "backend 5", "server 7", "backend 7", None]
    assert (backend.served, server.served, backend.queued) == (0, 0, 0)


@pytest.mark.parametrize("state", ["drain", "backup", "down"])
def test_server_that_is_not_balanced_over_serves_its_own_queue_only(state: str, farm: Callable[..., Backend]) -> None:
    backend = farm(weights="1 1b", maxconn=1)
    server = backend.servers[1 if state == "backup" else 0]
    fill(backend)
    backend.wait("backend", 1, None)
    backend.wait("own", 2, server)
    if state == "drain":
        backend.set_draining(server, True)
    if state == "down":
        backend.set_usable(server, False)
    # Who still waits for a server that is down is to go there nevertheless: others have been evacuated.
    assert backend.freed(server) == "own"
    assert backend.evacuate(server) == []
    assert backend.queued == 1


def test_server_that_is_back_takes_as_many_as_it_may(farm: Callable[..., Backend]) -> None:
    backend = farm(weights="1 1", maxconn=2)
    fill(backend)
    back = backend.servers[1]
    backend.set_usable(back, False)
    for _ in range(2):
        backend.freed(back)
    for number in range(5):
        backend.wait(number, number, None)
    assert backend.resume(back) == []
    backend.set_usable(back, True)
    assert backend.resume(back) == [0, 1]
    assert back.served == 2
    assert backend.queued == 3


def test_waiter_that_gives_up(farm: Callable[..., Backend], exchange: Exchange) -> None:
    backend = farm(weights="1", maxconn=1)
    fill(backend)
    one = backend.wait("one", 1, None)
    two = backend.wait("two", 2, backend.servers[0])
    assert backend.cancel(one)
    assert not backend.cancel(one)
    assert backend.queued == 1
    assert backend.freed(backend.servers[0]) == "two"
    assert not backend.cancel(two)
    assert backend.freed(backend.servers[0]) is None


def test_gone_waiter_of_a_server_lightens_its_load(farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    backend = farm("leastconn", "1 1")
    ticket = backend.wait("one", 1, backend.servers[0])
    assert choices(backend, 2) == "bb"
    backend.cancel(ticket)
    assert "a" in choices(backend, 2)


@pytest.mark.parametrize("balance", ["roundrobin", "static-rr", "leastconn", "random", "first"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_invariants_on_a_random_walk(balance: str, farm: Callable[..., Backend], data: st.DataObject) -> None:
    """Sums are right, limits hold, no slot of a balanced server is free while somebody waits in the backend's queue,
    and every waiter is handed out exactly once."""
    number = data.draw(st.integers(1, 4))
    # The same draws in every run of an example, or hypothesis calls the test flaky.
    algorithm = Chance((), random.Random(1)) if balance == "random" else None
    weights = " ".join(["1", "2", "1b", "3"][:number])
    backend = farm(balance, weights, algorithm=algorithm, maxconn=data.draw(st.integers(1, 3)), maxqueue=1)
    exchange = Exchange()
    exchange.head_at = 1.0
    tickets: dict[int, Ticket[int]] = {}
    arrivals = 0

    def call(waiters: Sequence[int]) -> None:
        for waiter in waiters:
            del tickets[waiter]

    for _ in range(data.draw(st.integers(0, 60))):
        server = backend.servers[data.draw(st.integers(0, number - 1))]
        move = data.draw(st.sampled_from(["place", "place", "place", "persist", "free", "free", "cancel", "toggle"]))
        if move in ("place", "persist"):
            arrivals += 1
            wanted = server if move == "persist" else None
            placed = backend.place(exchange, arrivals, data.draw(st.integers(0, 3)), wanted)
            if isinstance(placed, Ticket):
                tickets[arrivals] = placed
            else:
                assert placed is not None or not backend.candidates
        elif move == "free" and server.served:
            waiter = backend.freed(server)
            call([] if waiter is None else [waiter])
        elif move == "cancel" and tickets:
            assert backend.cancel(tickets.pop(data.draw(st.sampled_from(sorted(tickets)))))
        elif move == "toggle":
            backend.set_usable(server, not server.up)
            if not server.up:
                call(backend.evacuate(server))
            for one in backend.servers:
                call(backend.resume(one))
        assert backend.served == sum(one.served for one in backend.servers)
        assert backend.queued == len(tickets) == len(backend.waiting) + sum(len(one.waiting) for one in backend.servers)
        for one in backend.servers:
            assert 0 <= one.served <= one.maxconn
            assert not (one.balanced and one.served < one.maxconn and (len(backend.waiting) or len(one.waiting)))


def test_limits_that_grow_call_those_who_wait(farm: Callable[..., Backend], exchange: Exchange) -> None:
    backend = farm(weights="1 1", each={name: {"maxconn": 4} for name in "ab"})
    backend.deal(1, 4)
    assert backend.full == backend.total_full // 4
    placed = [backend.place(exchange, number, number) for number in range(7)]
    assert sum(isinstance(one, Ticket) for one in placed) == 5
    called = backend.deal(0, 2)
    assert [waiter for waiter, _ in called] == [2, 3]
    assert names([server for _, server in called]) == "ab"
    called = backend.deal(0, 1)
    assert sorted(waiter for waiter, _ in called) == [4, 5, 6]
    assert (backend.served, backend.queued) == (7, 0)


def test_limits_that_shrink_send_nobody_away(farm: Callable[..., Backend], exchange: Exchange) -> None:
    backend = farm(weights="1", each={"a": {"maxconn": 4}})
    (server,) = backend.servers
    for number in range(5):
        backend.place(exchange, number, number)
    assert backend.deal(0, 4) == []
    assert (server.maxconn, server.served, backend.queued) == (1, 4, 1)
    assert [backend.freed(server) for _ in range(4)] == [None, None, None, 4]
    assert backend.served == 1
