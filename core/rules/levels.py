"""How busy proxies and servers are over all threads and groups: what `fe_conn`, `be_sess_rate` and their kin say.

A thread knows its own part, exactly and at once. What the others have stands in their rows of the pulses, where they
write it at each beat: it is as old as a fifth of a second at most. A thread writes only what some expression asks for
(all threads compile the same ones), and nothing is written or read where none asks.

Owns: which word of a row belongs to what, the sums, the rates. Must not know: who counts, or when it beats.

Rates are those of pools/rates over one second, of events that are counted up: the difference to the last look is what
has happened since. An event of this thread is seen at the next look, and one of another thread when that has beaten.
A count that falls (a thread has died) is no event.

Invariants: a row of the pulses has one writer, this thread; without pulses (a configuration that is only checked, tests
of one thread) the thread's own part is the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ...pools.rates import SlidingRate
from ..config.model import Configuration

if TYPE_CHECKING:
    from ...pools.pulses import Pulse

Row = tuple[str, str]
"""Kind and name: ("frontend", name), ("backend", name), ("server", "backend/server")."""
ACTIVE = 0
"""A frontend's connections; requests that a backend has (served or waiting), or a server serves."""
QUEUED = 1
"""Requests that wait for a server of the backend, or for the server."""
REQUESTS = 1
"""Of a frontend: requests read so far."""
SESSIONS = 2
"""So far: connections of a frontend that no connection rule has refused, requests that came to a backend, that were
given to a server."""
WIDTH = 3
"""Words of a row."""
PERIOD = 1000
"""Milliseconds of a rate."""

Count = Callable[[], int]


def rows_of(configuration: Configuration) -> dict[Row, int]:
    """Each row and the place of its first word among the levels of a thread."""
    rows: list[Row] = []
    for proxy in configuration.proxies:
        if proxy.has_frontend:
            rows.append(("frontend", proxy.name))
        if proxy.has_backend:
            rows.append(("backend", proxy.name))
            rows.extend(("server", f"{proxy.name}/{server.name}") for server in proxy.servers)
    return {row: number * WIDTH for number, row in enumerate(dict.fromkeys(rows))}


def words_of(configuration: Configuration) -> int:
    """How many words the levels of a thread have."""
    return len(rows_of(configuration)) * WIDTH


class Rate:
    """Events a second, of a count of all that there were."""

    __slots__ = ("_clock", "_count", "_rate", "_seen")

    def __init__(self, count: Count, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._count = count
        self._rate = SlidingRate(PERIOD)
        self._seen = count()

    def look(self) -> int:
        """Take in what has happened; the time (ms)."""
        now = int(self._clock())
        count = self._count()
        if count > self._seen:
            self._rate.add(now, count - self._seen)
        self._seen = count
        return now

    def value(self) -> int:
        """Events within the last second."""
        return self._rate.value(self.look())


class Levels:
    """What one thread knows of the whole. `counted`: of whom a rate is asked for, as (kind, name, word): who builds the
    proxy has these events counted (build_levels)."""

    __slots__ = ("_clock", "_pulse", "_rates", "_rows", "_shown", "counted")

    def __init__(
        self,
        rows: Mapping[Row, int] | None = None,
        pulse: Pulse | None = None,
        clock: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`rows`: as `rows_of`; `pulse`: this thread's row, None where there are no other threads; `clock`: ms."""
        self._rows = rows or {}
        self._pulse = pulse if pulse is not None and len(pulse.levels) >= len(self._rows) * WIDTH else None
        self._clock = clock
        self._shown: dict[int, Count] = {}
        self._rates: dict[tuple[str, str, int], Rate] = {}
        self.counted: set[tuple[str, str, int]] = set()

    def whole(self, kind: str, name: str, word: int, own: Count) -> Count:
        """The function that gives a level over all threads, out of the one that gives this thread's."""
        pulse = self._pulse
        first = self._rows.get((kind, name))
        if pulse is None or first is None:
            return own
        place = first + word
        self._shown.setdefault(place, own)
        others = pulse.others
        return lambda: own() + others(place)

    def rate(self, kind: str, name: str, word: int, own: Count) -> Count:
        """The function that gives events a second over all threads; `own` counts this thread's."""
        key = (kind, name, word)
        rate = self._rates.get(key)
        if rate is None:
            self.counted.add(key)
            rate = self._rates[key] = Rate(self.whole(kind, name, word, own), self._clock)
        return rate.value

    def connections(self, process: Any) -> Count:
        """Client connections of all threads. `process`: this thread's facts (scope.ProcessFacts)."""
        pulse = self._pulse
        if pulse is None:
            return lambda: process.connections
        others = pulse.other_connections
        return lambda: process.connections + others()

    @property
    def idle(self) -> bool:
        """Nobody asks: there is no need to beat."""
        return not (self._shown or self._rates)

    def beat(self) -> None:
        """Show the others what this thread has, and see what they have."""
        if self._pulse is not None:
            levels = self._pulse.levels
            for place, own in self._shown.items():
                levels[place] = own()
        for rate in self._rates.values():
            rate.look()
