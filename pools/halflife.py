"""How many idle connections to close now: the arithmetic of eviction, without any connection.

Owns: the two rules below and their state (what was latched, how many batches are left). Must not know: the pool, the
clock (`now` is an argument, in milliseconds), which connections are closed.

Two rules; a server has exactly one:

`HalfLife` applies when `pool-half-life` is set. After the design document of 2015 (checklist CR6-CR9): half of the
connections between `pool-min` and the low-water mark are gone after one half-life, closed in N small batches of

    (D + 2N - 1) / (2N)    rounded down, D = low water - pool-min

each, so that nobody closes thousands in one run. The low-water mark is the lowest number of idle connections since it
was last looked at: so many were never needed. The document leaves open when D is measured, and it matters (trap T1):

- *latched* (the default): D is measured once, at the start of each half-life. D = 10000 and N = 10 leave 5000, which is
  what a half-life promises.
- *re-measured*: D is measured before each batch. The survivors are (1 - 1/2N)^N of D, about 60 %: 5984 of 10000.

The rounding up makes every batch close at least one, so for D < 2N the formula alone would close more than half (ten
of ten for D = N = 10). The latched rule therefore stops at half of D, rounded up, in one half-life; the re-measured one
has no total to compare with and follows the formula. Whatever was latched, a batch never takes more than the surplus
that is still unused: connections that came into use since are not closed.

`PurgeDelay` applies when it is not: HAProxy's `pool-purge-delay` (checklist CR8). Every delay, one batch takes half,
rounded up, of what exceeds the estimated need. The estimate is the peak of the last period, or the mean of that peak
and the former estimate, whichever is more.

Invariants: neither rule takes more than population - minimum; a run at an earlier time than is due takes nothing.
"""

from __future__ import annotations


def batch_size(surplus: int, batches: int) -> int:
    """Connections of one batch: `surplus` / (2 * `batches`), rounded up; 0 for no surplus."""
    return (surplus + 2 * batches - 1) // (2 * batches) if surplus > 0 else 0


def purge_size(used: int, idle: int, need: int) -> int:
    """Connections that `pool-purge-delay` closes in one run: half of those above the need, rounded up."""
    exceed = used + idle - need
    return (exceed + 1) // 2 if exceed > 0 else 0


def next_need(need: int, peak: int) -> int:
    """The estimated need after a period in which at most `peak` connections were in use: it rises at once to the peak,
    and falls half of the way to it in a period."""
    return max((need + peak) // 2, peak)


class Turns:
    """When the next batch is due. Runs follow each other by `interval` milliseconds without drift; turns that a busy
    thread missed are left out and not made up for, because making up would be a big batch."""

    __slots__ = ("due_at", "interval")

    def __init__(self, interval: int) -> None:
        if interval < 1:
            raise ValueError("an interval between batches is at least one millisecond")
        self.interval = interval
        self.due_at = -1

    def reached(self, now: int) -> bool:
        """Whether a batch is due; if so the next one is planned. The first call only starts the clock."""
        if self.due_at < 0:
            self.due_at = now + self.interval
            return False
        if now < self.due_at:
            return False
        self.due_at += self.interval
        if self.due_at <= now:
            self.due_at = now + self.interval
        return True


class HalfLife:
    """`batches` runs in `half_life` milliseconds (ValueError when that is less than a millisecond for one)."""

    __slots__ = ("_left", "_quota", "_runs", "batches", "latched", "minimum", "turns")

    def __init__(self, half_life: int, batches: int, minimum: int = 0, *, latched: bool = True) -> None:
        if batches < 1 or half_life < batches:
            raise ValueError("a half-life has at least one batch, and a millisecond for each")
        self.turns = Turns(half_life // batches)
        self.batches = batches
        self.minimum = minimum
        self.latched = latched
        self._runs = 0
        self._quota = 0
        """Closed by each batch of this half-life."""
        self._left = 0
        """Still to be closed in this half-life."""

    def run(self, population: int, low_water: int) -> int:
        """How many of `population` idle connections this batch closes. `low_water` is the lowest number of idle
        connections since the last run (latched: the caller still resets its mark after every run)."""
        unused = min(low_water, population) - self.minimum
        if not self.latched:
            return batch_size(unused, self.batches)
        if self._runs == 0:
            self._quota = batch_size(unused, self.batches)
            self._left = (unused + 1) // 2 if unused > 0 else 0
        self._runs = (self._runs + 1) % self.batches
        size = max(0, min(self._quota, self._left, unused))
        self._left -= size
        return size


class PurgeDelay:
    """One batch every `delay` milliseconds."""

    __slots__ = ("minimum", "turns")

    def __init__(self, delay: int, minimum: int = 0) -> None:
        self.turns = Turns(delay)
        self.minimum = minimum

    def run(self, used: int, idle: int, need: int) -> int:
        """How many of `idle` connections this batch closes; `used` are in use now, `need` is the estimate before it is
        renewed by `next_need`."""
        return max(0, min(purge_size(used, idle, need), idle - self.minimum))
