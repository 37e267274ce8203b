from __future__ import annotations

from dataclasses import replace

import pytest
from maniple.groups.command_texts import duration_text, information_text, processes_text
from maniple.tests.groups.control_rig import STATUS

PROCESSES = """\
#<PID>          <type>          <reloads>       <uptime>        <version>
100             master          2 [failed: 0]   0d00h02m07s     1.2.3
# workers
201             worker          0               0d00h00m27s     1.2.3
202             worker          0               0d00h00m27s     1.2.3
# old workers
190             worker          2               0d00h02m07s     1.2.3
# programs"""


def test_processes() -> None:
    assert [line.rstrip() for line in processes_text(STATUS).split("\n")] == PROCESSES.split("\n")
    assert "# old workers" not in processes_text(replace(STATUS, draining=()))


@pytest.mark.parametrize(("seconds", "text"), [(0, "0d00h00m00s"), (-5, "0d00h00m00s"), (93784.9, "1d02h03m04s")])
def test_duration(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_information() -> None:
    found = dict(line.split(": ", 1) for line in information_text(STATUS).split("\n"))
    assert found["Name"] == "maniple" and found["Uptime"] == "0d 0h02m07s" and found["Uptime_sec"] == "127"
    assert found["CurrConns"] == "12" and found["CumReq"] == "1500" and found["Nbgroup"] == "2"
    assert found["Maxconn"] == "5000" and found["Listeners"] == "3" and found["Stopping"] == "0"
