"""Rates of events: a sliding one from two counters, and a token bucket. Arithmetic; `now` is an argument (ms).

Owns: the formulas (reference 3.8). Must not know: what is counted, the clock.

A `SlidingRate` remembers the count of the current period and of the one before. Its value is the current count plus the
part of the previous one that a window of one period still covers. That is exact for a steady rate and wrong by at most
the previous period's unevenness otherwise; it costs two integers.

Invariants: 0 <= now - start < period after every call; time that goes back counts as standing still.
"""

from __future__ import annotations


class SlidingRate:
    """Events per `period` milliseconds."""

    __slots__ = ("current", "period", "previous", "start")

    def __init__(self, period: int = 1000) -> None:
        if period < 1:
            raise ValueError("a period has at least one millisecond")
        self.period = period
        self.start = 0
        """When the current period began."""
        self.current = 0
        self.previous = 0

    def add(self, now: int, number: int = 1) -> None:
        """Counts `number` events at `now`."""
        if now - self.start >= self.period:
            self._turn(now)
        self.current += number

    def value(self, now: int) -> int:
        """Events within the period that ends at `now`, rounded down. A single event of the previous period is shown
        until the current one has another or ends, so that one event a period does not flap between 0 and 1."""
        if now - self.start >= self.period:
            self._turn(now)
        if not self.current and self.previous <= 1:
            return self.previous
        remaining = min(self.start + self.period - now, self.period)
        return (self.previous * remaining + self.current * self.period) // self.period

    def wait(self, now: int, limit: int) -> int:
        """Milliseconds until one more event fits under `limit` a period: 0 when it fits now. `limit` is at least 1."""
        total = self._total(now)
        if total < limit * self.period:
            return 0
        return max(1, (total - limit * self.period) // limit)

    def _total(self, now: int) -> int:
        """The value times the period: exact."""
        if now - self.start >= self.period:
            self._turn(now)
        remaining = min(self.start + self.period - now, self.period)
        return self.previous * remaining + self.current * self.period

    def _turn(self, now: int) -> None:
        """`now` is in a later period. Periods follow each other without drift while events come."""
        passed = (now - self.start) // self.period
        self.previous = self.current if passed == 1 else 0
        self.current = 0
        self.start += passed * self.period


class TokenBucket:
    """`rate` tokens a second flow in, `burst` fit in; it starts full. Counted in thousandths of a token, so that
    milliseconds are exact."""

    __slots__ = ("_level", "_updated", "burst", "rate")

    def __init__(self, rate: int, burst: int, now: int = 0) -> None:
        if rate < 1 or burst < 1:
            raise ValueError("a bucket has a rate and a burst of at least one")
        self.rate = rate
        self.burst = burst
        self._level = burst * 1000
        self._updated = now

    def take(self, now: int, number: int = 1) -> bool:
        """Takes `number` tokens, if there are so many."""
        self._fill(now)
        if self._level < number * 1000:
            return False
        self._level -= number * 1000
        return True

    def wait(self, now: int, number: int = 1) -> int:
        """Milliseconds until `number` tokens are there. Raises ValueError for more than ever fit in."""
        if number > self.burst:
            raise ValueError(f"{number} tokens never fit into a bucket of {self.burst}")
        self._fill(now)
        return max(0, -((self._level - number * 1000) // self.rate))

    def level(self, now: int) -> int:
        """Whole tokens that are there."""
        self._fill(now)
        return self._level // 1000

    def _fill(self, now: int) -> None:
        if now > self._updated:
            # A millisecond brings rate/1000 tokens: `rate` thousandths.
            self._level = min(self.burst * 1000, self._level + (now - self._updated) * self.rate)
            self._updated = now
