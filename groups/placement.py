"""Which groups there are, how many threads each has and on which CPUs it runs. Pure: a topology in, a plan out.

Owns: the division of threads over groups, and of cores over groups. Must not know: the running system (`affinity.py`
applies a plan), listeners.

Rules (DESIGN section 2, TG2, TG4, TG7; reference 3.10). CPUs are those of the inherited affinity, never more, less what
`cpu-set` takes away. An interpreter with the GIL keeps one core of a process busy, so its default is one group of one
thread per core; a free-threaded one has one group per socket, or per cache domain on a machine of one socket, with a
thread per core. (No free-threaded interpreter was at hand: that half is tested as arithmetic only.)

`cpu-policy` says which cores are used and over which of them a group floats, its area; with the GIL there are as many
groups as cores, those of an area next to each other; without, one group per area. It has no effect where `nbgroup`,
`nbthread`, `thread-group` or `cpu-map` is written. Then cores are given out in the order of their package and domain,
so groups next to each other share a cache; what does not divide goes to the first groups; more groups than cores start
again at the first core. `cpu-map` comes last and wins. At most 256 groups and threads, and 64 threads in a group.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ..core.config.thread_groups import check_sizes, divide, group_sizes
from ..core.config.threads import MAX_LOCAL, MAX_THREADS
from . import cpu_set
from .cpu_map import map_threads
from .placement_words import PlacementWords
from .policy import Area, Core, areas, by_socket_or_domain, makes_groups
from .topology import Cpu, Topology, format_cpus

NO_WORDS = PlacementWords()


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


@dataclass(slots=True)
class _Share:
    """A group in the making."""

    cores: Area
    threads: int


@dataclass(slots=True)
class _Remarks:
    warnings: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def place_groups(
    topology: Topology,
    affinity: Iterable[int],
    words: PlacementWords = NO_WORDS,
    *,
    gil: bool = True,
    quota: float | None = None,
) -> Placement:
    """The plan. `affinity`: CPUs that may be used; `quota` (CPUs on average) bounds only what is not written. Raises
    ValueError when what is written contradicts itself, goes beyond the limits, or leaves no CPU."""
    mask = frozenset(affinity)
    remarks = _Remarks()
    usable = topology.only(mask)
    if not usable.cpus:  # a tree that does not know them
        usable = Topology(tuple(Cpu(number, core=index) for index, number in enumerate(sorted(mask))))
    restricted = any(cpu.number not in mask for cpu in topology.cpus)
    if restricted and cpu_set.resets(words.cpu_set):
        remarks.notices.append("`cpu-set reset` begins with the CPUs that maniple was started on, not with all")
    cores = cpu_set.select(usable, words.cpu_set).cores()
    if words.one_thread_per_core:
        cores = [core[:1] for core in cores]
    policy = _policy_in_force(words, restricted, remarks)
    room = MAX_THREADS if quota is None else min(MAX_THREADS, max(1, math.ceil(quota)))
    groups_written = words.groups_written or makes_groups(policy)
    if gil:
        shares = _processes(cores, words, policy, restricted, room)
    else:
        shares = _free_threaded(cores, words, policy, restricted, room, quota)
    check_sizes([share.threads for share in shares])
    placement = _mapped(
        _places(shares), words, usable, frozenset(cpu.number for cpu in usable.cpus), groups_written, remarks
    )
    return replace(_remarked(placement, usable, gil, remarks), groups_written=groups_written)


def _policy_in_force(words: PlacementWords, restricted: bool, remarks: _Remarks) -> str | None:
    winners = [*([] if words.at_runtime else words.shapes), *(["cpu-map"] if words.cpu_map else [])]
    if words.policy is None or words.policy == "none":
        return None if winners else words.policy
    if winners:
        names = " and ".join(f"`{name}`" for name in winners)
        remarks.warnings.append(
            f"`cpu-policy {words.policy}` has no effect, because {names} {'is' if len(winners) == 1 else 'are'} written"
        )
        return None
    if words.policy == "first-usable-node" and restricted:
        remarks.notices.append(
            "`cpu-policy first-usable-node` has no effect, because maniple was started on a part of the CPUs"
        )
    return words.policy


def _processes(
    cores: Sequence[Core], words: PlacementWords, policy: str | None, restricted: bool, room: int
) -> list[_Share]:
    """With the GIL: a group keeps one core busy, so a group a core, each floating over the area of its core."""
    found = [(core,) for core in cores] if policy is None else areas(policy, cores, restricted)
    slots: list[Area] = [area for area in found for _ in area] or [()]
    if not words.shapes:
        return [_Share(area, 1) for area in slots[:room]]
    sizes = group_sizes(words.nbgroup, words.nbthread, words.thread_groups)
    return [_Share(_union(run), size) for run, size in zip(_divided(slots, len(sizes)), sizes, strict=True)]


def _free_threaded(
    cores: Sequence[Core],
    words: PlacementWords,
    policy: str | None,
    restricted: bool,
    room: int,
    quota: float | None,
) -> list[_Share]:
    """Without the GIL: a group an area, with a thread a core."""
    if words.thread_groups or (words.nbgroup and words.nbthread):
        sizes = group_sizes(words.nbgroup, words.nbthread, words.thread_groups)
        return [_Share(_union(run), size) for run, size in zip(_singles(cores, len(sizes)), sizes, strict=True)]
    if words.nbgroup:
        runs = [_union(run) for run in _singles(cores, words.nbgroup)]
        wanted = None if quota is None else max(room, words.nbgroup)
    else:
        runs = by_socket_or_domain(cores) if policy is None else areas(policy, cores, restricted)
        wanted = words.nbthread or (None if quota is None else room)
    runs = runs or [()]
    counts = [max(1, len(run)) for run in runs]
    if words.nbgroup:
        counts = [min(count, MAX_LOCAL, MAX_THREADS // words.nbgroup) for count in counts]
    if wanted is not None and (words.nbthread or wanted < sum(counts)):
        if wanted < len(runs):
            runs = [_union(run) for run in _singles(cores, wanted)] if policy is None else runs[:wanted]
        counts = list(divide(wanted, len(runs)))
    shares = []
    for run, count in zip(runs, counts, strict=True):
        pieces = 1 if words.nbgroup else -(-count // MAX_LOCAL)
        shares += [_Share(run, size) for size in divide(count, pieces)]
    return shares if words.shapes else _within(shares, MAX_THREADS)


def _within(shares: Sequence[_Share], room: int) -> list[_Share]:
    """As many threads as there is room for, the first ones."""
    kept = []
    for share in shares:
        if room > 0:
            kept.append(_Share(share.cores, min(share.threads, room)))
            room -= share.threads
    return kept


def _places(shares: Sequence[_Share]) -> tuple[GroupPlace, ...]:
    places = []
    first = 1
    for number, share in enumerate(shares, 1):
        cpus = tuple(sorted(cpu.number for core in share.cores for cpu in core))
        places.append(GroupPlace(number, share.threads, first, cpus, _domains(share.cores)))
        first += share.threads
    return tuple(places)


def _mapped(
    places: tuple[GroupPlace, ...],
    words: PlacementWords,
    usable: Topology,
    mask: frozenset[int],
    groups_written: bool,
    remarks: _Remarks,
) -> Placement:
    """The places with `cpu-map` over them."""
    if not words.cpu_map:
        return Placement(places)
    mapping = map_threads(words.cpu_map, [place.threads for place in places], mask, groups_written)
    remarks.notices += mapping.notices
    remarks.warnings += mapping.warnings
    changed = []
    for place in places:
        each = tuple(mapping.cpus.get((place.number, local), place.cpus) for local in range(1, place.threads + 1))
        cpus = tuple(sorted(frozenset[int]().union(*each)))
        domains = _domains(usable.only(cpus).cores())
        changed.append(replace(place, cpus=cpus, domains=domains, thread_cpus=each if len(set(each)) > 1 else ()))
    return Placement(tuple(changed))


def _remarked(placement: Placement, usable: Topology, gil: bool, remarks: _Remarks) -> Placement:
    """The plan with what is to be said about it."""
    groups, threads = len(placement.groups), placement.threads
    if gil and threads > groups:
        remarks.warnings.append(
            f"{threads} threads in {groups} group{'s' * (groups != 1)}: this interpreter has the GIL, so threads of a "
            f"group take turns, and a group keeps one core busy; `nbgroup {threads}` gives each its own process"
        )
    if threads > len(usable.cpus) > 0:
        numbers = format_cpus(cpu.number for cpu in usable.cpus)
        remarks.notices.append(f"{threads} threads compete for {len(usable.cpus)} CPUs ({numbers})")
    return replace(placement, warnings=tuple(remarks.warnings), notices=tuple(remarks.notices))


def _divided(slots: Sequence[Area], parts: int) -> list[Sequence[Area]]:
    """Runs of neighbouring slots for each of `parts` groups; with more groups than slots one each, going round."""
    if parts >= len(slots):
        return [(slots[number % len(slots)],) for number in range(parts)]
    runs = []
    start = 0
    for size in divide(len(slots), parts):
        runs.append(slots[start : start + size])
        start += size
    return runs


def _singles(cores: Sequence[Core], parts: int) -> list[Sequence[Area]]:
    return _divided([(core,) for core in cores] or [()], parts)


def _union(run: Sequence[Area]) -> Area:
    """The cores of several areas, each once."""
    return tuple(dict.fromkeys(core for area in run for core in area))


def _domains(cores: Iterable[Core]) -> tuple[int, ...]:
    return tuple(sorted({cpu.domain for core in cores for cpu in core}))
