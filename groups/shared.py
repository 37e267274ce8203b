"""What processes share, and who writes it: the one list.

| part                 | made by    | written by                                              | read by        |
|----------------------|------------|---------------------------------------------------------|----------------|
| counters, column n   | supervisor | thread n of the whole; once it is dead, the supervisor  | anybody        |
|                      |            | (moves it to the last column and clears it)             |                |
| counters, last column| supervisor | supervisor                                              | anybody        |
| listening sockets    | supervisor | nobody; each group accepts on its own and those adopted | (the kernel)   |
| channel of a group   | supervisor | both ends, whole packets                                | the other end  |

Nothing here needs a lock: each word has one writer at any time, and a dead writer cannot write.
"""

from __future__ import annotations

from ..core.config.model import Configuration
from ..pools.counters import Columns
from ..pools.segment import Segment
from .figures import shape_of


def create_counters(configuration: Configuration, threads: int) -> tuple[Segment, Columns]:
    """The counter segment for so many threads, all zero. Raises OSError."""
    shape = shape_of(configuration)
    segment = Segment.create("counters", shape.size(threads), shape.encode())
    return segment, Columns(segment.body, shape, threads)
