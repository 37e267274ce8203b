"""The policies of `cpu-policy`: which cores are used, and over which of them a group floats (manual 3.1, HAProxy 3.2).

Owns: what each policy selects. Must not know: how many groups and threads there are. Pure: cores in, areas out.
Invariants: an area is a list of whole cores of one socket (of any for `none` and `first-usable-node`), cores of the
areas are distinct and come in the order of the machine; there is at least one area when there is a core.

`performance` and `efficiency` compare clusters by the mean capacity of their CPUs, each with the nearest one kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .topology import Cpu

Core = tuple[Cpu, ...]
Area = tuple[Core, ...]
"""Cores that a group of it may run on, all of them."""

_MUCH_SLOWER = 0.8
"""`performance` leaves out what is slower than this part of the next better."""
_MUCH_FASTER = 1.25
"""`efficiency` leaves out what is faster than this multiple of the next slower."""
_WHOLE = frozenset({"none", "first-usable-node"})


def makes_groups(policy: str | None) -> bool:
    """Has HAProxy several thread groups under this policy? Else the numbers of group 1 are those of the whole."""
    return policy is not None and policy not in _WHOLE


def areas(policy: str, cores: Sequence[Core], restricted: bool = False) -> list[Area]:
    """The areas of the policy. `restricted`: was the process started on a part of the CPUs? Then `first-usable-node`
    takes what it was given."""
    if policy in _WHOLE:
        if policy == "none" or restricted or not cores:
            return [tuple(cores)] if cores else []
        node = min(cpu.node for core in cores for cpu in core)
        return [tuple(core for core in cores if core[0].node == node)]
    if policy == "performance":
        return _by(_fast(cores), _domain)
    if policy == "efficiency":
        return _by(_slow(cores), _cluster)
    if policy == "resource":
        return _by(_least(cores), _cluster)
    if policy == "group-by-core":
        return [(core,) for core in cores]
    if policy == "group-by-socket":
        return _by(cores, lambda core: core[0].package)
    if policy == "group-by-l3":
        return _by(cores, _domain)
    _, _, size, *_ = [*policy.split("-"), ""]
    count = int(size) if size.isdecimal() else 1
    return _joined(_by(cores, _domain if policy.endswith("ccx") else _cluster), count)


def by_socket_or_domain(cores: Sequence[Core]) -> list[Area]:
    """What a free-threaded interpreter does without a policy: sockets, or cache domains where there is one socket."""
    found = areas("group-by-socket", cores)
    return areas("group-by-l3", cores) if len(found) <= 1 else found


def _domain(core: Core) -> int:
    return core[0].domain


def _cluster(core: Core) -> int:
    return core[0].cluster


def _by(cores: Iterable[Core], key: Callable[[Core], int]) -> list[Area]:
    found: dict[int, list[Core]] = {}
    for core in cores:
        found.setdefault(key(core), []).append(core)
    return [tuple(members) for members in found.values()]


def _joined(single: Sequence[Area], count: int) -> list[Area]:
    """`count` neighbours in one, never across sockets."""
    found: list[Area] = []
    room = 0
    for area in single:
        if room and area[0][0].package == found[-1][0][0].package:
            found[-1] += area
            room -= 1
        else:
            found.append(area)
            room = count - 1
    return found


def _mean(area: Sequence[Core]) -> float:
    capacities = [cpu.capacity for core in area for cpu in core]
    return sum(capacities) / len(capacities)


def _fast(cores: Sequence[Core]) -> list[Core]:
    kept: set[int] = set()
    before = 0.0
    for cluster in sorted(_by(cores, _cluster), key=_mean, reverse=True):
        if _mean(cluster) >= _MUCH_SLOWER * before:
            kept.add(_cluster(cluster[0]))
            before = _mean(cluster)
    return [core for core in cores if _cluster(core) in kept]


def _slow(cores: Sequence[Core]) -> list[Core]:
    kept: set[int] = set()
    before = float("inf")
    for cluster in sorted(_by(cores, _cluster), key=_mean):
        if _mean(cluster) <= _MUCH_FASTER * before:
            kept.add(_cluster(cluster[0]))
            before = _mean(cluster)
    return [core for core in cores if _cluster(core) in kept]


def _least(cores: Sequence[Core]) -> Sequence[Core]:
    """The cores of the least capable cluster, of equals the smallest, of equals the first."""
    clusters = _by(cores, _cluster)  # in the order of the machine
    return min(clusters, key=lambda cluster: (_mean(cluster), len(cluster))) if clusters else ()
