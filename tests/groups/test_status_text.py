from __future__ import annotations

from dataclasses import replace

import pytest
from maniple.groups.status import ChangeStatus, ListenerStatus, StewardStatus
from maniple.groups.status_text import merged, numbers_text, size_text, span_text, status_text
from maniple.tests.groups.control_rig import STATUS

SHOWN = """\
maniple 1.2.3: running, pid 100, up 2m 07s, generation 3
  files    /etc/maniple.cfg
  listens  web: 0.0.0.0:80 (2 sockets), /run/web.sock
  traffic  12 of 5,000 connections, 40 in all, 1,500 requests, supervisor 0.0 MiB
  reloads  2 reloads

group  pid  state             cpus  threads  heartbeat  conns  requests    cpu   memory      up
    1  201  ready             0-1         1       4 ms     10     1,000  0.0 s  0.0 MiB     27s
    2  202  ready (2 deaths)  2           1  2,500 ms!      2       500  0.0 s  0.0 MiB     27s
generation 1 has drained for 37s, cut in 1m 00s
    1  190  draining          any         1          -      0         0  0.0 s  0.0 MiB  2m 07s"""


def test_table() -> None:
    assert status_text(STATUS) == SHOWN


def test_steward() -> None:
    there = StewardStatus(77, STATUS.now - 3, 2, ("a", "b"))
    assert "  steward  pid 77, up 3.0s, died 2x, peers a b\n" in status_text(replace(STATUS, steward=there))
    assert "  steward  none now, peers a\n" in status_text(replace(STATUS, steward=StewardStatus(sections=("a",))))
    assert "steward" not in status_text(STATUS)


def test_failed_reload_says_why() -> None:
    change = ChangeStatus("reload", 1120.0, False, 0.31, "x.cfg:3: error\n\n  it is wrong\n")
    text = status_text(replace(STATUS, last_change=change, failed_reloads=1, draining=()))
    assert "  reloads  2 reloads, 1 failed since the last that succeeded\n" in text
    assert (
        "  last     reload FAILED 7.0s ago, took 0.3 s\n           x.cfg:3: error\n             it is wrong\n" in text
    )


def test_group_that_is_not_there() -> None:
    dead = replace(STATUS.groups[0], pid=0, state="dead")
    line = status_text(replace(STATUS, groups=(dead,), draining=())).splitlines()[-1]
    assert line.split()[:3] == ["1", "-", "dead"] and line.endswith("-")


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0.0s"), (3.14, "3.1s"), (59, "59s"), (61, "1m 01s"), (7260, "2h 01m"), (90000, "1d 1h")]
)
def test_span(seconds: float, text: str) -> None:
    assert span_text(seconds) == text


def test_ranges_of_ports_are_one() -> None:
    ports = [f"127.0.0.1:{port}" for port in (80, 81, 82, 83, 85, 86)]
    assert merged([*ports, "[::1]:87", "/run/a:1", "abns@x"]) == [
        "127.0.0.1:80-83",
        "127.0.0.1:85",
        "127.0.0.1:86",
        "[::1]:87",
        "/run/a:1",
        "abns@x",
    ]
    listeners = [ListenerStatus("web", port, 2) for port in ports[:4]]
    text = status_text(replace(STATUS, listeners=(*listeners, ListenerStatus("api", ":90"))))
    assert "  listens  web: 127.0.0.1:80-83 (2 sockets)\n           api: :90\n" in text


def test_numbers_and_sizes() -> None:
    assert numbers_text((8, 0, 1, 2)) == "0-2,8" and numbers_text(()) == ""
    assert size_text(5 * 2**20) == "5.0 MiB" and size_text(11 * 2**30) == "11.0 GiB"
