from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.groups.topology import Cpu, Topology, format_cpus, parse_cpus, read_topology
from maniple.tests.groups.machines import machine, make_tree, write


def domains_of(topology: Topology) -> dict[int, str]:
    members: dict[int, list[int]] = {}
    for cpu in topology.cpus:
        members.setdefault(cpu.domain, []).append(cpu.number)
    return {domain: format_cpus(numbers) for domain, numbers in members.items()}


def clusters_of(topology: Topology) -> dict[str, int]:
    """CPUs of each cluster, with the capacity of its first."""
    members: dict[int, list[Cpu]] = {}
    for cpu in topology.cpus:
        members.setdefault(cpu.cluster, []).append(cpu)
    return {format_cpus(cpu.number for cpu in cpus): cpus[0].capacity for cpus in members.values()}


def packages_of(topology: Topology) -> dict[int, str]:
    members: dict[int, list[int]] = {}
    for cpu in topology.cpus:
        members.setdefault(cpu.package, []).append(cpu.number)
    return {package: format_cpus(numbers) for package, numbers in members.items()}


CASES = [
    ("laptop", 3, {0: "0-7"}, {0: "0-7"}, ["0-1", "2-3", "4-5", "6-7"]),
    (
        "four_ccx",
        3,
        {0: "0-31"},
        {0: "0-3,16-19", 1: "4-7,20-23", 2: "8-11,24-27", 3: "12-15,28-31"},
        [f"{n},{n + 16}" for n in range(16)],
    ),
    (
        "two_sockets",
        3,
        {0: "0,2,4,6,8,10,12,14", 1: "1,3,5,7,9,11,13,15"},
        {0: "0,2,4,6,8,10,12,14", 1: "1,3,5,7,9,11,13,15"},
        [str(n) for n in (*range(0, 16, 2), *range(1, 16, 2))],
    ),
    ("xeon", 3, {0: "0-39"}, {0: "0-39"}, [f"{n},{n + 20}" for n in range(20)]),
    (
        "two_epycs",
        3,
        {0: "0-2,4-7", 1: "8-15"},
        {0: "0-2", 1: "4-7", 2: "8-11", 3: "12-15"},
        [str(n) for n in range(16) if n != 3],
    ),
    ("hybrid", 3, {0: "0-15"}, {0: "0-15"}, ["0-1", "2-3", "4-5", "6-7", *(str(n) for n in range(8, 16))]),
    ("big_little", 3, {0: "0-7"}, {0: "0-7"}, [str(n) for n in range(8)]),
    ("clusters", 3, {0: "0-15", 1: "16-31"}, {0: "0-15", 1: "16-31"}, [str(n) for n in range(32)]),
    ("single", 3, {0: "0"}, {0: "0"}, ["0"]),
    ("small_virtual", 3, {0: "0-1"}, {0: "0-1"}, ["0", "1"]),
    ("board", 2, {0: "0-7"}, {0: "0-3", 1: "4-7"}, [str(n) for n in range(8)]),
    ("virtual", 0, {0: "0-1", 1: "2-3"}, {0: "0-1", 1: "2-3"}, ["0", "1", "2", "3"]),
    (
        "holes",
        3,
        {0: "0-2,4-5", 1: "8-11"},
        {0: "0-2,4-5", 1: "8-11"},
        ["0", "1", "2", "4", "5", "8", "9", "10", "11"],
    ),
    (
        "four_nodes",
        3,
        {0: "0-15"},
        {n: f"{2 * n}-{2 * n + 1}" for n in range(8)},
        [str(n) for n in range(16)],
    ),
]


@pytest.mark.parametrize(("manifest", "level", "packages", "domains", "cores"), CASES, ids=[case[0] for case in CASES])
def test_trees(
    tmp_path: Path, manifest: str, level: int, packages: dict[int, str], domains: dict[int, str], cores: list[str]
) -> None:
    topology = read_topology(make_tree(tmp_path, manifest))
    assert topology.cache_level == level
    assert packages_of(topology) == packages
    assert domains_of(topology) == domains
    assert [format_cpus(cpu.number for cpu in core) for core in topology.cores()] == cores


