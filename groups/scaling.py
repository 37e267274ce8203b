"""Scaling: groups are added to a generation in service, or some of its groups leave, while the others go on serving.

Owns: the order in which that is done. Must not know: who asked, reloads.

More groups: they are forked and build; when all have built, the new sockets listen, limits are dealt out anew, and they
are admitted. Fewer: the sockets of those that leave are accepted on by the others from then on (none of a reuseport set
is closed while its address is served), everybody is told who hands clients to whom, and then they drain. The number of
threads of a group stays as it is: `nbthread` grows and shrinks with the groups.

Defined: a newcomer that cannot build, or dies before all have built, ends the scaling: all is as it was before.
"""

from __future__ import annotations

from collections.abc import Callable

from .acknowledgements import Outcome
from .child import Child
from .foundation import listen, plan
from .generation import Generation
from .lifecycle import GroupState
from .messages import Kind, Message
from .placement import GroupPlace, Placement
from .processes import Processes
from .succession import Succession, silence


class Scaling:
    """One change of the number of groups. `done` is called once: with "" or with what was wrong."""

    def __init__(
        self,
        succession: Succession,
        processes: Processes,
        generation: Generation,
        done: Callable[[str], None],
    ) -> None:
        self._succession = succession
        self._processes = processes
        self._generation = generation
        self._done = done
        self._newcomers: set[Child] = set()
        self._listening = generation.foundation.listening
        self._placement = generation.placement
        self._complaints: list[str] = []
        self._asked = 0
        self._over = False
        """All have built: there is no way back."""
        self._dealing = True
        """Somebody has yet to hear of it."""

    def begin(self, groups: int) -> None:
        """`groups` 0: as many as the machine suggests now, where the configuration does not say it; and places anew.
        Raises FoundationError, ValueError and OSError (no descriptors), and nothing has changed."""
        generation = self._generation
        self._placement = self._plan(groups)
        places = {place.number: place for place in self._placement.groups}
        self._listening = listen(
            generation.configuration,
            self._placement,
            self._succession.numbers,
            kept=generation.foundation.listening,
        )
        generation.planned = (self._placement, self._listening)
        missing = [place for number, place in places.items() if number not in generation.children]
        try:
            for place in missing:
                self._newcomers.add(generation.add(place))
        except (ValueError, OSError):
            self._undo()
            raise
        if not self._newcomers:
            self._settle()
        for child in sorted(self._newcomers, key=lambda one: one.number):
            # One that cannot be forked is the end of it.
            if self.expects(child):
                self._succession.fork(child)

    def _plan(self, groups: int) -> Placement:
        generation = self._generation
        present = {place.number: place.threads for place in generation.placement.groups}
        spec = generation.configuration.globals
        if groups:
            self._asked = groups
        elif generation.asked_groups or spec.nbgroup or spec.nbthread:
            # As many as there are: the number was asked for at run time, or is written.
            groups = len(present)
        placement = plan(generation.configuration, groups or None)
        for place in placement.groups:
            if present.get(place.number, place.threads) != place.threads:
                raise ValueError(f"group {place.number} would have {place.threads} threads: reload instead")
        return placement

    # Called by succession.

    def expects(self, child: Child) -> bool:
        """Is it a newcomer without which nothing is changed?"""
        return not self._over and child in self._newcomers

    def built(self, child: Child) -> None:
        if self._newcomers <= self._generation.built:
            self._settle()

    def ready(self, child: Child) -> None:
        """It accepts."""
        if child in self._newcomers:
            self._newcomers.discard(child)
            self._finish_if_settled()

    def gone(self, child: Child) -> None:
        """It died after all had built: it is as any other group that dies."""
        if self._over and child in self._newcomers:
            self._newcomers.discard(child)
            self._finish_if_settled()

    def lost(self, child: Child, why: str) -> None:
        """It died before all had built, or could not build."""
        self._undo()
        self._finish(why or f"group {child.number} ended before it was ready")

    # The change itself.

    def _settle(self) -> None:
        """Everybody who is needed is there."""
        generation = self._generation
        errors = self._listening.start()
        if errors:
            self._undo()
            self._finish("\n".join(error.message for error in errors))
            return
        numbers = {place.number for place in self._placement.groups}
        leaving = [child for number, child in generation.children.items() if number not in numbers]
        for child in leaving:
            generation.forsake(child)
            generation.drop(child)
        succession = self._succession
        generation.resettle(
            self._placement,
            self._listening,
            list(self._newcomers),
            tuple(succession.servers.values()),
            paused=succession.paused,
        )
        for child in generation.children.values():
            self._move(child, self._placement.groups[child.number - 1])
        deals = generation.deals()
        present = []
        for child in generation.children.values():
            if child.state == GroupState.READY:
                present.append(child)
            elif child not in self._newcomers:
                # It is about to come back, with the limits as they were.
                self._processes.say(child, deals(child))
        generation.asked_groups = self._asked or generation.asked_groups
        self._over = True
        # Who leaves drains when everybody knows that nothing is handed to it any more.
        self._processes.ask(present, deals, lambda outcome: self._dealt(outcome, leaving))

    def _move(self, child: Child, place: GroupPlace) -> None:
        if child.place != place:
            child.place = place
            if child not in self._newcomers:
                self._processes.say(
                    child, Message.of(Kind.PIN, [place.cpus_of(one + 1) for one in range(place.threads)])
                )

    def _dealt(self, outcome: Outcome, leaving: list[Child]) -> None:
        self._complain(outcome)
        limit = self._generation.configuration.globals.hard_stop_after
        drained = []
        for child in leaving:
            child.due = None
            if child.accepts:
                child.life.advance(GroupState.DRAINING)
                drained.append(child)
            elif child.state == GroupState.STARTING:
                self._processes.dismiss(child)
        message = Message.of(Kind.DRAIN, [], number=-1 if limit is None else limit)
        self._processes.ask(drained, message, self._drained)

    def _drained(self, outcome: Outcome) -> None:
        self._complain(outcome)
        self._dealing = False
        self._finish_if_settled()

    def _complain(self, outcome: Outcome) -> None:
        complaint = silence(outcome)
        if complaint:
            self._complaints.append(complaint)

    def _finish_if_settled(self) -> None:
        if not self._newcomers and not self._dealing:
            self._finish("\n".join(self._complaints))

    def _finish(self, error: str) -> None:
        done, self._done = self._done, lambda error: None
        done(error)

    def _undo(self) -> None:
        newcomers, self._newcomers = self._newcomers, set()
        for one in newcomers:
            self._processes.dismiss(one)
            self._generation.drop(one)
        foundation = self._generation.foundation
        self._generation.planned = (foundation.placement, foundation.listening)
        self._listening.close_new(self._generation.foundation.listening)
