"""Recorded CPU trees: a manifest of tests/sysfs unfolded into the kernel's files."""

from __future__ import annotations

from pathlib import Path

from maniple.groups.topology import Topology, read_topology

MANIFESTS = Path(__file__).parents[1] / "sysfs"
FILES = {
    "package": "topology/physical_package_id",
    "core": "topology/core_cpus_list",
    "cluster": "topology/cluster_cpus_list",
    "capacity": "cpu_capacity",
    "perf": "acpi_cppc/highest_perf",
    "khz": "cpufreq/cpuinfo_max_freq",
}


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")


def make_tree(root: Path, manifest: str) -> Path:
    """Unfolds a manifest of tests/sysfs under `root`, which is returned."""
    base = root / "devices/system"
    for line in (MANIFESTS / f"{manifest}.txt").read_text().splitlines():
        words = line.split()
        if words[0] in ("online", "present"):
            write(base / "cpu" / words[0], words[1])
        elif words[0] == "node":
            write(base / f"node/node{words[1]}/cpulist", words[2])
        elif words[0] == "cpu":
            place = base / f"cpu/cpu{words[1]}"
            for word in words[2:]:
                name, _, value = word.partition("=")
                if name in FILES:
                    write(place / FILES[name], value)
                else:
                    index = place / f"cache/index{name[1:]}"
                    write(index / "level", name[1:])
                    write(index / "type", "Unified")
                    write(index / "shared_cpu_list", value)
                    write(place / "cache/index0/level", "1")
                    write(place / "cache/index0/type", "Instruction")
                    write(place / "cache/index0/shared_cpu_list", "0-255")
    return root


def machine(root: Path, manifest: str) -> Topology:
    """The machine of a manifest."""
    return read_topology(make_tree(root / manifest, manifest))
