from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from maniple.cli.main import application
from maniple.tests.groups.machines import make_tree
from typer.testing import CliRunner


def topology(*arguments: str) -> Result:
    return CliRunner().invoke(application("topology"), ["topology", *arguments])


def plan(*arguments: str) -> Any:
    result = topology("--json", *arguments)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)["plan"]


def test_text_shows_machine_and_plan() -> None:
    result = topology()
    assert result.exit_code == 0
    machine, shown = result.stdout.split("\n\n")
    assert "socket" in machine and "usable: " in machine
    assert "group 1: thread" in shown


def test_json() -> None:
    found = json.loads(topology("--json", "--nbgroup", "2", "--nbthread", "3").stdout)
    assert found["affinity"] == sorted(os.sched_getaffinity(0))
    assert [group["threads"] for group in found["plan"]["groups"]] == [2, 1]
    assert found["topology"]["cpus"]
    assert found["plan"]["warnings"]


def test_picture_of_another_machine(tmp_path: Path) -> None:
    make_tree(tmp_path, "small_virtual")
    result = topology("--root", str(tmp_path), "--picture", "--cpu-policy", "group-by-l3")
    assert result.stdout.splitlines() == [
        "┌─── socket 0 ───┐",
        "│ ┌─── L3 0 ───┐ │",
        "│ │ 0     1    │ │",
        "│ │ g1-2  g1-2 │ │",
        "│ └────────────┘ │",
        "└────────────────┘",
    ]
    assert topology("--root", str(tmp_path), "--ascii").stdout.isascii()


def test_all_words_as_flags(tmp_path: Path) -> None:
    root = ("--root", str(make_tree(tmp_path, "two_epycs")))
    found = plan(*root, "--nbgroup", "2", "--nbthread", "4", "--cpu-map", "auto:1/1-2 4-5", "--cpu-map", "2 9")
    assert [group["cpus"] for group in found["groups"]] == [[4, 5], [9]]
    assert found["groups"][0]["thread_cpus"] == [[4], [5]]
    found = plan(*root, "--thread-group", "1 1-3", "--thread-group", "2 4")
    assert [group["threads"] for group in found["groups"]] == [3, 1]
    found = plan(*root, "--cpu-set", "drop-node 0", "--cpu-policy", "group-by-socket", "--free-threaded")
    assert [(group["threads"], group["cpus"]) for group in found["groups"]] == [(8, list(range(8, 16)))]


def test_plan_of_a_file_and_of_flags_over_it(tmp_path: Path) -> None:
    path = tmp_path / "x.cfg"
    path.write_text("global\n    nbgroup 3\n    nbthread 3\n    cpu-map 1 0\n    cpu-map 2 0\n    cpu-set reset\n")
    file = ("-f", str(path))
    assert len(plan(*file)["groups"]) == 3
    assert plan(*file)["groups"][1]["cpus"] == [0]
    assert len(plan(*file, "--nbgroup", "1")["groups"]) == 1
    assert len(plan(*file, "--nbgroup", "auto", "--nbthread", "2")["groups"]) == 2
    path.write_text("nonsense\n")
    result = topology("-f", str(path))
    assert result.exit_code == 1 and "x.cfg:1:1: error:" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--nbgroup", "4", "--nbthread", "2"), "4 groups cannot share 2 threads"),
        (("--nbgroup", "257"), "from 1 to 256"),
        (("--cpu-policy", "group-by-l2"), "unknown policy 'group-by-l2'"),
        (("--cpu-set", "only-node 77"), "cpu-set leaves no CPU"),
        (("--cpu-map", "auto:1/1-4 0"), "4 threads and 1 CPUs cannot be paired"),
    ],
)
def test_words_that_are_refused(arguments: tuple[str, ...], complaint: str) -> None:
    result = topology(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("maniple topology: ") and complaint in result.stderr
