from __future__ import annotations

from pathlib import Path

import pytest
from maniple.groups.allowance import read_cpuset, read_quota
from maniple.tests.groups.machines import write


def control_groups(root: Path, cgroup: str, files: dict[str, str]) -> tuple[Path, Path]:
    write(root / "proc/self/cgroup", cgroup)
    for name, text in files.items():
        write(root / "groups" / name, text)
    return root / "proc", root / "groups"


@pytest.mark.parametrize(
    ("cgroup", "files", "quota"),
    [
        ("0::/a/b", {"a/b/cpu.max": "150000 100000"}, 1.5),
        ("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "400000 100000"}, 4.0),
        ("0::/a/b", {"a/b/cpu.max": "800000 100000", "a/cpu.max": "400000 100000"}, 4.0),
        ("0::/", {"cpu.max": "50000 100000"}, 0.5),
        ("0::/../x", {"x/cpu.max": "200000 100000"}, 2.0),
        ("4:memory:/m\n3:cpu,cpuacct:/c\n0::/", {"cpu,cpuacct/c/cpu.cfs_quota_us": "300000"}, None),
        ("4:cpu:/c", {"cpu/c/cpu.cfs_quota_us": "-1", "cpu/c/cpu.cfs_period_us": "100000"}, None),
        ("4:cpu:/c", {"cpu/c/cpu.cfs_quota_us": "300000", "cpu/c/cpu.cfs_period_us": "100000"}, 3.0),
        ("0::/gone", {}, None),
        ("", {}, None),
    ],
)
def test_quota(tmp_path: Path, cgroup: str, files: dict[str, str], quota: float | None) -> None:

    assert read_quota(*control_groups(tmp_path, cgroup, files)) == quota


@pytest.mark.parametrize(
    ("cgroup", "files", "cpus"),
    [
        ("0::/a/b", {"a/b/cpuset.cpus.effective": "0-3,8"}, {0, 1, 2, 3, 8}),
        ("0::/a/b", {"a/cpuset.cpus.effective": "2-3"}, {2, 3}),
        ("4:cpuset:/c", {"cpuset/c/cpuset.effective_cpus": "1", "cpuset/c/cpuset.cpus": "0-1"}, {1}),
        ("4:cpuset:/c", {"cpuset/c/cpuset.cpus": "0-1", "cpuset/cpuset.cpus": "1-7"}, {1}),
        ("0::/a", {"a/cpuset.cpus.effective": ""}, None),
        ("", {}, None),
    ],
)
def test_cpuset(tmp_path: Path, cgroup: str, files: dict[str, str], cpus: set[int] | None) -> None:
    assert read_cpuset(*control_groups(tmp_path, cgroup, files)) == cpus


def test_this_process_can_be_asked() -> None:
    quota = read_quota()
    assert quota is None or quota > 0
    cpus = read_cpuset()
    assert cpus is None or cpus
