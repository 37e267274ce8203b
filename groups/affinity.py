"""Applying a placement to the running process: which CPUs it may run on.

Owns: the system calls. Must not know: how the CPUs were chosen.
"""

from __future__ import annotations

import os


def inherited_affinity() -> frozenset[int]:
    """CPUs that this process was started on (taskset, a control group's cpuset, or all)."""
    return frozenset(os.sched_getaffinity(0))


def pin(cpus: tuple[int, ...]) -> bool:
    """Keeps the calling thread, and the threads that it starts later, on these CPUs. () changes nothing. False when
    the kernel refuses, as it does after they were taken away (hotplug, cpuset): to run elsewhere is better than not
    to run."""
    if not cpus:
        return True
    try:
        os.sched_setaffinity(0, cpus)
    except OSError:
        return False
    return True
