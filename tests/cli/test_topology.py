from __future__ import annotations

import json
import os
from pathlib import Path

from click.testing import Result
from maniple.cli.main import application
from typer.testing import CliRunner


def topology(*arguments: str) -> Result:
    return CliRunner().invoke(application("topology"), ["topology", *arguments])


def test_text_shows_machine_and_plan() -> None:
    result = topology()
    assert result.exit_code == 0
    machine, plan = result.stdout.split("\n\n")
    assert "socket" in machine and "usable: " in machine
    assert "group 1: thread" in plan


def test_json() -> None:
    found = json.loads(topology("--json", "--nbgroup", "2", "--nbthread", "3").stdout)
    assert found["affinity"] == sorted(os.sched_getaffinity(0))
    assert [group["threads"] for group in found["plan"]["groups"]] == [2, 1]
    assert found["topology"]["cpus"]


def test_plan_of_a_file_and_of_flags_over_it(tmp_path: Path) -> None:
    path = tmp_path / "x.cfg"
    path.write_text("global\n    nbgroup 3\n    nbthread 3\n")
    assert len(json.loads(topology("--json", "-f", str(path)).stdout)["plan"]["groups"]) == 3
    assert len(json.loads(topology("--json", "-f", str(path), "--nbgroup", "1").stdout)["plan"]["groups"]) == 1
    path.write_text("nonsense\n")
    result = topology("-f", str(path))
    assert result.exit_code == 1 and "x.cfg:1:1: error:" in result.stderr


def test_numbers_that_do_not_fit() -> None:
    result = topology("--nbgroup", "4", "--nbthread", "2")
    assert result.exit_code == 2 and "nbthread 2 is less than nbgroup 4" in result.stderr
