"""A forked process that does one thing beside the groups: it gets what it needs and nothing else of the supervisor's.

Owns: the fork, the descriptors that are closed. Must not know: what it is for.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Collection
from typing import NoReturn


def fork_alone(work: Callable[[], int], kept: Collection[int]) -> int:
    """A process that does the work and nothing else, and exits with what that returns; it has no descriptors but
    streams and `kept`, and its signals are blocked. Its id. Raises OSError."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if not pid:
            _work(work, kept)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def _work(work: Callable[[], int], kept: Collection[int]) -> NoReturn:
    code = 1
    try:
        # Sockets, and ends of channels whose closing tells that the supervisor is dead.
        for descriptor in map(int, os.listdir("/proc/self/fd")):
            if descriptor > 2 and descriptor not in kept:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
