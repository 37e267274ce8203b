"""One group as the supervisor holds it: its process, its channel, its state and when it is to be started again.

Owns: the fork. Must not know: why a group is started or stopped.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable

from .lifecycle import GroupLife, GroupState
from .messages import Channel, Message
from .placement import GroupPlace
from .respawn import Respawn


class Child:
    """The process of one group, or its empty place. `due` is when the next one is to be started (None: it is not)."""

    __slots__ = ("channel", "due", "failure", "life", "pid", "place", "respawn")

    def __init__(self, place: GroupPlace) -> None:
        self.place = place
        self.life = GroupLife()
        self.respawn = Respawn()
        self.pid = 0
        self.channel: Channel | None = None
        self.due: float | None = None
        self.failure = ""

    @property
    def number(self) -> int:
        return self.place.number

    @property
    def state(self) -> GroupState:
        return self.life.state

    def start(self, now: float, run: Callable[[Channel], int]) -> None:
        """Forks. The new process calls `run` with its end of the channel and exits with what that returns. Raises
        OSError when there is no process or descriptor for it."""
        sys.stdout.flush()
        sys.stderr.flush()
        ours, theirs = Channel.pair()
        # A signal between the fork and the child's own arrangement would reach the supervisor's wake-up pipe, which the
        # child still shares, as if it were the supervisor's.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            pid = os.fork()
            if not pid:
                ours.close()
                _end_with(lambda: run(theirs))
        except OSError:
            ours.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()
        self.pid = pid
        self.channel = ours
        self.due = None
        self.failure = ""
        self.life.advance(GroupState.STARTING)
        self.respawn.started(now)

    def say(self, message: Message) -> None:
        """To the group, if there is one. What a dying group misses does not matter."""
        if self.channel is not None:
            self.channel.send(message)

    def kill(self) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def reap(self) -> int | None:
        """Exit code as a shell says it (128 + signal), once the process is gone; None while it lives."""
        if not self.pid:
            return None
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            return None
        self.pid = 0
        self.life.advance(GroupState.DEAD)
        code = os.waitstatus_to_exitcode(status)
        return 128 - code if code < 0 else code

    def close(self) -> None:
        if self.channel is not None:
            self.channel.close()
            self.channel = None


def _end_with(run: Callable[[], int]) -> None:
    """Never returns: nothing of the parent's (its finally blocks, its exit functions, its tests) is the child's."""
    code = 70
    try:
        code = run()
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def describe_exit(code: int) -> str:
    """ "137 (Killed)", "0 (Exit)": as HAProxy's master words it."""
    if code > 128:
        with contextlib.suppress(ValueError):
            return f"{code} ({signal.strsignal(code - 128)})"
    return f"{code} (Exit)"
