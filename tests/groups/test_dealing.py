from __future__ import annotations

import json
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.groups.dealing import deal, read_deal, write_deal
from maniple.groups.placement import GroupPlace, Placement


@dataclass(frozen=True)
class Socket:
    frontend: str
    bind_index: int
    owners: tuple[tuple[int, int], ...]


def placement(*sizes: int) -> Placement:
    first, groups = 1, []
    for number, size in enumerate(sizes, 1):
        groups.append(GroupPlace(number, size, first, ()))
        first += size
    return Placement(tuple(groups))


def test_those_that_accept_share_the_limit() -> None:
    dealt = deal(placement(1, 2), [Socket("web", 0, ((1, 1),)), Socket("web", 0, ((2, 2),))])
    assert [(one.part, one.parts) for one in (dealt[1][1], dealt[2][1], dealt[2][2])] == [(0, 3), (1, 3), (2, 3)]
    assert [dealt[1][1].of_frontend("web", 9), dealt[2][2].of_frontend("web", 9)] == [5, 4]
    assert [dealt[1][1].of_bind("web", 0, 9), dealt[2][2].of_bind("web", 0, 9)] == [5, 4]
    # Whoever has no socket of it may take one over: it has the part that it has of everything.
    assert dealt[2][1].of_frontend("web", 9) == 3


def test_a_shared_socket_is_shared_by_all() -> None:
    dealt = deal(placement(1, 2), [Socket("web", 0, ((1, 1),)), Socket("web", 1, ())])
    parts = [dealt[group][local] for group, local in ((1, 1), (2, 1), (2, 2))]
    assert [one.of_frontend("web", 9) for one in parts] == [3, 3, 3]
    assert parts[0].of_bind("web", 0, 9) == 9


quick = settings(max_examples=40, deadline=None)
SIZES = st.lists(st.integers(1, 3), min_size=1, max_size=4)


@quick
@given(SIZES, st.data())
def test_parts_of_a_limit_add_up_to_it(sizes: list[int], data: st.DataObject) -> None:
    threads = [(group, local) for group, size in enumerate(sizes, 1) for local in range(1, size + 1)]
    owners = st.lists(st.sampled_from(threads), min_size=1, unique=True).map(lambda found: tuple(sorted(found)))
    sockets = data.draw(st.lists(st.builds(Socket, st.sampled_from(["a", "b"]), st.integers(0, 1), owners), max_size=5))
    dealt = deal(placement(*sizes), sockets)
    for socket in sockets:
        accepting = {owner for one in sockets if one.frontend == socket.frontend for owner in one.owners}
        limit = data.draw(st.integers(len(accepting), 1000))
        assert sum(dealt[group][local].of_frontend(socket.frontend, limit) for group, local in accepting) == limit
        accepting = {
            owner
            for one in sockets
            if (one.frontend, one.bind_index) == (socket.frontend, socket.bind_index)
            for owner in one.owners
        }
        limits = [dealt[group][local].of_bind(socket.frontend, socket.bind_index, limit) for group, local in accepting]
        assert sum(limits) == limit
        assert max(limits) - min(limits) <= 1
    whole = [dealt[group][local] for group, local in threads]
    assert [one.part for one in whole] == list(range(len(threads)))
    assert {one.parts for one in whole} == {len(threads)}


@quick
@given(SIZES, st.data())
def test_a_deal_reads_back(sizes: list[int], data: st.DataObject) -> None:
    owner = st.integers(1, len(sizes)).flatmap(
        lambda group: st.tuples(st.just(group), st.integers(1, sizes[group - 1]))
    )
    owners = st.lists(owner, unique=True).map(lambda found: tuple(sorted(found)))
    sockets = data.draw(st.lists(st.builds(Socket, st.text(max_size=5), st.integers(0, 3), owners), max_size=5))
    for shares in deal(placement(*sizes), sockets).values():
        read = read_deal(json.loads(json.dumps(write_deal(shares))))
        assert read.keys() == shares.keys()
        for local, one in shares.items():
            assert (read[local].part, read[local].parts, read[local].places) == (one.part, one.parts, one.places)
