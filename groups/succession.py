"""How one generation follows another: it is introduced, builds, comes into service, goes, and is gone.

Owns: the generations, what is done when a group of one is built, ready or dead. Must not know: why a generation is
introduced or retired, signals, exit codes.

A start and a reload are one thing: a generation is laid out and its groups are forked; when every group has built its
runtimes they are told to accept, and when every group accepts, the generation before is told to drain. The first build
is the trial of a configuration: an error in it ends the start or the reload, and nothing has changed. Building once, in
the groups, rather than before in a process of its own saves its whole time.

Invariants: at most one generation is on its way in. Until all its groups have built, it has taken nothing from the one
in service, and whatever fails leaves that one as it was; from then on a group that dies is started again.
"""

from __future__ import annotations

import gc
import itertools
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from ..core.config.model import Configuration
from ..core.resolver.opening import prepare
from ..pools.segment import Segment
from .acknowledgements import Outcome
from .child import Child, describe_exit
from .figures import Figures
from .foundation import FoundationError, lay_foundation
from .generation import Generation, ServerChange
from .group import run_group
from .lifecycle import GenerationState, GroupState
from .listening import Listener, Listening
from .messages import Channel, Kind, Message
from .notices import Notices
from .processes import Processes
from .queue_end import refuse_new
from .tables import Tables
from .thread import Builder
from .timetable import Timetable

PATIENCE = 1.0
"""Seconds that a group has to end by itself once it was told to."""
Done = Callable[[str], None]
"""Called once when something that takes time is over: with "" or with what was wrong."""


class Newcomers(Protocol):
    """Groups that are added to a generation in service (scaling)."""

    def expects(self, child: Child) -> bool: ...
    def gone(self, child: Child) -> None: ...
    def built(self, child: Child) -> None: ...
    def ready(self, child: Child) -> None: ...
    def lost(self, child: Child, why: str) -> None: ...


