from __future__ import annotations

import io
import os
import signal
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from maniple.core.config.global_spec import TuneSpec
from maniple.core.config.model import Configuration, GlobalSpec
from maniple.groups.child import Child
from maniple.groups.group import STACKS
from maniple.groups.lifecycle import GroupState
from maniple.groups.notices import Notices
from maniple.groups.placement import GroupPlace
from maniple.groups.watch import Watch
from maniple.tests.groups.proxies import Proxy, alive, echoed, greeting, until


class Patient(Child):
    """A group that is only looked at."""

    def __init__(self, ward: Ward, number: int, threads: int = 1) -> None:
        super().__init__(GroupPlace(number, threads, 1, ()), ward, ())  # type: ignore[arg-type]
        self.slots = tuple(range(10 * number, 10 * number + threads))
        self.ward = ward
        self.begin(100 * number)

    def begin(self, pid: int) -> None:
        self.pid = pid
        self.life.state = GroupState.READY
        for slot in self.slots:
            self.ward.beats[slot] = 1

    def kill(self, number: int = signal.SIGKILL) -> None:
        self.ward.done.append((self.number, "kill" if number == signal.SIGKILL else "stacks"))
        assert number in (signal.SIGKILL, STACKS)


class Ward:
    """A generation, and all else that a watch knows. Its clock goes on by itself: half a second a look."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, warn: int = 2000, kill: int = 5000) -> None:
        self.beats: dict[int, int] = {}
        self.built: set[Child] = set()
        self.members: list[Child] = []
        self.done: list[tuple[int, str]] = []
        self.reports: list[str] = []
        self.now = 0
        self.foundation = SimpleNamespace(pulses=SimpleNamespace(row=lambda row: self.row(row)))
        monkeypatch.setattr("maniple.groups.watch.time", SimpleNamespace(monotonic_ns=lambda: self.now * 1_000_000))
        succession: Any = SimpleNamespace(generations=[self])
        self.stream = io.StringIO()
        nothing: Any = None
        notices = Notices(stream=self.stream)
        self.watch = Watch(succession, nothing, notices, lambda severity, text: self.reports.append(text))
        self.watch.set(configuration(warn, kill))

    def row(self, row: int) -> Any:
        return SimpleNamespace(heartbeat=self.beats[row - 1])

    def forsake(self, child: Child) -> None:
        self.done.append((child.number, "forsake"))

    def welcome_back(self, child: Child) -> None:
        self.done.append((child.number, "welcome"))

    def look(self, *still: int, times: int = 1) -> list[tuple[int, str]]:
        """All but the rows of these slots turn. What was done."""
        self.done.clear()
        for _ in range(times):
            self.now += 500
            for slot, beat in self.beats.items():
                if beat and slot not in still:
                    self.beats[slot] = self.now
            self.watch.look()
        return list(self.done)


def configuration(warn: int, kill: int) -> Configuration:
    return Configuration(GlobalSpec(tune=TuneSpec(watchdog_warn=warn, watchdog_kill=kill)))


def test_a_group_that_does_not_turn_is_warned_of_forsaken_and_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    ward = Ward(monkeypatch)
    first, second = ward.members = [Patient(ward, 1), Patient(ward, 2)]
    assert ward.look(times=3) == []
    assert ward.look(10, times=3) == []
    assert ward.look(10) == [(1, "stacks"), (1, "forsake")]
    assert (ward.watch.is_stuck(first), ward.watch.is_stuck(second)) == (True, False)
    assert ward.look(10, times=5) == []
    assert ward.look(10) == [(1, "kill")]
    assert ward.look(10, times=5) == []
    assert ward.reports == [
        "thread 1/1 of group 1 (pid 100) has not turned for 2.0 s. Stacks of its Python threads follow:",
        "thread 1/1 of group 1 (pid 100) has not turned for 5.0 s: the group is killed.",
    ]
    lines = ward.stream.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["[WARNING]", "[ALERT]"]


def test_one_that_turns_again_is_welcome(monkeypatch: pytest.MonkeyPatch) -> None:
    ward = Ward(monkeypatch)
    ward.members = [Patient(ward, 1, threads=2)]
    ward.look()
    assert ward.look(10, 11, times=4) == [(1, "stacks"), (1, "forsake"), (1, "stacks")]
    # When all its threads do.
    assert ward.look(10) == []
    assert ward.watch.is_stuck(ward.members[0])
    assert ward.look() == [(1, "welcome")]
    assert not ward.watch.is_stuck(ward.members[0])
    assert ward.reports[-1].startswith("thread 1/1 of group 1 (pid 100) turns again after 2.5 s.")


def test_the_successor_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be there before the next look."""
    ward = Ward(monkeypatch)
    patient = Patient(ward, 1)
    ward.members.append(patient)
    for pid in (200, 300):
        ward.look()
        assert ward.look(10, times=10) == [(1, "stacks"), (1, "forsake"), (1, "kill")]
        assert ward.watch.is_stuck(patient)
        patient.begin(pid)
        ward.look()
        assert not ward.watch.is_stuck(patient)


