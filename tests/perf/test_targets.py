"""Configurations of the targets: the programs themselves accept them, and they say what the scenario says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from maniple.perf import targets
from maniple.perf.scenarios import BY_NAME, SCENARIOS, Scenario
from maniple.perf.targets import Setting, maxconn_for


def setting(scenario: Scenario, folder: Path = Path("/nowhere")) -> Setting:
    return Setting(scenario, folder, 8081, 8082, maxconn=2000, log_port=5140 if scenario.httplog else 0)


each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


@each_scenario
def test_haproxy_accepts_its_file(scenario: Scenario, tmp_path: Path, need: Callable[..., None]) -> None:
    need("haproxy")
    program = targets.BY_NAME["haproxy"].find()
    assert program is not None
    launch = targets.write_haproxy(program, setting(scenario, tmp_path))
    checked = subprocess.run([*launch.command, "-c"], capture_output=True, text=True, timeout=10)
    assert (checked.returncode, checked.stderr) == (0, "")


@each_scenario
def test_nginx_accepts_its_file(scenario: Scenario, tmp_path: Path, need: Callable[..., None]) -> None:
    need("nginx")
    program = targets.BY_NAME["nginx"].find()
    assert program is not None
    launch = targets.write_nginx(program, setting(scenario, tmp_path))
    checked = subprocess.run([*launch.command, "-t"], capture_output=True, text=True, timeout=10)
    assert checked.returncode == 0, checked.stderr


@each_scenario
def test_maniple_and_haproxy_read_the_same(scenario: Scenario, tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    mine.mkdir()
    theirs.mkdir()
    targets.write_maniple(["maniple"], setting(scenario, mine))
    targets.write_haproxy(["haproxy"], setting(scenario, theirs))
    text = (theirs / "haproxy.cfg").read_text()
    if scenario.idle:
        assert targets.HAPROXY_TUNING in text
        text = text.replace(targets.HAPROXY_TUNING, "")
    if scenario.groups > 1:
        # Their threads are our groups.
        text = text.replace(
            f"    nbthread {scenario.groups}\n", f"    nbthread {scenario.groups}\n    nbgroup {scenario.groups}\n"
        )
    assert (mine / "haproxy.cfg").read_text() == text


def test_one_thread_each() -> None:
    assert "nbthread 1\n" in targets.haproxy_cfg(setting(BY_NAME["small"]))
    assert "worker_processes 1;" in targets.nginx_conf(setting(BY_NAME["small"]))


def test_as_many_as_groups(tmp_path: Path) -> None:
    several = replace(BY_NAME["small"], groups=4, balance="least")
    assert "nbthread 4\n" in targets.haproxy_cfg(setting(several))
    assert "worker_processes 4;" in targets.nginx_conf(setting(several))
    assert " reuseport;" in targets.nginx_conf(setting(several))
    targets.write_maniple(["maniple"], setting(several, tmp_path))
    text = (tmp_path / "haproxy.cfg").read_text()
    assert "nbthread 4\n" in text and "nbgroup 4\n" in text and "tune.listener.balance least\n" in text
    assert targets.write_pump(["pump"], setting(several)).command[-1] == "4"
    assert "one process" in targets.BY_NAME["mitmproxy"].skips(several)


def test_log_only_where_the_scenario_says_so() -> None:
    assert "log" not in targets.haproxy_cfg(setting(BY_NAME["small"]))
    assert "access_log off;" in targets.nginx_conf(setting(BY_NAME["small"]))
    assert "log 127.0.0.1:5140 local0" in targets.haproxy_cfg(setting(BY_NAME["httplog"]))
    assert "option httplog" in targets.haproxy_cfg(setting(BY_NAME["httplog"]))
    assert "syslog:server=127.0.0.1:5140" in targets.nginx_conf(setting(BY_NAME["httplog"]))


def test_reuse_safe_makes_nginx_dial_too() -> None:
    assert "http-reuse safe" in targets.haproxy_cfg(setting(BY_NAME["close-safe"]))
    assert "keepalive 256" not in targets.nginx_conf(setting(BY_NAME["close-safe"]))
    assert "keepalive 256" in targets.nginx_conf(setting(BY_NAME["close-always"]))


def test_maxconn_fits_below_the_limit_of_descriptors() -> None:
    assert maxconn_for(BY_NAME["small"], 20_000) == targets.MAXCONN
    assert maxconn_for(BY_NAME["idle"], 20_000) == 9950
    assert maxconn_for(BY_NAME["idle"], 40_000) == 10_164
    assert maxconn_for(replace(BY_NAME["small"]), 1024) == 462


def test_targets_say_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HAPROXY3", raising=False)
    monkeypatch.delenv("MITMDUMP", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    absent = [name for name, target in targets.BY_NAME.items() if target.find() is None]
    assert {"maniple", "haproxy3", "mitmproxy"} <= set(absent)
    assert targets.BY_NAME["mitmproxy"].missing == "not installed: pip install mitmproxy"
    assert targets.BY_NAME["nginx"].missing == "apt install nginx-light"


def test_version_of_a_program_that_fails_is_unknown() -> None:
    assert targets._says("-c", "raise SystemExit(1)")([sys.executable]) == "unknown"
    assert targets._says("-c", "print('v 1')")([sys.executable]) == "v 1"
    assert targets._says()(["/no/such/program"]) == "unknown"


def test_pump_and_python_proxy_stay_out_of_what_they_cannot_do() -> None:
    assert targets.BY_NAME["pump"].skips(BY_NAME["close-always"])
    assert not targets.BY_NAME["pump"].skips(BY_NAME["small"])
    assert targets.BY_NAME["mitmproxy"].skips(BY_NAME["httplog"])
