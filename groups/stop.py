"""How maniple ends: a hard stop, a soft stop, a start that fails.

Owns: whether the end has begun, its order, what is said of it, and the exit code. Must not know: how a generation
drains or dies (succession), what is left behind when nobody serves any more (supervisor).

Invariants: once it has begun it is not taken back, no group is started again, and nothing that an operator asked for is
done any more. Exit codes: 0 after SIGTERM, SIGINT and SIGUSR1; 130 after SIGINT with `master_worker` (-W), as HAProxy's
master; 1 when the start fails.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .generation import Generation

if TYPE_CHECKING:
    from .supervisor import Supervisor

_WARNING = 4


class Stop:
    """The supervisor's own: there is one, whether it comes soon or late."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self.begun = False
        self.code = 0
        """What the process exits with."""

    def interrupted(self) -> None:
        """Ctrl-C: a hard stop, and the second one does not wait for anybody."""
        supervisor = self._supervisor
        if self.begun:
            for generation in supervisor.succession.generations:
                if ("kill", generation) in supervisor.timetable:
                    generation.kill()
        if supervisor.options.master_worker:
            self.code = self.code or 130
        self.hard()

    def failed(self) -> None:
        """The start has failed."""
        self.code = 1
        self.hard()

    def hard(self) -> None:
        """SIGTERM: cut everything, and end."""
        self.begin()
        self._supervisor.timetable.forget("drain")
        self._abandon()
        succession = self._supervisor.succession
        for generation in list(succession.generations):
            succession.send_away(generation)

    def soft(self) -> None:
        """SIGUSR1: no new connections, the present ones may end, until `hard-stop-after`."""
        current = self._supervisor.succession.current
        if current is None:
            self.hard()
        elif not self.begun:
            self.begin()
            self._abandon()
            due = time.monotonic() + current.configuration.globals.grace / 1000
            self._supervisor.timetable.at("drain", due, lambda: self._drain(current))

    def begin(self) -> None:
        """Whatever happens to those who serve: from now on we do not change any more, and nobody is started."""
        supervisor = self._supervisor
        if not self.begun:
            if supervisor.options.master_worker:
                supervisor.notices.warning("Exiting Master process...")
            self.begun = True
            supervisor.show_state("stopping")
            supervisor.operations.stop_begins()
            supervisor.notifier.stopping()
            supervisor.rounds.end_looking()
        for generation in supervisor.succession.generations:
            for child in generation.members:
                child.due = None

    def _abandon(self) -> None:
        """The generation that was about to come."""
        succession = self._supervisor.succession
        if succession.candidate is not None:
            succession.abandon(succession.candidate, self._supervisor.refusal())

    def _drain(self, generation: Generation) -> None:
        self._report_stopped(generation)
        listening = generation.foundation.listening
        # Nobody shall arrive at a door that closes; where others serve the same sockets, they go on.
        ours = [one for one in listening.listeners if listening.is_ours(one)]
        self._supervisor.succession.retire(generation, ours, lambda complaint: None)
        for listener in listening.listeners:
            if listener not in ours:
                listener.sock.close()

    def _report_stopped(self, generation: Generation) -> None:
        figures = self._supervisor.succession.figures(generation)
        for proxy in generation.configuration.proxies:
            if proxy.disabled:
                continue
            front = figures.frontend(proxy.name).conn_tot if proxy.has_frontend else 0
            back = figures.backend(proxy.name).stot if proxy.has_backend else 0
            text = f"Proxy {proxy.name} stopped (cumulated conns: FE: {front}, BE: {back})."
            self._supervisor.notices.warning(text)
            self._supervisor.report(_WARNING, text)
