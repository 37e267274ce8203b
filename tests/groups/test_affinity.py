from __future__ import annotations

import os
import threading

import pytest
from maniple.groups import affinity
from maniple.groups.affinity import inherited_affinity, pin


def in_thread(*cpus: int) -> tuple[bool, set[int]]:
    """What `pin` says and does; affinity is a thread's, so the tests' own stays."""
    found: list[tuple[bool, set[int]]] = []
    thread = threading.Thread(target=lambda: found.append((pin(cpus), os.sched_getaffinity(0))))
    thread.start()
    thread.join()
    return found[0]


def test_pins_to_cpus() -> None:
    one = min(inherited_affinity())
    assert in_thread(one) == (True, {one})


def test_no_cpus_leave_it_as_it_is() -> None:
    assert in_thread() == (True, set(inherited_affinity()))


def test_cpus_that_are_gone_are_not_fatal() -> None:
    assert in_thread(9999) == (False, set(inherited_affinity()))


@pytest.mark.parametrize(
    ("cpuset", "expected"),
    [(None, {1, 2, 3}), (frozenset({2, 3, 9}), {2, 3}), (frozenset({9}), {1, 2, 3}), (frozenset(), {1, 2, 3})],
)
def test_usable_cpus(monkeypatch: pytest.MonkeyPatch, cpuset: frozenset[int] | None, expected: set[int]) -> None:
    monkeypatch.setattr(affinity, "inherited_affinity", lambda: frozenset({1, 2, 3}))
    monkeypatch.setattr(affinity, "read_cpuset", lambda: cpuset)
    assert affinity.usable_cpus() == expected


def test_physical_cores_are_no_more_than_cpus() -> None:
    cores = affinity.physical_cores()
    assert cores is None or 1 <= cores <= (os.cpu_count() or 1)
