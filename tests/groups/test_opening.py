from __future__ import annotations

from collections.abc import Iterator

import pytest
from maniple.tests.groups.listening_rig import ALL, LARGER, ONE, World, at, bind_of, free_port, owners, proxy_of


@pytest.fixture
def world() -> Iterator[World]:
    value = World()
    yield value
    value.close()


def test_with_more_threads_only_the_missing_sockets_are_made(world: World) -> None:
    address = at(free_port())
    before = world.reload(bind_of(address))
    after = world.reload(bind_of(address), placement=LARGER)
    assert owners(after) == [((1, 1),), ((1, 2),), ((2, 1),), ((2, 2),)]
    assert [item.number for item in after.listeners] == [1, 2, 3, 4]
    assert before.removed(after) == []


def test_with_fewer_threads_no_socket_is_closed(world: World) -> None:
    address = at(free_port())
    before = world.reload(bind_of(address), placement=LARGER)
    after = world.reload(bind_of(address))
    assert before.removed(after) == []
    assert sorted(owners(after)) == sorted([((1, 1),), ((1, 2),), ((2, 1),), ((1, 1),)])
    kept = {item.number: item.owners for item in before.listeners}
    assert [kept[item.number] == item.owners for item in sorted(after.listeners, key=lambda one: one.number)] == [
        True,
        True,
        True,
        False,
    ]
    alone = world.reload(bind_of(address), placement=ONE)
    assert owners(alone) == [((1, 1),)] * 4
    back = world.reload(bind_of(address), placement=LARGER)
    assert {item.number: item.owners for item in back.listeners}.keys() == kept.keys()
    assert sorted(owners(back)) == sorted(kept.values())
    assert [item.number for item in back.sets()[0]] == [1, 2, 3, 4]


def test_one_address_in_two_lines_is_one_set(world: World) -> None:
    address = at(free_port())
    both = world.reload(proxy_of(bind_of(address), name="a"), proxy_of(bind_of(address), name="b"))
    assert [item.frontend for item in both.listeners] == ["a"] * 3 + ["b"] * 3
    assert [len(members) for members in both.sets()] == [6]
    swapped = world.reload(proxy_of(bind_of(address), name="b"), proxy_of(bind_of(address), name="a"))
    names = {item.number: item.frontend for item in both.listeners}
    assert {item.number: item.frontend for item in swapped.listeners} == names
    # Where one line goes its sockets stay, and serve the other: closing them would reset what they have queued.
    alone = world.reload(proxy_of(bind_of(address), name="b"))
    assert both.removed(alone) == []
    assert {item.frontend for item in alone.listeners} == {"b"}
    assert sorted(owners(alone)) == sorted([(one,) for one in ALL] * 2)
