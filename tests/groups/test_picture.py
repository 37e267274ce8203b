from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from maniple.groups.picture import draw, render_placement, render_topology
from maniple.groups.placement import place_groups
from maniple.groups.placement_words import PlacementWords
from maniple.groups.topology import Cpu, Topology
from maniple.tests.groups.machines import MANIFESTS, machine

LAPTOP = Topology(tuple(Cpu(n, core=n // 2) for n in range(8)), 3)
SOCKETS = Topology(tuple(Cpu(n, package=n % 2, domain=n % 2, core=n) for n in range(8)), 3)


def render(tmp_path: Path, manifest: str, affinity: Iterable[int], quota: float | None = None) -> list[str]:
    return render_topology(machine(tmp_path, manifest), affinity, quota).splitlines()


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


def test_render_placement() -> None:
    placement = place_groups(SOCKETS, range(8), PlacementWords(nbgroup=2, nbthread=3))
    assert render_placement(placement).splitlines() == [
        "2 groups, 3 threads (threads of a group take turns, because this interpreter has the GIL)",
        "group 1: threads 1-2, cpu 0,2,4,6, domain 0",
        "group 2: thread 3, cpu 1,3,5,7, domain 1",
        "warning: 3 threads in 2 groups: this interpreter has the GIL, so threads of a group take turns, and a group "
        "keeps one core busy; `nbgroup 3` gives each its own process",
    ]
    assert render_placement(place_groups(LAPTOP, (0,))).startswith("1 group, 1 thread (one event loop a group")
    assert render_placement(place_groups(LAPTOP, (0,), gil=False), gil=False).splitlines() == [
        "1 group, 1 thread (free-threaded interpreter)",
        "group 1: thread 1, cpu 0, domain 0",
    ]


def test_render_clusters_where_they_differ(tmp_path: Path) -> None:
    assert render(tmp_path, "hybrid", range(16))[4:] == [
        "    cluster 0, capacity 1024 of 1024",
        "      cpu 0+1  2+3  4+5  6+7",
        "    cluster 1, capacity 597 of 1024",
        "      cpu 8  9  10  11",
        "    cluster 2, capacity 597 of 1024",
        "      cpu 12  13  14  15",
    ]
    assert "    cluster 5" in render(tmp_path, "clusters", range(16))
    assert render(tmp_path, "two_epycs", range(16))[2] == "offline: 1 CPU (3)"


def test_render_mapped_threads() -> None:
    words = PlacementWords(nbgroup=1, nbthread=2, cpu_map=(("1/2", "5"),))
    assert render_placement(place_groups(LAPTOP, range(8), words)).splitlines()[1:4] == [
        "group 1: threads 1-2, cpu 0-7, domain 0",
        "  thread 1/1: cpu 0-7",
        "  thread 1/2: cpu 5",
    ]


def test_draw(tmp_path: Path) -> None:
    topology = machine(tmp_path, "small_virtual")
    plan = place_groups(topology, range(2))
    assert draw(topology, plan).splitlines() == [
        "┌─ socket 0 ─┐",
        "│ ┌─ L3 0 ─┐ │",
        "│ │ 0   1  │ │",
        "│ │ g1  g2 │ │",
        "│ └────────┘ │",
        "└────────────┘",
    ]
    assert draw(topology, plan, ascii_only=True).splitlines()[:3] == [
        "+- socket 0 -+",
        "| +- L3 0 -+ |",
        "| | 0   1  | |",
    ]
    assert draw(Topology(()), plan) == ""


@pytest.mark.parametrize("manifest", sorted(path.stem for path in MANIFESTS.glob("*.txt")))
@pytest.mark.parametrize("policy", ["none", "group-by-l3", "performance"])
def test_pictures_are_aligned_and_whole(tmp_path: Path, manifest: str, policy: str) -> None:
    topology = machine(tmp_path, manifest)
    affinity = [cpu.number for cpu in topology.cpus]
    text = draw(topology, place_groups(topology, affinity, PlacementWords(cpu_policy=(policy,))))
    lines = text.splitlines()
    assert len(set(map(len, lines))) == 1 and len(lines[0]) <= 100
    for core in topology.cores():
        word = "+".join(str(cpu.number) for cpu in core)
        assert any(word in line.replace("│", " ").split() for line in lines)
