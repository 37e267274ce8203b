from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from maniple.groups.assignment import Assignment, Order

OWN = {1: ((1, 1),), 2: ((2, 1),), 3: ((3, 1),)}


def test_everybody_accepts_on_their_own() -> None:
    assignment = Assignment(OWN)
    assert assignment.join(1, 1) == [Order(1, 1, (1,)), Order(1, 2, (1,)), Order(1, 3, (1,))]
    assert assignment.join(2, 1) == [Order(1, 2, ()), Order(2, 2, (1,))]
    assert assignment.join(3, 1) == [Order(1, 3, ()), Order(3, 3, (1,))]
    assert [assignment.holders(number) for number in (1, 2, 3)] == [{1: (1,)}, {2: (1,)}, {3: (1,)}]


def test_the_nearest_adopts_and_gives_back() -> None:
    assignment = Assignment(OWN)
    for group in (1, 2, 3):
        assignment.join(group, 1)
    assert assignment.leave(3) == [Order(2, 3, (1,))]
    assert assignment.adopter(3) == (2, 1)
    # The nearest of the next has one already.
    assert assignment.leave(2) == [Order(1, 2, (1,)), Order(1, 3, (1,))]
    assert assignment.leave(2) == []
    assert assignment.join(3, 1) == [Order(1, 3, ()), Order(3, 3, (1,))]
    assert assignment.adopter(3) is None


def test_the_one_with_the_fewest_adopts() -> None:
    assignment = Assignment({number: ((number, 1),) for number in range(1, 5)})
    for group in range(1, 5):
        assignment.join(group, 1)
    assert assignment.leave(3) == [Order(2, 3, (1,))]
    assert assignment.leave(4) == [Order(1, 4, (1,))]


def test_threads_of_a_group_share_what_it_adopts() -> None:
    assignment = Assignment({1: ((1, 1),), 2: ((1, 2),), 3: ((2, 1),), 4: ((2, 2),), 5: ((2, 3),)})
    assignment.join(1, 2)
    assert [assignment.adopter(number) for number in (3, 4, 5)] == [(1, 1), (1, 2), (1, 1)]


def test_a_shared_socket_is_everybodys() -> None:
    assignment = Assignment({1: ()})
    assert assignment.holders(1) == {}
    assert assignment.join(1, 2) == [Order(1, 1, (1, 2))]
    assert assignment.join(2, 1) == [Order(2, 1, (1,))]
    assert assignment.leave(1) == []
    assert assignment.holders(1) == {2: (1,)}


def test_other_owners() -> None:
    assignment = Assignment({1: ((1, 1),), 2: ((2, 1),)})
    assignment.join(1, 1)
    orders = assignment.serve({2: ((1, 1),), 3: ()})
    assert sorted(orders, key=str) == [Order(1, 1, ()), Order(1, 3, (1,))]
    assert assignment.adopter(2) is None
    assert assignment.holders(1) == {}


def test_a_socket_that_becomes_shared_is_adopted_by_nobody() -> None:
    assignment = Assignment({1: ((2, 1),), 2: ((2, 1),)})
    assignment.join(1, 1)
    assignment.serve({1: (), 2: ((2, 1),)})
    assert assignment.adopter(1) is None
    assert assignment.join(3, 1) == [Order(3, 1, (1,))]


@pytest.mark.parametrize("threads", [1, 3])
def test_a_group_with_other_threads(threads: int) -> None:
    assignment = Assignment({1: ((1, 1), (1, 2)), 2: ((2, 1),)})
    assignment.join(1, 2)
    assignment.join(1, threads)
    assert assignment.holders(1) == {1: tuple(range(1, min(threads, 2) + 1))}
    assert assignment.holders(2) == {1: (1,)}


OWNERS = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), max_size=4, unique=True).map(sorted)
LISTENERS = st.dictionaries(st.integers(1, 6), OWNERS, max_size=6)


class Life(RuleBasedStateMachine):
    """Groups come and go and sockets change; what each was told adds up to what the docstring promises."""

    def __init__(self) -> None:
        super().__init__()
        self.listeners: dict[int, list[tuple[int, int]]] = {1: [(1, 1)], 2: [(2, 1), (3, 2)], 3: []}
        self.assignment = Assignment(self.listeners)
        self.sizes: dict[int, int] = {}
        self.told: dict[int, dict[int, tuple[int, ...]]] = {}
        """By group, then listener: what its threads were told."""

    def obey(self, orders: Sequence[Order]) -> None:
        seen = set()
        for order in orders:
            assert order.group in self.sizes, "an order to a group that is not there"
            assert (order.group, order.listener) not in seen, "two orders of one"
            seen.add((order.group, order.listener))
            mine = self.told[order.group]
            assert mine.get(order.listener, ()) != order.threads, "an order that changes nothing"
            if order.threads:
                mine[order.listener] = order.threads
            else:
                del mine[order.listener]

    @rule(group=st.integers(1, 5), threads=st.integers(1, 3))
    def join(self, group: int, threads: int) -> None:
        self.sizes[group] = threads
        self.told.setdefault(group, {})
        self.obey(self.assignment.join(group, threads))

    @rule(group=st.integers(1, 5))
    def leave(self, group: int) -> None:
        self.sizes.pop(group, None)
        self.told.pop(group, None)
        self.obey(self.assignment.leave(group))

    @rule(listeners=LISTENERS)
    def serve(self, listeners: dict[int, list[tuple[int, int]]]) -> None:
        self.listeners = listeners
        self.obey(self.assignment.serve(listeners))

    @invariant()
    def all_is_as_promised(self) -> None:
        adopted: dict[int, int] = {}
        for number, owners in self.listeners.items():
            there = {(group, thread) for group, thread in owners if thread <= self.sizes.get(group, 0)}
            if not owners:
                there = {(group, thread) for group, size in self.sizes.items() for thread in range(1, size + 1)}
            held = self.assignment.holders(number)
            accepting = {(group, thread) for group, threads in held.items() for thread in threads}
            adopter = self.assignment.adopter(number)
            if there or not self.sizes:
                assert accepting == there
                assert adopter is None
            else:
                assert adopter is not None
                assert accepting == {adopter}
                assert adopter[1] <= self.sizes[adopter[0]]
                adopted[adopter[0]] = adopted.get(adopter[0], 0) + 1
        for group, mine in self.told.items():
            for number in self.listeners.keys() | mine.keys():
                assert mine.get(number, ()) == self.assignment.holders(number).get(group, ())


Life.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
TestLife = Life.TestCase


@given(st.integers(2, 8), st.data())
def test_adoption_is_spread(count: int, data: st.DataObject) -> None:
    """Whoever dies, one after the other: nobody adopts much more than the others."""
    assignment = Assignment({number: ((number, 1),) for number in range(1, count + 1)})
    for group in range(1, count + 1):
        assignment.join(group, 1)
    dead = data.draw(st.lists(st.sampled_from(range(1, count + 1)), unique=True, max_size=count - 1))
    for group in dead:
        assignment.leave(group)
    adopters = [assignment.adopter(number) for number in dead]
    assert None not in adopters
    alive = count - len(dead)
    loads = sorted(adopters.count((group, 1)) for group in range(1, count + 1) if group not in dead)
    assert sum(loads) == len(dead)
    assert loads[-1] <= -(-len(dead) // alive) + len(dead) // 2
