from __future__ import annotations

import os
import threading

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