class Succession:
    """All generations of which a process is left."""

    def __init__(
        self,
        processes: Processes,
        timetable: Timetable,
        notices: Notices,
        build: Builder,
        *,
        leave: Callable[[], None],
        serving: Callable[[Generation, bool], None],
    ) -> None:
        """`leave` closes in a new child what is the supervisor's alone. `serving(generation, first)` is called when a
        generation has come into service."""
        self.generations: list[Generation] = []
        """Oldest first."""
        self.current: Generation | None = None
        self.candidate: Generation | None = None
        self.servers: dict[tuple[str, str], ServerChange] = {}
        """What an operator said about servers; holds for all generations to come."""
        self.tables = Tables()
        """Stick tables of all generations."""
        self.numbers = itertools.count(1)
        """Where listeners' numbers come from."""
        self.newcomers: Newcomers | None = None
        self.prepare: Callable[[Configuration, Mapping[str, Segment]], None] = lambda configuration, tables: None
        """Called with each configuration and its tables before its groups are forked; may raise FoundationError."""
        self.abandoned: Callable[[], None] = lambda: None
        """Called when what was prepared will not be in service."""
        self.paused = False
        self.leave_streams = False
        """New groups shall not keep the streams of whoever started us."""
        self.announce_forks = False
        self.titles = False
        """Groups show in the process list what they are."""
        self._processes = processes
        self._timetable = timetable
        self._notices = notices
        self.build = build
        self._leave = leave
        self._serving = serving
        self.serials = itertools.count(1)
        self._done: dict[Generation, Done] = {}

    # A generation comes.

    def introduce(
        self, configuration: Configuration, done: Done, *, activated: Sequence[socket.socket] = ()
    ) -> Generation | None:
        """A new generation: its groups are forked. `done` is called when it serves, or will not. None: it will not,
        and `done` was called already."""
        prepare(configuration.resolvers)
        try:
            foundation = lay_foundation(
                configuration,
                self._notices,
                self.numbers,
                self.tables,
                before=None if self.current is None else self.current.foundation,
                activated=activated,
            )
        except FoundationError as error:
            for line in error.lines:
                self._notices.alert(line)
            done(str(error))
            return None
        generation = Generation(next(self.serials), configuration, foundation, self.build, self._processes, self.tables)
        try:
            self.prepare(configuration, foundation.tables)
            for place in foundation.placement.groups:
                generation.add(place)
        except (OSError, ValueError, FoundationError) as failure:
            foundation.listening.close_new(self.kept)
            generation.close()
            why = failure.strerror if isinstance(failure, OSError) else failure
            text = (
                str(why) if isinstance(failure, FoundationError) else f"[maniple.main()] Cannot start groups ({why})."
            )
            for line in text.splitlines():
                self._notices.alert(line)
            self.abandoned()
            done(text)
            return None
        self.generations.append(generation)
        self.candidate = generation
        self._done[generation] = done
        # What lives now lives as long as we: left out of every later collection, its pages stay shared with the groups.
        gc.collect()
        gc.freeze()
        for child in generation.members:
            self.fork(child)
            if generation.state != GenerationState.BUILDING:
                break
            if self.announce_forks:
                self._notices.notice(f"New worker ({child.pid}) forked")
        return generation

    @property
    def kept(self) -> Listening | None:
        """The sockets in service."""
        return None if self.current is None else self.current.foundation.listening

    def fork(self, child: Child) -> None:
        supervisor = os.getpid()

        def run(channel: Channel, stacks: int) -> int:
            self._leave()
            self._processes.leave()
            generation = child.generation
            for one in self.generations:
                one.forget(own=one is generation)
            seat = generation.seat(
                child, channel, stacks, supervisor, leave_streams=self.leave_streams, titles=self.titles
            )
            return run_group(seat)

        try:
            self._processes.start(child, run)
        except OSError as error:
            self._notices.alert(f"Cannot fork group {child.number} ({error.strerror}).")
            self._not_there(child)

    def built(self, child: Child, _message: Message) -> None:
        generation = child.generation
        generation.built.add(child)
        if child.state != GroupState.STARTING or child in generation.leaving:
            return
        if generation.state in (GenerationState.COMING, GenerationState.SERVING):
            if self.newcomers is not None and self.newcomers.expects(child):
                self.newcomers.built(child)
            else:
                self.admit(generation, (child,))
        elif generation.state == GenerationState.BUILDING and len(generation.built) == len(generation.children):
            errors = generation.foundation.listening.start()
            if errors:
                for error in errors:
                    self._notices.alert(error.message)
                self.abandon(generation, "\n".join(error.message for error in errors))
                return
            generation.life.advance(GenerationState.COMING)
            generation.steer(end=self.current is not None and self.current.steers)
            self.admit(generation, generation.members)

    def admit(self, generation: Generation, members: Sequence[Child]) -> None:
        """These groups of it have built: they may accept."""
        generation.admit(members, tuple(self.servers.values()), paused=self.paused)

    def failed(self, child: Child, message: Message) -> None:
        child.failure = message.text.rstrip()
        generation = child.generation
        # All groups fail for the same reason: said once.
        if generation.state != GenerationState.GOING:
            self._notices.alert(child.failure)
        if generation.state == GenerationState.BUILDING:
            self.abandon(generation, child.failure)

    def ready(self, child: Child, _message: Message) -> None:
        if child.state != GroupState.STARTING:
            return
        child.life.advance(GroupState.READY)
        if self.newcomers is not None:
            self.newcomers.ready(child)
        generation = child.generation
        if generation.state == GenerationState.COMING and generation.settled:
            self._take_over(generation)

    def _take_over(self, generation: Generation) -> None:
        generation.life.advance(GenerationState.SERVING)
        before, self.current, self.candidate = self.current, generation, None
        done = self._done.pop(generation)
        self._serving(generation, before is None)
        if before is None:
            done("")
        else:
            self.retire(before, before.foundation.listening.removed(generation.foundation.listening), done)

    def figures(self, generation: Generation) -> Figures:
        """Of a generation, and of those that drain."""
        others = [other.foundation.columns for other in self.generations if other is not generation]
        return Figures(generation.foundation.columns, others)

    # A generation goes.

    def abandon(self, generation: Generation, why: str) -> None:
        """It will not come into service: all is as it was before it."""
        if self.candidate is generation:
            self.candidate = None
        generation.foundation.listening.close_new(self.kept)
        self.send_away(generation)
        self.abandoned()
        done = self._done.pop(generation, None)
        if done is not None:
            done(why)

    def retire(self, generation: Generation, removed: Sequence[Listener], done: Done) -> None:
        """Its groups drain. Nobody can arrive at the sockets that are `removed` any more, who waits there is served.
        `done` is called when all groups know."""
        limit = generation.configuration.globals.hard_stop_after
        generation.life.advance(GenerationState.GOING)
        for listener in removed:
            refuse_new(listener.sock)
        message = Message.of(
            Kind.DRAIN, [listener.number for listener in removed], number=-1 if limit is None else limit
        )
        drained = []
        for child in generation.members:
            child.due = None
            if child.accepts:
                child.life.advance(GroupState.DRAINING)
                drained.append(child)
            elif child.state == GroupState.STARTING:
                self._processes.dismiss(child)
        self._processes.ask(drained, message, lambda outcome: done(silence(outcome)))
        # What is in their queues the groups accept from sockets of their own.
        for listener in removed:
            listener.sock.close()
        generation.drains_since = time.time()
        if limit is not None:
            generation.deadline = generation.drains_since + limit / 1000
            self.limit(generation)

    def limit(self, generation: Generation) -> None:
        """Its groups cut what is left at its deadline; those that do not are sent away a little later."""
        if generation.deadline is not None:
            due = time.monotonic() + max(0.0, generation.deadline - time.time()) + PATIENCE
            self._timetable.at(("too long", generation), due, lambda: self.send_away(generation))

    def send_away(self, generation: Generation) -> None:
        """It ends now."""
        if generation.state != GenerationState.GOING:
            generation.life.advance(GenerationState.GOING)
        for child in generation.members:
            child.due = None
            self._processes.dismiss(child)
        if ("kill", generation) not in self._timetable:
            self._timetable.at(("kill", generation), time.monotonic() + PATIENCE, generation.kill)

    def bury(self) -> None:
        """Generations that are over go; what they had counted goes on in the one that serves."""
        gone = [one for one in self.generations if one.over and one.state == GenerationState.GOING]
        for generation in gone:
            generation.life.advance(GenerationState.GONE)
            self.generations.remove(generation)
            for key in ("kill", "too long"):
                self._timetable.forget((key, generation))
            if self.current is not generation:
                if self.current is not None:
                    self.current.foundation.columns.absorb(generation.foundation.columns)
                generation.close()
        if gone and self.current is not None:
            del generation, gone
            # It was frozen with all that lived at its time, and would stay for ever: 1 MB a reload for 1000 servers.
            gc.unfreeze()
            gc.collect()
            gc.freeze()

    def died(self, child: Child, pid: int, code: int) -> None:
        generation = child.generation
        leaves = generation.state == GenerationState.GOING or child in generation.leaving
        generation.dead(child)
        if self.newcomers is not None:
            self.newcomers.gone(child)
        if leaves:
            return
        child.deaths += 1
        if generation.state != GenerationState.BUILDING or not child.failure:
            self._notices.alert(f"Current worker ({pid}) exited with code {describe_exit(code)}")
        self._not_there(child)

    def _not_there(self, child: Child) -> None:
        """A group that should be there is not: it is tried again later, but for one that never was."""
        generation = child.generation
        if self.newcomers is not None and self.newcomers.expects(child):
            self.newcomers.lost(child, child.failure)
        elif generation.state == GenerationState.BUILDING or self.current is None:
            self.abandon(generation, child.failure or f"group {child.number} ended before it was ready")
        elif generation.inherited:
            self._notices.alert(f"{child} cannot be started again: another program made it. Reload.")
        else:
            child.due = child.respawn.died(time.monotonic())
            if generation.state == GenerationState.COMING and generation.settled:
                self._take_over(generation)

    def close(self) -> None:
        """Nobody is left: sockets and segments go."""
        remaining = {id(one): one for one in (*self.generations, self.current) if one is not None}
        for generation in remaining.values():
            generation.foundation.listening.close()
            generation.close()


def silence(outcome: Outcome) -> str:
    """What is wrong with it: the groups that did not answer, and what others complained of; "" for nothing."""
    lines = [f"{child} did not acknowledge within 1 s" for child in outcome.silent]
    lines.extend(f"{child}: {complaint}" for child, complaint in outcome.complaints.items())
    return "\n".join(lines)
