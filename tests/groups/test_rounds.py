from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from maniple.groups.rounds import TICK, Rounds
from maniple.groups.timetable import Timetable
from maniple.groups.watchdog import PERIOD


class Day:
    """Rounds with a clock of their own; `said` is what they did and when."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, period: float | None, ticks: bool) -> None:
        self.now = 100.0
        self.said: list[tuple[str, float]] = []
        monkeypatch.setattr("maniple.groups.rounds.time", SimpleNamespace(monotonic=lambda: self.now))
        notifier: Any = SimpleNamespace(period=period, ping=lambda: self.did("ping"))
        self.timetable = Timetable()
        looks = (lambda: self.did("groups"), lambda: self.did("machine"))
        self.rounds = Rounds(self.timetable, notifier, looks, (lambda: self.did("tick")) if ticks else None)

    def did(self, what: str) -> None:
        self.said.append((what, self.now - 100.0))

    def pass_until(self, end: float) -> None:
        while (due := self.timetable.due()) is not None and due <= 100.0 + end:
            self.now = due
            self.timetable.keep(due)

    def times(self, what: str) -> list[float]:
        return [when for one, when in self.said if one == what]


def test_everything_has_its_own_period(monkeypatch: pytest.MonkeyPatch) -> None:
    day = Day(monkeypatch, 0.75, True)
    day.rounds.begin()
    day.pass_until(2.0)
    assert day.times("groups") == day.times("machine") == [0.0, PERIOD, 2 * PERIOD, 3 * PERIOD, 4 * PERIOD]
    assert day.times("tick") == [TICK, 2 * TICK]
    assert day.times("ping") == [0.0, 0.75, 1.5]
    assert day.said[:2] == [("groups", 0.0), ("machine", 0.0)]


def test_nobody_is_told_who_does_not_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    day = Day(monkeypatch, None, False)
    day.rounds.begin()
    day.pass_until(2.0)
    assert {what for what, _ in day.said} == {"groups", "machine"}


def test_looking_ends_before_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    day = Day(monkeypatch, 1.0, True)
    day.rounds.begin()
    day.rounds.end_looking()
    day.pass_until(2.0)
    assert day.times("groups") == [0.0]
    assert day.times("tick") == day.times("ping")[1:] == [1.0, 2.0]
