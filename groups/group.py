"""A group: the child process after the fork, until its end.

Owns: what the child undoes of its parent (signals, descriptors), its threads, and its conversation with the supervisor.
Must not know: other groups, but for whose sockets it is told to accept on.

Life: build the runtimes of all threads, say BUILT, wait for GO, accept, say READY, do as told, end. The first build of
all groups is the trial of a configuration: nobody accepts before everybody has built. The group ends on STOP, after
DRAIN when no connection is left, on SIGTERM, and when the channel ends because the supervisor is gone. SIGINT is the
supervisor's business: a terminal sends it to both.

Invariants: `run_group` never returns into the parent's code (its caller calls os._exit).
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..core.config.model import Configuration
from ..pools.counters import Columns
from .affinity import pin
from .daemon import leave_streams
from .listeners import Listener, close_listeners
from .messages import Channel, Kind, Message
from .placement import GroupPlace
from .thread import Builder, Thread

_PR_SET_PDEATHSIG = 1
_IGNORED = (
    signal.SIGINT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGTTOU,
    signal.SIGTTIN,
    signal.SIGPIPE,
)
# Loaded before any fork: a respawned group must not need the file system for it.
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Seat:
    """What a group is given at the fork. `supervisor` is the process id of the parent."""

    place: GroupPlace
    configuration: Configuration
    build: Builder
    listeners: Sequence[Listener]
    columns: Columns
    channel: Channel
    supervisor: int
    leave_streams: bool = False
    """A daemon's first groups: the streams are the starter's, who must see their end once the start is over."""


def run_group(seat: Seat) -> int:
    """The child's whole life. Returns its exit code: 0 when it was told to end, 1 when it could not start."""
    _leave_parent(seat.supervisor)
    pin(seat.place.cpus)
    return Group(seat).run()


def _leave_parent(supervisor: int) -> None:
    """The parent's signals become ours, and we shall not outlive it: the kernel kills us when it dies (the channel's
    end of file says the same where there is no prctl). The parent may have died between the fork and the call."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != supervisor:
        os._exit(1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


class Group:
    """The group's threads and its end of the channel. Everything here runs in the main OS thread."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._channel = seat.channel
        place = seat.place
        self._threads = [
            Thread(
                seat.configuration,
                seat.build,
                group=place.number,
                number=local,
                part=place.first_thread + local - 2,
                parts=seat.columns.count,
                pid=seat.supervisor,
                column=seat.columns.column(place.first_thread + local - 2),
                listeners=seat.listeners,
            )
            for local in range(1, place.threads + 1)
        ]
        self._first = self._threads[0]
        self._waiting = 0
        """Threads that have yet to do what was asked last."""
        self._ending = False
        self._tasks: dict[Kind, Callable[[Message], None]] = {
            Kind.GO: self._go,
            Kind.DRAIN: self._drain,
            Kind.STOP: self._stop,
            Kind.ADOPT: self._adopt,
            Kind.UNADOPT: self._unadopt,
            Kind.PAUSE: self._pause,
            Kind.RESUME: self._resume,
            Kind.REPORT: self._report,
        }

    def run(self) -> int:
        for thread in self._threads[1:]:
            thread.start()
        self._first.build()
        for thread in self._threads:
            thread.built.wait()
        for thread in self._threads:
            if thread.failure:
                self._channel.send(Message(Kind.FAILED, text=thread.failure))
                return 1
        loop = self._first.loop
        loop.add_reader(self._channel.fileno(), self._readable)
        loop.add_signal_handler(signal.SIGTERM, self._stop, None)
        self._channel.send(Message(Kind.BUILT))
        self._first.run()
        return 0

    def _readable(self) -> None:
        while True:
            try:
                message = self._channel.receive()
            except BlockingIOError:
                return
            if message is None:
                self._first.loop.remove_reader(self._channel.fileno())
                self._stop(None)
                return
            self._tasks[message.kind](message)

    def _all(self, what: Callable[[Thread], None], then: Callable[[], None] | None = None) -> None:
        """Each thread does it in its own OS thread; when all have, `then` is called in the main one."""
        waiting = [len(self._threads)]

        def did() -> None:
            waiting[0] -= 1
            if not waiting[0] and then is not None:
                then()

        def do(thread: Thread) -> None:
            what(thread)
            self._first.call(did)

        for thread in self._threads:
            if thread is self._first:
                do(thread)
            else:
                thread.call(do, thread)

    def _go(self, _message: Message) -> None:
        if self._seat.leave_streams:
            leave_streams()
        self._all(Thread.listen, lambda: self._say(Kind.READY))

    def _adopt(self, message: Message) -> None:
        count = len(self._threads)
        self._all(lambda thread: thread.adopt(message.number, count))

    def _unadopt(self, message: Message) -> None:
        count = len(self._threads)
        self._all(lambda thread: thread.unadopt(message.number, count))

    def _pause(self, _message: Message) -> None:
        self._all(lambda thread: thread.runtime.pause())

    def _resume(self, _message: Message) -> None:
        self._all(lambda thread: thread.runtime.resume())

    def _report(self, message: Message) -> None:
        self._first.runtime.report(message.number, message.text)

    def _drain(self, message: Message) -> None:
        """Runtimes stop accepting; the sockets are closed here too, or the kernel would go on queueing connections that
        nobody accepts for as long as we live."""
        deadline = None if message.number < 0 else message.number
        self._waiting = len(self._threads)

        def drained() -> None:
            self._waiting -= 1
            if not self._waiting:
                self._say(Kind.DRAINED)
                self._end()

        self._all(
            lambda thread: thread.runtime.drain(deadline, lambda: self._first.call(drained)),
            lambda: close_listeners(list(self._seat.listeners)),
        )

    def _stop(self, _message: Message | None) -> None:
        if not self._ending:
            self._all(lambda thread: thread.runtime.abort(), self._end)

    def _end(self) -> None:
        if not self._ending:
            self._ending = True
            for thread in reversed(self._threads):
                thread.finish()

    def _say(self, kind: Kind) -> None:
        self._channel.send(Message(kind))
