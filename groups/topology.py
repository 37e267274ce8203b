"""The machine's CPUs as the kernel shows them: packages, NUMA nodes, shared caches, cores, SMT siblings; and what this
process may use of them: the inherited affinity and the control group's CPU quota.

Owns: reading sysfs and procfs under a root (any directory: tests give small trees) into a plain value, and the text of
that value. Must not know: groups, threads, configuration.

Invariants: only online CPUs are listed, so numbers may have holes; every CPU has exactly one package, node, domain and
core; a domain lies in one package. Kernel documentation: admin-guide/cputopology, ABI/testing/sysfs-devices-system-cpu.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cpu:
    """One logical CPU. `number` is the kernel's; `domain` and `core` are numbered by us over the whole machine, from 0
    in the order of their lowest CPU."""

    number: int
    package: int = 0
    node: int = 0
    domain: int = 0
    core: int = 0


@dataclass(frozen=True, slots=True)
class Topology:
    """The online CPUs in the order of their numbers."""

    cpus: tuple[Cpu, ...]
    cache_level: int = 0
    """Level of the cache that makes a domain: 3, or 2 where there is no third; 0: a domain is a package (or the part of
    it in one node), because no cache is shared between cores."""

    def only(self, usable: Iterable[int]) -> Topology:
        """The part of it that lies in `usable`, with its numbers unchanged."""
        kept = frozenset(usable)
        return Topology(tuple(cpu for cpu in self.cpus if cpu.number in kept), self.cache_level)

    def cores(self) -> list[tuple[Cpu, ...]]:
        """The SMT siblings of each core, cores of one package and domain next to each other."""
        siblings: dict[tuple[int, int, int], list[Cpu]] = {}
        for cpu in self.cpus:
            siblings.setdefault((cpu.package, cpu.domain, cpu.core), []).append(cpu)
        return [tuple(siblings[key]) for key in sorted(siblings)]


def parse_cpus(text: str) -> frozenset[int]:
    """The kernel's list format, as in "0-3,8,10-11"; "" is none. Raises ValueError."""
    numbers: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        first, dash, last = part.partition("-")
        numbers.update(range(int(first), int(last if dash else first) + 1))
    return frozenset(numbers)


