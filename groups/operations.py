"""What an operator may ask for while maniple serves: reload, upgrade, scale, change servers, look at it, pause, stop.

Owns: scaling and changes of servers, and that every request gets an answer. Must not know: where a request came from (a
signal, a control socket), how a generation follows another.

A group that does not acknowledge a change within a second is named in the answer.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..pools.segment import Segment
from .acknowledgements import Outcome
from .affinity import usable_cpus
from .changes import BUSY, Changes
from .child import Child
from .foundation import FoundationError
from .inheritance import send_sockets
from .lifecycle import GenerationState, GroupState
from .messages import Kind, Message
from .pattern_desk import PatternDesk
from .reloading import Reloading
from .scaling import Scaling
from .status import Status
from .steering import Answer
from .succession import silence
from .survey import survey
from .upgrading import Upgrading

if TYPE_CHECKING:
    from .supervisor import Supervisor


class Operations:
    """Satisfies control's Steering."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self.changes = Changes()
        self.reloading = Reloading(supervisor, self.changes)
        self.upgrading = Upgrading(supervisor, self.changes)
        self.patterns = PatternDesk(supervisor)
        self._affinity = usable_cpus()

    def reload_on_signal(self) -> None:
        """SIGUSR2 and SIGHUP."""
        self.reloading.ask(lambda text, error: None)

    def reload(self, answer: Answer) -> None:
        def told(text: str, error: str) -> None:
            if text:
                answer.line(text)
            answer.finish(error)

        self.reloading.ask(told)

    def upgrade(self, answer: Answer) -> None:
        self.upgrading.ask(answer)

    def status(self) -> Status:
        return survey(self._supervisor, self.changes)

    @property
    def tables(self) -> Mapping[str, Segment]:
        current = self._supervisor.succession.current
        return {} if current is None else current.foundation.tables

    def show_peers(self, words: Sequence[str], answer: Answer) -> None:
        self._supervisor.stewardship.show(words, answer)

    def stop_begins(self) -> None:
        """Nothing that was asked for will be done any more."""
        self.reloading.stop(self._supervisor.refusal())
        self.upgrading.stop()

    # Scaling.

    def scale(self, groups: int, answer: Answer) -> None:
        self._scale(groups, answer.finish)

    def _scale(self, groups: int, done: Callable[[str], None]) -> None:
        supervisor = self._supervisor
        current = supervisor.succession.current
        refusal = supervisor.refusal() or (BUSY if self.changes.busy else "")
        if refusal or current is None:
            done(refusal)
            return
        self.changes.begin("scale")

        def settled(error: str) -> None:
            supervisor.succession.newcomers = None
            text = f"{len(current.children)} group{'s' * (len(current.children) != 1)}"
            self.changes.end(error, text)
            (supervisor.notices.warning if error else supervisor.notices.notice)(f"Scaling: {error or text}")
            done(error)
            self.changes.go_on()

        scaling = Scaling(supervisor.succession, supervisor.processes, current, settled)
        supervisor.succession.newcomers = scaling
        try:
            scaling.begin(groups)
        except OSError as error:
            settled(f"Cannot start groups ({error.strerror}).")
        except (FoundationError, ValueError) as error:
            settled(str(error))

    def follow_machine(self) -> None:
        """The CPUs that we may use are others than they were (hotplug, a control group's cpuset): groups are laid out
        anew, as many as fit where their number is not written."""
        affinity = usable_cpus()
        current = self._supervisor.succession.current
        if affinity == self._affinity or current is None or self.changes.busy or self._supervisor.stop.begun:
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
            answer.finish("No such backend.")
            return
        if all(one.name != server for one in proxy.servers):
            answer.finish("No such server.")
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
                # Processes that were not asked may have been admitted meanwhile, with the server as it was.
                for child in concerned():
                    if asked.get(child) != child.pid:
                        supervisor.processes.say(child, message)
            answer.finish(error)

        def concerned() -> list[Child]:
            return [
                child
                for generation in supervisor.succession.generations
                for child in generation.members
                if generation.has_server(change)
            ]

        message = Message.of(Kind.SERVER, [change])
        asked = {child: child.pid for child in concerned() if child.state in (GroupState.READY, GroupState.DRAINING)}
        supervisor.processes.ask(asked, message, done)

    # The rest.

    def stop(self, *, hard: bool) -> None:
        if hard:
            self._supervisor.stop.hard()
        else:
            self._supervisor.stop.soft()

    def pause(self, pause: bool) -> None:
        """SIGTTOU and SIGTTIN. Groups that are started meanwhile are told when they are ready."""
        succession = self._supervisor.succession
        succession.paused = pause
        for generation in succession.generations:
            if generation.state != GenerationState.GOING:
                for child in generation.members:
                    self._supervisor.processes.say(child, Message(Kind.PAUSE if pause else Kind.RESUME))

    def hand_sockets(self, connection: socket.socket) -> None:
        """To another process, which serves them from then on as well; at most two seconds."""
        current = self._supervisor.succession.current
        with connection:
            if current is not None:
                send_sockets(connection, current.foundation.listening.listeners)
