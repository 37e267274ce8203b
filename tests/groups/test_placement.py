from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.core.config.cpu_words import POLICIES
from maniple.groups.placement import GroupPlace, Placement, has_gil, place_groups
from maniple.groups.placement_words import PlacementWords
from maniple.groups.topology import Cpu, Topology, format_cpus
from maniple.tests.groups.machines import MANIFESTS, machine

LAPTOP = Topology(tuple(Cpu(n, core=n // 2) for n in range(8)), 3)
"""Four cores of two threads, one L3."""
CCX = Topology(tuple(Cpu(n, domain=n // 4, core=n) for n in range(16)), 3)
"""One socket, four L3 of four cores."""
SOCKETS = Topology(tuple(Cpu(n, package=n % 2, domain=n % 2, core=n) for n in range(8)), 3)
"""Two sockets of four cores, numbered in turn."""


def plan(
    topology: Topology, affinity: Iterable[int], gil: bool = True, quota: float | None = None, **words: Any
) -> Placement:
    return place_groups(topology, affinity, PlacementWords(**words), gil=gil, quota=quota)


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
    assert shown(plan(topology, affinity, **written)) == expected


def test_only_cpus_of_the_affinity_are_given_out() -> None:
    assert shown(place_groups(LAPTOP, (1, 4, 5))) == [(1, (1,)), (1, (4, 5))]


def test_an_affinity_that_the_tree_does_not_know_is_used_as_it_is() -> None:
    assert shown(place_groups(Topology(()), (7,))) == [(1, (7,))]
    assert shown(place_groups(Topology(()), ())) == [(1, ())]
    assert shown(place_groups(Topology(()), (), gil=False)) == [(1, ())]


def test_fewer_threads_than_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="4 groups cannot share 2 threads"):
        plan(LAPTOP, range(8), nbgroup=4, nbthread=2)


MACHINES = sorted(path.stem for path in MANIFESTS.glob("*.txt"))


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Topology]:
    root = tmp_path_factory.mktemp("machines")
    return {name: machine(root, name) for name in MACHINES}


@st.composite
def written(draw: st.DrawFn) -> PlacementWords:
    """Words that a configuration may hold, most of them together."""
    groups = draw(st.none() | st.integers(1, 40))
    policy = draw(st.sampled_from((None, *POLICIES)))
    return PlacementWords(
        nbgroup=groups,
        nbthread=draw(st.none() | st.integers(groups or 1, 40 + (groups or 0))),
        cpu_set=draw(st.sampled_from(((), (("reset",),), (("only-thread", "0"),), (("drop-node", "1-9"),)))),
        cpu_policy=() if policy is None else (policy, *draw(st.sampled_from(((), ("threads-per-core", "1"))))),
        cpu_map=draw(st.sampled_from(((), (("1/2", "3-5"),), (("auto:1/1-4", "0-3"), ("odd", "1-"))))),
    )


@settings(max_examples=400)
@given(st.data())
def test_every_thread_has_cpus_inside_the_mask_and_both_numbers_agree(
    machines: dict[str, Topology], data: st.DataObject
) -> None:
    topology = machines[data.draw(st.sampled_from(MACHINES))]
    online = [cpu.number for cpu in topology.cpus]
    affinity = frozenset(data.draw(st.lists(st.sampled_from(online), min_size=1)))
    words = data.draw(written())
    gil = data.draw(st.booleans())
    try:
        placement = place_groups(topology, affinity, words, gil=gil, quota=data.draw(st.none() | st.floats(0.1, 50)))
    except ValueError as error:
        assert "cpu-set leaves no CPU" in str(error)
        return
    assert words.nbgroup in (None, len(placement.groups))
    assert words.nbthread in (None, placement.threads)
    assert [place.number for place in placement.groups] == list(range(1, len(placement.groups) + 1))
    assert max(placement.sizes) <= 64
    if words.nbgroup or gil:
        assert max(placement.sizes) - min(placement.sizes) <= 1
    for place in placement.groups:
        assert place.cpus and affinity.issuperset(place.cpus)
        for thread in range(1, place.threads + 1):
            assert place.cpus_of(thread) and set(place.cpus_of(thread)) <= set(place.cpus)
    pairs = [placement.local_number(number) for number in range(1, placement.threads + 1)]
    assert pairs == sorted(pairs)
    assert [placement.thread_number(*pair) for pair in pairs] == list(range(1, placement.threads + 1))


POLICY_CASES: list[tuple[str, str, str, dict[str, Any], str]] = [
    # what it shows, machine, policy, other words, groups as threads*cpus
    ("each group on its core", "two_epycs", "group-by-core", {}, " ".join(f"1*{n}" for n in range(16) if n != 3)),
    (
        "floating over the L3",
        "two_epycs",
        "group-by-l3",
        {},
        "1*0-2 " * 3 + "1*4-7 " * 4 + "1*8-11 " * 4 + "1*12-15 " * 4,
    ),
    ("floating over the socket", "two_epycs", "group-by-socket", {}, "1*0-2,4-7 " * 7 + "1*8-15 " * 8),
    ("a group an L3", "two_epycs", "group-by-ccx", {"gil": False}, "3*0-2 4*4-7 4*8-11 4*12-15"),
    ("a group two L3", "two_epycs", "group-by-2-ccx", {"gil": False}, "7*0-2,4-7 8*8-15"),
    ("a group a cluster", "clusters", "group-by-2-clusters", {"gil": False}, "8*0-7 8*8-15 8*16-23 8*24-31"),
    ("the fast cores", "hybrid", "performance", {}, "1*0-7 " * 4),
    ("the slow cores", "hybrid", "efficiency", {}, "1*8-11 " * 4 + "1*12-15 " * 4),
    ("one slow cluster", "hybrid", "resource", {"gil": False}, "4*8-11"),
    ("one sibling", "hybrid", "performance threads-per-core 1", {}, "1*0,2,4,6 " * 4),
    ("everywhere", "two_epycs", "none", {}, "1*0-2,4-15 " * 15),
    ("one node", "two_epycs", "first-usable-node", {}, "1*0-2,4-7 " * 7),
    ("one node", "two_epycs", "first-usable-node", {"gil": False}, "7*0-2,4-7"),
    ("a quota bounds it", "two_epycs", "group-by-l3", {"quota": 4.5}, "1*0-2 " * 3 + "1*4-7 " * 2),
    ("a quota bounds it", "two_epycs", "group-by-l3", {"quota": 6.0, "gil": False}, "2*0-2 2*4-7 1*8-11 1*12-15"),
    ("a quota bounds it", "two_epycs", "group-by-l3", {"quota": 2.0, "gil": False}, "1*0-2 1*4-7"),
    (
        "cpu-set comes first",
        "two_epycs",
        "group-by-l3",
        {"cpu_set": (("drop-node", "0"),)},
        "1*8-11 " * 4 + "1*12-15 " * 4,
    ),
]


@pytest.mark.parametrize(
    ("name", "policy", "other", "expected"),
    [case[1:] for case in POLICY_CASES],
    ids=[f"{c[2]}: {c[0]}" for c in POLICY_CASES],
)
def test_policies(machines: dict[str, Topology], name: str, policy: str, other: dict[str, Any], expected: str) -> None:
    topology = machines[name]
    placement = plan(topology, [cpu.number for cpu in topology.cpus], cpu_policy=tuple(policy.split()), **other)
    assert [f"{place.threads}*{format_cpus(place.cpus)}" for place in placement.groups] == expected.split()
    assert not placement.warnings
    assert placement.groups_written == (policy.split()[0] not in ("none", "first-usable-node"))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"nbgroup": 2}, "`nbgroup` is written"),
        ({"nbthread": 2}, "`nbthread` is written"),
        ({"nbgroup": 2, "nbthread": 2}, "`nbgroup` and `nbthread` are written"),
        ({"thread_groups": (("1", "1"),)}, "`thread-group` is written"),
        ({"cpu_map": (("1/1", "0"),)}, "`cpu-map` is written"),
    ],
)
def test_what_is_written_wins_over_the_policy(words: dict[str, Any], why: str) -> None:
    placement = plan(CCX, range(16), cpu_policy=("group-by-l3",), **words)
    assert placement.warnings == (f"`cpu-policy group-by-l3` has no effect, because {why}",)
    assert placement.groups == plan(CCX, range(16), **words).groups
    assert plan(CCX, range(16), cpu_policy=("none",), **words).warnings == ()


