"""The checklist of thread groups (TG1-TG15), row by row: where each is held, and the rows about numbers and CPUs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.thread_groups import group_sizes
from maniple.core.config.threads import expand, parse_threads, resolve_threads
from maniple.groups.placement import Placement, place_groups
from maniple.groups.placement_words import PlacementWords
from maniple.groups.topology import Cpu, Topology, format_cpus
from maniple.tests.groups.machines import machine

HERE = "groups/test_thread_groups.py"
HELD: dict[str, tuple[str, ...]] = {
    "TG2": (f"{HERE}::test_limits", f"{HERE}::test_beyond_the_limits"),
    "TG4": (f"{HERE}::test_binding_without_words", f"{HERE}::test_only_inherited_cpus"),
    "TG6": (f"{HERE}::test_syntax", f"{HERE}::test_rejected", "core/config/test_threads.py::test_resolve"),
    "TG7": (
        f"{HERE}::test_division",
        f"{HERE}::test_maps_are_inverse",
        "core/config/test_thread_groups.py::test_sizes",
    ),
    "TG8": (f"{HERE}::test_group_and_mask",),
    "TG12": ("groups/test_placement.py::test_every_thread_has_cpus_inside_the_mask_and_both_numbers_agree",),
}
"""Row -> the tests that hold it, relative to tests/. Add yours where you hold one."""


@pytest.mark.parametrize(("row", "name"), [(row, name) for row, names in HELD.items() for name in names])
def test_the_named_tests_exist(row: str, name: str) -> None:
    file, _, function = name.partition("::")
    text = (Path(__file__).parents[1] / file).read_text()
    assert f"def {function}(" in text, row


# TG2: more than 64 threads, 16 groups and more, 64 in a group


@pytest.mark.parametrize(
    ("groups", "threads", "sizes"),
    [(16, 256, (16,) * 16), (2, 65, (33, 32)), (2, 128, (64, 64)), (256, 256, (1,) * 256), (None, 100, (1,) * 100)],
)
def test_limits(groups: int | None, threads: int, sizes: tuple[int, ...]) -> None:
    topology = Topology(tuple(Cpu(number, core=number) for number in range(4)))
    words = PlacementWords(nbgroup=groups, nbthread=threads)
    assert place_groups(topology, range(4), words).sizes == sizes


@pytest.mark.parametrize(("groups", "threads"), [(1, 65), (3, 200), (257, 257), (16, 257)])
def test_beyond_the_limits(groups: int, threads: int) -> None:
    with pytest.raises(ValueError, match="the most"):
        group_sizes(groups, threads)


# TG4: CPUs without any word, always out of the inherited mask


def cpus_of(placement: Placement) -> list[str]:
    return [format_cpus(place.cpus) for place in placement.groups]


@pytest.mark.parametrize(
    ("name", "gil", "cpus"),
    [
        ("two_epycs", True, [str(n) for n in range(16) if n != 3]),
        ("four_ccx", True, [f"{n},{n + 16}" for n in range(16)]),
        ("two_epycs", False, ["0-2,4-7", "8-15"]),
        ("four_ccx", False, ["0-3,16-19", "4-7,20-23", "8-11,24-27", "12-15,28-31"]),
        ("xeon", False, ["0-39"]),
        ("board", False, ["0-3", "4-7"]),
        ("single", True, ["0"]),
        ("small_virtual", True, ["0", "1"]),
    ],
)
def test_binding_without_words(tmp_path: Path, name: str, gil: bool, cpus: list[str]) -> None:
    topology = machine(tmp_path, name)
    assert cpus_of(place_groups(topology, [cpu.number for cpu in topology.cpus], gil=gil)) == cpus


@pytest.mark.parametrize(
    "words",
    [
        PlacementWords(),
        PlacementWords(nbgroup=5),
        PlacementWords(cpu_policy=("group-by-socket",)),
        PlacementWords(cpu_set=(("reset",),)),
        PlacementWords(cpu_map=(("1", "0-15"),)),
    ],
)
def test_only_inherited_cpus(tmp_path: Path, words: PlacementWords) -> None:
    topology = machine(tmp_path, "two_epycs")
    used = {cpu for place in place_groups(topology, (5, 6, 9), words).groups for cpu in place.cpus}
    assert used == {5, 6, 9}


# TG6: the syntax of `thread`, with two groups of 45 threads

TWO = (45, 45)


@pytest.mark.parametrize(
    ("text", "first", "count"),
    [
        ("45", (1, 45), 1),
        ("65", (2, 20), 1),
        ("1/45", (1, 45), 1),
        ("all/45", (1, 45), 2),
        ("1/all", (1, 1), 45),
        ("all", (1, 1), 90),
        ("all/all", (1, 1), 90),
        ("odd", (1, 1), 45),
        ("2/even", (2, 2), 22),
        ("35-45", (1, 35), 11),
        ("46-50,1", (1, 1), 6),
        ("1/2-3,2/1", (1, 2), 3),
    ],
)
def test_syntax(text: str, first: tuple[int, int], count: int) -> None:
    pairs, notice = resolve_threads(parse_threads(text), TWO, True)
    assert (pairs[0], len(pairs), notice) == (first, count, None)


@pytest.mark.parametrize("text", ["1/65", "35-46", "91", "3/1", "1/1,2", "2,1/1", "1/46", "0", "257", "1/0", "all/46"])
def test_rejected(text: str) -> None:
    with pytest.raises(ValueError):
        resolve_threads(parse_threads(text), TWO, True)


# TG7: nbthread is the total; maps both ways


def test_division() -> None:
    assert group_sizes(4, 28) == (7, 7, 7, 7)


@given(st.integers(1, 64), st.integers(0, 192))
def test_maps_are_inverse(groups: int, more: int) -> None:
    more = min(more, 63 * groups)
    topology = Topology((Cpu(0), Cpu(1, core=1)))
    placement = place_groups(topology, (0, 1), PlacementWords(nbgroup=groups, nbthread=groups + more))
    numbers = [
        placement.thread_number(group, local)
        for group, size in enumerate(placement.sizes, 1)
        for local in range(1, size + 1)
    ]
    assert numbers == list(range(1, groups + more + 1))
    assert [placement.thread_number(*placement.local_number(number)) for number in numbers] == numbers


# TG8: group and mask; groups count from 1


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("all", "1/1 1/2 2/1 2/2"),  # 0,0: any
        ("2,3", "1/2 2/1"),  # 0,x: numbers of the whole
        ("2/all", "2/1 2/2"),  # G,0: all of G
        ("2/2", "2/2"),  # G,x: these of G
    ],
)
def test_group_and_mask(text: str, meaning: str) -> None:
    assert " ".join(f"{group}/{local}" for group, local in expand(parse_threads(text), (2, 2))) == meaning
    with pytest.raises(ValueError):
        parse_threads("0/1")
