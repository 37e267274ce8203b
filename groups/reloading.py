"""Reloads: the configuration is read again, and a generation of it follows the one in service.

Owns: who asked, and what each of them is told. Must not know: how a generation follows another, where a request came
from (a signal, a control socket).

Defined: a reload that is asked for while groups are changed already waits for that to end, and all that wait are one;
during a drain it goes ahead (several generations may drain; `mworker-max-reloads` says how many reloads one may
outlive). A configuration with errors, a group that cannot build, dies before all have built or does not say within a
second that it lives, sockets that cannot be opened: all is as it was, and whoever asked is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from .acknowledgements import Outcome
from .changes import Changes
from .child import Child
from .generation import Generation
from .lifecycle import GenerationState
from .succession import silence

if TYPE_CHECKING:
    from .supervisor import Supervisor

SERVES = "The new configuration is in service, but:"
"""An answer that is not a failure of the reload."""
Told = Callable[[str, str], None]
"""Gets what there is to say, and what was wrong ("": nothing)."""


class Reloading:
    """All reloads of a supervisor."""

    __slots__ = ("_births", "_changes", "_supervisor", "_waiting")

    def __init__(self, supervisor: Supervisor, changes: Changes) -> None:
        self._supervisor = supervisor
        self._changes = changes
        self._waiting: list[Told] = []
        self._births: dict[Generation, int] = {}
        """Tickets of the groups that shall say that they live."""

    def ask(self, told: Told) -> None:
        supervisor = self._supervisor
        starting = supervisor.succession.current is None
        refusal = "" if starting and not supervisor.stop.begun else supervisor.refusal()
        if not refusal and supervisor.options.reload is None:
            refusal = "There is nothing to read again: the configuration did not come from files."
        if refusal:
            told("", refusal)
            return
        self._waiting.append(told)
        if self._changes.busy:
            self._changes.put_off(self._begin)
        elif not starting:
            self._begin()

    def started(self) -> None:
        """The first generation serves. What it read may be older than what those have written who asked meanwhile."""
        if self._waiting and not self._changes.busy:
            self._begin()

    def born(self, child: Child) -> None:
        """The group says that it lives."""
        ticket = self._births.get(child.generation)
        if ticket is not None:
            self._supervisor.processes.acknowledgements.answered(ticket, child)

    def stop(self, why: str) -> None:
        """Nothing that waits will be done."""
        waiting, self._waiting = self._waiting, []
        for told in waiting:
            told("", why)

    def _begin(self) -> None:
        supervisor = self._supervisor
        assert supervisor.options.reload is not None
        if not self._waiting:
            return  # who waited was told that we end
        waiting, self._waiting = self._waiting, []
        self._changes.begin("reload")
        before = supervisor.succession.current
        supervisor.notices.notice("Reloading maniple")
        supervisor.notifier.reloading("reloading")
        supervisor.show_state("reloading")
        said = ""

        def done(error: str) -> None:
            failed = bool(error) and supervisor.succession.current is before
            # Where the new one serves, what is wrong is that some group before it does not answer.
            seconds = self._changes.end(error if failed else "", error)
            remark = ""
            if failed:
                supervisor.notices.warning(f"Failed to reload: generation {before.serial if before else 0} goes on.")
            else:
                remark = SERVES if error else ""
                supervisor.notices.notice(f"Reloaded in {seconds * 1000:.0f} ms.{' But: ' * bool(error)}{error}")
                self._end_those_that_outlived()
            if not supervisor.stop.begun:
                supervisor.notifier.ready("the last reload failed" if failed else "serving")
                supervisor.show_state()
            for told in waiting:
                told(said + remark, error)
            self._changes.go_on()

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

    def _were_born(self, generation: Generation, outcome: Outcome) -> None:
        self._births.pop(generation, None)
        if outcome.silent and self._supervisor.succession.candidate is generation:
            self._supervisor.succession.abandon(generation, silence(outcome))

    def _end_those_that_outlived(self) -> None:
        """`mworker-max-reloads` (manual 3.1): a generation that drains is ended once it has outlived so many."""
        succession = self._supervisor.succession
        if succession.current is None:
            return
        most = succession.current.configuration.globals.max_reloads
        if most is None:
            return
        for generation in [one for one in succession.generations if one.state == GenerationState.GOING]:
            generation.outlived += 1
            if generation.outlived > most:
                succession.send_away(generation)
