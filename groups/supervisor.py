"""The supervisor: forks the groups, starts again those that die, passes signals on, and ends them all.

Owns: the children, the order of a start and of a stop, exit codes. Must not know: how a request is served; it runs no
event loop, no thread and no user's code (the build happens in the groups).

Start: when every group has built its runtimes they are told to accept, and when every group accepts the start is over.
That first build is the trial of a configuration: an error in it ends the start, and nobody has accepted anything.
Building once, in the groups, rather than before in a process of its own saves its whole time.

Invariants: a signal is only a byte in a pipe until `_turn` reads it. Whatever leaves `run`, by return or exception, no
child is left. Exit codes: 0 after SIGTERM, SIGINT and SIGUSR1; 130 after SIGINT with `master_worker` (-W), as HAProxy's
master; 1 when the start fails.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..core.config.model import Configuration
from .adoption import Adoptions, Order
from .child import Child, describe_exit
from .daemon import Launch, go_to_background, remove_pid_file
from .figures import Figures
from .foundation import Foundation, lay_foundation
from .group import Seat, run_group
from .lifecycle import GroupState
from .listeners import Listener, close_listeners
from .messages import Channel, Kind, Message
from .notices import Notices
from .thread import Builder
from .wakeup import SignalPipe

PATIENCE = 1.0
"""Seconds that a group has to end by itself once it was told to."""
TICK = 1.0
_NOTICE, _WARNING = 5, 4


@dataclass(frozen=True, slots=True)
class SupervisorOptions:
    """What the command line says beside the configuration."""

    quiet: bool = False
    master_worker: bool = False
    daemon: bool = False
    pidfile: str | None = None
    """None: the global section's."""