def format_cpus(numbers: Iterable[int]) -> str:
    """The inverse of `parse_cpus`; "none" for no CPU."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in parts) or "none"


def read_topology(root: Path = Path("/sys"), fallback: Iterable[int] = (0,)) -> Topology:
    """The tree under `root`. Without any (a sandbox may hide it) every CPU of `fallback` is a core of one package."""
    base = root / "devices/system/cpu"
    online = parse_cpus(_text(base / "online"))
    if not online:
        return Topology(tuple(Cpu(number, core=core) for core, number in enumerate(sorted(fallback))))
    nodes = _nodes(root / "devices/system/node")
    packages: dict[int, int] = {}
    cores: dict[int, frozenset[int]] = {}
    caches: dict[int, dict[int, frozenset[int]]] = {}
    for number in online:
        place = base / f"cpu{number}"
        # Some virtual machines and many ARM boards say -1: unknown.
        packages[number] = max(0, int(_text(place / "topology/physical_package_id") or 0))
        siblings = _text(place / "topology/core_cpus_list") or _text(place / "topology/thread_siblings_list")
        cores[number] = (parse_cpus(siblings) & online) | {number}
        caches[number] = _caches(place / "cache")
    level = _domain_level(caches, cores)
    domains: dict[int, frozenset[int]] = {}
    for number in online:
        if level:
            shared = caches[number].get(level, cores[number]) & online
        else:
            shared = frozenset(other for other in online if nodes.get(other, 0) == nodes.get(number, 0))
        package = packages[number]
        domains[number] = frozenset(other for other in shared | {number} if packages[other] == package)
    domain_numbers = _numbered(domains)
    core_numbers = _numbered(cores)
    return Topology(
        tuple(
            Cpu(n, packages[n], nodes.get(n, 0), domain_numbers[min(domains[n])], core_numbers[min(cores[n])])
            for n in sorted(online)
        ),
        level,
    )


def read_quota(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> float | None:
    """CPUs that the control group of this process may use on average (1.5: one and a half), None without a limit: the
    least of its own group's and of those above. Version 2 (cpu.max) and version 1 (cpu.cfs_quota_us) are read."""
    quotas = []
    for line in _text(proc / "self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            base = groups
        elif "cpu" in controllers.split(","):
            base = groups / controllers if (groups / controllers).is_dir() else groups / "cpu"
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for depth in range(len(parts), -1, -1):
            quota = _quota(base.joinpath(*parts[:depth]))
            if quota is not None:
                quotas.append(quota)
    return min(quotas, default=None)


def render_topology(topology: Topology, affinity: Iterable[int], quota: float | None = None) -> str:
    """The machine as text for a person; lines without a final line end."""
    online = [cpu.number for cpu in topology.cpus]
    usable = sorted(set(affinity) & set(online))
    cores = topology.cores()
    packages = sorted({cpu.package for cpu in topology.cpus})
    domains = {cpu.domain for cpu in topology.cpus}
    level = f"L{topology.cache_level}" if topology.cache_level else "domain"
    noun = f"{level} domain" if topology.cache_level else level
    lines = [
        f"{_count(len(packages), 'socket')}, {_count(len(domains), noun)},"
        f" {_count(len(cores), 'core')}, {_count(len(online), 'CPU')} online ({format_cpus(online)})",
        f"usable: {_count(len(usable), 'CPU')} ({format_cpus(usable)}), the inherited affinity",
    ]
    if quota is not None:
        lines.append(f"quota of the control group: {_count(quota, 'CPU')}")
    for package in packages:
        lines.append(f"socket {package}")
        here = [core for core in cores if core[0].package == package]
        for domain in sorted({core[0].domain for core in here}):
            members = [core for core in here if core[0].domain == domain]
            nodes = sorted({cpu.node for core in members for cpu in core})
            lines.append(f"  {level} {domain}, node {format_cpus(nodes)}: {_count(len(members), 'core')}")
            lines.extend(_core_lines(members, frozenset(usable)))
    return "\n".join(lines)


def _core_lines(cores: list[tuple[Cpu, ...]], usable: frozenset[int]) -> list[str]:
    """Eight cores a line, the siblings of each joined by "+", CPUs that may not be used in parentheses."""
    words = ["+".join(str(cpu.number) if cpu.number in usable else f"({cpu.number})" for cpu in core) for core in cores]
    return ["    cpu " + "  ".join(words[start : start + 8]) for start in range(0, len(words), 8)]


def _count(number: float, noun: str) -> str:
    return f"{number:g} {noun}{'' if number == 1 else 's'}"


def _text(path: Path) -> str:
    """The file's text without blanks around it; "" for what is not there or may not be read."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _nodes(base: Path) -> dict[int, int]:
    """NUMA node of each CPU that has one."""
    return {
        cpu: int(entry.name[4:])
        for entry in sorted(base.glob("node[0-9]*"))
        for cpu in parse_cpus(_text(entry / "cpulist"))
    }


def _caches(base: Path) -> dict[int, frozenset[int]]:
    """CPUs that share this CPU's data or unified cache of each level."""
    return {
        int(_text(index / "level") or 0): parse_cpus(_text(index / "shared_cpu_list"))
        for index in sorted(base.glob("index[0-9]*"))
        if _text(index / "type") != "Instruction"
    }


def _domain_level(caches: dict[int, dict[int, frozenset[int]]], cores: dict[int, frozenset[int]]) -> int:
    """3 where any CPU has a third level; 2 where a second level is shared between cores (many ARM boards); else 0."""
    if any(3 in levels for levels in caches.values()):
        return 3
    return 2 if any(levels.get(2, frozenset()) - cores[number] for number, levels in caches.items()) else 0


def _numbered(members: dict[int, frozenset[int]]) -> dict[int, int]:
    """Numbers from 0 for the sets, keyed by their lowest member."""
    return {low: number for number, low in enumerate(sorted({min(group) for group in members.values()}))}


def _quota(place: Path) -> float | None:
    text = _text(place / "cpu.max") or f"{_text(place / 'cpu.cfs_quota_us')} {_text(place / 'cpu.cfs_period_us')}"
    allowed, _, period = text.strip().partition(" ")
    if not allowed.isdigit() or not period.isdigit() or int(period) == 0:
        return None
    return int(allowed) / int(period)
