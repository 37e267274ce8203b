"""The machine's CPUs as the kernel shows them: packages, NUMA nodes, shared caches, clusters, cores, SMT siblings and
how fast each is.

Owns: reading sysfs under a root (any directory: tests give small trees) into a plain value. Must not know: groups,
threads, configuration, what this process may use (`allowance`).

Invariants: only online CPUs are listed, so numbers may have holes; every CPU has exactly one package, node, domain,
cluster and core; a domain lies in one package, a cluster in one domain, and all its CPUs are about as fast. Kernel
documentation: admin-guide/cputopology, ABI/testing/sysfs-devices-system-cpu.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

FULL_CAPACITY = 1024
"""Of the machine's fastest CPUs."""
_CAPACITY_FILES = ("cpu_capacity", "acpi_cppc/highest_perf", "cpufreq/cpuinfo_max_freq")
"""Where the kernel says how fast a CPU is compared with the others. The first is the scheduler's own, which on many
machines says 1024 for all; so the first one counts in which the CPUs differ."""
_CLASS_GAP = 0.9
"""A CPU slower than this part of the next faster one is of another class (a P core and an E core). Favoured cores of
one class differ by a few percent."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """One logical CPU. `number`, `package` and `node` are the kernel's; `domain`, `cluster` and `core` are numbered by
    us over the whole machine, from 0 in the order of their lowest CPU."""

    number: int
    package: int = 0
    node: int = 0
    domain: int = 0
    core: int = 0
    cluster: int = 0
    """The kernel's cluster (cores that share an L2 or a tag of the L3) where its clusters have several cores; else the
    domain's cores of about the same capacity: a hybrid processor's P cores are one, its E cores others."""
    capacity: int = FULL_CAPACITY
    """1 to 1024, in relation to the fastest."""


@dataclass(frozen=True, slots=True)
class Topology:
    """The online CPUs in the order of their numbers."""

    cpus: tuple[Cpu, ...]
    cache_level: int = 0
    """Level of the cache that makes a domain: 3, or 2 where there is no third; 0: a domain is a package (or the part of
    it in one node), because no cache is shared between cores."""
    offline: tuple[int, ...] = ()
    """CPUs that are there and switched off."""

    def only(self, usable: Iterable[int]) -> Topology:
        """The part of it that lies in `usable`, with its numbers unchanged."""
        kept = frozenset(usable)
        return Topology(tuple(cpu for cpu in self.cpus if cpu.number in kept), self.cache_level, self.offline)

    def cores(self) -> list[tuple[Cpu, ...]]:
        """The SMT siblings of each core, cores of one package, domain and cluster next to each other."""
        siblings: dict[tuple[int, int, int, int], list[Cpu]] = {}
        for cpu in self.cpus:
            siblings.setdefault((cpu.package, cpu.domain, cpu.cluster, cpu.core), []).append(cpu)
        return [tuple(siblings[key]) for key in sorted(siblings)]

    @property
    def hybrid(self) -> bool:
        """Are some CPUs slower than others?"""
        return len({cpu.capacity for cpu in self.cpus}) > 1


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


def read_text(path: Path) -> str:
    """The file's text without blanks around it; "" for what is not there or may not be read."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def read_topology(
    root: Path = Path("/sys"), fallback: Iterable[int] = (0,), physical: Callable[[], int | None] = lambda: None
) -> Topology:
    """The tree under `root`. Without any (a sandbox may hide it) the CPUs of `fallback` lie in one package, on
    as many cores as `physical` says, which take the CPUs in turn as Linux numbers siblings on most machines; None: each
    is a core."""
    base = root / "devices/system/cpu"
    online = parse_cpus(read_text(base / "online"))
    if not online:
        numbers = sorted(fallback)
        cores = min(physical() or len(numbers), len(numbers))
        return Topology(tuple(Cpu(number, core=index % cores) for index, number in enumerate(numbers)))
    nodes = _nodes(root / "devices/system/node")
    packages: dict[int, int] = {}
    siblings: dict[int, frozenset[int]] = {}
    clusters: dict[int, frozenset[int]] = {}
    caches: dict[int, dict[int, frozenset[int]]] = {}
    for number in online:
        place = base / f"cpu{number}"
        # Some virtual machines and many ARM boards say -1: unknown.
        packages[number] = max(0, int(read_text(place / "topology/physical_package_id") or 0))
        threads = read_text(place / "topology/core_cpus_list") or read_text(place / "topology/thread_siblings_list")
        siblings[number] = (parse_cpus(threads) & online) | {number}
        clusters[number] = parse_cpus(read_text(place / "topology/cluster_cpus_list")) & online
        caches[number] = _caches(place / "cache")
    level = _domain_level(caches, siblings)
    domains: dict[int, frozenset[int]] = {}
    for number in online:
        if level:
            shared = caches[number].get(level, siblings[number]) & online
        else:
            shared = frozenset(other for other in online if nodes.get(other, 0) == nodes.get(number, 0))
        package = packages[number]
        domains[number] = frozenset(other for other in shared | {number} if packages[other] == package)
    capacities = _capacities(base, online)
    clusters = _clusters(clusters, domains, siblings, _classes(capacities))
    numbering = _Numbers(_numbered(domains), _numbered(siblings), _numbered(clusters))
    return Topology(
        tuple(
            Cpu(
                number,
                packages[number],
                nodes.get(number, 0),
                numbering.domains[min(domains[number])],
                numbering.cores[min(siblings[number])],
                numbering.clusters[min(clusters[number])],
                capacities[number],
            )
            for number in sorted(online)
        ),
        level,
        tuple(sorted(parse_cpus(read_text(base / "present")) - online)),
    )