@pytest.mark.parametrize(
    ("manifest", "clusters"),
    [
        ("hybrid", {"0-7": 996, "8-11": 597, "12-15": 597}),
        ("big_little", {"0-3": 414, "4-6": 870, "7": 1024}),
        ("clusters", {f"{n}-{n + 3}": 1024 for n in range(0, 32, 4)}),
        ("board", {"0-3": 1024, "4-7": 1024}),
        ("xeon", {"0-39": 1024}),
        ("small_virtual", {"0-1": 1024}),
        ("virtual", {"0-1": 1024, "2-3": 1024}),
    ],
)
def test_clusters_and_capacities(tmp_path: Path, manifest: str, clusters: dict[str, int]) -> None:
    topology = machine(tmp_path, manifest)
    assert clusters_of(topology) == clusters
    assert topology.hybrid == (len(set(clusters.values())) > 1)


def test_offline_cpus(tmp_path: Path) -> None:
    assert machine(tmp_path, "two_epycs").offline == (3,)
    assert machine(tmp_path, "laptop").offline == ()


@pytest.mark.parametrize(
    ("files", "capacities"),
    [
        ({}, [1024, 1024]),
        ({"cpufreq/cpuinfo_max_freq": (4000000, 2000000)}, [1024, 512]),
        ({"cpu_capacity": (1024, 1024), "acpi_cppc/highest_perf": (50, 100)}, [512, 1024]),
        ({"cpu_capacity": (256, 512), "acpi_cppc/highest_perf": (9, 1)}, [512, 1024]),
        ({"cpu_capacity": ("x", 512), "cpufreq/cpuinfo_max_freq": (1, 0)}, [1024, 1024]),
    ],
)
def test_where_capacities_come_from(
    tmp_path: Path, files: dict[str, tuple[object, object]], capacities: list[int]
) -> None:
    base = tmp_path / "devices/system/cpu"
    write(base / "online", "0-1")
    for name, values in files.items():
        for number, value in enumerate(values):
            write(base / f"cpu{number}" / name, str(value))
    assert [cpu.capacity for cpu in read_topology(tmp_path).cpus] == capacities


def test_nodes_are_those_of_the_kernel(tmp_path: Path) -> None:
    topology = read_topology(make_tree(tmp_path, "four_nodes"))
    assert [cpu.node for cpu in topology.cpus] == [n // 4 for n in range(16)]


def test_numbers_stay_when_cpus_are_left_out(tmp_path: Path) -> None:
    topology = read_topology(make_tree(tmp_path, "four_ccx")).only((5, 21, 30))
    assert [(cpu.number, cpu.domain, cpu.core) for cpu in topology.cpus] == [(5, 1, 5), (21, 1, 5), (30, 3, 14)]
    assert [len(core) for core in topology.cores()] == [2, 1]


def test_without_a_tree_every_cpu_is_a_core(tmp_path: Path) -> None:
    topology = read_topology(tmp_path, fallback=(4, 2))
    assert topology == Topology((Cpu(2, core=0), Cpu(4, core=1)))


def test_without_a_tree_the_number_of_cores_may_be_known(tmp_path: Path) -> None:
    topology = read_topology(tmp_path, fallback=range(4), physical=lambda: 2)
    assert [cpu.core for cpu in topology.cpus] == [0, 1, 0, 1]
    assert [cpu.core for cpu in read_topology(tmp_path, fallback=range(2), physical=lambda: 8).cpus] == [0, 1]


def test_this_machine_can_be_read() -> None:
    assert read_topology().cpus


@given(st.frozensets(st.integers(0, 300)))
def test_cpu_lists_read_back(numbers: frozenset[int]) -> None:
    text = format_cpus(numbers)
    assert parse_cpus("" if text == "none" else text) == numbers


@pytest.mark.parametrize("text", ["x", "1-", "-1", "1-2-3"])
def test_bad_cpu_lists_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        parse_cpus(text)
