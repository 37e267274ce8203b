"""One group as the supervisor holds it: its process, its channel, its state and when it is to be started again.

Owns: the process's ends of channel and pipe. Must not know: why a group is started or stopped.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from .forking import fork
from .lifecycle import GroupLife, GroupState
from .messages import Channel
from .placement import GroupPlace
from .respawn import Respawn

if TYPE_CHECKING:
    from .generation import Generation


class Child:
    """The process of one group, or its empty place. `due` is when the next one is to be started (None: it is not)."""

    __slots__ = (
        "born_date",
        "channel",
        "deaths",
        "due",
        "failure",
        "generation",
        "life",
        "pid",
        "place",
        "respawn",
        "slots",
        "stacks",
        "writers",
    )

    def __init__(
        self,
        place: GroupPlace,
        generation: Generation,
        slots: tuple[int, ...] = (),
        writers: tuple[int, ...] = (),
    ) -> None:
        """`slots`: its threads' rows in the segments (groups/shared); `writers`: their columns in the stick tables
        (groups/tables), none where there are no tables."""
        self.place = place
        self.generation = generation
        self.slots = slots
        self.writers = writers
        self.life = GroupLife()
        self.respawn = Respawn()
        self.pid = 0
        self.born_date = 0.0
        """When the process was forked, in seconds since the epoch."""
        self.deaths = 0
        self.channel: Channel | None = None
        self.stacks = -1
        """Descriptor to read the stacks from that it was asked for."""
        self.due: float | None = None
        self.failure = ""

    @property
    def number(self) -> int:
        return self.place.number

    @property
    def state(self) -> GroupState:
        return self.life.state

    @property
    def accepts(self) -> bool:
        """It has built, and was not told to drain: it may have clients, though it did not say yet that it is ready."""
        return self.state == GroupState.READY or (self.state == GroupState.STARTING and self in self.generation.built)

    def __str__(self) -> str:
        return f"group {self.number} (pid {self.pid})"

    def start(self, now: float, run: Callable[[Channel, int], int]) -> None:
        """Forks. The new process calls `run` with its end of the channel and the descriptor for stacks, and exits with
        what that returns. Raises OSError when there is no process or descriptor for it."""
        sys.stdout.flush()
        sys.stderr.flush()
        ours, theirs = Channel.pair()
        try:
            reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            ours.close()
            theirs.close()
            raise

        def work() -> int:
            ours.close()
            os.close(reader)
            return run(theirs, writer)

        try:
            pid = fork(work, failure=70)
        except OSError:
            ours.close()
            os.close(reader)
            raise
        finally:
            theirs.close()
            os.close(writer)
        self.pid = pid
        self.born_date = time.time()
        self.channel = ours
        self.stacks = reader
        self.due = None
        self.failure = ""
        self.life.advance(GroupState.STARTING)
        self.respawn.started(now)

    def kill(self, number: int = signal.SIGKILL) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

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
        """Of our ends of the channel and of the pipe."""
        if self.channel is not None:
            self.channel.close()
            self.channel = None
        if self.stacks >= 0:
            os.close(self.stacks)
            self.stacks = -1


def describe_exit(code: int) -> str:
    """ "137 (Killed)", "0 (Exit)": as HAProxy's master words it."""
    if code > 128:
        with contextlib.suppress(ValueError):
            return f"{code} ({signal.strsignal(code - 128)})"
    return f"{code} (Exit)"