def test_first_usable_node_of_a_part_of_the_cpus(machines: dict[str, Topology]) -> None:
    placement = plan(machines["two_epycs"], (1, 9), cpu_policy=("first-usable-node",))
    assert shown(placement) == [(1, (1, 9)), (1, (1, 9))]
    assert "has no effect, because maniple was started on a part" in placement.notices[0]


def test_cpu_map_of_groups_and_threads() -> None:
    placement = plan(CCX, range(16), nbgroup=2, nbthread=8, cpu_map=(("auto:1/1-4", "8-11"), ("2", "3")))
    assert [place.thread_cpus for place in placement.groups] == [((8,), (9,), (10,), (11,)), ()]
    assert shown(placement) == [(4, (8, 9, 10, 11)), (4, (3,))]
    assert [place.domains for place in placement.groups] == [(2,), (0,)]
    assert placement.groups[0].cpus_of(2) == (9,) and placement.groups[1].cpus_of(2) == (3,)


def test_cpu_map_of_the_one_group_that_haproxy_has() -> None:
    placement = plan(CCX, range(16), nbthread=4, cpu_map=(("auto:1/1-4", "4-7"),))
    assert shown(placement) == [(1, (4,)), (1, (5,)), (1, (6,)), (1, (7,))]
    assert "the numbers of group 1 are those of the whole" in placement.notices[0]


