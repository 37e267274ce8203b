"""The fork of the supervisor: how a process begins that has nothing of its parent's but what it is given.

Owns: the signals around a fork, how the new process ends. Must not know: what it is for.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn


def fork(work: Callable[[], int], *, failure: int) -> int:
    """A process that does the work and exits with what that returns, or with `failure` when it raises; its signals are
    blocked. Its id. Raises OSError when there is no room for it."""
    # A signal between the fork and the child's own arrangement would reach the supervisor's wake-up pipe, which the
    # child still shares, as if it were the supervisor's.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if not pid:
            _end_with(work, failure)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def _end_with(work: Callable[[], int], failure: int) -> NoReturn:
    """Nothing of the parent's (its finally blocks, its exit functions, its tests) is the child's."""
    code = failure
    try:
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
