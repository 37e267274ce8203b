"""The report: what failed has no figure, what ran has one, and the conditions stand beside it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path

import pytest
from maniple.perf import report
from maniple.perf.harness import Results
from maniple.perf.measures import Outcome, Sample

NOW = datetime(2026, 11, 22, 12, 0, 0)


def test_rows(results: Results) -> None:
    rows = {(row[0], row[1]): row for row in report.rows(results)}
    assert all(len(row) == len(report.COLUMNS) for row in rows.values())
    assert rows["small", "maniple"][2:4] == ("12.0 (11.0 to 22.0)", "1.10")
    assert rows["small", "haproxy"][3] == "1.00"
    assert rows["small", "nginx"][2] == "-"
    assert rows["small", "nginx"][-1] == "FAIL: round 3: 3 connections not made"
    assert rows["small", "mitmproxy"][-1] == "not installed: pip install mitmproxy"
    assert rows["idle", "maniple"][-1] == "+2.0 % (+2.0 to +2.0); 3.50 KiB each"


def test_goals(results: Results) -> None:
    words = {(verdict.goal.scenario, verdict.goal.metric): verdict.word for verdict in report.verdicts(results)}
    assert words == {
        ("small", "cpu_us"): "pass",
        ("idle", "idle_added_percent"): "pass",
        ("idle", "idle_kib"): "MISS",
    }


@pytest.mark.parametrize("gone", ["maniple", "haproxy"])
def test_goals_are_not_measured_without_both(results: Results, gone: str) -> None:
    for outcome in results.outcomes["small"]:
        if outcome.target == gone:
            outcome.samples.clear()
    words = {verdict.goal.scenario: verdict.word for verdict in report.verdicts(results) if verdict.goal.unit == "x"}
    assert words == {"small": "not measured"}


@pytest.mark.parametrize(
    ("plain", "more", "word"), [(20.0, 25.5, "pass"), (20.0, 26.5, "MISS"), (None, 26.5, "not measured")]
)
def test_what_rules_add_is_more_than_the_plain_scenario(
    results: Results, plain: float | None, more: float, word: str
) -> None:
    results.outcomes["browser-rules"] = [Outcome("maniple", [Sample({"cpu_us": more})])]
    if plain is not None:
        results.outcomes["browser"] = [Outcome("maniple", [Sample({"cpu_us": plain})])]
    words = {verdict.goal.scenario: verdict.word for verdict in report.verdicts(results)}
    assert words["browser-rules"] == word


def test_text_names_machine_programs_and_faults(results: Results) -> None:
    text = report.as_text(results)
    assert "A <fast> CPU & more" in text
    assert "HAProxy 2.6" in text
    assert "3 alternating rounds of 1 s" in text
    assert "small, nginx: 3 connections not made (round 3)" in text
    assert report.failed(results)


def test_a_run_without_faults_has_not_failed(results: Results) -> None:
    results.outcomes["small"] = [outcome for outcome in results.outcomes["small"] if outcome.target != "nginx"]
    assert not report.failed(results)
    assert "Faults" not in report.as_text(results)


def test_markdown_tables_have_one_width(results: Results) -> None:
    page = report.as_markdown(results, "Title", "plot.svg")
    rows = [line for line in page.splitlines() if line.startswith("|")]
    widths = {line.replace("\\|", "").count("|") for line in rows}
    assert widths == {len(report.COLUMNS) + 1, len(report.GOAL_COLUMNS) + 1}
    assert "](plot.svg)" in page


def test_write(results: Results, tmp_path: Path) -> None:
    paths = report.write(results, tmp_path / "made" / "here", "small", NOW)
    assert [path.name for path in paths] == ["2026-11-22-small.json", "2026-11-22-small.md", "2026-11-22-small.svg"]
    document = json.loads(paths[0].read_bytes())
    assert document["version"] == report.JSON_VERSION
    small = {entry["target"]: entry for entry in document["scenarios"]["small"]}
    assert small["maniple"]["figures"]["cpu_us"] == {"median": 12.0, "low": 11.0, "high": 22.0}
    assert small["maniple"]["cpu_to_haproxy"]["median"] == pytest.approx(1.1)
    assert len(small["nginx"]["rounds"]) == 3
    assert {goal["verdict"] for goal in document["goals"]} == {"pass", "MISS"}
    svg = ET.fromstring(paths[2].read_text())
    said = " ".join(svg.itertext())
    assert "maniple" in said and "haproxy" in said and "nginx" not in said