def test_threads_on_the_gil_are_obeyed_and_warned_of() -> None:
    placement = plan(LAPTOP, range(8), nbgroup=1, nbthread=8)
    assert shown(placement) == [(8, tuple(range(8)))]
    assert "take turns" in placement.warnings[0] and "`nbgroup 8`" in placement.warnings[0]
    assert plan(LAPTOP, range(8), nbgroup=1, nbthread=8, gil=False).warnings == ()


def test_more_threads_than_cpus_are_told() -> None:
    assert plan(LAPTOP, (0, 1), nbgroup=3).notices == ("3 threads compete for 2 CPUs (0-1)",)


def test_a_large_machine_stays_within_the_limits() -> None:
    large = Topology(tuple(Cpu(n, package=n // 200, domain=n // 200, core=n) for n in range(400)), 3)
    assert plan(large, range(400)).sizes == (1,) * 256
    assert plan(large, range(400), gil=False).sizes == (50, 50, 50, 50, 50, 6)
    assert plan(large, range(400), gil=False, nbthread=100).sizes == (50, 50)
    assert plan(large, range(400), gil=False, nbthread=200).sizes == (50, 50, 50, 50)
    assert plan(large, range(400), gil=False, nbgroup=2).sizes == (64, 64)
    assert plan(large, range(400), gil=False, nbgroup=8).sizes == (32,) * 8
    with pytest.raises(ValueError, match="64 are the most"):
        plan(large, range(400), gil=False, nbgroup=2, nbthread=130)


def test_a_reset_stays_in_the_mask() -> None:
    placement = plan(LAPTOP, (0, 1), cpu_set=(("drop-cpu", "0", "reset"),))
    assert shown(placement) == [(1, (0, 1))]
    assert "`cpu-set reset` begins with the CPUs that maniple was started on" in placement.notices[0]
    with pytest.raises(ValueError, match="cpu-set leaves no CPU"):
        plan(LAPTOP, (0, 1), cpu_set=(("only-cpu", "5"),))


def test_scaling_keeps_the_policy_and_the_meaning_of_numbers() -> None:
    words = PlacementWords(cpu_policy=("group-by-l3",))
    assert [place.cpus for place in place_groups(CCX, range(16), words.scaled(3)).groups] == [
        tuple(range(8)),
        tuple(range(4, 12)),
        tuple(range(8, 16)),
    ]
    more = place_groups(CCX, range(16), PlacementWords().scaled(3))
    assert len(more.groups) == 3 and not more.groups_written and not more.warnings
    assert place_groups(CCX, range(16), PlacementWords(nbgroup=2).scaled(3)).groups_written


def test_numbers_outside_are_refused() -> None:
    placement = Placement((GroupPlace(1, 2, 1, ()),))
    for wrong in ((1, 3), (1, 0), (0, 1)):
        with pytest.raises(IndexError):
            placement.thread_number(*wrong)
    with pytest.raises(IndexError):
        placement.local_number(3)


def test_gil_is_asked_of_the_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    assert not has_gil()
    monkeypatch.delattr(sys, "_is_gil_enabled")
    assert has_gil()
