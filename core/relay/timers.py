"""Deadlines without timers: one coarse clock for all connections of a thread.

Theory. A proxy sets many deadlines and almost none expires, so setting one must cost nothing. Each timed object carries
`deadline`, a plain float attribute (milliseconds of the loop's clock, `NEVER` for none) that the hot path overwrites as
often as it likes. The object is filed in a bucket of 50 ms, and only *looked at* when its bucket comes up: if its
deadline has moved on meanwhile it is filed again under the new one, else it has expired. So the price of a deadline is
one look per object and timeout, whatever the number of requests in between (an attribute: 0.04 us; call_later and
cancel: 1.7 us).

Only a deadline that lies *before* the object's bucket needs to be told: `arm` compares and files anew. An object stands
in at most one bucket (`filed` is its number, 0 for none), and leaves it with `forget` when it is closed: at 10,000
connections a second and a timeout of a minute, a list of the dead would hold 600,000.

One call_later stands for the whole thread, at the earliest bucket; with nothing filed there is none.

Owns: the buckets and that one timer. Must not know: what a connection is.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any, Protocol

NEVER = float("inf")
BUCKET = 50.0
"""Width of a bucket in milliseconds: a deadline is kept at most this much late."""


class Timed(Protocol):
    """What can have a deadline."""

    deadline: float
    filed: int

    def expire(self, now: float) -> None:
        """The deadline has passed. Set a new one, or be forgotten."""


class Cancellable(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    """The part of an event loop that timers need."""

    def time(self) -> float: ...

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any) -> Cancellable: ...


class Timers:
    """All deadlines of one thread."""

    __slots__ = ("_armed", "_buckets", "_clock", "_failed", "_handle", "_order")

    def __init__(self, clock: Clock, failed: Callable[[Exception], None]) -> None:
        """`failed` is told of an exception out of an `expire`: that object's fault must not delay the others."""
        self._clock = clock
        self._failed = failed
        self._buckets: dict[int, set[Timed]] = {}
        self._order: list[int] = []
        self._armed = 0
        self._handle: Cancellable | None = None

    def arm(self, timed: Timed, deadline: float) -> None:
        """Give `timed` a deadline in milliseconds. Needed when it comes earlier than the one it is filed under; a later
        one (or `NEVER`) may be written to `timed.deadline` directly."""
        timed.deadline = deadline
        if deadline == NEVER:
            return
        number = int(deadline / BUCKET) + 1
        filed = timed.filed
        if filed:
            if filed <= number:
                return
            self.forget(timed)
        self._file(timed, number)

    def forget(self, timed: Timed) -> None:
        """`timed` is closed: drop the reference to it."""
        bucket = self._buckets.get(timed.filed)
        if bucket is not None:
            bucket.discard(timed)
        timed.filed = 0

    def _file(self, timed: Timed, number: int) -> None:
        timed.filed = number
        bucket = self._buckets.get(number)
        if bucket is None:
            self._buckets[number] = {timed}
            heapq.heappush(self._order, number)
            if self._handle is None or number < self._armed:
                self._schedule(number)
        else:
            bucket.add(timed)

    def _schedule(self, number: int) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._armed = number
        self._handle = self._clock.call_at(number * BUCKET / 1000.0, self._turn)

    def _turn(self) -> None:
        self._handle = None
        # Seconds and milliseconds do not round alike: for one bucket in 200 the clock, read now, is a hair before the
        # moment that was asked for, nothing would be due, and the loop would spin until the clock moves.
        self.tick(max(self._clock.time() * 1000.0, self._armed * BUCKET))

    def tick(self, now: float) -> int:
        """Look at every bucket that is due at `now` and expire what has to; returns how many expired."""
        current = int(now / BUCKET)
        expired = 0
        while self._order and self._order[0] <= current:
            # Out of the heap first: an `expire` may file other objects, even earlier ones.
            number = heapq.heappop(self._order)
            bucket = self._buckets.pop(number)
            while bucket:
                timed = bucket.pop()
                if timed.filed != number:
                    continue
                timed.filed = 0
                deadline = timed.deadline
                if deadline <= now:
                    expired += 1
                    # Not to be found expired again by accident: it sets a new deadline if it wants one.
                    timed.deadline = NEVER
                    try:
                        timed.expire(now)
                    except Exception as error:
                        self._failed(error)
                elif deadline != NEVER:
                    self._file(timed, max(int(deadline / BUCKET), current) + 1)
        if self._order and (self._handle is None or self._order[0] != self._armed):
            self._schedule(self._order[0])
        return expired

    def stop(self) -> None:
        """Forget everything; the thread ends."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        for bucket in self._buckets.values():
            for timed in bucket:
                timed.filed = 0
        self._buckets.clear()
        self._order.clear()

    def __len__(self) -> int:
        return sum(len(bucket) for bucket in self._buckets.values())
