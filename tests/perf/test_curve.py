"""The curve: its scenarios, what it says of growth, and its files."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import orjson
import pytest
from maniple.perf import curve, harness
from maniple.perf.harness import Plan, Results
from maniple.perf.measures import Outcome, Sample
from maniple.perf.targets import BY_NAME


def outcome(target: str, *costs: float) -> Outcome:
    return Outcome(target, [Sample({"cpu_us": cost, "rate": 1000.0}) for cost in costs])


@pytest.fixture
def grown() -> Results:
    """The pump doubles; ours triples from 1 to 2 groups and is as it should be with 4, where the pump failed once."""
    return Results(
        machine={"cpu": "c", "cores": "2", "kernel": "k"},
        programs={"pump": "1"},
        settings={"rounds": 3, "seconds": 1, "warm_up": 1, "groups": 4},
        outcomes={
            "small-1": [outcome("maniple", 20, 30, 22), outcome("pump", 10, 15, 11)],
            "small-2": [outcome("maniple", 60, 66, 90), outcome("pump", 20, 22, 30)],
            "small-4": [outcome("maniple", 40, 40, 40), Outcome("pump", [Sample({}, ("it ended",))])],
        },
    )


def test_scenarios_are_one_traffic_with_other_numbers_of_groups() -> None:
    made = curve.scenarios([4, 1, 2, 4])
    assert [(one.name, one.groups) for one in made] == [("small-1", 1), ("small-2", 2), ("small-4", 4)]
    assert len({(one.path, one.connections, one.kind) for one in made}) == 1


def test_growth_beside_the_pump(grown: Results) -> None:
    first, second, third = curve.points(grown)
    assert curve.growth(first, second, "maniple") == 3
    assert curve.growth(first, second, "pump") == 2
    assert curve.beyond_floor(first, second) == 1.5
    assert curve.verdict(first, first) == "-"
    assert curve.verdict(first, second) == "MISS: 1.50 of the pump's growth"
    assert curve.beyond_floor(first, third) is None
    grown.outcomes["small-2"][0] = outcome("maniple", 40, 44, 60)
    first, second, _ = curve.points(grown)
    assert curve.verdict(first, second) == "pass: 1.00 of the pump's growth"


def test_what_disturbs_whole_rounds_is_no_growth(grown: Results) -> None:
    grown.outcomes["small-2"] = [outcome("maniple", 20, 300, 400), outcome("pump", 10, 150, 200)]
    first, second, _ = curve.points(grown)
    assert curve.beyond_floor(first, second) == 1


def test_table_and_files(grown: Results, tmp_path: Path) -> None:
    text = curve.as_text(grown)
    assert "60.0 to 90.0" in text and "it ended" in text and "as many threads" in text
    paths = curve.write(grown, tmp_path, datetime(2026, 1, 2))
    assert [path.name for path in paths] == [f"2026-01-02-groups.{end}" for end in ("json", "md", "svg")]
    document = orjson.loads(paths[0].read_bytes())
    assert [point["groups"] for point in document["groups"]] == [1, 2, 4]
    assert document["groups"][1]["targets"][0]["growth_to_pump"] == 1.5
    assert "2026-01-02-groups.svg" in paths[1].read_text()
    ElementTree.fromstring(paths[2].read_text())


def test_two_groups_of_each_program(need: Callable[..., None]) -> None:
    """Every target serves with as many processes or threads as it is told to."""
    need("wrk", "haproxy", "nginx")
    names = ("maniple", "haproxy", "nginx", "pump")
    plan = Plan(curve.scenarios([2]), [BY_NAME[name] for name in names], rounds=1, seconds=1, warm_up=0)
    results = harness.run(plan, lambda line: None)
    assert results.settings["groups"] == 2
    assert {one.target: one.state for one in results.outcomes["small-2"]} == dict.fromkeys(names, "ok")
