"""The pool of one server: order of look-up, limits, eviction; a random walk against a plain model."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from maniple.pools.connections import STRATEGIES, ConnectionPool
from maniple.pools.halflife import HalfLife, PurgeDelay
from maniple.pools.pressure import AMPLE, LOW, SHORT


class Connection:
    def __init__(self, name: str = "") -> None:
        self.name = name
        self.reuses = 0
        self.safe = False

    def __repr__(self) -> str:
        return self.name


Pool = ConnectionPool[Connection]


def used(pool: Pool, *names: str) -> list[Connection]:
    """New connections in use."""
    made = []
    for name in names:
        pool.took()
        made.append(Connection(name))
    return made


def fill(pool: Pool, names: str, safe: bool = False, owner: object = None) -> list[Connection]:
    """New connections that were used once and given back, in this order."""
    made = used(pool, *names)
    for connection in made:
        assert pool.give(connection, safe, owner)
    return made


def taken(pool: Pool, first: bool) -> str:
    """The names of all that may be taken, in order."""
    names = ""
    while (connection := pool.take(first)) is not None:
        names += connection.name
    return names


ORDER = {
    # Strategy: (first requests, later requests) of a pool with idle i, j and safe s, t, given back in this order.
    "safe": ("", "jits"),
    "aggressive": ("ts", "jits"),
    "always": ("tsji", "jits"),
}


@pytest.mark.parametrize("strategy", ORDER)
@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_order_of_lookup(strategy: str, first: bool) -> None:
    """CR3, and CR4: each kind is a stack."""
    pool = Pool(strategy)
    fill(pool, "i")
    fill(pool, "st", safe=True)
    fill(pool, "j")
    expected = ORDER[strategy][0] if first else "ji" + "ts"
    assert taken(pool, first) == expected


@pytest.mark.parametrize("strategy", ["safe", "aggressive", "always"])
def test_attached_come_before_detached_of_their_kind(strategy: str) -> None:
    pool = Pool(strategy)
    session = object()
    fill(pool, "a", owner=session)
    fill(pool, "s", safe=True, owner=session)
    fill(pool, "b")
    fill(pool, "t", safe=True)
    assert taken(pool, False) == "abst"


def test_never_keeps_nothing_for_others() -> None:
    pool = Pool("never")
    (connection,) = used(pool, "a")
    assert not pool.give(connection, True)
    assert pool.take(False) is None
    assert pool.used_count == 0


def test_unknown_strategy() -> None:
    with pytest.raises(ValueError, match="sometimes"):
        Pool("sometimes")


def test_later_request_makes_safe_for_ever() -> None:
    pool = Pool("always")
    fill(pool, "a")
    connection = pool.take(False)
    assert connection is not None
    assert not connection.safe
    pool.give(connection, True)
    assert (pool.idle_count, pool.safe_count) == (0, 1)
    again = pool.take(True)
    assert again is connection
    pool.give(connection, False)
    assert (pool.idle_count, pool.safe_count) == (0, 1)


@pytest.mark.parametrize(("maximum", "kept"), [(-1, 5), (0, 0), (3, 3)])
def test_maximum_of_detached(maximum: int, kept: int) -> None:
    pool = Pool("safe", maximum)
    assert [pool.give(connection, False) for connection in used(pool, *"abcde")] == [True] * kept + [False] * (5 - kept)
    assert pool.detached_count == kept
    assert pool.used_count == 0


def test_attached_do_not_count_for_the_maximum_until_detached() -> None:
    pool = Pool("safe", 1)
    session = object()
    one, two = fill(pool, "ab", owner=session)
    assert (pool.detached_count, pool.idle_count) == (0, 2)
    assert pool.detach(one, session)
    assert not pool.detach(two, session)
    assert (pool.detached_count, pool.idle_count) == (1, 1)
    assert taken(pool, False) == "a"


def test_detaching_what_somebody_else_has_now_does_nothing() -> None:
    pool = Pool("safe")
    session, other = object(), object()
    (connection,) = fill(pool, "a", owner=session)
    assert pool.take(False) is connection
    assert pool.detach(connection, session)
    pool.give(connection, True, other)
    assert pool.detach(connection, session)
    assert (pool.detached_count, pool.safe_count) == (0, 1)
    assert pool.detach(connection, other)
    assert (pool.detached_count, pool.safe_count) == (1, 1)


@pytest.mark.parametrize(("max_reuse", "uses"), [(0, 1), (1, 2), (3, 4)])
def test_worn_out_connections_are_not_kept(max_reuse: int, uses: int) -> None:
    pool = Pool("safe", max_reuse=max_reuse)
    (connection,) = used(pool, "a")
    served = 1
    while pool.give(connection, True):
        assert pool.take(False) is connection
        served += 1
    assert served == uses


def test_discarded_connection_is_gone() -> None:
    pool = Pool("always")
    session = object()
    made = fill(pool, "a") + fill(pool, "b", True) + fill(pool, "c", False, session) + fill(pool, "d", True, session)
    assert all(pool.discard(connection) for connection in made)
    assert not any(pool.discard(connection) for connection in made)
    assert taken(pool, False) == ""
    assert (pool.detached_count, pool.attached_count, pool.total_count) == (0, 0, 0)


def test_counts_of_connects_and_reuses() -> None:
    pool = Pool("safe")
    fill(pool, "ab")
    taken(pool, False)
    pool.released()
    assert (pool.connect_count, pool.reuse_count, pool.used_count, pool.needed) == (2, 2, 1, 2)


def test_repr_says_what_is_there() -> None:
    pool = Pool("safe")
    fill(pool, "ab")
    fill(pool, "c", safe=True, owner=object())
    pool.took()
    pool.reserve(Connection("r"), object())
    assert repr(pool) == "<ConnectionPool safe: 2 idle, 1 safe (2 detached), 1 used (1 reserved), 2 needed>"


# Reserved for one session.


def test_reserved_goes_to_its_session_only() -> None:
    pool = Pool("never")
    session, other = object(), object()
    (connection,) = used(pool, "a")
    assert pool.reserve(connection, session)
    assert pool.take(False, other) is None
    assert pool.take(True, session) is connection
    assert pool.take(True, session) is None
    assert (connection.reuses, pool.reuse_count, pool.used_count, pool.reserved_count) == (1, 1, 1, 0)


def test_reserved_comes_before_the_pool() -> None:
    pool = Pool("always")
    session = object()
    fill(pool, "a")
    (private,) = used(pool, "p")
    pool.reserve(private, session)
    assert pool.take(False, session) is private


def test_session_that_ends_hands_its_reserved_back() -> None:
    pool = Pool("safe")
    session = object()
    one, two = used(pool, "a", "b")
    pool.reserve(one, session)
    pool.reserve(two, session)
    assert pool.forget(object()) == []
    assert pool.forget(session) == [one, two]
    assert pool.forget(session) == []
    assert (pool.used_count, pool.reserved_count, pool.total_count) == (0, 0, 0)


def test_reserved_closed_by_its_server() -> None:
    pool = Pool("safe")
    session = object()
    one, two = used(pool, "a", "b")
    pool.reserve(one, session)
    assert not pool.unreserve(two, session)
    assert pool.unreserve(one, session)
    assert not pool.unreserve(one, session)
    assert (pool.used_count, pool.reserved_count) == (1, 0)
    assert pool.take(True, session) is None


@pytest.mark.parametrize(("max_reuse", "pressure", "kept"), [(-1, LOW, True), (-1, SHORT, False), (0, AMPLE, False)])
def test_reserving_has_limits_too(max_reuse: int, pressure: int, kept: bool) -> None:
    pool = Pool("never", max_reuse=max_reuse)
    pool.set_pressure(pressure)
    assert pool.reserve(used(pool, "a")[0], object()) is kept


# The keep test (CR15).


def test_under_low_pressure_one_of_a_kind_is_kept() -> None:
    pool = Pool("safe")
    pool.set_pressure(LOW)
    a, b, c, d = used(pool, *"abcd")
    assert pool.give(a, False)
    assert not pool.give(b, False)
    assert pool.give(c, True)
    assert not pool.give(d, True)


def test_safe_one_makes_an_idle_one_superfluous_but_not_the_other_way_round() -> None:
    pool = Pool("safe")
    pool.set_pressure(LOW)
    a, b = used(pool, *"ab")
    assert pool.give(a, True)
    assert not pool.give(b, False)


def test_without_descriptors_none_is_kept_until_there_are_again() -> None:
    pool = Pool("safe")
    pool.set_pressure(SHORT)
    a, b = used(pool, *"ab")
    assert not pool.give(a, False)
    pool.set_pressure(AMPLE)
    assert pool.give(b, False)


@pytest.mark.parametrize(("low", "minimum", "kept"), [(0, 0, 1), (2, 0, 3), (0, 4, 4)])
def test_no_more_than_needed_with_purge_delay(low: int, minimum: int, kept: int) -> None:
    """One connection at a time is needed; each of six sessions makes its own (strategy safe)."""
    pool = Pool("safe", low=low, minimum=minimum, eviction=PurgeDelay(5000))
    for name in "abcdef":
        (connection,) = used(pool, name)
        pool.give(connection, False)
    assert pool.needed == 1
    assert pool.idle_count == kept


def test_half_life_does_not_ask_for_the_need() -> None:
    pool = Pool("safe", eviction=HalfLife(60000, 10))
    for name in "abcdef":
        (connection,) = used(pool, name)
        pool.give(connection, False)
    assert pool.idle_count == 6


def test_as_many_as_are_needed_are_kept() -> None:
    pool = Pool("safe", eviction=PurgeDelay(5000))
    fill(pool, "abcdef")
    assert (pool.needed, pool.idle_count) == (6, 6)


def test_server_in_maintenance() -> None:
    pool = Pool("safe")
    fill(pool, "ab")
    (busy,) = used(pool, "c")
    pool.set_keeping(False)
    assert [str(connection) for connection in pool.drain()] == ["a", "b"]
    assert not pool.give(busy, True)
    pool.set_keeping(True)
    fill(pool, "d")
    assert pool.idle_count == 1


def test_other_limits() -> None:
    pool = Pool("safe", 4, eviction=HalfLife(1000, 1))
    fill(pool, "abcd")
    pool.set_limits(2, 0, 0)
    (busy,) = used(pool, "e")
    assert not pool.give(busy, False)
    assert pool.idle_count == 4, "those that are there are left to eviction"
    pool.set_limits(-1, 3, 0)
    fill(pool, "efghij")
    for now in (0, 1000, 2000, 3000, 4000, 5000):
        pool.evict(now)
    assert pool.idle_count == 3


def test_no_limits_for_a_pool_that_keeps_nothing() -> None:
    """`pool-purge-delay 0`."""
    pool = Pool("safe", 0)
    pool.set_limits(5, 0, 0)
    pool.set_keeping(True)
    (busy,) = used(pool, "a")
    assert not pool.give(busy, False)


def test_keeping_again_does_not_overrule_the_strategy() -> None:
    pool = Pool("never")
    pool.set_keeping(True)
    assert not pool.give(used(pool, "a")[0], True)


# Eviction.


def names_of(connections: list[Connection]) -> str:
    return "".join(connection.name for connection in connections)


def evict_all(pool: Pool, turns: int, interval: int = 1000) -> list[str]:
    pool.evict(0)
    return [names_of(pool.evict(interval * turn)) for turn in range(1, turns + 1)]


def test_half_life_takes_unsafe_and_oldest_first() -> None:
    pool = Pool("always", eviction=HalfLife(2000, 2))
    fill(pool, "st", safe=True)
    fill(pool, "abcdef")
    # The low water begins at 0 and is known after the first run.
    assert evict_all(pool, 5) == ["", "", "ab", "cd", "e"]
    assert taken(pool, True) == "tsf"


def test_half_life_leaves_attached_ones_and_the_minimum() -> None:
    pool = Pool("safe", minimum=2, eviction=HalfLife(1000, 1, 2))
    fill(pool, "xyz", owner=object())
    fill(pool, "abcd")
    assert evict_all(pool, 5) == ["", "a", "b", "", ""]
    assert (pool.detached_count, pool.attached_count) == (2, 3)


def test_low_water_is_what_was_never_used_between_two_runs() -> None:
    pool = Pool("safe", eviction=HalfLife(1000, 1))
    fill(pool, "abcdefgh")
    evict_all(pool, 1)
    busy = [pool.take(False) for _ in range(6)]
    assert pool.low_water == 2
    for connection in busy:
        assert connection is not None
        pool.give(connection, True)
    assert pool.low_water == 2
    assert names_of(pool.evict(2000)) == "a"
    assert pool.low_water == pool.detached_count == 7


def test_purge_delay_halves_what_exceeds_the_need() -> None:
    pool = Pool("always", eviction=PurgeDelay(1000))
    fill(pool, "abcdefgh")
    # In the first period eight were used at a time; then the estimate falls by halves: 8, 8, 4, 2, 1, 0.
    assert evict_all(pool, 6) == ["", "", "ab", "cd", "ef", "g"]
    assert pool.needed == 0


def test_without_rule_nothing_is_evicted() -> None:
    pool = Pool("safe")
    fill(pool, "ab")
    assert evict_all(pool, 3) == ["", "", ""]


def test_runs_only_when_due() -> None:
    pool = Pool("safe", eviction=HalfLife(1000, 1))
    fill(pool, "abcd")
    evict_all(pool, 1)
    assert pool.evict(1999) == []
    assert names_of(pool.evict(2000)) == "ab"


def test_drain_takes_everything() -> None:
    pool = Pool("always")
    session = object()
    fill(pool, "a")
    fill(pool, "b", safe=True, owner=session)
    (private,) = used(pool, "p")
    pool.reserve(private, session)
    pool.took()
    assert sorted(names_of(pool.drain())) == ["a", "b", "p"]
    assert (pool.used_count, pool.total_count, pool.attached_count, pool.low_water) == (1, 1, 0, 0)
    assert pool.take(False, session) is None


@given(st.integers(0, 400), st.integers(1, 10), st.integers(0, 50))
def test_unused_pool_falls_to_half_in_a_half_life(population: int, batches: int, minimum: int) -> None:
    pool = Pool("always", minimum=minimum, eviction=HalfLife(1000 * batches, batches, minimum))
    fill(pool, "x" * population)
    pool.evict(0)
    for turn in range(1, batches + 1):
        assert pool.evict(1000 * turn) == []
    for turn in range(batches + 1, 2 * batches + 1):
        pool.evict(1000 * turn)
    surplus = max(0, population - minimum)
    assert pool.detached_count == population - (surplus + 1) // 2


class AgainstModel(RuleBasedStateMachine):
    """The model: one list of [connection, safe, owner] in the order of giving, and searches through it."""

    @initialize(
        strategy=st.sampled_from(STRATEGIES),
        maximum=st.integers(-1, 6),
        max_reuse=st.integers(-1, 4),
        minimum=st.integers(0, 3),
    )
    def start(self, strategy: str, maximum: int, max_reuse: int, minimum: int) -> None:
        self.pool = Pool(strategy, maximum, minimum, max_reuse=max_reuse, eviction=HalfLife(20, 2, minimum))
        self.strategy = strategy
        self.maximum = maximum
        self.max_reuse = max_reuse
        self.minimum = minimum
        self.waiting: list[tuple[Connection, bool, object]] = []
        self.busy: list[Connection] = []
        self.low_water = 0
        self.now = 0
        self.made = 0

    @rule()
    def connect(self) -> None:
        self.pool.took()
        self.busy.append(Connection(str(self.made)))
        self.made += 1

    @rule(first=st.booleans())
    def take(self, first: bool) -> None:
        if self.strategy == "never" or (self.strategy == "safe" and first):
            kinds = []
        elif not first:
            kinds = [False, True]
        else:
            kinds = [True, False] if self.strategy == "always" else [True]
        order = [
            entry
            for safe in kinds
            for attached in (True, False)
            for entry in reversed(self.waiting)
            if entry[1] is safe and (entry[2] is not None) is attached
        ]
        connection = self.pool.take(first)
        assert connection is (order[0][0] if order else None)
        if order:
            self.waiting.remove(order[0])
            self.busy.append(order[0][0])
        self.sink()

    @precondition(lambda self: self.busy)
    @rule(data=st.data(), safe=st.booleans(), owner=st.sampled_from([None, None, "one", "two"]))
    def give(self, data: st.DataObject, safe: bool, owner: object) -> None:
        connection = self.busy.pop(data.draw(st.integers(0, len(self.busy) - 1)))
        was_safe = connection.safe
        kept = self.pool.give(connection, safe, owner)
        full = owner is None and 0 <= self.maximum <= self.detached()
        worn = 0 <= self.max_reuse <= connection.reuses
        assert kept == (self.strategy != "never" and self.maximum != 0 and not full and not worn)
        if kept:
            self.waiting.append((connection, safe or was_safe, owner))

    @precondition(lambda self: self.busy)
    @rule()
    def close_busy(self) -> None:
        self.busy.pop()
        self.pool.released()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def discard(self, data: st.DataObject) -> None:
        entry = self.waiting.pop(data.draw(st.integers(0, len(self.waiting) - 1)))
        assert self.pool.discard(entry[0])
        self.sink()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), owner=st.sampled_from(["one", "two"]))
    def detach(self, data: st.DataObject, owner: object) -> None:
        number = data.draw(st.integers(0, len(self.waiting) - 1))
        connection, safe, holder = self.waiting[number]
        kept = self.pool.detach(connection, owner)
        if holder != owner:
            assert kept
            return
        full = 0 <= self.maximum <= self.detached()
        assert kept is not full
        del self.waiting[number]
        if kept:
            self.waiting.append((connection, safe, None))

    @rule()
    def evict(self) -> None:
        self.now += 10
        closing = self.pool.evict(self.now)
        detached = [entry for entry in self.waiting if entry[2] is None]
        assert len(closing) <= max(0, min(self.low_water, len(detached)) - self.minimum)
        order = [entry for entry in detached if not entry[1]] + [entry for entry in detached if entry[1]]
        assert closing == [entry[0] for entry in order[: len(closing)]]
        for entry in order[: len(closing)]:
            self.waiting.remove(entry)
        if self.now > 10:
            self.low_water = self.detached()
        self.sink()

    def detached(self) -> int:
        return sum(entry[2] is None for entry in self.waiting)

    def sink(self) -> None:
        self.low_water = min(self.low_water, self.detached())

    @precondition(lambda self: hasattr(self, "pool"))
    @invariant()
    def same(self) -> None:
        pool = self.pool
        assert pool.used_count == len(self.busy)
        assert pool.total_count == len(self.busy) + len(self.waiting)
        assert pool.safe_count == sum(entry[1] for entry in self.waiting)
        assert pool.idle_count == len(self.waiting) - pool.safe_count
        assert pool.detached_count == self.detached()
        assert pool.attached_count == len(self.waiting) - self.detached()
        assert pool.low_water == self.low_water


AgainstModel.TestCase.settings = settings(max_examples=40, stateful_step_count=40)
TestAgainstModel = AgainstModel.TestCase
