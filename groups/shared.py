"""What processes share, and who writes it: the one list.

| part                 | made by    | written by                                              | read by        |
|----------------------|------------|---------------------------------------------------------|----------------|
| counters, column n   | supervisor | the thread that has slot n; once it is dead, the        | anybody        |
|                      |            | supervisor (moves it to the last column and clears it)  |                |
| counters, last column| supervisor | supervisor                                              | anybody        |
| pulses, row n        | supervisor | the thread that has slot n - 1; once it is dead, the    | supervisor and |
|                      |            | supervisor (clears it)                                  | all threads    |
| pulses, rows in use  | supervisor | supervisor                                              | all threads    |
| inbox of a thread    | supervisor | any thread, whole packets                               | that thread    |
| listening sockets    | supervisor | nobody; the kernel queues connections                   | who was given it|
| channel of a group   | supervisor | both ends, whole packets                                | the other end  |

Each generation has counters, pulses and inboxes of its own; listening sockets go on from one to the next.
Nothing here needs a lock: each word has one writer at any time, and a dead writer cannot write.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..core.config.model import Configuration
from ..core.rules.levels import words_of
from ..pools.columns import Columns
from ..pools.pulses import Pulses
from ..pools.segment import Segment
from .figures import shape_of

MAX_SLOTS = 256
"""Threads of one generation that can be alive at a time, draining ones included; pages that nobody uses are free."""


def create_counters(configuration: Configuration) -> tuple[Segment, Columns]:
    """The counter segment, all zero. Raises OSError."""
    shape = shape_of(configuration)
    segment = Segment.create("counters", shape.size(MAX_SLOTS), shape.encode())
    columns = Columns(segment.body, shape, MAX_SLOTS)
    columns.used = 0
    return segment, columns


def create_pulses(configuration: Configuration) -> tuple[Segment, Pulses]:
    """The segment of the threads' signs of life. Raises OSError."""
    levels = words_of(configuration)
    segment = Segment.create("pulses", Pulses.size(MAX_SLOTS, levels), str(levels).encode())
    return segment, Pulses(segment.body, MAX_SLOTS, levels)


def attach_pulses(descriptor: int) -> tuple[Segment, Pulses]:
    """The same, of a segment that another program made. Raises ValueError for another version's."""
    segment = Segment.attach(descriptor)
    return segment, Pulses(segment.body, MAX_SLOTS, int(segment.shape))


class Slots:
    """Which rows of the segments are free; the lowest go first."""

    __slots__ = ("_taken", "highest")

    def __init__(self) -> None:
        self._taken: set[int] = set()
        self.highest = 0
        """One more than the highest slot that was ever taken."""

    def take(self, count: int) -> tuple[int, ...]:
        """So many free slots. Raises ValueError when there are not so many."""
        free = [slot for slot in range(MAX_SLOTS) if slot not in self._taken][:count]
        if len(free) < count:
            raise ValueError(f"no more than {MAX_SLOTS} threads can be there, those that drain included")
        self._taken.update(free)
        self.highest = max(self.highest, free[-1] + 1)
        return tuple(free)

    def claim(self, slots: Iterable[int]) -> None:
        """These are taken already."""
        self._taken.update(slots)
        self.highest = max(self._taken, default=-1) + 1

    def free(self, slots: Iterable[int]) -> None:
        self._taken.difference_update(slots)
