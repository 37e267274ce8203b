"""The harness with the shortest durations, against programs that are there; and what it does when they fail."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from maniple.perf import harness, scenarios
from maniple.perf.harness import MissingProgram, Plan
from maniple.perf.targets import BY_NAME, Launch, Target

QUIET: Callable[[str], None] = lambda line: None  # noqa: E731


def plan(target: Target, *names: str) -> Plan:
    return Plan(scenarios.select(names), [target], rounds=1, seconds=1, warm_up=0)


def children() -> set[int]:
    """Processes that this one has started, and theirs; those of other tests' fixtures among them."""
    found = psutil.Process().children(recursive=True)
    return {child.pid for child in found if child.status() != psutil.STATUS_ZOMBIE}


def test_smoke_haproxy(need: Callable[..., None]) -> None:
    need("wrk", "haproxy")
    before = children()
    results = harness.run(plan(BY_NAME["haproxy"], "httplog", "start"), QUIET)
    logged, started = (results.outcomes[name][0] for name in ("httplog", "start"))
    assert (logged.faults, started.faults) == ([], [])
    figures = logged.samples[0].figures
    assert 1 < figures["cpu_us"] < 2000
    assert figures["requests"] > 100
    assert figures["log_share"] > 0.9
    assert 0 < figures["busy"] <= 1.1
    assert 1 < started.samples[0].figures["start_ms"] < 10_000
    assert "HAProxy version" in results.programs["haproxy"]
    assert children() <= before


def test_what_is_compared_is_measured_in_the_same_rounds() -> None:
    names = ("tracked-2", "small", "httplog", "browser-rules", "tracked", "small-2")
    asked = [scenarios.BY_NAME[name] for name in names]
    found = [[scenario.name for scenario in family] for family in harness.families(asked)]
    assert found == [["tracked-2", "small-2"], ["small", "tracked"], ["httplog"], ["browser-rules"]]


def test_smoke_idle(need: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    need("wrk", "haproxy")
    few = replace(scenarios.BY_NAME["idle"], idle=200)
    results = harness.run(Plan([few], [BY_NAME["haproxy"]], rounds=1, seconds=1, warm_up=1), QUIET)
    outcome = results.outcomes["idle"][0]
    assert outcome.faults == []
    assert outcome.samples[0].figures["idle_connections"] == 200
    assert {"idle_added_percent", "idle_kib", "alone_cpu_us"} <= outcome.samples[0].figures.keys()


def script(code: str) -> Target:
    """A target that is a line of Python, given its port as first argument."""

    def write(program: list[str], setting: object) -> Launch:
        return Launch([*program, "-c", code, str(setting.port)])  # type: ignore[attr-defined]

    return Target("script", "script", "", lambda: [sys.executable], write, lambda program: "1")


SERVE_ONE = """
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
    peer, _ = listener.accept()
    peer.recv(1000)
    peer.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
"""
ANSWER_503 = """
import http.server, sys
class Refuse(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    first = True
    def do_GET(self):
        status, Refuse.first = (200 if Refuse.first else 503), False
        self.send_response(status); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Refuse).serve_forever()
"""


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("import sys; sys.exit('no licence')", "script ended with exit code 1: no licence"),
        (SERVE_ONE, ""),
        (ANSWER_503, "answers of status 400 and above"),
    ],
    ids=["does not start", "ends", "refuses"],
)
def test_what_goes_wrong_fails_the_scenario(code: str, fault: str, need: Callable[..., None]) -> None:
    need("wrk")
    results = harness.run(plan(script(code), "small"), QUIET)
    outcome = results.outcomes["small"][0]
    assert outcome.state == "FAIL"
    assert fault in outcome.faults[0]


def test_missing_wrk_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgram, match="apt install wrk"):
        harness.run(plan(BY_NAME["haproxy"], "small"), QUIET)


def test_absent_targets_say_why(need: Callable[..., None]) -> None:
    need("wrk")
    target = replace(BY_NAME["mitmproxy"], find=lambda: None)
    results = harness.run(plan(target, "start"), QUIET)
    assert results.outcomes["start"][0].absent == "not installed: pip install mitmproxy"


def test_sigterm_ends_what_was_started(need: Callable[..., None]) -> None:
    need("wrk", "haproxy")
    seen: list[int] = []
    others = children()

    def stop(line: str) -> None:
        seen.extend(children() - others)
        if "1/1" in line:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit):
        harness.run(plan(BY_NAME["haproxy"], "start"), stop)
    assert signal.getsignal(signal.SIGTERM) is before
    assert seen
    assert not [pid for pid in seen if psutil.pid_exists(pid)]
