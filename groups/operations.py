"""What an operator may ask for while maniple serves: reload, scale, change servers, look at it, stop.

Owns: the order of these, who waits for which of them, and what is said about their end. Must not know: where a request
came from (a signal, a control socket), how a generation follows another.

Defined: a reload that is asked for during another one waits for it, and all that wait are one; during a drain it goes
ahead (several generations may drain); a configuration with errors, a group that cannot build or dies before all have
built, sockets that cannot be opened: all is as it was, and whoever asked is told. A group that does not answer within a
second is named.
"""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .. import __version__
from .acknowledgements import Outcome
from .affinity import usable_cpus
from .child import Child
from .foundation import FoundationError
from .generation import Generation
from .handover import read_generation, write_generation
from .lifecycle import GenerationState, GroupState
from .messages import Kind, Message
from .scaling import Scaling
from .sockets import address_text
from .status import (
    ChangeStatus,
    DrainingStatus,
    GroupStatus,
    ListenerStatus,
    Status,
    ThreadStatus,
    weigh,
)
from .steering import Answer
from .succession import silence
from .upgrade import Trial, execute

if TYPE_CHECKING:
    from .supervisor import Supervisor

_NOTICE = 5


class Operations:
    """Satisfies control's Steering."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._waiting: list[Callable[[str, str], None]] = []
        """Who asked for a reload while one was under way."""
        self._births: dict[Generation, int] = {}
        """Tickets of the groups that shall say that they live."""
        self._scaling: Scaling | None = None
        self._trial: Trial | None = None
        self._started = time.time()
        self._last: ChangeStatus | None = None
        self._reloads = self._failed_reloads = 0
        self._affinity = usable_cpus()
        self.handed_out = False
        """Another process has our listening sockets."""

    # Reload.

    def reload_on_signal(self) -> None:
        """SIGUSR2 and SIGHUP."""
        self._reload(lambda text, error: None)

    def reload(self, answer: Answer) -> None:
        def done(text: str, error: str) -> None:
            for part in (text, error):
                if part:
                    answer.line(part)
            answer.end(not error)

        self._reload(done)

    def _reload(self, done: Callable[[str, str], None]) -> None:
        """`done` gets what there is to say, and what was wrong ("": nothing)."""
        supervisor = self._supervisor
        if supervisor.stopping or supervisor.succession.current is None:
            done("", "maniple is about to end." if supervisor.stopping else "maniple has not started yet.")
            return
        if supervisor.options.reload is None:
            done("", "There is nothing to read again: the configuration did not come from files.")
            return
        self._waiting.append(done)
        if not self._is_busy():
            self._reload_now()

    def _is_busy(self) -> bool:
        succession = self._supervisor.succession
        return succession.candidate is not None or self._scaling is not None or self._trial is not None

    def _reload_now(self) -> None:
        supervisor = self._supervisor
        assert supervisor.options.reload is not None
        waiting, self._waiting = self._waiting, []
        began = time.monotonic()
        supervisor.notices.notice("Reloading maniple")
        supervisor.notifier.reloading("reloading")
        supervisor.show_state("reloading")
        said = ""

        def done(error: str) -> None:
            seconds = time.monotonic() - began
            self._last = ChangeStatus("reload", time.time(), not error, seconds, error)
            serving = supervisor.succession.current
            if error:
                self._failed_reloads += 1
                supervisor.notices.warning(f"Failed to reload: generation {serving.serial if serving else 0} goes on.")
            else:
                self._reloads += 1
                self._failed_reloads = 0
                supervisor.notices.notice(f"Reloaded in {seconds * 1000:.0f} ms.")
            supervisor.notifier.ready("the last reload failed" if error else "serving")
            supervisor.show_state()
            for one in waiting:
                one(said, error)
            self._next()

        try:
            configuration, said = supervisor.options.reload()
        except Exception as error:
            configuration, said = None, f"The configuration cannot be read: {error!r}"
        if said:
            supervisor.notices.lines(said)
        if configuration is None:
            done("Errors were found in the configuration.")
            return
        generation = supervisor.succession.introduce(configuration, done)
        if generation is not None and generation.state == GenerationState.BUILDING:
            self._births[generation] = supervisor.processes.acknowledgements.ask(
                generation.members, time.monotonic(), lambda outcome: self._were_born(generation, outcome)
            )

    def born(self, child: Child) -> None:
        ticket = self._births.get(child.generation)
        if ticket is not None:
            self._supervisor.processes.acknowledgements.answered(ticket, child)

    def _were_born(self, generation: Generation, outcome: Outcome) -> None:
        self._births.pop(generation, None)
        if outcome.silent and self._supervisor.succession.candidate is generation:
            self._supervisor.succession.abandon(generation, silence(outcome))

    def _next(self) -> None:
        if self._waiting and not self._is_busy():
            self._reload_now()

    def stop_begins(self) -> None:
        """Nothing that was asked for will be done any more."""
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done("", "maniple is about to end.")
        if self._trial is not None:
            self._trial.stop()
            self._trial = None
        self._supervisor.notifier.stopping()

    # Scaling.

    def scale(self, groups: int, answer: Answer) -> None:
        def done(error: str) -> None:
            if error:
                answer.line(error)
            answer.end(not error)

        self._scale(groups, done)

    def _scale(self, groups: int, done: Callable[[str], None]) -> None:
        supervisor = self._supervisor
        current = supervisor.succession.current
        if supervisor.stopping or current is None:
            done("maniple is about to end." if supervisor.stopping else "maniple has not started yet.")
            return
        if self._is_busy():
            done("A reload or another change of the groups is under way: try again.")
            return
        began = time.monotonic()

        def settled(error: str) -> None:
            self._scaling = supervisor.succession.newcomers = None
            text = error or f"{len(current.children)} groups"
            self._last = ChangeStatus("scale", time.time(), not error, time.monotonic() - began, text)
            (supervisor.notices.warning if error else supervisor.notices.notice)(f"Scaling: {text}")
            done(error)
            self._next()

        self._scaling = supervisor.succession.newcomers = Scaling(
            supervisor.succession, supervisor.processes, current, settled
        )
        try:
            self._scaling.begin(groups)
        except (FoundationError, ValueError) as error:
            settled(str(error))

    def follow_machine(self) -> None:
        """The CPUs that we may use are others than they were (hotplug, a control group's cpuset): groups are laid out
        anew, as many as fit where their number is not written."""
        affinity = usable_cpus()
        current = self._supervisor.succession.current
        if affinity == self._affinity or current is None or self._is_busy() or self._supervisor.stopping:
            return
        self._affinity = affinity
        self._supervisor.notices.notice(f"The CPUs that may be used have changed: now {len(affinity)}.")
        self._scale(0, lambda error: None)

    # Servers.

    def set_server(self, backend: str, server: str, state: str | None, weight: str | None, answer: Answer) -> None:
        supervisor = self._supervisor
        current = supervisor.succession.current
        proxy = None if current is None else current.configuration.proxy(backend, backend=True)
        if current is None or proxy is None:
            answer.line("No such backend.")
            answer.end(False)
            return
        if all(one.name != server for one in proxy.servers):
            answer.line("No such server.")
            answer.end(False)
            return
        change = (backend, server, state, weight)

        def done(outcome: Outcome) -> None:
            error = silence(outcome)
            if outcome.complaints:
                # All groups complain of the same.
                error = next(iter(outcome.complaints.values()))
            else:
                before = supervisor.succession.servers.get((backend, server), (backend, server, None, None))
                supervisor.succession.servers[backend, server] = (
                    backend,
                    server,
                    state if state is not None else before[2],
                    weight if weight is not None else before[3],
                )
            if error:
                answer.line(error)
            answer.end(not error)

        members = [
            child
            for generation in supervisor.succession.generations
            for child in generation.members
            if child.state in (GroupState.READY, GroupState.DRAINING) and generation.has_server(change)
        ]
        supervisor.processes.ask(members, Message.of(Kind.SERVER, [change]), done)

    # The rest.

    def stop(self, *, hard: bool) -> None:
        if hard:
            self._supervisor.hard_stop()
        else:
            self._supervisor.soft_stop()

    def upgrade(self, answer: Answer) -> None:
        supervisor = self._supervisor
        refusal = ""
        if supervisor.stopping or supervisor.succession.current is None:
            refusal = "maniple is about to end." if supervisor.stopping else "maniple has not started yet."
        elif self._is_busy():
            refusal = "A reload or another change of the groups is under way: try again."
        if not refusal:
            supervisor.notices.notice("Upgrading maniple")
            try:
                self._trial = Trial(lambda error: self._tried(error, answer))
            except OSError as error:
                refusal = f"The new program cannot be tried ({error.strerror})."
        if refusal:
            answer.line(refusal)
            answer.end(False)
        else:
            self._look_at_trial()

    def _look_at_trial(self) -> None:
        """SIGCHLD brings its end; this its delay."""
        if self._trial is not None:
            self._supervisor.timetable.at("trial", time.monotonic() + 1.0, self._look_at_trial)
            self._trial.look()

    def _tried(self, error: str, answer: Answer) -> None:
        supervisor = self._supervisor
        self._trial = None
        supervisor.timetable.forget("trial")
        if not error:
            connection = answer.hand_over()
            try:
                execute(self._heritage(-1 if connection is None else connection.fileno()))
            except OSError as failure:
                error = f"The new program cannot be executed ({failure.strerror})."
                if connection is not None:
                    answer = supervisor.control.resume(connection)
        self._last = ChangeStatus("upgrade", time.time(), False, 0.0, error)
        supervisor.notices.warning(f"Failed to upgrade: {error}")
        answer.line(error)
        answer.end(False)
        self._next()

    def _heritage(self, answer: int) -> dict[str, Any]:
        """All that the next program needs."""
        supervisor = self._supervisor
        succession = supervisor.succession
        return {
            "started": self._started,
            "began": time.monotonic(),
            "reloads": self._reloads,
            "serial": next(succession.serials),
            "number": next(succession.numbers),
            "servers": list(succession.servers.values()),
            "paused": succession.paused,
            "handed_out": self.handed_out,
            "controls": [sock.fileno() for sock in supervisor.control.sockets],
            "answer": answer,
            "generations": [write_generation(one) for one in succession.generations],
        }

    def inherit(self, found: Mapping[str, Any]) -> Callable[[str], None]:
        """The other end: what the program before left. Returns what is to be called when our own generation serves, or
        will not."""
        supervisor = self._supervisor
        succession = supervisor.succession
        self._started = found["started"]
        self._reloads = found["reloads"]
        self.handed_out = found["handed_out"]
        succession.serials = itertools.count(found["serial"])
        succession.numbers = itertools.count(found["number"])
        succession.paused = found["paused"]
        for backend, server, state, weight in found["servers"]:
            succession.servers[backend, server] = (backend, server, state, weight)
        for one in found["generations"]:
            generation = read_generation(one, succession.build, supervisor.processes)
            succession.generations.append(generation)
            if generation.state == GenerationState.SERVING:
                succession.current = generation
        for descriptor in found["controls"]:
            supervisor.control.adopt(socket.socket(fileno=descriptor))
        answer = None
        if found["answer"] >= 0:
            answer = supervisor.control.resume(socket.socket(fileno=found["answer"]))

        def upgraded(error: str) -> None:
            seconds = time.monotonic() - found["began"]
            self._last = ChangeStatus("upgrade", time.time(), not error, seconds, error)
            if error:
                supervisor.notices.warning("Upgraded, but the groups of the program before go on: reload.")
            else:
                supervisor.notices.notice(f"Upgraded to {__version__} in {seconds * 1000:.0f} ms.")
            if answer is not None:
                if error:
                    answer.line(error)
                answer.end(not error)

        return upgraded

    def child_ended(self) -> None:
        """SIGCHLD: it may have been the trial."""
        if self._trial is not None:
            self._trial.look()

    def hand_sockets(self, connection: socket.socket) -> None:
        current = self._supervisor.succession.current
        with connection:
            if current is not None:
                self.handed_out = True
                from .inheritance import send_sockets

                send_sockets(connection, current.foundation.listening.listeners)

    def status(self) -> Status:
        supervisor = self._supervisor
        succession = supervisor.succession
        current = succession.current
        memory, cpu = weigh(os.getpid())
        state = "stopping" if supervisor.stopping else "reloading" if self._is_busy() else "running"
        listeners: dict[tuple[str, str], int] = {}
        if current is not None:
            for listener in current.foundation.listening.listeners:
                key = (listener.frontend, address_text(listener.address))
                listeners[key] = listeners.get(key, 0) + 1
        return Status(
            version=__version__,
            pid=os.getpid(),
            started=self._started,
            now=time.time(),
            generation=0 if current is None else current.serial,
            state="starting" if current is None else state,
            files=supervisor.options.files,
            listeners=tuple(ListenerStatus(*key, count) for key, count in listeners.items()),
            groups=() if current is None else tuple(map(self._group_status, current.members)),
            draining=tuple(
                DrainingStatus(one.serial, groups=tuple(map(self._group_status, one.members)))
                for one in succession.generations
                if one is not current and one.state == GenerationState.GOING
            ),
            last_change=self._last,
            reloads=self._reloads,
            failed_reloads=self._failed_reloads,
            nbthread=0 if current is None else current.placement.threads,
            maxconn=0 if current is None else current.configuration.globals.maxconn or 0,
            counts={} if current is None else succession.figures(current).process().as_dict(),
            memory=memory,
            cpu_seconds=cpu,
        )

    @staticmethod
    def _group_status(child: Child) -> GroupStatus:
        generation = child.generation
        now = time.monotonic_ns() // 1_000_000
        process = generation.foundation.columns.shape.row("process")
        threads = []
        for local, slot in enumerate(child.slots, 1):
            row = generation.foundation.pulses.row(slot + 1)
            counts = generation.foundation.columns.read(process, slot).as_dict()
            threads.append(
                ThreadStatus(
                    number=child.place.first_thread + local - 1,
                    local=local,
                    heartbeat_ms=now - row.heartbeat if row.heartbeat else None,
                    connections=row.connections,
                    requests=counts["cum_req"],
                    accepting=row.accepting,
                )
            )
        memory, cpu = weigh(child.pid)
        return GroupStatus(
            number=child.number,
            generation=generation.serial,
            pid=child.pid,
            state=child.state.name.lower(),
            started=child.born_date,
            deaths=child.deaths,
            cpus=child.place.cpus,
            threads=tuple(threads),
            memory=memory,
            cpu_seconds=cpu,
        )
