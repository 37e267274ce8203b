"""A forked process that does one thing beside the groups: it gets what it needs and nothing else of the supervisor's.

Owns: the descriptors that are closed. Must not know: what it is for.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection

from .forking import fork


def fork_alone(work: Callable[[], int], kept: Collection[int]) -> int:
    """A process that does the work and nothing else, and exits with what that returns; it has no descriptors but
    streams and `kept`, and its signals are blocked. Its id. Raises OSError."""

    def alone() -> int:
        # Sockets, and ends of channels whose closing tells that the supervisor is dead.
        for descriptor in map(int, os.listdir("/proc/self/fd")):
            if descriptor > 2 and descriptor not in kept:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        return work()

    return fork(alone, failure=1)
