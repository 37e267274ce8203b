from __future__ import annotations

import pytest
from maniple.groups.respawn import LONGEST_DELAY, SETTLED_AFTER, Respawn


def delays(respawn: Respawn, now: float, count: int, life: float = 0.0) -> list[float]:
    """Pauses before each of so many restarts of a process that lives for `life` seconds; the clock is virtual."""
    found = []
    for _ in range(count):
        respawn.started(now)
        now += life
        due = respawn.died(now)
        found.append(round(due - now, 6))
        now = due
    return found


def test_at_once_then_doubling_to_the_longest() -> None:
    assert delays(Respawn(), 1000.0, 9) == [0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, LONGEST_DELAY, LONGEST_DELAY]


@pytest.mark.parametrize(("life", "expected"), [(SETTLED_AFTER - 0.01, [0.0, 0.1, 0.2]), (SETTLED_AFTER, [0.0] * 3)])
def test_a_long_life_starts_it_over(life: float, expected: list[float]) -> None:
    assert delays(Respawn(), 0.0, 3, life) == expected


def test_after_a_long_life_the_back_off_begins_again() -> None:
    respawn = Respawn()
    assert delays(respawn, 0.0, 5)[-1] == 0.8
    respawn.started(100.0)
    assert respawn.died(100.0 + SETTLED_AFTER) == 100.0 + SETTLED_AFTER
    assert delays(respawn, 200.0, 2) == [0.1, 0.2]
