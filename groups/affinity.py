"""The affinity of the running process: which CPUs it may run on.

Owns: the system calls. Must not know: how the CPUs were chosen.
"""

from __future__ import annotations

import os

from .allowance import read_cpuset


def inherited_affinity() -> frozenset[int]:
    """CPUs that this process was started on (taskset, a control group's cpuset, or all)."""
    return frozenset(os.sched_getaffinity(0))


def usable_cpus() -> frozenset[int]:
    """The inherited affinity, less what the control group's cpuset has not (any more). A cpuset that has none of them
    is not ours to understand (a sandbox may show another's) and is not asked."""
    affinity = inherited_affinity()
    cpuset = read_cpuset()
    return affinity if cpuset is None else affinity & cpuset or affinity


def physical_cores() -> int | None:
    """How many cores the whole machine has, from whatever psutil finds (/proc/cpuinfo where sysfs is hidden); None
    where it does not know."""
    import psutil

    return psutil.cpu_count(logical=False)


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
