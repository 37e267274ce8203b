"""What this process may use of the machine, by its control group: CPUs (cpuset) and CPU time (quota), versions 1 and 2.

Owns: finding the control group and reading its files, under roots that tests may replace. Must not know: the machine's
shape, groups. Invariant: the tightest limit of the process's own group and of those above counts; what cannot be read
is no limit. Kernel documentation: admin-guide/cgroup-v2 and cgroup-v1/cpusets.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .topology import parse_cpus, read_text

PROC = Path("/proc")
CONTROL_GROUPS = Path("/sys/fs/cgroup")


def read_quota(proc: Path = PROC, groups: Path = CONTROL_GROUPS) -> float | None:
    """CPUs that the control group of this process may use on average (1.5: one and a half), None without a limit.
    Version 2 (cpu.max) and version 1 (cpu.cfs_quota_us) are read."""
    quotas = (_quota(place) for place in _places(proc, groups, "cpu"))
    return min((quota for quota in quotas if quota is not None), default=None)


def read_cpuset(proc: Path = PROC, groups: Path = CONTROL_GROUPS) -> frozenset[int] | None:
    """CPUs of the control group's cpuset, None without one. The kernel keeps affinities inside it; it is asked because
    a process that has once set its own affinity does not learn from it that the cpuset has grown."""
    found: frozenset[int] | None = None
    for place in _places(proc, groups, "cpuset"):
        for name in ("cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus"):
            text = read_text(place / name)
            if text:
                cpus = parse_cpus(text)
                found = cpus if found is None else found & cpus
                break
    return found


def _places(proc: Path, groups: Path, controller: str) -> Iterator[Path]:
    """Directories of the process's control groups that could limit `controller`, and of all above them."""
    for line in read_text(proc / "self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            base = groups
        elif controller in controllers.split(","):
            base = groups / controllers if (groups / controllers).is_dir() else groups / controller
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for depth in range(len(parts), -1, -1):
            yield base.joinpath(*parts[:depth])


def _quota(place: Path) -> float | None:
    text = read_text(place / "cpu.max") or (
        f"{read_text(place / 'cpu.cfs_quota_us')} {read_text(place / 'cpu.cfs_period_us')}"
    )
    allowed, _, period = text.strip().partition(" ")
    if not allowed.isdigit() or not period.isdigit() or int(period) == 0:
        return None
    return int(allowed) / int(period)
