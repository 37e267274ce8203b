"""What the supervisor does again and again while it serves: look at the groups and the machine, tell the service
manager that it lives, tell the figures.

Owns: how often each is done. Must not know: what a look finds and what is done about it (watch, operations).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from .notify import Notifier
from .timetable import Timetable
from .watchdog import PERIOD

TICK = 1.0
"""Seconds between two tellings of the figures."""


class Rounds:
    """`looks` are called every PERIOD seconds (watchdog), in this order; `tick`, where there is one, every TICK."""

    def __init__(
        self,
        timetable: Timetable,
        notifier: Notifier,
        looks: Sequence[Callable[[], None]],
        tick: Callable[[], None] | None = None,
    ) -> None:
        self._timetable = timetable
        self._notifier = notifier
        self._looks = looks
        self._tick = tick

    def begin(self) -> None:
        """The service manager's watchdog looks at us from now on; ours looks at the groups, at once."""
        self._look()
        if self._notifier.period is not None:
            self._ping(self._notifier.period)
        if self._tick is not None:
            self._come_again(self._tick)

    def end_looking(self) -> None:
        """The groups are about to end; the rest goes on until we do."""
        self._timetable.forget("watch")

    def _look(self) -> None:
        self._timetable.at("watch", time.monotonic() + PERIOD, self._look)
        for look in self._looks:
            look()

    def _ping(self, period: float) -> None:
        self._timetable.at("ping", time.monotonic() + period, lambda: self._ping(period))
        self._notifier.ping()

    def _come_again(self, tick: Callable[[], None]) -> None:
        def ticked() -> None:
            self._come_again(tick)
            tick()

        self._timetable.at("tick", time.monotonic() + TICK, ticked)
