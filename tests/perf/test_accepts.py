"""How evenly connections are spread: counting, arithmetic, the table."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import orjson
import pytest
from maniple.perf import accepts
from maniple.perf.accepts import Accepts, Spreading, holders, unevenness
from maniple.perf.harness import Results
from maniple.perf.measures import Outcome, Sample


@pytest.mark.parametrize(
    ("counts", "wanted"), [([32, 32], 1), ([64, 0], 2), ([1, 1, 1, 5], 2.5), ([0, 0], 0), ([], 0)], ids=str
)
def test_unevenness(counts: list[int], wanted: float) -> None:
    assert unevenness(counts) == wanted


def test_connections_are_found_with_who_holds_them() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert holders([os.getpid()], port) == [0]
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        served = [listener.accept()[0] for _ in range(2)]
        # The third is in the queue: nobody's yet. The clients' own ends are not counted.
        assert holders([os.getpid(), os.getppid()], port) == [2, 0]
        for sock in (*clients, *served):
            sock.close()


@pytest.fixture
def seen() -> Accepts:
    cost = Outcome("hash", [Sample({"cpu_us": 10.0, "rate": 5.0}), Sample({"cpu_us": 20.0, "rate": 5.0})])
    dear = Outcome("least", [Sample({"cpu_us": 11.0, "rate": 5.0}), Sample({"cpu_us": 24.0, "rate": 5.0})])
    return Accepts(
        {"cpu": "c"},
        64,
        [
            Spreading(2, "hash", [[32, 32], [40, 24], [36, 28]]),
            Spreading(2, "least", [], ["of 64 clients 63 came"]),
        ],
        Results({}, {}, {}, {"close-always": [cost, dear]}),
    )


def test_table(seen: Accepts) -> None:
    assert accepts.rows(seen) == [
        ("2", "hash", "1.12", "1.25", "40 24"),
        ("2", "least", "-", "-", "FAIL: of 64 clients 63 came"),
    ]
    assert seen.costs is not None
    assert accepts.cost_rows(seen.costs)[1] == ("least", "17.5 (11.0 to 24.0)", "1.15 (1.10 to 1.20)", "5")
    assert "40 24" in accepts.as_text(seen)
    assert seen.failed
    seen.spreadings.pop()
    assert not seen.failed


def test_files(seen: Accepts, tmp_path: Path) -> None:
    table, page = accepts.write(seen, tmp_path, datetime(2026, 1, 2))
    assert (table.name, page.name) == ("2026-01-02-accepts.json", "2026-01-02-accepts.md")
    document = orjson.loads(table.read_bytes())
    assert document["spreadings"][0]["worst"] == 1.25
    assert document["costs"][1]["balance"] == "least"
    assert "| 2 | hash | 1.12 | 1.25 |" in page.read_text()


def test_maniple_spreads_a_few(need: Callable[..., None]) -> None:
    need("nginx")
    done = accepts.measure(lambda line: None, groups=(2,), ways=("hash", "least"), clients=16, repetitions=2)
    assert [(one.groups, one.way, one.faults) for one in done.spreadings] == [(2, "hash", []), (2, "least", [])]
    assert [sum(counts) for one in done.spreadings for counts in one.repetitions] == [16] * 4
    assert done.costs is None
    assert not done.failed


def test_a_cost_plan_has_a_target_for_each_way() -> None:
    plan = accepts.cost_plan(2)
    assert [target.name for target in plan.targets] == ["hash", "least", "cpu"]
    assert (plan.scenarios[0].groups, plan.scenarios[0].keep_alive) == (2, False)