def test_who_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    ward = Ward(monkeypatch)
    dead, builds, has_built, drains, never_began = ward.members = [Patient(ward, number) for number in range(1, 6)]
    dead.pid = 0
    dead.life.state = GroupState.DEAD
    builds.life.state = has_built.life.state = GroupState.STARTING
    ward.built.add(has_built)
    drains.life.state = GroupState.DRAINING
    ward.beats[never_began.slots[0]] = 0
    ward.look()
    done = ward.look(*range(60), times=10)
    # Those that accept nothing (yet, or any more) are not forsaken.
    assert sorted(done) == [(3, "kill"), (3, "stacks"), (4, "kill"), (4, "stacks")]


def test_patience_may_change_and_may_be_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    ward = Ward(monkeypatch)
    ward.members = [Patient(ward, 1)]
    ward.look()
    ward.look(10, times=3)
    ward.watch.set(configuration(2000, 5000))
    assert ward.look(10) == [(1, "stacks"), (1, "forsake")]
    ward.watch.set(configuration(0, 0))
    assert ward.look(10, times=30) == []


def test_before_there_is_a_configuration_nobody_is_watched() -> None:
    nothing: Any = None
    Watch(SimpleNamespace(generations=[]), nothing, nothing, nothing).look()  # type: ignore[arg-type]


# With real processes.


@pytest.fixture
def tuned(start_proxy: Callable[..., Proxy]) -> Proxy:
    return start_proxy(globals={"nbgroup": 2}, tune={"watchdog_warn": 400, "watchdog_kill": 1800})


def test_a_group_whose_loop_is_blocked(tuned: Proxy) -> None:
    before = tuned.pids()
    client = tuned.connect_to("1/1")
    client.send(b"hang\n")
    assert client.recv(100) == b"hanging\n"
    # Half of them fall to its socket, and wait until somebody else accepts there.
    clients = [tuned.call() for _ in range(20)]
    assert {greeting(sock)[1] for sock in clients} == {before[2]}
    assert f"thread 1/1 of group 1 (pid {before[1]}) has not turned for " in tuned.stderr
    until(lambda: f"group 1 (pid {before[1]}):   File " in tuned.stderr, "the stacks")
    assert "in hang" in tuned.stderr
    assert alive(before[1])
    until(lambda: not alive(before[1]), "the group is killed")
    assert "the group is killed." in tuned.stderr
    assert tuned.wait_groups(2)[2] == before[2]
    tuned.connect_to("1/1")
    assert all(map(echoed, clients))


def test_a_stopped_group_that_goes_on(tuned: Proxy) -> None:
    pids = tuned.pids()
    kept = tuned.connect_to("1/1")
    os.kill(pids[1], signal.SIGSTOP)
    ok, text = tuned.ask("scale 2")
    assert (ok, text) == (False, f"group 1 (pid {pids[1]}) did not acknowledge within 1 s")
    until(lambda: "Stacks of its Python threads follow" in tuned.stderr, "the warning")
    for _ in range(10):
        assert tuned.connect()[2] == pids[2]
    os.kill(pids[1], signal.SIGCONT)
    until(lambda: "turns again after" in tuned.stderr, "it is back")
    tuned.connect_to("1/1")
    assert echoed(kept)
    assert tuned.pids() == pids