class Supervisor:
    """Runs one configuration. `build` makes a thread's runtime (core.build.build when it is not given); `on_ready` is
    called once, with the listening sockets, when all groups accept; `on_tick` once a second with the figures."""

    def __init__(
        self,
        configuration: Configuration,
        options: SupervisorOptions | None = None,
        *,
        build: Builder | None = None,
        on_ready: Callable[[Sequence[Listener]], None] | None = None,
        on_tick: Callable[[Figures], None] | None = None,
    ) -> None:
        self._configuration = configuration
        self._options = options or SupervisorOptions()
        self._notices = Notices(self._options.quiet)
        self._build = build or _core_build()
        self._on_ready = on_ready
        self._on_tick = on_tick
        self._launch = Launch()
        self._selector: selectors.BaseSelector = selectors.DefaultSelector()
        self._foundation: Foundation | None = None
        self._children: list[Child] = []
        self._adoptions = Adoptions()
        self._built: set[int] = set()
        self._serving = False
        """All groups were ready once."""
        self._stopping = False
        self._paused = False
        self._code = 0
        self._deadlines: dict[Callable[[], None], float] = {}
        """What is to be done at which time of the monotonic clock; each thing once."""
        self._signals = SignalPipe(
            (
                signal.SIGCHLD,
                signal.SIGTERM,
                signal.SIGINT,
                signal.SIGUSR1,
                signal.SIGUSR2,
                signal.SIGTTOU,
                signal.SIGTTIN,
                signal.SIGHUP,
            )
        )
        self._on_signal: dict[int, Callable[[], None]] = {
            signal.SIGCHLD: self._reap,
            signal.SIGTERM: self._hard_stop,
            signal.SIGINT: self._interrupted,
            signal.SIGUSR1: self._soft_stop,
            signal.SIGUSR2: self._refuse_reload,
            signal.SIGTTOU: lambda: self._pause(True),
            signal.SIGTTIN: lambda: self._pause(False),
            signal.SIGHUP: self._show_state,
        }
        self._on_message: dict[Kind, Callable[[Child, Message], None]] = {
            Kind.BUILT: self._child_built,
            Kind.READY: self._child_ready,
            Kind.FAILED: self._child_failed,
            Kind.DRAINED: lambda child, message: None,
        }

    def run(self) -> int:
        """Starts, serves until told to end, and returns the exit code. To be called in the main OS thread. With
        `daemon` it returns in the background process only."""
        pidfile = self._options.pidfile or self._configuration.globals.pidfile
        if self._options.daemon or self._configuration.globals.daemon:
            self._launch = go_to_background()
        with self._signals:
            try:
                self._selector.register(self._signals, selectors.EVENT_READ, self._read_signals)
                self._start(pidfile)
                while any(child.pid or child.due is not None for child in self._children):
                    self._turn()
            finally:
                self._end(pidfile)
        self._launch.failed(self._code)
        return self._code

    # One turn of the loop.

    def _turn(self) -> None:
        times = [child.due for child in self._children if child.due is not None]
        times.extend(self._deadlines.values())
        timeout = max(0.0, min(times) - time.monotonic()) if times else None
        for key, _ in self._selector.select(timeout):
            key.data()
        now = time.monotonic()
        for what in [what for what, due in self._deadlines.items() if due <= now]:
            del self._deadlines[what]
            what()
        for child in self._children:
            if child.due is not None and child.due <= now:
                self._fork(child)

    def _read_signals(self) -> None:
        for number in self._signals.read():
            if number in self._on_signal:
                self._on_signal[number]()

    def _hear(self, child: Child) -> None:
        """Reads what a group says, up to the end of file that its death is."""
        channel = child.channel
        while channel is not None and channel is child.channel:
            try:
                message = channel.receive()
            except BlockingIOError:
                return
            if message is None:
                # What is left is its exit code, which SIGCHLD brings.
                self._selector.unregister(channel)
                child.close()
                return
            self._on_message[message.kind](child, message)

    # Start.

    def _start(self, pidfile: str | None) -> None:
        self._foundation = lay_foundation(self._configuration, pidfile, self._notices)
        if self._foundation is None:
            self._code = 1
            return
        self._children = [Child(place) for place in self._foundation.placement.groups]
        # What lives now lives as long as we: left out of every later collection, its pages stay shared with the groups.
        gc.collect()
        gc.freeze()
        for child in self._children:
            self._fork(child)
            if self._stopping:
                return
            if self._options.master_worker:
                self._notices.notice(f"New worker ({child.pid}) forked")

    def _fork(self, child: Child) -> None:
        foundation = self._foundation
        assert foundation is not None
        supervisor = os.getpid()
        in_background = self._launch.in_background

        def run(channel: Channel) -> int:
            self._leave()
            return run_group(
                Seat(
                    place=child.place,
                    configuration=self._configuration,
                    build=self._build,
                    listeners=foundation.listeners,
                    columns=foundation.columns,
                    channel=channel,
                    supervisor=supervisor,
                    leave_streams=in_background,
                )
            )

        try:
            child.start(time.monotonic(), run)
        except OSError as error:
            self._notices.alert(f"Cannot fork group {child.number} ({error.strerror}).")
            self._not_there(child)
            return
        assert child.channel is not None
        self._selector.register(child.channel, selectors.EVENT_READ, lambda: self._hear(child))

    def _leave(self) -> None:
        """In a new group: closes what is the supervisor's alone. Above all the other groups' channels, or those groups
        would not see the end of file when the supervisor dies."""
        self._selector.close()
        self._signals.close()
        for child in self._children:
            child.close()
        self._launch.forget()

    def _child_built(self, child: Child, _message: Message) -> None:
        self._built.add(child.number)
        if child.state != GroupState.STARTING:
            return
        if self._serving:
            child.say(Message(Kind.GO))
        elif len(self._built) == len(self._children):
            self._tell_all(Message(Kind.GO))

    def _child_failed(self, child: Child, message: Message) -> None:
        child.failure = message.text
        # At the start all groups fail for the same reason: said once.
        if self._serving or not self._code:
            self._notices.alert(message.text.rstrip())
        if not self._serving:
            self._code = 1

    def _child_ready(self, child: Child, _message: Message) -> None:
        if child.state != GroupState.STARTING:
            return
        child.life.advance(GroupState.READY)
        if self._paused:
            child.say(Message(Kind.PAUSE))
        self._order(self._adoptions.ready(child.number))
        if not self._serving and all(other.state == GroupState.READY for other in self._children):
            self._started()

    def _started(self) -> None:
        assert self._foundation is not None
        self._serving = True
        if self._options.master_worker:
            self._notices.notice("Loading success.")
        for proxy in self._configuration.proxies:
            if not proxy.disabled:
                self._report(_NOTICE, f"Proxy {proxy.name} started.")
        self._launch.succeeded()
        if self._on_tick is not None:
            self._deadlines[self._tick] = time.monotonic() + TICK
        if self._on_ready is not None:
            self._on_ready(self._foundation.listeners)

    def _tick(self) -> None:
        if self._on_tick is not None and self._foundation is not None:
            self._deadlines[self._tick] = time.monotonic() + TICK
            self._on_tick(Figures(self._foundation.columns))

    # Deaths.

    def _reap(self) -> None:
        for child in self._children:
            pid = child.pid
            code = child.reap()
            if code is not None:
                # Its last words are still in the channel.
                self._hear(child)
                self._died(child, pid, code)

    def _died(self, child: Child, pid: int, code: int) -> None:
        assert self._foundation is not None
        if child.channel is not None:
            self._selector.unregister(child.channel)
            child.close()
        first = child.place.first_thread - 1
        for column in range(first, first + child.place.threads):
            self._foundation.columns.retire(column)
        if self._stopping:
            return
        if self._serving or not child.failure:
            self._notices.alert(f"Current worker ({pid}) exited with code {describe_exit(code)}")
        self._not_there(child)

    def _not_there(self, child: Child) -> None:
        """A group that should be there is not: it is tried again later, but for one that never was."""
        if not self._serving:
            self._code = 1
            self._hard_stop()
            return
        child.due = child.respawn.died(time.monotonic())
        self._order(self._adoptions.lost(child.number))

    def _order(self, orders: Sequence[Order]) -> None:
        for order in orders:
            kind = Kind.ADOPT if order.adopt else Kind.UNADOPT
            self._children[order.adopter - 1].say(Message(kind, order.owner))

    # Stop.

    def _interrupted(self) -> None:
        """Ctrl-C: a hard stop, and the second one does not wait for anybody."""
        if self._stopping and self._kill in self._deadlines:
            self._kill()
            return
        if self._options.master_worker:
            self._code = self._code or 130
        self._hard_stop()

    def _hard_stop(self) -> None:
        self._stop_respawning()
        self._deadlines.pop(self._drain, None)
        self._deadlines.pop(self._hard_stop, None)
        if self._kill not in self._deadlines:
            self._deadlines[self._kill] = time.monotonic() + PATIENCE
        self._tell_all(Message(Kind.STOP))

    def _kill(self) -> None:
        for child in self._children:
            child.kill()

    def _soft_stop(self) -> None:
        """SIGUSR1: no new connections, the present ones may end, until `hard-stop-after`."""
        if self._stopping:
            return
        self._stop_respawning()
        self._deadlines[self._drain] = time.monotonic() + self._configuration.globals.grace / 1000

    def _drain(self) -> None:
        limit = self._configuration.globals.hard_stop_after
        self._report_stopped()
        for child in self._children:
            if child.state in (GroupState.STARTING, GroupState.READY):
                child.life.advance(GroupState.DRAINING)
                child.say(Message(Kind.DRAIN, -1 if limit is None else limit))
        if self._foundation is not None:
            close_listeners(list(self._foundation.listeners))
        if limit is not None:
            self._deadlines[self._hard_stop] = time.monotonic() + limit / 1000 + PATIENCE

    def _stop_respawning(self) -> None:
        if not self._stopping and self._options.master_worker:
            self._notices.warning("Exiting Master process...")
        self._stopping = True
        for child in self._children:
            child.due = None

    def _report_stopped(self) -> None:
        if self._foundation is None:
            return
        figures = Figures(self._foundation.columns)
        for proxy in self._configuration.proxies:
            if proxy.disabled:
                continue
            front = figures.frontend(proxy.name).conn_tot if proxy.has_frontend else 0
            back = figures.backend(proxy.name).stot if proxy.has_backend else 0
            text = f"Proxy {proxy.name} stopped (cumulated conns: FE: {front}, BE: {back})."
            self._notices.warning(text)
            self._report(_WARNING, text)

    def _end(self, pidfile: str | None) -> None:
        """Nobody is left, however we got here."""
        for child in self._children:
            child.kill()
        for child in self._children:
            while child.pid and child.reap() is None:
                time.sleep(0.001)  # SIGKILL was sent: it is a matter of the scheduler
            child.close()
        self._selector.close()
        if self._foundation is not None:
            if pidfile:
                remove_pid_file(pidfile)
            close_listeners(list(self._foundation.listeners))
            self._foundation.columns.close()
            self._foundation.segment.close()
            gc.unfreeze()
        if self._stopping and self._options.master_worker:
            self._notices.warning(f"All workers exited. Exiting... ({self._code})")

    # The rest.

    def _tell_all(self, message: Message) -> None:
        for child in self._children:
            child.say(message)

    def _report(self, severity: int, text: str) -> None:
        """Through the loggers of one group: the supervisor has none."""
        for child in self._children:
            if child.state == GroupState.READY:
                child.say(Message(Kind.REPORT, severity, text))
                return

    def _pause(self, pause: bool) -> None:
        """SIGTTOU and SIGTTIN. Groups that are started meanwhile are told when they are ready."""
        self._paused = pause
        self._tell_all(Message(Kind.PAUSE if pause else Kind.RESUME))

    def _refuse_reload(self) -> None:
        self._notices.warning("There is no reload yet: SIGUSR2 is ignored.")

    def _show_state(self) -> None:
        """SIGHUP: the state of every group, where HAProxy dumps its servers'."""
        for child in self._children:
            self._notices.notice(f"Group {child.number}: {child.state.name}, pid {child.pid}")


def _core_build() -> Builder:
    """Imported when it is wanted: tests bring their own."""
    from ..core.build import build

    return build
