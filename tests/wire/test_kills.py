"""Processes that die or stop under load: what the others do, and what a start after it finds."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from maniple.tests.wire.rig.serving import HOST, PATIENCE, is_alive, wait_until
from maniple.tests.wire.rig.serving_under_load import Rig

GET = b"GET /5 HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.close()


def fetch(port: int) -> bytes:
    """The start of an answer on a connection of its own."""
    with socket.create_connection((HOST, port), PATIENCE) as client:
        client.sendall(GET)
        return client.recv(12)


@pytest.mark.parametrize("balance", ["least", "cpu"])
def test_a_group_is_killed(rig: Rig, balance: str) -> None:
    """Its clients lose what was under way. Nobody is refused: its sockets are adopted, and given back."""
    rig.start(tune=f"tune.listener.balance {balance}")
    rig.begin()
    for turn in range(4):
        before = rig.serving.pids()
        os.kill(before[turn % 2], signal.SIGKILL)
        wait_until(lambda: set(rig.serving.pids()) - set(before) and len(rig.serving.pids()) == 2, "a successor")  # noqa: B023
        rig.traffic.wait_for(100)
    calm = rig.traffic.counts()
    rig.traffic.wait_for(200)
    after = rig.traffic.end()
    assert {kind: count for kind, count in after.items() if kind not in ("ok", "closed idle")} == {
        kind: count for kind, count in calm.items() if kind not in ("ok", "closed idle")
    }, "once a group was replaced, nobody meets an error any more"
    assert set(after) <= {"ok", "closed idle", "no answer", "truncated", "reset while idle"}, after
    deaths = [group["deaths"] for group in rig.serving.status()["groups"]]
    assert deaths == [2, 2]


@pytest.mark.alone
def test_the_supervisor_is_killed(rig: Rig) -> None:
    """All of it ends within a second, and a restart binds at once."""
    rig.start()
    rig.begin()
    groups = rig.serving.groups()
    os.kill(rig.serving.pid, signal.SIGKILL)
    began = time.monotonic()
    rig.serving.wait()
    wait_until(lambda: not any(map(is_alive, groups)), "groups end with their supervisor", patience=1.0)
    ended = time.monotonic() - began
    assert ended < 1.0
    rig.serving.start_again()
    rig.serving.wait_ready()
    assert "in use" not in rig.serving.said
    calm = rig.traffic.counts()
    rig.traffic.wait_for(200)
    after = rig.traffic.end()
    assert after.get("no answer", 0) == calm.get("no answer", 0)
    assert set(after) <= {"ok", "closed idle", "no answer", "truncated", "reset while idle", "refused", "unreachable"}


@pytest.mark.alone
def test_the_supervisor_is_killed_in_a_reload(rig: Rig) -> None:
    """Old and new groups end."""
    rig.start(groups=4)
    rig.serving.signal(signal.SIGUSR2)
    wait_until(lambda: len(rig.serving.groups()) > 4, "new groups are forked")
    groups = rig.serving.groups()
    os.kill(rig.serving.pid, signal.SIGKILL)
    rig.serving.wait()
    wait_until(lambda: not any(map(is_alive, groups)), "groups end with their supervisor", patience=1.0)
    rig.serving.start_again()
    rig.serving.wait_ready()
    assert fetch(rig.port) == b"HTTP/1.1 200"


def test_a_new_group_is_killed_in_a_reload(rig: Rig) -> None:
    """All is as it was, and clients notice nothing."""
    rig.start()
    rig.begin()
    before = rig.serving.pids()
    for _ in range(5):
        old = set(rig.serving.groups())
        rig.serving.signal(signal.SIGUSR2)
        wait_until(lambda: set(rig.serving.groups()) - old, "a new group")  # noqa: B023
        for pid in set(rig.serving.groups()) - old:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: rig.serving.status()["state"] == "running", "it is over")
        rig.traffic.wait_for(20)
    status = rig.serving.status()
    # Who was killed when all had built already is one that died in service: such a reload goes on.
    assert status["generation"] == 1 + status["reloads"]
    if not status["reloads"]:
        assert rig.serving.pids() == before
    rig.serving.order("reload")
    rig.traffic.wait_for(100)
    counts = rig.traffic.end()
    if status["reloads"] == 0:
        assert set(counts) <= {"ok", "closed idle"}, counts


@pytest.mark.parametrize("balance", ["least", "cpu"])
def test_a_group_stands_still(rig: Rig, balance: str) -> None:
    """The others take its connections within the watchdog's patience; when it goes on it serves again."""
    rig.start(tune=f"tune.listener.balance {balance}\n    tune.watchdog.warn 400ms")
    rig.begin()
    first, _ = rig.serving.pids()
    os.kill(first, signal.SIGSTOP)
    wait_until(lambda: "has not turned" in rig.serving.said, "the watchdog warns", patience=3.0)
    # As long as it stands still, whoever was left to it would have no answer at all.
    answers = [fetch(rig.port) for _ in range(40)]
    assert answers == [b"HTTP/1.1 200"] * 40
    os.kill(first, signal.SIGCONT)
    wait_until(lambda: "turns again" in rig.serving.said, "it is welcome")
    calm = rig.traffic.counts()
    rig.traffic.wait_for(200)
    after = rig.traffic.end()
    assert set(after) <= {"ok", "closed idle", "late"}, after
    assert after.get("late", 0) == calm.get("late", 0)
    wait_until(lambda: first in rig.serving.pids(), "it is the same process")


def test_a_group_that_stands_still_for_too_long_is_replaced(rig: Rig) -> None:
    rig.start(tune="tune.watchdog.warn 200ms\n    tune.watchdog.kill 600ms")
    first, second = rig.serving.pids()
    os.kill(first, signal.SIGSTOP)
    wait_until(lambda: not is_alive(first), "the watchdog kills it", patience=3.0)
    wait_until(lambda: len(rig.serving.pids()) == 2, "its successor")
    assert second in rig.serving.pids()
    assert [fetch(rig.port) for _ in range(20)] == [b"HTTP/1.1 200"] * 20
