from __future__ import annotations

import os
import select
import sys
import time

import pytest
from maniple.core.config.model import Configuration, GlobalSpec
from maniple.groups import upgrade
from maniple.groups.handover import PREFLIGHT
from maniple.groups.messages import PROTOCOL


def _run_trial(monkeypatch: pytest.MonkeyPatch, program: str) -> list[str]:
    """What the trial of a program that consists of these lines says."""
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, "-c", program])
    said: list[str] = []
    trial = upgrade.Trial(said.append)
    deadline = time.monotonic() + 10
    while not said:
        assert time.monotonic() < deadline
        trial.look()
        select.select([], [], [], 0.005)
    return said


def test_a_program_that_ends_well_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run_trial(monkeypatch, "import sys; sys.exit(0)") == [""]


def test_what_a_program_says_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import sys; print('a.cfg:1: error'); print('more', file=sys.stderr); sys.exit(1)"
    (said,) = _run_trial(monkeypatch, program)
    assert set(said.split("\n")) == {"a.cfg:1: error", "more"}


def test_a_silent_failure_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run_trial(monkeypatch, "import sys; sys.exit(3)") == ["the new program ended with code 3"]


def test_it_knows_that_it_is_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "from maniple.core.config.model import Configuration; from maniple.groups.upgrade import fits, is_trial; "
        "import sys; sys.exit(0 if is_trial() and not fits(Configuration()) else 1)"
    )
    assert _run_trial(monkeypatch, program) == [""]


def test_a_trial_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade, "LONGEST_TRIAL", 0.1)
    program = "import signal; signal.pause()"
    assert _run_trial(monkeypatch, program) == ["the new program ended with code -9"]


def test_a_trial_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, "-c", "import signal; signal.pause()"])
    said: list[str] = []
    trial = upgrade.Trial(said.append)
    trial.stop()
    assert said == []


@pytest.mark.parametrize(("environment", "trial"), [({}, False), ({PREFLIGHT: "1"}, True)])
def test_a_trial_is_told_by_the_environment(environment: dict[str, str], trial: bool) -> None:
    assert upgrade.is_trial(environment) is trial


@pytest.mark.parametrize(("protocol", "fits"), [(PROTOCOL, True), (PROTOCOL + 1, False)])
def test_groups_that_speak_otherwise_do_not_fit(protocol: int, fits: bool) -> None:
    assert (upgrade.fits(Configuration(), {PREFLIGHT: str(protocol)}) == "") is fits


def test_a_program_that_cannot_be_executed_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    reader, writer = os.pipe()
    with pytest.raises(OSError, match="No such file"):
        upgrade.execute({"generations": [], "controls": [writer], "answer": -1})
    assert not os.get_inheritable(writer)
    os.close(reader)
    os.close(writer)


def test_what_cannot_be_laid_out_does_not_fit() -> None:
    configuration = Configuration(globals=GlobalSpec(nbgroup=4, nbthread=2))
    complaint = upgrade.fits(configuration, {PREFLIGHT: str(PROTOCOL)})
    assert complaint.startswith("config : ") and "4 groups cannot share 2 threads" in complaint
