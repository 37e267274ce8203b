"""Child processes of a command: forked, and gone when the command is gone, however it ends.

Owns: the fork and the end of such a child. Must not know: what it runs. Invariants: the child never returns into its
parent's code; Ctrl-C, which a terminal sends to everybody, is the parent's business; when the parent dies without a
word the kernel ends the child.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
PATIENCE = 5.0
"""Seconds that a child has to end by itself once it was told to."""


class ChildProcess:
    """A running child. `run` is called in it, and returns its exit code."""

    def __init__(self, run: Callable[[], int], death_signal: int = signal.SIGKILL) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self.code: int | None = None
        """The exit code, negative for a signal; None while it runs."""
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
                if os.getppid() == parent:
                    code = run()
            except SystemExit as exit:
                code = exit.code if isinstance(exit.code, int) else 1
            except BaseException:
                traceback.print_exc()
            finally:
                with contextlib.suppress(OSError, ValueError):
                    sys.stderr.flush()
                os._exit(code)

    def poll(self) -> int | None:
        """The exit code once it has ended."""
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code

    def end(self, patience: float = PATIENCE) -> None:
        """Asks it to end, waits, and kills it when it does not."""
        with contextlib.suppress(ProcessLookupError):
            if self.poll() is None:
                os.kill(self.pid, signal.SIGTERM)
            deadline = time.monotonic() + patience
            while self.poll() is None:
                if time.monotonic() > deadline:
                    os.kill(self.pid, signal.SIGKILL)
                    os.waitpid(self.pid, 0)
                    self.code = -signal.SIGKILL
                    return
                time.sleep(0.01)
