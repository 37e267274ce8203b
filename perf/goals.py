"""What maniple must reach, as data, and whether it did.

Owns the limits only. Measured values come in as plain numbers; nothing is measured here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Against(Enum):
    """What a limit is compared with."""

    HAPROXY = "x haproxy"
    PLAIN = "over the plain scenario"
    NOTHING = ""


@dataclass(frozen=True)
class Goal:
    """`metric` of `scenario` (of measures.METRICS) must not exceed `limit`: itself, as a multiple of haproxy's, or what
    it is more than in the scenario that is plain beside it (Scenario.plain)."""

    scenario: str
    metric: str
    limit: float
    against: Against = Against.HAPROXY
    unit: str = "x"


GOALS: tuple[Goal, ...] = (
    Goal("small", "cpu_us", 1.15),
    Goal("browser", "cpu_us", 1.3),
    Goal("browser-rules", "cpu_us", 6.0, Against.PLAIN, "µs"),
    Goal("tracked", "cpu_us", 4.0, Against.PLAIN, "µs"),
    Goal("tracked-2", "cpu_us", 4.0, Against.PLAIN, "µs"),
    Goal("tracked-8", "cpu_us", 4.0, Against.PLAIN, "µs"),
    Goal("response-64k", "cpu_us", 0.9),
    Goal("response-1m", "cpu_us", 0.9),
    Goal("close-always", "cpu_us", 1.6),
    Goal("close-safe", "cpu_us", 1.8),
    Goal("idle", "idle_added_percent", 5.0, Against.NOTHING, "%"),
    Goal("idle", "idle_kib", 3.0, Against.NOTHING, "KiB"),
    Goal("start", "start_ms", 500.0, Against.NOTHING, "ms"),
)


@dataclass(frozen=True)
class Verdict:
    """A goal with what was measured; `measured` is None where the scenario did not run or failed."""

    goal: Goal
    measured: float | None

    @property
    def word(self) -> str:
        if self.measured is None:
            return "not measured"
        return "pass" if self.measured <= self.goal.limit else "MISS"


def limit_of(scenario: str, metric: str, against: Against) -> float | None:
    """The limit that is set for this figure, None where there is none."""
    for goal in GOALS:
        if (goal.scenario, goal.metric, goal.against) == (scenario, metric, against):
            return goal.limit
    return None
