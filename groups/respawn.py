"""When a group that died is started again. Pure: the clock is an argument.

Owns: the back-off. At once, then after 100 ms doubling to 5 s, from the beginning again once it has lived for 10 s.
"""

from __future__ import annotations

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0
SETTLED_AFTER = 10.0
"""Seconds of life after which a group counts as healthy."""


class Respawn:
    """The respawn policy of one group. Times are seconds of one monotonic clock."""

    __slots__ = ("_delay", "_started_at")

    def __init__(self) -> None:
        self._delay = 0.0
        self._started_at = 0.0

    def started(self, now: float) -> None:
        """A process of the group was forked."""
        self._started_at = now

    def died(self, now: float) -> float:
        """The process is gone: the time at which the next one is to be started."""
        if now - self._started_at >= SETTLED_AFTER:
            self._delay = 0.0
        due = now + self._delay
        self._delay = min(max(FIRST_DELAY, self._delay * 2), LONGEST_DELAY)
        return due
