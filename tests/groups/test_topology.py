from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.groups.topology import (
    Cpu,
    Topology,
    format_cpus,
    parse_cpus,
    read_quota,
    read_topology,
    render_topology,
)

MANIFESTS = Path(__file__).parents[1] / "sysfs"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")


def make_tree(root: Path, manifest: str) -> Path:
    """Unfolds a manifest of tests/sysfs into the kernel's files."""
    base = root / "devices/system"
    for line in (MANIFESTS / f"{manifest}.txt").read_text().splitlines():
        words = line.split()
        if words[0] == "online":
            write(base / "cpu/online", words[1])
        elif words[0] == "node":
            write(base / f"node/node{words[1]}/cpulist", words[2])
        elif words[0] == "cpu":
            place = base / f"cpu/cpu{words[1]}"
            for word in words[2:]:
                name, _, value = word.partition("=")
                if name == "package":
                    write(place / "topology/physical_package_id", value)
                elif name == "core":
                    write(place / "topology/core_cpus_list", value)
                else:
                    index = place / f"cache/index{name[1:]}"
                    write(index / "level", name[1:])
                    write(index / "type", "Unified")
                    write(index / "shared_cpu_list", value)
                    write(place / "cache/index0/level", "1")
                    write(place / "cache/index0/type", "Instruction")
                    write(place / "cache/index0/shared_cpu_list", "0-255")
    return root


def domains_of(topology: Topology) -> dict[int, str]:
    members: dict[int, list[int]] = {}
    for cpu in topology.cpus:
        members.setdefault(cpu.domain, []).append(cpu.number)
    return {domain: format_cpus(numbers) for domain, numbers in members.items()}


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


@pytest.mark.parametrize(
    ("cgroup", "files", "quota"),
    [
        ("0::/a/b", {"a/b/cpu.max": "150000 100000"}, 1.5),
        ("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "400000 100000"}, 4.0),
        ("0::/a/b", {"a/b/cpu.max": "800000 100000", "a/cpu.max": "400000 100000"}, 4.0),
        ("0::/", {"cpu.max": "50000 100000"}, 0.5),
        ("0::/../x", {"x/cpu.max": "200000 100000"}, 2.0),
        ("4:memory:/m\n3:cpu,cpuacct:/c\n0::/", {"cpu,cpuacct/c/cpu.cfs_quota_us": "300000"}, None),
        ("4:cpu:/c", {"cpu/c/cpu.cfs_quota_us": "-1", "cpu/c/cpu.cfs_period_us": "100000"}, None),
        ("4:cpu:/c", {"cpu/c/cpu.cfs_quota_us": "300000", "cpu/c/cpu.cfs_period_us": "100000"}, 3.0),
        ("0::/gone", {}, None),
        ("", {}, None),
    ],
)
def test_quota(tmp_path: Path, cgroup: str, files: dict[str, str], quota: float | None) -> None:
    write(tmp_path / "proc/self/cgroup", cgroup)
    for name, text in files.items():
        write(tmp_path / "groups" / name, text)
    assert read_quota(tmp_path / "proc", tmp_path / "groups") == quota


def render(tmp_path: Path, manifest: str, affinity: Iterable[int], quota: float | None = None) -> list[str]:
    return render_topology(read_topology(make_tree(tmp_path, manifest)), affinity, quota).splitlines()


def test_render(tmp_path: Path) -> None:
    assert render(tmp_path, "laptop", (0, 1, 4), 1.5) == [
        "1 socket, 1 L3 domain, 4 cores, 8 CPUs online (0-7)",
        "usable: 3 CPUs (0-1,4), the inherited affinity",
        "quota of the control group: 1.5 CPUs",
        "socket 0",
        "  L3 0, node 0: 4 cores",
        "    cpu 0+1  (2)+(3)  4+(5)  (6)+(7)",
    ]


def test_render_long_domains_over_several_lines(tmp_path: Path) -> None:
    lines = render(tmp_path, "two_sockets", range(16))
    assert lines[0] == "2 sockets, 2 L3 domains, 16 cores, 16 CPUs online (0-15)"
    assert lines[3] == "  L3 0, node 0: 8 cores"
    assert lines[4] == "    cpu 0  2  4  6  8  10  12  14"


def test_render_without_caches(tmp_path: Path) -> None:
    assert render(tmp_path, "virtual", (0,))[0] == "2 sockets, 2 domains, 4 cores, 4 CPUs online (0-3)"
