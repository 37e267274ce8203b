"""Deadlines: never early, at most a bucket late, whatever is armed, moved and forgotten meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from maniple.core.relay.timers import BUCKET, NEVER, Timers
from maniple.tests.core.relay.fakes import FakeLoop


class Thing:
    """Something with a deadline."""

    def __init__(self, then: Callable[[Thing, float], object] | None = None) -> None:
        self.deadline = NEVER
        self.filed = 0
        self.expired: list[float] = []
        self.then = then

    def expire(self, now: float) -> None:
        self.expired.append(now)
        if self.then is not None:
            self.then(self, now)


class Bench:
    def __init__(self) -> None:
        self.loop = FakeLoop()
        self.loop.now = 0.0
        self.faults: list[Exception] = []
        self.timers = Timers(self.loop, self.faults.append)

    @property
    def now(self) -> float:
        return self.loop.now * 1000.0


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_expires_within_a_bucket(bench: Bench) -> None:
    thing = Thing()
    bench.timers.arm(thing, 120.0)
    bench.loop.advance(119.0)
    assert thing.expired == []
    bench.loop.advance(51.0)
    assert thing.expired == [150.0]
    assert (thing.deadline, thing.filed, len(bench.timers)) == (NEVER, 0, 0)


def test_later_deadline_is_a_plain_store(bench: Bench) -> None:
    thing = Thing()
    bench.timers.arm(thing, 100.0)
    asked = bench.loop.asked["call_at"]
    thing.deadline = 1000.0
    bench.timers.arm(thing, 1200.0)
    assert bench.loop.asked["call_at"] == asked
    bench.loop.advance(1199.0)
    assert thing.expired == []
    bench.loop.advance(51.0)
    assert thing.expired == [1250.0]


def test_earlier_deadline_is_filed_anew(bench: Bench) -> None:
    thing = Thing()
    bench.timers.arm(thing, 60_000.0)
    bench.timers.arm(thing, 100.0)
    assert len(bench.timers) == 1
    bench.loop.advance(150.0)
    assert thing.expired == [150.0]
    bench.loop.advance(100_000.0)
    assert thing.expired == [150.0]


def test_never_keeps_quiet(bench: Bench) -> None:
    thing = Thing()
    bench.timers.arm(thing, NEVER)
    assert len(bench.timers) == bench.loop.pending == 0
    bench.timers.arm(thing, 100.0)
    bench.timers.arm(thing, NEVER)
    bench.loop.advance(10_000.0)
    assert thing.expired == []
    # Looked at once, and then let go.
    assert len(bench.timers) == bench.loop.pending == 0


def test_forgotten(bench: Bench) -> None:
    thing, other = Thing(), Thing()
    bench.timers.arm(thing, 100.0)
    bench.timers.arm(other, 100.0)
    bench.timers.forget(thing)
    bench.timers.forget(thing)
    bench.loop.advance(1_000.0)
    assert (thing.expired, other.expired) == ([], [150.0])


def test_expiry_may_arm_itself_and_others(bench: Bench) -> None:
    other = Thing()

    def again(thing: Thing, now: float) -> None:
        bench.timers.arm(other, now + 10.0)
        if len(thing.expired) < 3:
            bench.timers.arm(thing, now + 100.0)

    thing = Thing(again)
    bench.timers.arm(thing, 0.0)
    bench.loop.advance(50.0)
    assert (thing.expired, other.expired) == ([50.0], [])
    bench.loop.advance(1_000.0)
    assert thing.expired == [50.0, 200.0, 350.0]
    assert other.expired == [100.0, 250.0, 400.0]
    assert bench.loop.pending == 0


def test_expiry_may_arm_into_the_past(bench: Bench) -> None:
    """It comes up in the next bucket, and not in an endless loop."""
    thing = Thing(lambda thing, now: bench.timers.arm(thing, now - 1_000.0) if len(thing.expired) < 3 else None)
    bench.timers.arm(thing, 10.0)
    bench.loop.advance(1_000.0)
    assert len(thing.expired) == 3


def test_expiry_may_forget_one_of_the_same_bucket(bench: Bench) -> None:
    one, other = Thing(), Thing()
    one.then = lambda *_: bench.timers.forget(other)
    other.then = lambda *_: bench.timers.forget(one)
    bench.timers.arm(one, 10.0)
    bench.timers.arm(other, 10.0)
    bench.loop.advance(1_000.0)
    assert len(one.expired) + len(other.expired) == 1


def test_fault_does_not_stop_others(bench: Bench) -> None:
    def fail(thing: Thing, now: float) -> None:
        raise RuntimeError("fault")

    things = [Thing(fail if number % 2 else None) for number in range(10)]
    for thing in things:
        bench.timers.arm(thing, 10.0)
    bench.loop.advance(50.0)
    assert [len(thing.expired) for thing in things] == [1] * 10
    assert [str(error) for error in bench.faults] == ["fault"] * 5


def test_stop(bench: Bench) -> None:
    thing = Thing()
    bench.timers.arm(thing, 100.0)
    bench.timers.stop()
    assert (thing.filed, len(bench.timers), bench.loop.pending) == (0, 0, 0)
    bench.loop.advance(1_000.0)
    assert thing.expired == []
    # What closes afterwards still forgets itself.
    bench.timers.forget(thing)


def test_one_call_for_all(bench: Bench) -> None:
    for number in range(1_000):
        bench.timers.arm(Thing(), 10_000.0 + number / 100.0)
    assert bench.loop.pending == bench.loop.asked["call_at"] == 1
    bench.timers.arm(Thing(), 5_000.0)
    assert bench.loop.pending == 1


@pytest.mark.parametrize("bucket", [323, 641, 646, 651, 1282])
def test_no_spin_where_seconds_and_milliseconds_round_apart(bench: Bench, bucket: int) -> None:
    """For these buckets bucket * 50 / 1000 * 1000 lies below bucket * 50."""
    assert int(bucket * BUCKET / 1000.0 * 1000.0 / BUCKET) == bucket - 1
    thing = Thing()
    bench.timers.arm(thing, (bucket - 1) * BUCKET + 1.0)
    bench.loop.advance(bucket * BUCKET)
    assert len(thing.expired) == 1
    assert bench.loop.asked["call_at"] == 1


class Deadlines(RuleBasedStateMachine):
    """Against the simple model: a list of objects and when each is due."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.things = [Thing() for _ in range(5)]
        self.due: dict[int, float] = {}
        self.seen = [0] * 5

    numbers = st.integers(0, 4)
    spans = st.integers(0, 100_000) | st.integers(0, 120)

    @rule(number=numbers, span=spans)
    def arm(self, number: int, span: int) -> None:
        self.due[number] = self.bench.now + span
        self.bench.timers.arm(self.things[number], self.due[number])

    @rule(number=numbers, span=spans)
    def move_on(self, number: int, span: int) -> None:
        """The hot path: a later deadline is only stored."""
        if number in self.due:
            self.due[number] += span
            self.things[number].deadline = self.due[number]

    @rule(number=numbers)
    def silence(self, number: int) -> None:
        self.due.pop(number, None)
        self.things[number].deadline = NEVER

    @rule(number=numbers)
    def forget(self, number: int) -> None:
        self.due.pop(number, None)
        self.bench.timers.forget(self.things[number])
        self.things[number].deadline = NEVER

    @rule(span=spans)
    def pass_time(self, span: int) -> None:
        self.bench.loop.advance(span)

    @invariant()
    def nobody_early_nobody_late(self) -> None:
        now = self.bench.now
        for number, thing in enumerate(self.things):
            for at in thing.expired[self.seen[number] :]:
                due = self.due.pop(number)
                assert due <= at <= due + BUCKET + 1e-6
            self.seen[number] = len(thing.expired)
            assert self.due.get(number, NEVER) + BUCKET + 1e-6 >= now

    @invariant()
    def one_call_at_most(self) -> None:
        assert self.bench.loop.pending <= 1
        assert (self.bench.loop.pending == 1) == bool(self.bench.timers._order)
        assert len(self.bench.timers) == sum(thing.filed > 0 for thing in self.things)


TestDeadlines: Any = Deadlines.TestCase
TestDeadlines.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, derandomize=True, database=None
)
