"""The ranked queue against a sorted list."""

from __future__ import annotations

import gc
import weakref
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from maniple.pools.waiting import CLASS_LIMIT, OFFSET_LIMIT, Ticket, WaitingQueue, pop_better, rank


class AgainstSortedList(RuleBasedStateMachine):
    """Two queues with one counter, as a server and its backend have."""

    def __init__(self) -> None:
        super().__init__()
        numbers = count()
        self.queues: list[WaitingQueue[str]] = [WaitingQueue(numbers), WaitingQueue(numbers)]
        self.models: list[list[tuple[int, int, str]]] = [[], []]
        self.tickets: list[Ticket[str]] = []
        self.arrivals = 0

    @rule(which=st.integers(0, 1), place=st.integers(0, 5))
    def add(self, which: int, place: int) -> None:
        name = f"w{self.arrivals}"
        self.tickets.append(self.queues[which].add(name, place))
        self.models[which].append((place, self.arrivals, name))
        self.models[which].sort()
        self.arrivals += 1

    @rule(which=st.integers(0, 1))
    def pop(self, which: int) -> None:
        if self.models[which]:
            assert self.queues[which].pop() == self.models[which].pop(0)[2]
        else:
            with pytest.raises(IndexError):
                self.queues[which].pop()

    @rule()
    def pop_the_better(self) -> None:
        heads = sorted(model[0] for model in self.models if model)
        expected = heads[0][2] if heads else None
        assert pop_better(*self.queues) == expected
        for model in self.models:
            if heads and model and model[0] == heads[0]:
                model.pop(0)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        if not self.tickets:
            return
        number = data.draw(st.integers(0, len(self.tickets) - 1))
        ticket = self.tickets[number]
        which = self.queues.index(ticket.queue)
        waits = [entry for entry in self.models[which] if entry[1] == number]
        assert ticket.queue.cancel(ticket) == bool(waits)
        assert not self.queues[1 - which].cancel(ticket)
        if waits:
            self.models[which].remove(waits[0])

    @rule(which=st.integers(0, 1))
    def clear(self, which: int) -> None:
        assert self.queues[which].clear() == [name for _, _, name in self.models[which]]
        self.models[which].clear()

    @invariant()
    def same(self) -> None:
        for queue, model in zip(self.queues, self.models, strict=True):
            assert len(queue) == queue.length == len(model)
            assert queue.head_key() == (model[0][:2] if model else None)
            assert len(queue._heap) <= 2 * len(queue) + 16


AgainstSortedList.TestCase.settings = settings(max_examples=40, stateful_step_count=40)
TestAgainstSortedList = AgainstSortedList.TestCase


def test_many_cancellations_leave_no_rubbish() -> None:
    queue: WaitingQueue[int] = WaitingQueue()
    tickets = [queue.add(number, number) for number in range(1000)]
    for ticket in tickets[:990]:
        queue.cancel(ticket)
    assert len(queue._heap) <= 2 * 10 + 16
    assert queue.clear() == list(range(990, 1000))


def test_cancelled_ticket_lets_its_waiter_go() -> None:
    class Waiter:
        pass

    queue: WaitingQueue[Waiter] = WaitingQueue()
    queue.add(Waiter(), 0)
    waiter = Waiter()
    gone = weakref.ref(waiter)
    ticket = queue.add(waiter, 1)
    del waiter
    queue.cancel(ticket)
    gc.collect()
    assert gone() is None


def test_class_goes_before_time_and_offset() -> None:
    late_and_urgent = rank(10**12, -1, OFFSET_LIMIT)
    early = rank(0, 0, -OFFSET_LIMIT)
    assert late_and_urgent < early


@given(st.integers(0, 10**13), st.integers(0, 10**13), st.integers(-OFFSET_LIMIT, OFFSET_LIMIT))
def test_offset_moves_in_time(now: int, other: int, offset: int) -> None:
    assert (rank(now, 3, offset) < rank(other, 3)) == (now + offset < other)


def test_beyond_the_limits_counts_as_the_limit() -> None:
    assert rank(5, 99999, 10**9) == rank(5, CLASS_LIMIT, OFFSET_LIMIT)
    assert rank(5, -99999, -(10**9)) == rank(5, -CLASS_LIMIT, -OFFSET_LIMIT)
    assert rank(0, -CLASS_LIMIT, -OFFSET_LIMIT) >= 0


def test_repr_shows_the_dead() -> None:
    queue: WaitingQueue[str] = WaitingQueue()
    queue.add("a", 1)
    queue.cancel(queue.add("b", 2))
    assert repr(queue) == "<WaitingQueue 1 waiting, 1 dead>"
