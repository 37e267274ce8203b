"""`cpu-set`: which of the usable CPUs are considered at all (manual 3.1, HAProxy 3.2).

Owns: the selection. Must not know: groups. Pure. Invariant: what is selected lies in what was given and is not empty.
Steps work one after the other: each narrows what the ones before it left, and `reset` begins anew with all that the
process was started on. (HAProxy's `reset` also leaves an affinity that it inherited; that is never left here.)
"""

from __future__ import annotations

from collections.abc import Sequence

from ..core.config.cpu_words import SetStep, read_cpu_set
from .topology import Cpu, Topology, format_cpus


def select(usable: Topology, lines: Sequence[Sequence[str]]) -> Topology:
    """The part of `usable` that the lines leave. ValueError when that is nothing."""
    left = list(usable.cpus)
    siblings = {cpu.number: index for core in usable.cores() for index, cpu in enumerate(core)}
    for line in lines:
        for step in read_cpu_set(line):
            if step.verb == "reset":
                left = list(usable.cpus)
            else:
                left = [cpu for cpu in left if _named(cpu, siblings[cpu.number], step) == (step.verb == "only")]
    if usable.cpus and not left:
        raise ValueError(f"cpu-set leaves no CPU of those that may be used ({_numbers(usable)})")
    return usable.only(cpu.number for cpu in left)


def resets(lines: Sequence[Sequence[str]]) -> bool:
    """Is there a `reset` in the lines?"""
    return any("reset" in line for line in lines)


def _named(cpu: Cpu, thread: int, step: SetStep) -> bool:
    """Does the step name this CPU, the `thread`-th (from 0) of its core?"""
    numbers = {"cpu": cpu.number, "node": cpu.node, "cluster": cpu.cluster, "core": cpu.core, "thread": thread}
    return numbers[step.what] in step.numbers


def _numbers(topology: Topology) -> str:
    return format_cpus(cpu.number for cpu in topology.cpus)
