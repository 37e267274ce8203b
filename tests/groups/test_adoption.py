from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from maniple.groups.adoption import Adoptions, Order


def of(count: int) -> Adoptions:
    adoptions = Adoptions()
    for group in range(1, count + 1):
        assert adoptions.ready(group) == []
    return adoptions


def test_the_nearest_group_adopts_and_gives_back() -> None:
    adoptions = of(4)
    assert adoptions.lost(3) == [Order(2, 3, adopt=True)]
    assert adoptions.adopter_of(3) == 2
    assert adoptions.ready(3) == [Order(2, 3, adopt=False)]
    assert adoptions.adopter_of(3) is None


def test_the_least_burdened_adopts() -> None:
    adoptions = of(4)
    assert adoptions.lost(2) == [Order(1, 2, adopt=True)]
    assert adoptions.lost(3) == [Order(4, 3, adopt=True)]


def test_an_adopter_that_dies_is_replaced() -> None:
    adoptions = of(3)
    adoptions.lost(3)
    assert adoptions.lost(2) == [Order(1, 3, adopt=True), Order(1, 2, adopt=True)]


def test_an_adopter_that_drains_gives_back_first() -> None:
    adoptions = of(3)
    adoptions.lost(3)
    assert adoptions.lost(2, alive=True)[0] == Order(2, 3, adopt=False)


def test_without_anybody_the_next_to_come_adopts() -> None:
    adoptions = of(2)
    adoptions.lost(1)
    assert adoptions.lost(2) == []
    assert adoptions.ready(2) == [Order(2, 1, adopt=True)]
    assert adoptions.ready(1) == [Order(2, 1, adopt=False)]


def test_losing_twice_changes_nothing() -> None:
    adoptions = of(2)
    adoptions.lost(1)
    assert adoptions.lost(1) == []


@given(st.integers(1, 6), st.lists(st.tuples(st.booleans(), st.integers(1, 6)), max_size=40))
def test_every_group_that_does_not_accept_has_exactly_one_adopter_that_does(
    count: int, events: list[tuple[bool, int]]
) -> None:
    adoptions = of(count)
    accepting = set(range(1, count + 1))
    adopted: dict[int, int] = {}
    for comes, group in events:
        if group > count or comes == (group in accepting):
            continue
        if comes:
            accepting.add(group)
        else:
            accepting.discard(group)
            # A dead group's adoptions die with it.
            adopted = {owner: adopter for owner, adopter in adopted.items() if adopter != group}
        for order in adoptions.ready(group) if comes else adoptions.lost(group):
            assert order.adopter in accepting
            if order.adopt:
                assert order.owner not in adopted
                adopted[order.owner] = order.adopter
            else:
                assert adopted.pop(order.owner) == order.adopter
        if accepting:
            assert set(adopted) == set(range(1, count + 1)) - accepting
        else:
            assert not adopted
