"""The commands as they are typed: answers, and exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from maniple.cli import control_client
from maniple.cli.main import application
from maniple.tests.cli.test_control_client import Served
from typer.testing import CliRunner


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path / "s.sock")
    yield made
    made.close()


def run(*words: str) -> Result:
    return CliRunner().invoke(application(words[0]), list(words))


@pytest.mark.parametrize(
    ("words", "call", "shown"),
    [
        (("reload",), ("reload",), "Reloaded.\n"),
        (("upgrade",), ("upgrade",), "Upgraded.\n"),
        (("scale", "3"), ("scale", 3), "3 groups.\n"),
        (("stop",), ("stop", False), "No new connections; it ends when the present ones have ended.\n"),
        (("stop", "--soft"), ("stop", False), "No new connections; it ends when the present ones have ended.\n"),
        (("stop", "--hard"), ("stop", True), "Stopped.\n"),
    ],
)
def test_done(served: Served, words: tuple[str, ...], call: tuple[object, ...], shown: str) -> None:
    result = run(*words, "--socket", served.path)
    assert (result.exit_code, result.stdout) == (0, shown)
    assert served.steering.calls == [call]


def test_refused_with_the_reason(served: Served) -> None:
    served.steering.complaint = "x.cfg:3:5: error: unknown keyword"
    result = run("reload", "--socket", served.path)
    assert (result.exit_code, result.stderr) == (1, "maniple reload: x.cfg:3:5: error: unknown keyword\n")


def test_nobody_there(tmp_path: Path) -> None:
    result = run("scale", "2", "--socket", str(tmp_path / "none"))
    assert (result.exit_code, result.stderr) == (3, f"maniple scale: {tmp_path}/none: No such file or directory\n")
    assert run("stop", "--pidfile", str(tmp_path / "none")).exit_code == 3


def test_any_command(served: Served, tmp_path: Path) -> None:
    result = run("ctl", "show", "version", "--socket", served.path)
    assert (result.exit_code, result.stdout) == (0, "1.2.3\n")
    result = run("ctl", "--socket", served.path, "add map", "m")
    assert (result.exit_code, result.stderr[:38]) == (1, "maniple ctl: Unknown command: 'add map")
    assert run("ctl", "show version", "--socket", served.path).stdout == "1.2.3\n"
    (tmp_path / "lines").write_text("a 1\n\nb 2\n")
    result = run("ctl", "--payload", str(tmp_path / "lines"), "--socket", served.path, "add", "map", "m;x")
    assert (result.exit_code, result.stderr) == (
        1, "maniple ctl: Unknown map identifier. Please use #<id> or <file>.\n",
    )  # fmt: skip
    assert run("ctl", "--payload", str(tmp_path / "none"), "--socket", served.path, "add").exit_code == 2


@pytest.mark.parametrize(
    "words", [("scale",), ("scale", "0"), ("scale", "x"), ("status", "--pid", "1", "--socket", "/x")]
)
def test_usage(words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


def test_several_to_choose_from(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_client, "supervisors", lambda: {5: served.path, 6: served.path})
    result = run("status")
    assert result.exit_code == 2
    assert result.stderr == (
        "maniple status: several are running; say which with --pid; running:\n"
        "  5  /etc/maniple.cfg\n  6  /etc/maniple.cfg\n"
    )
    assert run("status", "--pid", "5").exit_code == 0


def test_status(served: Served) -> None:
    result = run("status", "--socket", served.path)
    assert result.exit_code == 0 and result.stdout.startswith("maniple 1.2.3: running, pid 100")
    assert "\n\ngroup  pid  state" in result.stdout, "the empty line is one again"
    found = json.loads(run("status", "--json", "--socket", served.path).stdout)
    assert found["generation"] == 3


def test_watch_until_it_is_gone(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_client, "supervisors", lambda: {5: served.path})
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("maniple.cli.ctl.time.sleep", pause)
    result = run("status", "--watch", "0.5")
    assert result.stdout.count("maniple 1.2.3: running") == 2 and pauses == [0.5, 0.5]
