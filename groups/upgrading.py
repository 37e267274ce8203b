"""Upgrades: the program's present files take the place of the running ones, with everything that serves.

Owns: both ends, what is left and what is taken up. Must not know: how a trial is made or a program executed (upgrade),
how it is written down (handover).
"""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .. import __version__
from .changes import BUSY, Changes
from .handover import read_generation, write_generation
from .lifecycle import GenerationState
from .steering import Answer
from .upgrade import Trial, execute

if TYPE_CHECKING:
    from .supervisor import Supervisor


class Upgrading:
    """All upgrades of a supervisor."""

    __slots__ = ("_changes", "_supervisor", "_trial")

    def __init__(self, supervisor: Supervisor, changes: Changes) -> None:
        self._supervisor = supervisor
        self._changes = changes
        self._trial: Trial | None = None

    def ask(self, answer: Answer) -> None:
        supervisor = self._supervisor
        refusal = supervisor.refusal() or (BUSY if self._changes.busy else "")
        if not refusal:
            self._changes.begin("upgrade")
            supervisor.notices.notice("Upgrading maniple")
            try:
                self._trial = Trial(lambda error: self._tried(error, answer))
            except OSError as error:
                refusal = f"The new program cannot be tried ({error.strerror})."
                self._changes.end(refusal)
        if refusal:
            answer.finish(refusal)
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
            supervisor.keeper.stop()
            supervisor.stewardship.stop()
            connection = answer.hand_over()
            try:
                execute(self._heritage(-1 if connection is None else connection.fileno()))
            except OSError as failure:
                error = f"The new program cannot be executed ({failure.strerror})."
                if connection is not None:
                    answer = supervisor.control.resume(connection)
                supervisor.resteward()
        self._changes.end(error)
        supervisor.notices.warning(f"Failed to upgrade: {error}")
        answer.finish(error)
        self._changes.go_on()

    def _heritage(self, answer: int) -> dict[str, Any]:
        """All that the next program needs."""
        supervisor = self._supervisor
        succession = supervisor.succession
        return {
            "started": self._changes.started,
            "began": self._changes.began,
            "reloads": self._changes.reloads,
            "serial": next(succession.serials),
            "number": next(succession.numbers),
            "servers": list(succession.servers.values()),
            "paused": succession.paused,
            "controls": [sock.fileno() for sock in supervisor.control.sockets],
            "answer": answer,
            "peers": supervisor.stewardship.write(),
            "generations": [write_generation(one) for one in succession.generations],
        }

    def inherit(self, found: Mapping[str, Any]) -> Callable[[str], None]:
        """The other end: what the program before left. Returns what is to be called when our own generation serves, or
        will not."""
        supervisor = self._supervisor
        succession = supervisor.succession
        changes = self._changes
        changes.started = found["started"]
        changes.reloads = found["reloads"]
        changes.begin("upgrade", found["began"])
        succession.serials = itertools.count(found["serial"])
        succession.numbers = itertools.count(found["number"])
        succession.paused = found["paused"]
        for backend, server, state, weight in found["servers"]:
            succession.servers[backend, server] = (backend, server, state, weight)
        for one in found["generations"]:
            generation = read_generation(one, succession.build, supervisor.processes, succession.tables)
            succession.generations.append(generation)
            if generation.state == GenerationState.SERVING:
                succession.current = generation
            else:
                succession.limit(generation)
        supervisor.stewardship.read(found.get("peers", {}))
        for descriptor in found["controls"]:
            supervisor.control.adopt(socket.socket(fileno=descriptor))
        answer = None
        if found["answer"] >= 0:
            answer = supervisor.control.resume(socket.socket(fileno=found["answer"]))

        def upgraded(error: str) -> None:
            seconds = changes.end(error)
            if error:
                supervisor.notices.warning("Upgraded, but the groups of the program before go on: reload.")
            else:
                supervisor.notices.notice(f"Upgraded to {__version__} in {seconds * 1000:.0f} ms.")
            if answer is not None:
                answer.finish(error)
            changes.go_on()

        return upgraded

    def child_ended(self) -> None:
        """SIGCHLD: it may have been the trial."""
        if self._trial is not None:
            self._trial.look()

    def stop(self) -> None:
        """We end, and the trial with us."""
        if self._trial is not None:
            self._trial.stop()
            self._trial = None
