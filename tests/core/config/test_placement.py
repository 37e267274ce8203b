from __future__ import annotations

from typing import Any

import pytest

GOOD = [
    "cpu-map 1/all 0-3",
    "cpu-map 1 0 2 4-5",
    "cpu-map odd 0",
    "cpu-map all/all 0",
    "cpu-map 1-2/1-4 0-7",
    "cpu-map auto:1/1-4 0-3",
    "cpu-map auto:1-4/1 0-1,4-5",
    "cpu-map auto:1-4 0-3",
    "cpu-map auto:1 0-63",
    "cpu-map 1/1- 0-",
    "cpu-set reset",
    "cpu-set drop-cpu 0-3 only-node 1",
    "cpu-policy performance",
    "cpu-policy group-by-l3",
    "cpu-policy group-by-2-ccx threads-per-core 1",
    "thread-group 1 1-4",
    "thread-group 2 5 6 7-8",
]
BAD = [
    ("cpu-map 1", "expects [auto:]<groups>"),
    ("cpu-map foo 1", "'foo' is not a number"),
    ("cpu-map 1/ 1", "'' is not a number"),
    ("cpu-map 1/65 1", "from 1 to 64"),
    ("cpu-map 1/1,3 0", "'1,3' is not a number"),
    ("cpu-map 1/1 x", "'x' is not a CPU number"),
    ("cpu-map 1/1 9999", "up to 4095"),
    ("cpu-map auto:1/1-4 0-4", "4 threads and 5 CPUs"),
    ("cpu-map auto:all 0-3", "256 groups and 4 CPUs"),
    ("cpu-set drop-cpus 0", "unknown word 'drop-cpus'"),
    ("cpu-set drop-cpu", "expects a list"),
    ("cpu-set drop-cpu x", "'x' is not a CPU number"),
    ("cpu-policy perfomance", "unknown policy 'perfomance'"),
    ("cpu-policy none threads 1", "threads-per-core"),
    ("thread-group 0 1", "from 1 to 256"),
    ("thread-group 1 5-8,9", "'5-8,9' is not a thread number"),
]


@pytest.mark.parametrize("line", GOOD)
def test_kept_as_words(read: Any, line: str) -> None:
    outcome = read(f"global\n {line}\n")
    spec = outcome.good.globals
    words = tuple(line.split()[1:])
    assert (*spec.cpu_map, *spec.cpu_set, spec.cpu_policy, *spec.thread_group_lines).count(words) == 1
    assert outcome.notices == []


@pytest.mark.parametrize(("line", "complaint"), BAD)
def test_refuse(read: Any, line: str, complaint: str) -> None:
    (error,) = read(f"global\n {line}\n").errors
    assert complaint in error


def test_a_thread_group_is_overridden(read: Any) -> None:
    outcome = read("global\n thread-group 1 5-6\n thread-group 2 3-4\n thread-group 1 1-2\n")
    assert outcome.good.globals.thread_group_lines == (("2", "3-4"), ("1", "1-2"))
    assert outcome.warnings == ["4:2 `thread-group 1` overrides an earlier line"]
