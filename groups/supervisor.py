"""The supervisor: the parent process, which lives as long as maniple serves. It turns signals, what groups say, their
deaths and the clock into what succession, scaling, watch and control do.

Owns: the loop, signals, the order of a start, what is left behind at the end. Must not know: how a request is served,
how an end comes (stop); it runs no event loop, no thread and no user's code (the build happens in the groups).

Invariants: a signal is only a byte in a pipe until `_turn` reads it. Whatever leaves `run`, by return or exception, no
child is left.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..core.config.model import Configuration
from ..core.config.table_spec import TableSpec
from ..pools.segment import Segment
from . import handover
from .child import Child
from .control import Control, endpoints
from .daemon import Launch, go_to_background, remove_pid_file, write_pid_file
from .figures import Figures
from .generation import Generation
from .lifecycle import GroupState
from .listening import Listener
from .messages import Kind, Message
from .notices import Notices
from .notify import Notifier
from .operations import Operations
from .processes import Processes
from .rounds import Rounds
from .runtime_directory import own_path
from .stewardship import Stewardship
from .stop import Stop
from .succession import Succession
from .supervisor_options import SupervisorOptions
from .table_keeper import TableKeeper
from .thread import Builder
from .timetable import Timetable
from .titles import set_title, supervisor_title
from .upgrade import fits, is_trial
from .wakeup import SignalPipe
from .watch import Watch

MOST_FAULTS = 100
"""Faults of its own after which the supervisor gives up."""
_NOTICE, _WARNING = 5, 4


class Supervisor:
    """Runs one configuration, and those that replace it. `build` makes a thread's runtime (core.build.build when it is
    not given); `on_ready` is called once, with the listening sockets, when all groups accept, and not when this is the
    next program of an upgrade; `on_tick` once a second with the figures."""

    def __init__(
        self,
        configuration: Configuration,
        options: SupervisorOptions | None = None,
        *,
        build: Builder | None = None,
        on_ready: Callable[[Sequence[Listener]], None] | None = None,
        on_tick: Callable[[Figures], None] | None = None,
    ) -> None:
        self.options = options or SupervisorOptions()
        self.notices = Notices(self.options.quiet)
        self.timetable = Timetable()
        self.stop = Stop(self)
        self._first = configuration
        self._on_ready = on_ready
        self._on_tick = on_tick
        self._launch = Launch()
        self._faults = 0
        self._selector: selectors.BaseSelector = selectors.DefaultSelector()
        self.processes = Processes(
            self._selector,
            heard=self._heard,
            died=lambda child, pid, code: self.succession.died(child, pid, code),
            stacks=self._tell_stacks,
        )
        self.succession = Succession(
            self.processes,
            self.timetable,
            self.notices,
            build or _core_build(),
            leave=self._leave,
            serving=self._serving,
        )
        self.succession.announce_forks = self.options.master_worker
        self.succession.titles = self.options.titles
        self.keeper = TableKeeper(self.succession.tables, self.notices, self.timetable)
        self.stewardship = Stewardship(
            self.succession.tables, self.notices, self.timetable, self._selector, self.report
        )
        self.stewardship.titles = self.options.titles
        self.succession.tables.fill = self._fill
        self.succession.prepare = self.stewardship.prepare
        self.succession.abandoned = self.resteward
        self.notifier = Notifier({} if not self.options.systemd else None)
        self.operations = Operations(self)
        self._watch = Watch(self.succession, self.processes, self.notices, self.report)
        self.rounds = Rounds(
            self.timetable,
            self.notifier,
            (self._watch.look, self.operations.follow_machine),
            None if on_tick is None else self._tick,
        )
        self.control = Control(self.operations, self._selector)
        self._on_signal: dict[int, Callable[[], None]] = {
            signal.SIGCHLD: self._child_ended,
            signal.SIGTERM: self.stop.hard,
            signal.SIGINT: self.stop.interrupted,
            signal.SIGUSR1: self.stop.soft,
            signal.SIGUSR2: self.operations.reload_on_signal,
            signal.SIGHUP: self.operations.reload_on_signal,
            signal.SIGTTOU: lambda: self.operations.pause(True),
            signal.SIGTTIN: lambda: self.operations.pause(False),
        }
        self._signals = SignalPipe(self._on_signal)
        self._on_message: dict[Kind, Callable[[Child, Message], None]] = {
            Kind.BORN: lambda child, message: self.operations.reloading.born(child),
            Kind.BUILT: self.succession.built,
            Kind.READY: self.succession.ready,
            Kind.FAILED: self.succession.failed,
            Kind.DRAINED: lambda child, message: None,
            Kind.CHANGED: self.operations.patterns.heard,
        }

    def run(self) -> int:
        """Starts, serves until told to end, and returns the exit code. To be called in the main OS thread. With
        `daemon` it returns in the background process only."""
        if is_trial():
            return self._answer_trial()
        pidfile = self.options.pidfile or self._first.globals.pidfile
        inherited = handover.find(os.environ)
        os.environ.pop(handover.VARIABLE, None)
        if inherited is None and (self.options.daemon or self._first.globals.daemon):
            self._launch = go_to_background()
        with self._signals:
            # The program before, if there was one, left them blocked.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, self._on_signal)
            try:
                self._selector.register(self._signals, selectors.EVENT_READ, self._read_signals)
                if inherited is None:
                    self._start(pidfile)
                else:
                    self._go_on(inherited)
                while self.succession.generations:
                    self._turn_in_spite_of_faults()
            finally:
                self._end(pidfile)
        self._launch.failed(self.stop.code)
        return self.stop.code

    def _answer_trial(self) -> int:
        """The program before asks whether we could take its place. All that serving needs is imported by now."""
        complaint = fits(self._first)
        if complaint:
            self.notices.alert(complaint)
        return 1 if complaint else 0

    # One turn of the loop.

    def _turn_in_spite_of_faults(self) -> None:
        """A fault of ours is told, and those who serve go on serving: our end would be theirs. One that comes again and
        again ends us all the same."""
        try:
            self._turn()
        except Exception:
            self._faults += 1
            if self._faults >= MOST_FAULTS:
                raise
            self.notices.alert(f"A fault in the supervisor; please report it:\n{traceback.format_exc()}")

    def _turn(self) -> None:
        times = [self.timetable.due(), self.processes.acknowledgements.due(), self.control.due]
        times.extend(child.due for one in self.succession.generations for child in one.members)
        due = min((one for one in times if one is not None), default=None)
        timeout = None if due is None else max(0.0, due - time.monotonic())
        for key, _ in self._selector.select(timeout):
            # Whoever came before may have closed it.
            if self._selector.get_map().get(key.fd) is key:
                key.data()
        now = time.monotonic()
        self.processes.acknowledgements.expire(now)
        self.timetable.keep(now)
        self.control.expire(now)
        for generation in list(self.succession.generations):
            for child in generation.members:
                if child.due is not None and child.due <= now:
                    self.succession.fork(child)
        self.succession.bury()

    def _read_signals(self) -> None:
        for number in self._signals.read():
            if number in self._on_signal:
                self._on_signal[number]()

    def _heard(self, child: Child, message: Message) -> None:
        self._on_message[message.kind](child, message)

    def _child_ended(self) -> None:
        self.processes.reap()
        self.operations.upgrading.child_ended()
        self.keeper.child_ended()
        self.stewardship.child_ended()

    def _fill(self, spec: TableSpec, segment: Segment, before: Segment | None) -> None:
        self.stewardship.made(segment)
        self.keeper.fill(spec, segment, before)

    def resteward(self) -> None:
        """Peers share what is in service, whatever was prepared for a generation that did not come."""
        current = self.succession.current
        if current is not None and not current.inherited:
            self.stewardship.set(current.configuration, current.foundation.tables, current.foundation.identity)

    def _leave(self) -> None:
        """In a new child."""
        self._selector.close()
        self._signals.close()
        self.control.forget()
        self.stewardship.forget()
        self._launch.forget()

    # Start.

    def _start(self, pidfile: str | None) -> None:
        def started(error: str) -> None:
            if error and not self.stop.begun:
                self.stop.failed()

        self.show_state("starting")
        self.succession.leave_streams = self._launch.in_background
        laid = self.succession.introduce(self._first, started, activated=self.options.activated)
        # Not before the sockets are ours: a start that fails beside a running maniple leaves that one's file alone.
        if pidfile and laid is not None and not self.stop.begun:
            try:
                write_pid_file(pidfile)
            except OSError as error:
                self.notices.alert(f"[maniple.main()] Cannot create pidfile {pidfile} ({error.strerror}).")
                self.stop.failed()

    def _go_on(self, inherited: Mapping[str, Any]) -> None:
        """We are the next program of an upgrade: the groups of the one before serve until ours do."""
        upgraded = self.operations.upgrading.inherit(inherited)
        current = self.succession.current
        if current is None:
            # All of them were about to end, and so are we.
            self.stop.begin()
            return
        self._begin_service(current)
        self.processes.reap()
        if self._first.proxies:
            self._open_control(self._first)
            self.succession.introduce(self._first, upgraded)
        else:
            self.control.keep_adopted()
            upgraded("The configuration cannot be read any more.")

    def _serving(self, generation: Generation, first: bool) -> None:
        if self.options.master_worker:
            self.notices.notice("Loading success.")
        for proxy in generation.configuration.proxies:
            if not proxy.disabled:
                self.report(_NOTICE, f"Proxy {proxy.name} started.")
        self._watch.set(generation.configuration)
        self.keeper.set(generation.configuration.tables, generation.foundation.tables)
        self.resteward()
        self._open_control(generation.configuration)
        if not first:
            return
        self.succession.leave_streams = False
        self._launch.succeeded()
        self._begin_service(generation)
        if self._on_ready is not None:
            self._on_ready(generation.foundation.listening.listeners)
        self.operations.reloading.started()

    def _begin_service(self, generation: Generation) -> None:
        """From now on until the end."""
        self._watch.set(generation.configuration)
        self.show_state()
        self.notifier.main_pid()
        self.notifier.ready("serving")
        self.rounds.begin()

    def _open_control(self, configuration: Configuration) -> None:
        """The configuration's, and the command line's. What cannot be opened is no reason not to serve."""
        own = None
        if self.options.own_control:
            own, complaint = own_path()
            if complaint:
                self.notices.warning(complaint)
        for error in self.control.open(endpoints(configuration.globals, self.options.control, own)):
            self.notices.alert(error)

    def _tick(self) -> None:
        if self._on_tick is not None and self.succession.current is not None:
            self._on_tick(self.succession.figures(self.succession.current))

    def _end(self, pidfile: str | None) -> None:
        """Nobody is left, however we got here."""
        self.processes.end()
        self.stewardship.close()
        self.control.close()
        self._selector.close()
        if pidfile:
            remove_pid_file(pidfile)
        self.keeper.finish()
        self.succession.close()
        gc.unfreeze()
        if self.stop.begun and self.options.master_worker:
            self.notices.warning(f"All workers exited. Exiting... ({self.stop.code})")

    # The rest.

    def report(self, severity: int, text: str) -> None:
        """Through the loggers of one group: the supervisor has none."""
        for generation in reversed(self.succession.generations):
            for child in generation.members:
                if child.state == GroupState.READY and not self._watch.is_stuck(child):
                    self.processes.say(child, Message(Kind.REPORT, severity, text))
                    return

    def refusal(self) -> str:
        """Why nothing can be changed now; "" when it can."""
        if self.stop.begun:
            return "maniple is about to end."
        return "" if self.succession.current is not None else "maniple has not started yet."

    def show_state(self, state: str = "") -> None:
        """In the process list."""
        if self.options.titles:
            set_title(supervisor_title(self.options.files, state))

    def _tell_stacks(self, child: Child, text: str) -> None:
        for line in text.splitlines():
            self.notices.warning(f"{child}: {line}")
            self.report(_WARNING, f"{child}: {line}")


def _core_build() -> Builder:
    """Imported when it is wanted: tests bring their own."""
    from ..core.build import build

    return build
