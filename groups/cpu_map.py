"""`cpu-map`: CPUs of single threads and groups, over what the plan says (manual 3.1).

Owns: which line says what of which thread. Must not know: policies. Pure. Invariants: a thread is never mapped outside
of the mask; a line that would is cut, or has no effect; a later line replaces an earlier one for the threads of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..core.config.cpu_words import CpuMap, Span, read_cpu_map
from .topology import format_cpus


@dataclass(slots=True)
class Mapping:
    """What the lines come to."""

    cpus: dict[tuple[int, int], tuple[int, ...]] = field(default_factory=dict)
    """CPUs of (group, local thread), for the threads that a line names."""
    notices: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def map_threads(
    lines: Sequence[Sequence[str]], sizes: Sequence[int], mask: frozenset[int], groups_written: bool
) -> Mapping:
    """`sizes`: threads of each group; `mask`: CPUs that may be used. Where groups are not written and all lines name
    group 1, their thread numbers are those of the whole: HAProxy has one group there."""
    mapping = Mapping()
    maps = [read_cpu_map(line) for line in lines]
    whole = not groups_written and len(sizes) > 1 and all(found.groups == Span(1, 1) for found in maps)
    if whole and maps:
        mapping.notices.append(
            f"`cpu-map {' '.join(lines[0])}`: without `nbgroup` the numbers of group 1 are those of the whole, "
            "as in HAProxy, which then has one group"
        )
    for line, found in zip(lines, maps, strict=True):
        _apply(mapping, " ".join(line), found, sizes, mask, whole)
    return mapping


def _apply(mapping: Mapping, text: str, found: CpuMap, sizes: Sequence[int], mask: frozenset[int], whole: bool) -> None:
    outside: set[int] = set()
    named = mapped = number = 0
    for group, size in enumerate(sizes, 1):
        for local in range(1, size + 1):
            number += 1
            cpus = found.cpus_of(1, number) if whole else found.cpus_of(group, local)
            if cpus is None:
                continue
            named += 1
            inside = tuple(cpu for cpu in cpus if cpu in mask)
            outside.update(set(cpus) - mask)
            if inside:
                mapping.cpus[group, local] = inside
                mapped += 1
            else:
                mapping.cpus.pop((group, local), None)
    if not named:
        mapping.notices.append(f"`cpu-map {text}` names no thread that there is")
    elif mapped < named:
        mapping.warnings.append(
            f"`cpu-map {text}` has no effect for {named - mapped} of {named} threads: CPUs {format_cpus(outside)} are "
            f"not among those that may be used ({format_cpus(mask)})"
        )
    elif outside and not _open(text):
        mapping.notices.append(f"`cpu-map {text}`: CPUs {format_cpus(outside)} may not be used and are left out")


def _open(text: str) -> bool:
    """Has the list of CPUs no end (`0-`)? Then it is meant to have more than there are."""
    return any(part.endswith("-") for part in text.partition(" ")[2].replace(",", " ").split())
