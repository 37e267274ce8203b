"""The watchdog at work: it reads the threads' heartbeats, warns, has stacks written, and ends a group that is stuck.

Owns: what is said and done about each verdict. Must not know: how an age is measured (watchdog.py), what happens after
the death of a group.

While a group does not turn, others accept on its sockets; it gets them back when it turns again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ..core.config.model import Configuration
from .child import Child
from .group import STACKS
from .lifecycle import GroupState
from .notices import Notices
from .processes import Processes
from .succession import Succession
from .watchdog import Finding, Verdict, Watchdog

_ALERT, _WARNING = 1, 4
_Member = tuple[Child, int, int]
"""Its process id and the thread's local number: the successor of a dead group is another member."""


class Watch:
    """What is known of threads that do not turn."""

    def __init__(
        self, succession: Succession, processes: Processes, notices: Notices, report: Callable[[int, str], None]
    ) -> None:
        self._succession = succession
        self._processes = processes
        self._notices = notices
        self._report = report
        self._watchdog: Watchdog[_Member] | None = None
        self._settings = (0, 0)
        self._stuck: dict[tuple[Child, int], set[int]] = {}
        """Threads that do not turn, by group and process id: its successor is another one."""

    def set(self, configuration: Configuration) -> None:
        """From now on with that configuration's patience."""
        tune = configuration.globals.tune
        if self._settings != (tune.watchdog_warn, tune.watchdog_kill):
            self._settings = (tune.watchdog_warn, tune.watchdog_kill)
            self._watchdog = Watchdog(*self._settings)

    def is_stuck(self, child: Child) -> bool:
        return bool(self._stuck.get((child, child.pid)))

    def look(self) -> None:
        """To be called every PERIOD seconds."""
        if self._watchdog is None:
            return
        beats: dict[_Member, int] = {}
        for generation in self._succession.generations:
            for child in generation.members:
                # One that builds may take its time; one that has built turns.
                if child.pid and (child.state != GroupState.STARTING or child in generation.built):
                    for local, slot in enumerate(child.slots, 1):
                        beat = generation.foundation.pulses.row(slot + 1).heartbeat
                        if beat:
                            beats[child, child.pid, local] = beat
        for key in [one for one in self._stuck if one[0].pid != one[1]]:
            del self._stuck[key]
        for verdict in self._watchdog.look(time.monotonic_ns() // 1_000_000, beats):
            self._act(verdict)

    def _act(self, verdict: Verdict[_Member]) -> None:
        child, pid, local = verdict.member
        where = f"thread {child.number}/{local} of {child}"
        seconds = verdict.age / 1000
        stuck = self._stuck.setdefault((child, pid), set())
        if verdict.finding == Finding.BACK:
            stuck.discard(local)
            self._say(_WARNING, f"{where} turns again after {seconds:.1f} s.")
            if not stuck and child.state == GroupState.READY:
                child.generation.welcome_back(child)
            return
        if verdict.finding == Finding.HOPELESS:
            self._say(_ALERT, f"{where} has not turned for {seconds:.1f} s: the group is killed.")
            child.kill()
            return
        first = not stuck
        stuck.add(local)
        self._say(_WARNING, f"{where} has not turned for {seconds:.1f} s. Stacks of its Python threads follow:")
        child.kill(STACKS)
        if first and child.state == GroupState.READY:
            child.generation.forsake(child)

    def _say(self, severity: int, text: str) -> None:
        if severity == _ALERT:
            self._notices.alert(text)
        else:
            self._notices.warning(text)
        self._report(severity, text)
