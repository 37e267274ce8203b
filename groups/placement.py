"""Which groups there are, how many threads each has and on which CPUs it runs. Pure: a topology in, a plan out.

Owns: the division of `nbthread` over `nbgroup`, the default when they are not written, the order in which CPUs are
given out. Must not know: the running system (`affinity.py` applies a plan), listeners.

Rules (DESIGN section 2, TG4, TG7). CPUs are those of the inherited affinity, never more. An interpreter with the GIL
keeps one core of a process busy, so its default is one group of one thread per core; a free-threaded one has one group
per socket, or per cache domain on a machine of one socket, with a thread per core. Cores are given out in the order of
their package and domain, so groups next to each other share a cache. What does not divide goes to the first groups.
More groups than cores start again at the first core.

`cpu-policy`, `cpu-map` and `cpu-set` belong here too; they are not applied yet.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from .topology import Cpu, Topology, format_cpus


@dataclass(frozen=True, slots=True)
class GroupPlace:
    """One group of the plan."""

    number: int
    """From 1."""
    threads: int
    first_thread: int
    """Number of its first thread in the whole, from 1."""
    cpus: tuple[int, ...]
    """Where it may run; () leaves the inherited affinity."""
    domains: tuple[int, ...] = ()
    """Cache domains of these CPUs."""
    thread_cpus: tuple[tuple[int, ...], ...] = ()
    """CPUs of each thread, each a part of `cpus`, where `cpu-map` names threads; () where all run on `cpus`."""

    def cpus_of(self, thread: int) -> tuple[int, ...]:
        """CPUs of a thread of this group, `thread` from 1; () leaves what it inherits."""
        return self.thread_cpus[thread - 1] if self.thread_cpus else self.cpus


@dataclass(frozen=True, slots=True)
class Placement:
    """The whole plan; groups in the order of their numbers."""

    groups: tuple[GroupPlace, ...]
    groups_written: bool = False
    """Did the configuration speak of groups? If not, `1/2` on a bind line is thread 2 of the whole."""
    warnings: tuple[str, ...] = ()
    """Words of the configuration that have no effect, or cost more than they look like."""
    notices: tuple[str, ...] = ()
    """How words were read, where another reading was possible."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many threads each group has."""
        return tuple(group.threads for group in self.groups)

    @property
    def threads(self) -> int:
        return sum(group.threads for group in self.groups)

    def thread_number(self, group: int, thread: int) -> int:
        """Number in the whole of the group's `thread`, both from 1 (TG7). Raises IndexError."""
        place = self.groups[group - 1]
        if group < 1 or not 1 <= thread <= place.threads:
            raise IndexError(f"no thread {group}/{thread}")
        return place.first_thread + thread - 1

    def local_number(self, thread: int) -> tuple[int, int]:
        """The inverse of `thread_number`. Raises IndexError."""
        for place in self.groups:
            if place.first_thread <= thread < place.first_thread + place.threads:
                return place.number, thread - place.first_thread + 1
        raise IndexError(f"no thread {thread}")


def has_gil() -> bool:
    """Whether threads of this interpreter exclude each other."""
    enabled = getattr(sys, "_is_gil_enabled", None)
    return True if enabled is None else bool(enabled())


def place_groups(
    topology: Topology,
    affinity: Iterable[int],
    *,
    nbgroup: int | None = None,
    nbthread: int | None = None,
    gil: bool = True,
    quota: float | None = None,
) -> Placement:
    """The plan. `None` is "not written" (auto); `quota` (CPUs) bounds only what is not written. Raises ValueError when
    there are fewer threads than groups."""
    if nbgroup is not None and nbthread is not None and nbthread < nbgroup:
        raise ValueError(f"nbthread {nbthread} is less than nbgroup {nbgroup}: each group needs a thread")
    cores = topology.only(affinity).cores() or [(Cpu(number),) for number in affinity] or [()]
    wanted = len(cores) if quota is None else max(1, min(len(cores), math.ceil(quota)))
    threads: int | None
    if gil:
        groups = nbgroup or nbthread or wanted
        threads = nbthread or groups
        shares = _divide(cores if nbgroup or nbthread else cores[:wanted], groups)
    else:
        threads = nbthread or (None if quota is None else max(wanted, nbgroup or 1))
        if nbgroup:
            shares = _divide(cores, nbgroup)
        else:
            shares = _by_domain(cores)
            if threads is not None and threads < len(shares):
                shares = _divide(cores, threads)
    counts = [max(1, len(share)) for share in shares] if threads is None else _shares(threads, len(shares))
    places = []
    first = 1
    for number, (share, count) in enumerate(zip(shares, counts, strict=True), 1):
        cpus = tuple(sorted(cpu.number for core in share for cpu in core))
        domains = tuple(sorted({cpu.domain for core in share for cpu in core}))
        places.append(GroupPlace(number, count, first, cpus, domains))
        first += count
    return Placement(tuple(places))


def render_placement(placement: Placement, *, gil: bool = True) -> str:
    """The plan as text for a person; lines without a final line end."""
    groups, threads = len(placement.groups), placement.threads
    why = "free-threaded interpreter"
    if gil:
        loops = "one event loop a group" if groups == threads else "threads of a group take turns"
        why = f"{loops}, because this interpreter has the GIL"
    lines = [f"{groups} group{'s' * (groups != 1)}, {threads} thread{'s' * (threads != 1)} ({why})"]
    for place in placement.groups:
        last = place.first_thread + place.threads - 1
        numbers = str(last) if place.threads == 1 else f"{place.first_thread}-{last}"
        lines.append(
            f"group {place.number}: thread{'s' * (place.threads != 1)} {numbers}, cpu {format_cpus(place.cpus)},"
            f" domain {format_cpus(place.domains)}"
        )
    return "\n".join(lines)


def _shares(total: int, parts: int) -> list[int]:
    """`total` divided into `parts`, the remainder to the first."""
    base, more = divmod(total, parts)
    return [base + (number < more) for number in range(parts)]


def _divide(cores: list[tuple[Cpu, ...]], parts: int) -> list[list[tuple[Cpu, ...]]]:
    """Runs of neighbouring cores for each of `parts` groups; with more groups than cores one core each, going round."""
    if parts >= len(cores):
        return [[cores[number % len(cores)]] for number in range(parts)]
    runs = []
    start = 0
    for size in _shares(len(cores), parts):
        runs.append(cores[start : start + size])
        start += size
    return runs


def _by_domain(cores: list[tuple[Cpu, ...]]) -> list[list[tuple[Cpu, ...]]]:
    """The cores of each package, or of each cache domain when there is one package."""
    packages = {cpu.package for core in cores for cpu in core}
    found: dict[int, list[tuple[Cpu, ...]]] = {}
    for core in cores:
        key = 0 if not core else core[0].domain if len(packages) <= 1 else core[0].package
        found.setdefault(key, []).append(core)
    return list(found.values())
