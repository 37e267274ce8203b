"""Goals: every one names a figure that exists, and is judged as it says."""

from __future__ import annotations

import pytest
from maniple.perf.goals import GOALS, Against, Goal, Verdict, limit_of
from maniple.perf.measures import METRICS
from maniple.perf.scenarios import BY_NAME


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: f"{goal.scenario}-{goal.metric}")
def test_goal_names_what_is_measured(goal: Goal) -> None:
    assert goal.scenario in BY_NAME
    assert goal.metric in METRICS
    assert goal.limit > 0


@pytest.mark.parametrize(
    ("measured", "word"), [(1.15, "pass"), (0.5, "pass"), (-3.0, "pass"), (1.1501, "MISS"), (None, "not measured")]
)
def test_verdict(measured: float | None, word: str) -> None:
    assert Verdict(Goal("small", "cpu_us", 1.15), measured).word == word


def test_limit_of() -> None:
    assert limit_of("small", "cpu_us", Against.HAPROXY) == 1.15
    assert limit_of("browser-unique", "cpu_us", Against.HAPROXY) is None
