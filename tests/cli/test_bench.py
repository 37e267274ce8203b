"""`maniple bench`: options, refusals, and the files it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from maniple.cli import bench
from maniple.perf import accepts, harness
from maniple.perf.accepts import Accepts, Spreading
from maniple.perf.harness import MissingProgram, Plan, Results
from maniple.perf.measures import Outcome, Sample
from maniple.perf.processes import ProcessFault
from typer.testing import CliRunner

app = typer.Typer()
app.command()(bench.bench_command)
plans: list[Plan] = []


@pytest.fixture(autouse=True)
def run(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the real run, which test_harness has."""
    plans.clear()

    def stand_in(plan: Plan, say: harness.Say) -> Results:
        plans.append(plan)
        figures = {"cpu_us": 10.0, "rate": 1.0, "p50_ms": 1.0, "p99_ms": 1.0, "rss_mib": 1.0}
        outcomes = {s.name: [Outcome(t.name, [Sample(figures)]) for t in plan.targets] for s in plan.scenarios}
        settings = {"rounds": plan.rounds, "seconds": plan.seconds, "warm_up": plan.warm_up}
        return Results({"cpu": "c", "cores": "2", "kernel": "k"}, {}, settings, outcomes)

    monkeypatch.setattr(harness, "run", stand_in)


def call(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output


def test_files_and_exit_code(tmp_path: Path) -> None:
    code, output = call("-s", "small", "-s", "start", "--targets", "maniple,haproxy", "-o", str(tmp_path))
    assert code == 0, output
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".md", ".svg"]
    assert all("small+start" in path.name for path in tmp_path.iterdir())
    assert [scenario.name for scenario in plans[0].scenarios] == ["small", "start"]
    assert (plans[0].rounds, plans[0].seconds) == (5, 3.0)


def test_quick(tmp_path: Path) -> None:
    assert call("--quick", "-o", str(tmp_path), "-t", "haproxy")[0] == 0
    assert (plans[0].rounds, plans[0].seconds) == (bench.QUICK_ROUNDS, bench.QUICK_SECONDS)
    assert all("all-quick" in path.name for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"), [(["-s", "bigger"], "no scenario 'bigger'"), (["-t", "apache"], "no target 'apache'")]
)
def test_unknown_names_are_refused(words: list[str], said: str) -> None:
    code, output = call(*words)
    assert code == 2
    assert said in output


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (MissingProgram("wrk is not installed: apt install wrk"), 2, "apt install wrk"),
        (ProcessFault("the origin has ended"), 1, "origin has ended"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_ends_without_a_traceback(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(plan: Plan, say: harness.Say) -> Results:
        raise error

    monkeypatch.setattr(harness, "run", fail)
    got, output = call("-o", str(tmp_path), "-t", "haproxy")
    assert (got, said in output) == (code, True)
    assert not list(tmp_path.iterdir())


def test_faults_give_exit_code_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def faulty(plan: Plan, say: harness.Say) -> Results:
        outcomes = {"small": [Outcome("haproxy", [Sample({}, ("bad",))])]}
        return Results(
            {"cpu": "c", "cores": "2", "kernel": "k"}, {}, {"rounds": 1, "seconds": 1, "warm_up": 1}, outcomes
        )

    monkeypatch.setattr(harness, "run", faulty)
    code, output = call("-o", str(tmp_path), "-s", "small", "-t", "haproxy")
    assert code == 1
    assert "small, haproxy: bad (round 1)" in output


def test_list() -> None:
    code, output = call("--list")
    assert code == 0
    assert "scenario browser" in output
    assert "target   nginx" in output
    assert not plans


def test_the_curve_writes_files_on_request_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, output = call("--groups", "1,4")
    assert code == 0, output
    assert "growth" in output
    assert not list(tmp_path.iterdir())
    assert [scenario.groups for scenario in plans[0].scenarios] == [1, 4]
    assert [target.name for target in plans[0].targets] == ["maniple", "pump"]
    assert (plans[0].rounds, plans[0].seconds) == (3, 1.0)
    assert call("--groups", "2", "--rounds", "7", "--json", "-o", str(tmp_path))[0] == 0
    assert plans[1].rounds == 7
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".md", ".svg"]


def test_accepts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []

    def measure(say: harness.Say, **wanted: object) -> Accepts:
        asked.append(wanted)
        return Accepts({}, 64, [Spreading(2, "hash", [[32, 32]])])

    monkeypatch.setattr(accepts, "measure", measure)
    code, output = call("--accepts", "-o", str(tmp_path))
    assert code == 0 and "32 32" in output
    assert asked[0]["groups"] == (2, 4, 8)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".md"]
    assert call("--accepts", "--groups", "3", "--json")[1].startswith("{")
    assert asked[1]["groups"] == [3]


@pytest.mark.parametrize(
    "words", [["--groups", "0"], ["--groups", "two"], ["--groups", "65"], ["--groups", "2", "-s", "small"]], ids=str
)
def test_numbers_of_groups_are_looked_at(words: list[str]) -> None:
    assert call(*words)[0] == 2
