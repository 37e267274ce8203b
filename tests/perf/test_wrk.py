"""The dialect of wrk: script, command line, summary."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from maniple.perf import wrk
from maniple.perf.origin import Origin
from maniple.perf.scenarios import BY_NAME, SCENARIOS, Scenario, client_mark
from maniple.perf.wrk import Load

SUMMARY = (
    "Running 1s test @ http://127.0.0.1:1/\n  1 threads and 4 connections\n"
    'wrk-summary {"requests":1000,"duration_us":500000,"bytes":128000,'
    '"p50_us":900,"p99_us":2000,"max_us":5000,"connect":0,"read":0,"write":0,"status":0,"timeout":0}\n'
)


def test_parse() -> None:
    load = wrk.parse(SUMMARY)
    assert (load.requests, load.rate, load.p50_us, load.p99_us) == (1000, 2000.0, 900, 2000)
    assert load.faults(128) == []


@pytest.mark.parametrize("text", ["", "unable to connect to 127.0.0.1:1 Connection refused\n"])
def test_parse_refuses_what_is_no_summary(text: str) -> None:
    with pytest.raises(ValueError, match="no summary"):
        wrk.parse(text)


@pytest.mark.parametrize("kind", wrk.ERROR_WORDS)
def test_every_error_is_a_fault(kind: str) -> None:
    load = wrk.parse(SUMMARY.replace(f'"{kind}":0', f'"{kind}":3'))
    assert load.faults(128) == [f"3 {wrk.ERROR_WORDS[kind]}"]


def test_missing_bytes_and_no_requests_are_faults() -> None:
    assert wrk.parse(SUMMARY).faults(129) == ["128000 bytes came for 1000 answers of 129 and more each"]
    assert Load(0, 0, 0, 0, 0, 0, {}).faults(0) == ["no request was answered"]
    assert Load(0, 0, 0, 0, 0, 0, {}).rate == 0.0


@pytest.mark.parametrize(
    ("text", "literal"),
    [("plain", '"plain"'), ('a"b\\', '"a\\034b\\092"'), ("x\r\n", '"x\\013\\010"'), ("é", '"\\233"')],
)
def test_lua_string(text: str, literal: str) -> None:
    assert wrk.lua_string(text) == literal


def test_script_varies_cookies_as_the_scenario_says() -> None:
    per_client = wrk.script(BY_NAME["browser"], 1, seed=5)
    assert all(client_mark(5 + client) in per_client for client in range(BY_NAME["browser"].connections))
    assert "unique = false" in per_client
    per_request = wrk.script(BY_NAME["browser-unique"], 1, seed=5)
    assert "unique = true" in per_request and "{client}" not in per_request
    assert 'string.rep("x", 1048576)' in wrk.script(BY_NAME["upload-1m"], 1)


def test_command_takes_whole_seconds() -> None:
    assert wrk.command("wrk", "s.lua", 80, 64, 0.4)[1:4] == ["-t1", "-c64", "-d1s"]
    assert "-d3s" in wrk.command("wrk", "s.lua", 80, 64, 3.0)


@pytest.mark.parametrize("scenario", [s for s in SCENARIOS if s.name in ("browser-unique", "upload-1m", "close-safe")])
def test_wrk_runs_the_script(scenario: Scenario, tmp_path: Path, need: Callable[..., None]) -> None:
    need("wrk")
    with Origin(tmp_path, None) as origin:
        script = tmp_path / "load.lua"
        script.write_text(wrk.script(scenario, origin.port), encoding="latin-1")
        said = subprocess.run(
            wrk.command("wrk", str(script), origin.port, 2, 1.0), capture_output=True, text=True, timeout=20, check=True
        )
        assert wrk.parse(said.stdout).faults(scenario.download) == []
