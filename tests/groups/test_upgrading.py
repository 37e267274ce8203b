"""`maniple upgrade` with the real program: the process, its groups' clients and its figures go on."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from maniple.groups.handover import PREFLIGHT
from maniple.tests.wire.rig.serving import HOST, PATIENCE, PROGRAM, Serving, is_alive, wait_until
from maniple.tests.wire.rig.serving_under_load import Rig, assert_nothing_lost


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.close()


def test_an_upgrade_under_load_loses_nothing_and_keeps_the_figures(rig: Rig) -> None:
    rig.start()
    rig.begin()
    pid = rig.serving.pid
    rig.traffic.wait_for(50)
    before = rig.serving.status()
    groups = rig.serving.pids()
    rig.serving.order("upgrade", 30)
    rig.traffic.wait_for(50)
    after = rig.serving.status()
    assert after["pid"] == pid
    assert after["started"] == before["started"]
    assert after["generation"] > before["generation"]
    assert after["last_change"]["kind"] == "upgrade" and after["last_change"]["ok"]
    assert after["counts"]["cum_req"] >= before["counts"]["cum_req"] + 50
    assert_nothing_lost(rig.traffic.end())
    wait_until(lambda: not any(map(is_alive, groups)), "the groups of the program before have ended")
    # And it is as good as the one before.
    rig.serving.order("reload")
    rig.serving.order("set nbgroup 3")
    rig.serving.order("upgrade", 30)
    wait_until(lambda: len(rig.serving.groups()) == 2, "only the groups that the file says")


def test_what_an_operator_said_goes_on(rig: Rig) -> None:
    rig.start()
    rig.begin()
    rig.serving.order("set server origin/one weight 7")
    rig.serving.signal(signal.SIGTTOU)
    rig.serving.order("upgrade", 30)
    # Paused: nobody is accepted.
    with socket.socket() as client:
        client.settimeout(0.2)
        client.connect((HOST, rig.port))
        client.sendall(b"GET /5 HTTP/1.1\r\nHost: any\r\n\r\n")
        with pytest.raises(TimeoutError):
            client.recv(1)
        rig.serving.signal(signal.SIGTTIN)
        client.settimeout(PATIENCE)
        assert client.recv(12) == b"HTTP/1.1 200"


def test_a_program_that_cannot_serve_is_found_out_before(rig: Rig) -> None:
    rig.start()
    rig.begin()
    good = rig.text([rig.port])
    groups = rig.serving.pids()
    rig.serving.write(good + "    nonsense on this line\n")
    said = rig.serving.ask("result upgrade", 30)
    assert said.startswith("Success=0\n--\n")
    assert "nonsense" in said
    assert rig.serving.pids() == groups
    rig.serving.write(good)
    rig.traffic.wait_for(20)
    assert_nothing_lost(rig.traffic.end())


def test_a_reload_during_the_trial_waits_for_it(rig: Rig) -> None:
    rig.start()
    serving: Serving = rig.serving
    with socket.socket(socket.AF_UNIX) as upgrade:
        upgrade.settimeout(30)
        upgrade.connect(serving.control)
        upgrade.sendall(b"result upgrade\n")
        wait_until(lambda: serving.status()["state"] == "reloading", "the upgrade has begun")
        assert serving.ask("result upgrade").startswith("Success=0\n--\nA reload or another change")
        said = b""
        while piece := upgrade.recv(65536):
            said += piece
    assert said.startswith(b"Success=1\n")


def test_the_groups_before_die_with_the_process(rig: Rig) -> None:
    rig.start()
    rig.serving.order("upgrade", 30)
    groups = rig.serving.groups()
    os.kill(rig.serving.pid, signal.SIGKILL)
    rig.serving.process.wait(PATIENCE)
    wait_until(lambda: not any(map(is_alive, groups)), "all have ended", 1.0)


def test_files_that_break_between_trial_and_execution_cost_nothing(rig: Rig) -> None:
    """The next program cannot read the configuration: the groups of the one before go on until a reload succeeds."""
    rig.start()
    rig.begin()
    serving: Serving = rig.serving
    good = rig.text([rig.port])
    # A program whose trial passes, whatever the file says.
    serving.close()
    program = f"import os, sys; {PREFLIGHT!r} in os.environ and sys.exit(0); {PROGRAM}"
    serving = rig.serving = Serving(rig.folder, good, program=program)
    serving.wait_ready()
    groups = serving.pids()
    serving.write(good + "    nonsense on this line\n")
    said = serving.ask("result upgrade", 30)
    assert said.startswith("Success=0\n--\nThe configuration cannot be read any more.")
    assert serving.pids() == groups
    rig.traffic.wait_for(20)
    serving.write(good)
    serving.order("reload")
    rig.traffic.wait_for(20)
    wait_until(lambda: not any(map(is_alive, groups)), "the groups of the program before have ended")
