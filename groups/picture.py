"""The machine and the plan for a person: as text, and as a small picture of boxes.

Owns: the layout. Must not know: how the machine is read, how the plan is made. Invariants: all lines of a picture are
equally wide; every online CPU stands in it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .placement import Placement
from .topology import FULL_CAPACITY, Cpu, Topology, format_cpus

WIDTH = 100
"""Columns that a picture tries to keep within."""


def render_topology(topology: Topology, affinity: Iterable[int], quota: float | None = None) -> str:
    """The machine as text; lines without a final line end."""
    online = [cpu.number for cpu in topology.cpus]
    usable = sorted(set(affinity) & set(online))
    cores = topology.cores()
    packages = sorted({cpu.package for cpu in topology.cpus})
    domains = {cpu.domain for cpu in topology.cpus}
    level = _level(topology)
    noun = f"{level} domain" if topology.cache_level else level
    lines = [
        f"{_count(len(packages), 'socket')}, {_count(len(domains), noun)},"
        f" {_count(len(cores), 'core')}, {_count(len(online), 'CPU')} online ({format_cpus(online)})",
        f"usable: {_count(len(usable), 'CPU')} ({format_cpus(usable)}), the inherited affinity",
    ]
    if topology.offline:
        lines.append(f"offline: {_count(len(topology.offline), 'CPU')} ({format_cpus(topology.offline)})")
    if quota is not None:
        lines.append(f"quota of the control group: {_count(quota, 'CPU')}")
    for package in packages:
        lines.append(f"socket {package}")
        here = [core for core in cores if core[0].package == package]
        for domain in sorted({core[0].domain for core in here}):
            members = [core for core in here if core[0].domain == domain]
            nodes = sorted({cpu.node for core in members for cpu in core})
            lines.append(f"  {level} {domain}, node {format_cpus(nodes)}: {_count(len(members), 'core')}")
            lines.extend(_cluster_lines(topology, members, frozenset(usable)))
    return "\n".join(lines)


def _cluster_lines(topology: Topology, cores: Sequence[tuple[Cpu, ...]], usable: frozenset[int]) -> list[str]:
    """The cores of a domain, cluster by cluster where they differ in speed or where there are several."""
    clusters = sorted({core[0].cluster for core in cores})
    if len(clusters) == 1 and not topology.hybrid:
        return _core_lines(cores, usable)
    lines = []
    for cluster in clusters:
        members = [core for core in cores if core[0].cluster == cluster]
        best = max(cpu.capacity for core in members for cpu in core)
        speed = f", capacity {best} of {FULL_CAPACITY}" if topology.hybrid else ""
        lines.append(f"    cluster {cluster}{speed}")
        lines.extend("  " + line for line in _core_lines(members, usable))
    return lines


def _core_lines(cores: Sequence[tuple[Cpu, ...]], usable: frozenset[int]) -> list[str]:
    """Eight cores a line, the siblings of each joined by "+", CPUs that may not be used in parentheses."""
    words = ["+".join(str(cpu.number) if cpu.number in usable else f"({cpu.number})" for cpu in core) for core in cores]
    return ["    cpu " + "  ".join(words[start : start + 8]) for start in range(0, len(words), 8)]


def render_placement(placement: Placement, *, gil: bool = True) -> str:
    """The plan as text, with what is to say about it; lines without a final line end."""
    groups, threads = len(placement.groups), placement.threads
    why = "free-threaded interpreter"
    if gil:
        loops = "one event loop a group" if groups == threads else "threads of a group take turns"
        why = f"{loops}, because this interpreter has the GIL"
    lines = [f"{_count(groups, 'group')}, {_count(threads, 'thread')} ({why})"]
    for place in placement.groups:
        last = place.first_thread + place.threads - 1
        numbers = str(last) if place.threads == 1 else f"{place.first_thread}-{last}"
        lines.append(
            f"group {place.number}: thread{'s' * (place.threads != 1)} {numbers}, cpu {format_cpus(place.cpus)},"
            f" domain {format_cpus(place.domains)}"
        )
        if len(set(place.thread_cpus)) > 1:
            for local, cpus in enumerate(place.thread_cpus, 1):
                lines.append(f"  thread {place.number}/{local}: cpu {format_cpus(cpus)}")
    lines += [f"notice: {text}" for text in placement.notices]
    lines += [f"warning: {text}" for text in placement.warnings]
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Strokes:
    """Characters of a box."""

    across: str
    down: str
    corners: str
    """Upper left, upper right, lower left, lower right."""


_LINES = _Strokes("─", "│", "┌┐└┘")
_ASCII = _Strokes("-", "|", "++++")


def draw(topology: Topology, placement: Placement, *, ascii_only: bool = False) -> str:
    """Boxes of sockets, in them boxes of cache domains, in them a column for each core: above its CPUs, below the
    groups that run there (g3; g3-6 for neighbours; a dot: none). Lines without a final line end."""
    strokes = _ASCII if ascii_only else _LINES
    groups: dict[int, list[int]] = {}
    for place in placement.groups:
        for cpu in place.cpus or [cpu.number for cpu in topology.cpus]:
            groups.setdefault(cpu, []).append(place.number)
    cores = topology.cores()
    cells = {core: _cell(core, groups, topology.hybrid) for core in cores}
    width = max((len(line) for cell in cells.values() for line in cell), default=0)
    sockets = []
    for package in sorted({cpu.package for cpu in topology.cpus}):
        here = [core for core in cores if core[0].package == package]
        domains = []
        for domain in sorted({core[0].domain for core in here}):
            members = [[line.ljust(width) for line in cells[core]] for core in here if core[0].domain == domain]
            domains.append(_box(f"{_level(topology)} {domain}", _flow(members, WIDTH - 12, gap="  "), strokes))
        sockets.append((f"socket {package}", _flow(domains, WIDTH - 6)))
    if not sockets:
        return ""
    widest = max(len(lines[0]) for _, lines in sockets)
    return "\n".join(_flow([_box(title, lines, strokes, widest) for title, lines in sockets], WIDTH))


def _cell(core: tuple[Cpu, ...], groups: dict[int, list[int]], hybrid: bool) -> list[str]:
    """What stands in the column of a core."""
    numbers = sorted({number for cpu in core for number in groups.get(cpu.number, ())})
    speed = [f"{core[0].capacity * 100 // FULL_CAPACITY}%"] if hybrid else []
    return ["+".join(str(cpu.number) for cpu in core), *speed, f"g{format_cpus(numbers)}" if numbers else "."]


def _flow(blocks: Sequence[Sequence[str]], width: int, gap: str = " ") -> list[str]:
    """Blocks of lines side by side, as many as fit in `width`; all lines made equally long."""
    rows: list[list[Sequence[str]]] = [[]]
    used = 0
    for block in blocks:
        if rows[-1] and used + len(gap) + len(block[0]) > width:
            rows.append([])
            used = 0
        used += len(block[0]) + (len(gap) if rows[-1] else 0)
        rows[-1].append(block)
    lines = []
    for row in rows:
        lines += [
            gap.join(block[index] if index < len(block) else " " * len(block[0]) for block in row)
            for index in range(max(map(len, row)))
        ]
    longest = max(map(len, lines))
    return [line.ljust(longest) for line in lines]


def _box(title: str, lines: Sequence[str], strokes: _Strokes, least: int = 0) -> list[str]:
    """The lines in a frame that carries the title, with room for `least` characters in a line."""
    inner = max(len(title), len(lines[0]), least) + 2
    upper = f" {title} ".center(inner, strokes.across) if inner > len(title) + 2 else f" {title} "
    corners = strokes.corners
    return [
        corners[0] + upper + corners[1],
        *(f"{strokes.down} {line.ljust(inner - 2)} {strokes.down}" for line in lines),
        corners[2] + strokes.across * inner + corners[3],
    ]


def _level(topology: Topology) -> str:
    return f"L{topology.cache_level}" if topology.cache_level else "domain"


def _count(number: float, noun: str) -> str:
    return f"{number:g} {noun}{'' if number == 1 else 's'}"
