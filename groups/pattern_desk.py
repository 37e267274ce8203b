"""Changes of maps and ACLs while maniple serves: one order for those that operators want and those that rules make.

Owns: that order, who is told. Must not know: the words of commands, entries (pattern_book).

Invariants: groups are told changes in the order in which the book follows them; an operator's change holds in all
groups of the generation in service before its answer ends, or in none where they refuse it. What rules change waits
meanwhile, and otherwise for `DELAY`, so that many changes are one message.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.rules.pattern_changes import Change, read_changes, write_changes
from .acknowledgements import Outcome
from .child import Child
from .generation import Generation
from .lifecycle import GroupState
from .messages import Kind, Message
from .pattern_book import PatternBook
from .steering import Answer
from .succession import silence

if TYPE_CHECKING:
    from .supervisor import Supervisor

DELAY = 0.005
"""Seconds that changes of rules wait for more."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What groups have to carry out, and what the book does when they have. `check`: what they must be able to carry
    out later. `complaint` is said at the end of what was done all the same."""

    changes: Sequence[Change]
    apply: Callable[[], None]
    check: Sequence[Change] = ()
    complaint: str = ""


class PatternDesk:
    """Satisfies steering's Patterns."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._queue: deque[tuple[Callable[[], Plan | str], Answer]] = deque()
        self._busy = False
        self._heard: dict[Generation, list[Any]] = {}

    @property
    def book(self) -> PatternBook | None:
        """Of what is in service."""
        current = self._supervisor.succession.current
        return None if current is None else current.patterns

    def uses(self, then: Callable[[dict[str, int]], None]) -> None:
        self.ask(["uses"], lambda text: then(json.loads(text) if text else {}))

    def ask(self, question: Sequence[Any], then: Callable[[str | None], None]) -> None:
        current = self._supervisor.succession.current
        members = [] if current is None else current.members
        asked = next((child for child in members if child.state == GroupState.READY), None)

        def told(outcome: Outcome) -> None:
            then(None if outcome.silent or outcome.gone or asked is None else outcome.complaints.get(asked, ""))

        message = Message.of(Kind.ASK, ["patterns", *question])
        self._supervisor.processes.ask([] if asked is None else [asked], message, told)

    def change(self, plan: Callable[[], Plan | str], answer: Answer) -> None:
        self._queue.append((plan, answer))
        self._go_on()

    def _go_on(self) -> None:
        while self._queue and not self._busy:
            make, answer = self._queue.popleft()
            plan = make()
            if isinstance(plan, str):
                answer.finish(plan)
            elif plan.check:
                self._check(plan, answer)
            elif plan.changes:
                self._carry_out(plan, answer)
            else:
                plan.apply()
                answer.finish(plan.complaint)
        if not self._busy and self._heard:
            self._flush()

    def _check(self, plan: Plan, answer: Answer) -> None:
        self._busy = True

        def told(complaint: str | None) -> None:
            self._busy = False
            if complaint:
                answer.finish(complaint)
            else:
                plan.apply()
                answer.finish(plan.complaint)
            self._go_on()

        self.ask(["check", write_changes(plan.check)], told)

    def _carry_out(self, plan: Plan, answer: Answer) -> None:
        processes = self._supervisor.processes
        generation = self._supervisor.succession.current
        assert generation is not None  # the plan is made of its book
        message = Message.of(Kind.PATTERNS, [[0, 0, write_changes(plan.changes)]])
        asked = {
            child: child.pid for child in generation.members if child.state in (GroupState.READY, GroupState.DRAINING)
        }
        self._busy = True

        def done(outcome: Outcome) -> None:
            self._busy = False
            if outcome.complaints:
                # All groups complain of the same.
                answer.finish(next(iter(outcome.complaints.values())))
            else:
                plan.apply()
                # Processes that were not asked may have been admitted meanwhile, with the patterns as they were.
                for child in generation.members:
                    if asked.get(child) != child.pid:
                        processes.say(child, message)
                answer.finish(silence(outcome) or plan.complaint)
            self._go_on()

        processes.ask(asked, message, done)

    # What rules change.

    def heard(self, child: Child, message: Message) -> None:
        """A group tells what its rules have changed."""
        self._heard.setdefault(child.generation, []).append([child.pid, message.number, message.content])
        timetable = self._supervisor.timetable
        if not self._busy and "patterns" not in timetable:
            timetable.at("patterns", time.monotonic() + DELAY, self._flush)

    def _flush(self) -> None:
        if self._busy:
            return
        heard, self._heard = self._heard, {}
        for generation, batches in heard.items():
            for _, _, changes in batches:
                generation.patterns.follow(read_changes(changes))
            message = Message.of(Kind.PATTERNS, batches)
            for child in generation.members:
                if child.accepts or child.state == GroupState.DRAINING:
                    self._supervisor.processes.say(child, message)
