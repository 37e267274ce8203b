from __future__ import annotations

import json
import os
from dataclasses import replace

from maniple.groups.status import weigh, weighed
from maniple.tests.groups.control_rig import STATUS


def test_sums() -> None:
    assert [group.connections for group in STATUS.all_groups] == [10, 2, 0]
    assert (STATUS.connections, STATUS.groups[0].requests) == (12, 1000)


def test_json_names_the_fields() -> None:
    text = STATUS.to_json()
    read = json.loads(text)
    assert b"\n" not in text
    assert read["groups"][0]["threads"][0] == {
        "number": 1,
        "local": 1,
        "heartbeat_ms": 4,
        "connections": 10,
        "requests": 1000,
        "accepting": True,
    }
    assert read["draining"][0]["groups"][0]["pid"] == 190
    assert read["last_change"] is None and read["counts"]["cum_req"] == 1500


def test_weight_of_processes() -> None:
    memory, seconds = weigh(os.getpid())
    assert memory > 1_000_000 and seconds > 0
    assert weigh(0) == (0, 0.0) == weigh(2**22 + 1)


def test_weighed() -> None:
    group = replace(STATUS.groups[0], pid=os.getpid())
    old = replace(STATUS.draining[0], groups=(group,))
    found = weighed(replace(STATUS, pid=os.getpid(), groups=(group,), draining=(old,)))
    assert found.memory and found.groups[0].memory and found.draining[0].groups[0].cpu_seconds
