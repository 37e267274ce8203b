from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.cpu_words import SET_WORDS
from maniple.groups.cpu_set import resets, select
from maniple.groups.topology import Cpu, Topology, format_cpus
from maniple.tests.groups.machines import machine

CASES = [
    ("two_sockets", "drop-cpu 0-3", "4-15"),
    ("two_sockets", "only-cpu 0-3,99", "0-3"),
    ("two_sockets", "only-node 1", "1,3,5,7,9,11,13,15"),
    ("two_sockets", "drop-node 1 drop-cpu 0", "2,4,6,8,10,12,14"),
    ("two_sockets", "drop-node 1 reset drop-cpu 0", "1-15"),
    ("laptop", "only-thread 0", "0,2,4,6"),
    ("laptop", "drop-thread 0", "1,3,5,7"),
    ("laptop", "only-core 1-2", "2-5"),
    ("four_ccx", "only-thread 1 only-cluster 0", "16-19"),
    ("hybrid", "drop-cluster 1-2", "0-7"),
    ("hybrid", "drop-cluster 1- only-thread 0", "0,2,4,6"),
]


@pytest.mark.parametrize(("name", "line", "expected"), CASES)
def test_select(tmp_path: Path, name: str, line: str, expected: str) -> None:
    left = select(machine(tmp_path, name), [line.split()])
    assert format_cpus(cpu.number for cpu in left.cpus) == expected


def test_lines_add_up(tmp_path: Path) -> None:
    lines = [["drop-cpu", "0"], ["only-cpu", "0-2"]]
    assert [cpu.number for cpu in select(machine(tmp_path, "laptop"), lines).cpus] == [1, 2]
    assert select(machine(tmp_path, "laptop"), []) == machine(tmp_path, "laptop")


def test_nothing_left_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cpu-set leaves no CPU of those that may be used \(0-7\)"):
        select(machine(tmp_path, "laptop"), [["only-node", "3"]])
    assert select(Topology(()), [["only-node", "3"]]) == Topology(())


def test_resets() -> None:
    assert resets([["drop-cpu", "0"], ["reset"]])
    assert not resets([["drop-cpu", "0"]])


@given(st.lists(st.tuples(st.sampled_from(SET_WORDS), st.integers(0, 5), st.integers(0, 5)), max_size=4))
def test_only_and_drop_are_opposites_inside_what_was_given(steps: list[tuple[str, int, int]]) -> None:
    usable = Topology(tuple(Cpu(n, node=n // 6, domain=n // 3, cluster=n // 3, core=n // 2) for n in range(12)))
    line = [word for verb, low, high in steps for word in (verb, f"{low}-{high}")]
    try:
        left = select(usable, [line])
    except ValueError:
        return
    assert set(left.cpus) <= set(usable.cpus) and left.cpus
    for verb in ("only", "drop"):
        other = "drop" if verb == "only" else "only"
        if len(steps) == 1 and steps[0][0].startswith(verb) and len(left.cpus) < 12:
            rest = select(usable, [[line[0].replace(verb, other), line[1]]])
            assert {*left.cpus, *rest.cpus} == set(usable.cpus) and len(left.cpus) + len(rest.cpus) == 12
