"""Which threads do not turn any more. Pure: heartbeats in, verdicts out.

A thread's runtime writes the time into the pulse segment five times a second. One that has not for `warn` milliseconds
is warned of, once, and its group's Python stacks are asked for; after `kill` its group is ended and started again.

Theory: the supervisor must not blame others for its own absence (a suspended machine, a starved container). So the time
in which it was not there itself does not count: an age is measured in looks, each of which adds at most `STEP`.

Owns: ages, and who was warned of. Must not know: processes, logs.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

M = TypeVar("M", bound=Hashable)
"""What the caller names a thread by."""

PERIOD = 0.5
"""Seconds between two looks."""
STEP = 1000
"""Milliseconds that one look may add to an age."""


class Finding(Enum):
    STUCK = "stuck"
    BACK = "back"
    HOPELESS = "hopeless"


@dataclass(frozen=True, slots=True)
class Verdict(Generic[M]):
    finding: Finding
    member: M
    age: int
    """Milliseconds since its last sign of life."""


@dataclass(slots=True)
class _Watched:
    beat: int
    age: int = 0
    warned: bool = False
    condemned: bool = False


class Watchdog(Generic[M]):
    """`warn` and `kill` in milliseconds; 0: never."""

    __slots__ = ("_kill", "_last", "_warn", "_watched")

    def __init__(self, warn: int, kill: int) -> None:
        self._warn = warn
        self._kill = kill
        self._last: int | None = None
        self._watched: dict[M, _Watched] = {}

    def look(self, now: int, beats: Mapping[M, int]) -> list[Verdict[M]]:
        """`now` in milliseconds; the last heartbeat of each thread that should turn, 0 where there was none yet. Those
        not named any more are forgotten."""
        passed = 0 if self._last is None else min(now - self._last, STEP)
        self._last = now
        verdicts: list[Verdict[M]] = []
        for member in self._watched.keys() - beats.keys():
            del self._watched[member]
        for member, beat in beats.items():
            watched = self._watched.get(member)
            if watched is None or watched.beat != beat:
                if watched is not None and watched.warned:
                    verdicts.append(Verdict(Finding.BACK, member, watched.age))
                self._watched[member] = _Watched(beat)
                continue
            watched.age += passed
            if self._kill and watched.age >= self._kill and not watched.condemned:
                watched.condemned = True
                verdicts.append(Verdict(Finding.HOPELESS, member, watched.age))
            elif self._warn and watched.age >= self._warn and not watched.warned and not watched.condemned:
                watched.warned = True
                verdicts.append(Verdict(Finding.STUCK, member, watched.age))
        return verdicts
