from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.groups.placement import GroupPlace, Placement, has_gil, place_groups, render_placement
from maniple.groups.topology import Cpu, Topology

LAPTOP = Topology(tuple(Cpu(n, core=n // 2) for n in range(8)), 3)
"""Four cores of two threads, one L3."""
CCX = Topology(tuple(Cpu(n, domain=n // 4, core=n) for n in range(16)), 3)
"""One socket, four L3 of four cores."""
SOCKETS = Topology(tuple(Cpu(n, package=n % 2, domain=n % 2, core=n) for n in range(8)), 3)
"""Two sockets of four cores, numbered in turn."""


def shown(placement: Placement) -> list[tuple[int, tuple[int, ...]]]:
    return [(place.threads, place.cpus) for place in placement.groups]


CASES: list[tuple[str, Topology, dict[str, Any], list[tuple[int, tuple[int, ...]]]]] = [
    ("a group per core", LAPTOP, {}, [(1, (0, 1)), (1, (2, 3)), (1, (4, 5)), (1, (6, 7))]),
    (
        "neighbours share a cache",
        SOCKETS,
        {},
        [(1, (n,)) for n in (0, 2, 4, 6, 1, 3, 5, 7)],
    ),
    ("nbthread alone is as many groups", LAPTOP, {"nbthread": 4}, [(1, (n, n + 1)) for n in (0, 2, 4, 6)]),
    ("fewer groups than cores share them out", LAPTOP, {"nbthread": 3}, [(1, (0, 1, 2, 3)), (1, (4, 5)), (1, (6, 7))]),
    ("one group may run anywhere", LAPTOP, {"nbgroup": 1}, [(1, tuple(range(8)))]),
    (
        "more groups than cores go round",
        Topology((Cpu(0), Cpu(1, core=1))),
        {"nbgroup": 5},
        [(1, (0,)), (1, (1,)), (1, (0,)), (1, (1,)), (1, (0,))],
    ),
    ("threads are divided", LAPTOP, {"nbgroup": 4, "nbthread": 28}, [(7, (n, n + 1)) for n in (0, 2, 4, 6)]),
    ("the remainder to the first", LAPTOP, {"nbgroup": 2, "nbthread": 5}, [(3, (0, 1, 2, 3)), (2, (4, 5, 6, 7))]),
    ("a quota bounds the default", LAPTOP, {"quota": 1.5}, [(1, (0, 1)), (1, (2, 3))]),
    ("a quota below one still gives a group", LAPTOP, {"quota": 0.2}, [(1, (0, 1))]),
    (
        "a quota does not bound what is written",
        LAPTOP,
        {"quota": 1.0, "nbthread": 2},
        [(1, (0, 1, 2, 3)), (1, (4, 5, 6, 7))],
    ),
    ("free-threaded: a group per L3", CCX, {"gil": False}, [(4, tuple(range(n, n + 4))) for n in (0, 4, 8, 12)]),
    ("free-threaded: a group per socket", SOCKETS, {"gil": False}, [(4, (0, 2, 4, 6)), (4, (1, 3, 5, 7))]),
    ("free-threaded: a thread per core", LAPTOP, {"gil": False}, [(4, tuple(range(8)))]),
    ("free-threaded: nbthread divided", SOCKETS, {"gil": False, "nbthread": 5}, [(3, (0, 2, 4, 6)), (2, (1, 3, 5, 7))]),
    (
        "free-threaded: few threads",
        CCX,
        {"gil": False, "nbthread": 2},
        [(1, tuple(range(8))), (1, tuple(range(8, 16)))],
    ),
    ("free-threaded: nbgroup", CCX, {"gil": False, "nbgroup": 2}, [(8, tuple(range(8))), (8, tuple(range(8, 16)))]),
    (
        "free-threaded: quota",
        CCX,
        {"gil": False, "quota": 6.0},
        [(threads, tuple(range(n, n + 4))) for threads, n in ((2, 0), (2, 4), (1, 8), (1, 12))],
    ),
]


@pytest.mark.parametrize(("topology", "written", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_plans(topology: Topology, written: dict[str, Any], expected: list[tuple[int, tuple[int, ...]]]) -> None:
    affinity = [cpu.number for cpu in topology.cpus]
    assert shown(place_groups(topology, affinity, **written)) == expected


def test_only_cpus_of_the_affinity_are_given_out() -> None:
    assert shown(place_groups(LAPTOP, (1, 4, 5))) == [(1, (1,)), (1, (4, 5))]


def test_an_affinity_that_the_tree_does_not_know_is_used_as_it_is() -> None:
    assert shown(place_groups(Topology(()), (7,))) == [(1, (7,))]
    assert shown(place_groups(Topology(()), ())) == [(1, ())]
    assert shown(place_groups(Topology(()), (), gil=False)) == [(1, ())]


def test_fewer_threads_than_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="nbthread 2 is less than nbgroup 4"):
        place_groups(LAPTOP, range(8), nbgroup=4, nbthread=2)


@given(
    st.integers(1, 40),
    st.integers(0, 40),
    st.booleans(),
    st.sampled_from((LAPTOP, CCX, SOCKETS)),
)
def test_every_thread_has_a_place_and_both_numbers_agree(groups: int, more: int, gil: bool, topology: Topology) -> None:
    affinity = frozenset(cpu.number for cpu in topology.cpus)
    placement = place_groups(topology, affinity, nbgroup=groups, nbthread=groups + more, gil=gil)
    assert len(placement.groups) == groups
    assert placement.threads == groups + more
    assert all(place.cpus and affinity.issuperset(place.cpus) for place in placement.groups)
    assert max(p.threads for p in placement.groups) - min(p.threads for p in placement.groups) <= 1
    for number in range(1, placement.threads + 1):
        assert placement.thread_number(*placement.local_number(number)) == number


def test_numbers_outside_are_refused() -> None:
    placement = Placement((GroupPlace(1, 2, 1, ()),))
    for wrong in ((1, 3), (1, 0), (0, 1)):
        with pytest.raises(IndexError):
            placement.thread_number(*wrong)
    with pytest.raises(IndexError):
        placement.local_number(3)


def test_render() -> None:
    placement = place_groups(SOCKETS, range(8), nbgroup=2, nbthread=3)
    assert render_placement(placement).splitlines() == [
        "2 groups, 3 threads (threads of a group take turns, because this interpreter has the GIL)",
        "group 1: threads 1-2, cpu 0,2,4,6, domain 0",
        "group 2: thread 3, cpu 1,3,5,7, domain 1",
    ]
    assert render_placement(place_groups(LAPTOP, (0,))).startswith("1 group, 1 thread (one event loop a group")
    assert render_placement(place_groups(LAPTOP, (0,), gil=False), gil=False).splitlines() == [
        "1 group, 1 thread (free-threaded interpreter)",
        "group 1: thread 1, cpu 0, domain 0",
    ]


def test_gil_is_asked_of_the_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    assert not has_gil()
    monkeypatch.delattr(sys, "_is_gil_enabled")
    assert has_gil()