@dataclass(slots=True)
class _Numbers:
    """Our numbers of the sets, by their lowest CPU."""

    domains: dict[int, int] = field(default_factory=dict)
    cores: dict[int, int] = field(default_factory=dict)
    clusters: dict[int, int] = field(default_factory=dict)


def _nodes(base: Path) -> dict[int, int]:
    """NUMA node of each CPU that has one."""
    return {
        cpu: int(entry.name[4:])
        for entry in sorted(base.glob("node[0-9]*"))
        for cpu in parse_cpus(read_text(entry / "cpulist"))
    }


def _caches(base: Path) -> dict[int, frozenset[int]]:
    """CPUs that share this CPU's data or unified cache of each level."""
    return {
        int(read_text(index / "level") or 0): parse_cpus(read_text(index / "shared_cpu_list"))
        for index in sorted(base.glob("index[0-9]*"))
        if read_text(index / "type") != "Instruction"
    }


def _domain_level(caches: dict[int, dict[int, frozenset[int]]], cores: dict[int, frozenset[int]]) -> int:
    """3 where any CPU has a third level; 2 where a second level is shared between cores (many ARM boards); else 0."""
    if any(3 in levels for levels in caches.values()):
        return 3
    return 2 if any(levels.get(2, frozenset()) - cores[number] for number, levels in caches.items()) else 0


def _capacities(base: Path, online: frozenset[int]) -> dict[int, int]:
    """How fast each CPU is, the fastest 1024. All are where the kernel does not say it of every one."""
    for name in _CAPACITY_FILES:
        texts = {number: read_text(base / f"cpu{number}" / name) for number in online}
        if not all(text.isdecimal() and int(text) > 0 for text in texts.values()):
            continue
        values = {number: int(text) for number, text in texts.items()}
        best = max(values.values())
        if min(values.values()) < best:
            return {number: max(1, round(FULL_CAPACITY * value / best)) for number, value in values.items()}
    return dict.fromkeys(online, FULL_CAPACITY)


def _classes(capacities: dict[int, int]) -> dict[int, int]:
    """Class of each capacity, 0 the fastest."""
    classes: dict[int, int] = {}
    before = FULL_CAPACITY
    number = 0
    for capacity in sorted(set(capacities.values()), reverse=True):
        number += capacity < _CLASS_GAP * before
        classes[capacity] = number
        before = capacity
    return {cpu: classes[capacity] for cpu, capacity in capacities.items()}


def _clusters(
    told: dict[int, frozenset[int]],
    domains: dict[int, frozenset[int]],
    siblings: dict[int, frozenset[int]],
    classes: dict[int, int],
) -> dict[int, frozenset[int]]:
    """CPUs of each one's cluster. The kernel calls a lone core with its own L2 a cluster too; where it does so for some
    of a class in a domain, its clusters say nothing, and the class is one."""
    found: dict[int, frozenset[int]] = {}
    for number, domain in domains.items():
        alike = frozenset(other for other in domain if classes[other] == classes[number])
        known = all(told[other] - siblings[other] for other in alike)
        found[number] = (told[number] & alike if known else alike) | {number}
    return found


def _numbered(members: dict[int, frozenset[int]]) -> dict[int, int]:
    """Numbers from 0 for the sets, keyed by their lowest member."""
    return {low: number for number, low in enumerate(sorted({min(group) for group in members.values()}))}
