from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.cpu_words import POLICIES
from maniple.groups.policy import areas, by_socket_or_domain, makes_groups
from maniple.groups.topology import Cpu, Topology, format_cpus
from maniple.tests.groups.machines import machine

CASES = [
    ("two_epycs", "none", "0-2,4-15"),
    ("two_epycs", "first-usable-node", "0-2,4-7"),
    ("two_epycs", "group-by-l3", "0-2 | 4-7 | 8-11 | 12-15"),
    ("two_epycs", "group-by-ccx", "0-2 | 4-7 | 8-11 | 12-15"),
    ("two_epycs", "group-by-2-ccx", "0-2,4-7 | 8-15"),
    ("two_epycs", "group-by-3-ccx", "0-2,4-7 | 8-15"),
    ("two_epycs", "group-by-socket", "0-2,4-7 | 8-15"),
    ("four_ccx", "group-by-3-ccx", "0-11,16-27 | 12-15,28-31"),
    ("four_ccx", "group-by-4-ccx", "0-31"),
    ("four_ccx", "group-by-cluster", "0-3,16-19 | 4-7,20-23 | 8-11,24-27 | 12-15,28-31"),
    ("four_ccx", "performance", "0-3,16-19 | 4-7,20-23 | 8-11,24-27 | 12-15,28-31"),
    ("clusters", "group-by-cluster", "0-3 | 4-7 | 8-11 | 12-15 | 16-19 | 20-23 | 24-27 | 28-31"),
    ("clusters", "group-by-3-clusters", "0-11 | 12-15 | 16-27 | 28-31"),
    ("clusters", "group-by-l3", "0-15 | 16-31"),
    ("clusters", "resource", "0-3"),
    ("xeon", "group-by-l3", "0-39"),
    ("xeon", "resource", "0-39"),
    ("board", "group-by-l3", "0-3 | 4-7"),
    ("hybrid", "performance", "0-7"),
    ("hybrid", "efficiency", "8-11 | 12-15"),
    ("hybrid", "resource", "8-11"),
    ("hybrid", "group-by-cluster", "0-7 | 8-11 | 12-15"),
    ("hybrid", "group-by-l3", "0-15"),
    ("big_little", "performance", "4-7"),
    ("big_little", "efficiency", "0-3"),
    ("big_little", "resource", "0-3"),
    ("single", "performance", "0"),
    ("small_virtual", "group-by-core", "0 | 1"),
    ("laptop", "group-by-core", "0-1 | 2-3 | 4-5 | 6-7"),
]


@pytest.mark.parametrize(("name", "policy", "expected"), CASES)
def test_areas(tmp_path: Path, name: str, policy: str, expected: str) -> None:
    found = areas(policy, machine(tmp_path, name).cores())
    assert " | ".join(format_cpus(cpu.number for core in area for cpu in core) for area in found) == expected


def test_a_part_of_the_cpus_is_no_node(tmp_path: Path) -> None:
    cores = machine(tmp_path, "two_epycs").only((1, 9)).cores()
    assert areas("first-usable-node", cores, restricted=True) == [tuple(cores)]
    assert areas("first-usable-node", cores) == [tuple(cores[:1])]


def test_the_free_threaded_default(tmp_path: Path) -> None:
    for name, policy in (("two_epycs", "group-by-socket"), ("four_ccx", "group-by-l3")):
        cores = machine(tmp_path, name).cores()
        assert by_socket_or_domain(cores) == areas(policy, cores)


def test_which_policies_make_groups() -> None:
    assert not makes_groups(None)
    assert {policy for policy in POLICIES if not makes_groups(policy)} == {"none", "first-usable-node"}


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(1, 1024)), max_size=24),
    st.sampled_from(POLICIES),
)
def test_areas_are_distinct_cores_in_order(shape: list[tuple[int, int, int]], policy: str) -> None:
    cpus = tuple(
        Cpu(n, package=p, node=p, domain=3 * p + d, cluster=3 * p + d, core=n, capacity=c)
        for n, (p, d, c) in enumerate(shape)
    )
    cores = Topology(cpus).cores()
    found = areas(policy, cores)
    given_out = [core for area in found for core in area]
    assert bool(found) == bool(cores) and all(found)
    assert given_out == [core for core in cores if core in given_out] and len(set(given_out)) == len(given_out)
    if makes_groups(policy):
        assert all(len({core[0].package for core in area}) == 1 for area in found)
    if policy.startswith("group-by"):
        assert given_out == cores
