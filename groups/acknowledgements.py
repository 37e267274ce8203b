"""Who has yet to carry out what was asked of several groups, and what is said when one does not. Pure: the clock is an
argument.

Owns: tickets, deadlines, the list of those that did not answer. Must not know: messages, processes, who asked.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

PATIENCE = 1.0
"""Seconds until a group that does not answer is named in an error."""


@dataclass(slots=True)
class Outcome:
    """Of one question: complaints by member, and those that said nothing in time."""

    complaints: dict[Hashable, str] = field(default_factory=dict)
    silent: tuple[Hashable, ...] = ()
    gone: list[Hashable] = field(default_factory=list)
    """Members that ended before they answered."""


@dataclass(slots=True)
class _Question:
    waiting: dict[Hashable, None]
    due: float
    then: Callable[[Outcome], None]
    outcome: Outcome


class Acknowledgements:
    """Open questions by ticket, from 1."""

    __slots__ = ("_next", "_open")

    def __init__(self) -> None:
        self._next = 1
        self._open: dict[int, _Question] = {}

    def ask(
        self, members: Iterable[Hashable], now: float, then: Callable[[Outcome], None], patience: float = PATIENCE
    ) -> int:
        """A new ticket. `then` is called once: when all have answered or are gone (at once, within this call, where
        there is nobody to ask), or `patience` seconds later."""
        ticket = self._next
        self._next += 1
        question = _Question(dict.fromkeys(members), now + patience, then, Outcome())
        self._open[ticket] = question
        self._settle(ticket)
        return ticket

    def answered(self, ticket: int, member: Hashable, complaint: str = "") -> None:
        """Late and unknown answers are ignored."""
        question = self._open.get(ticket)
        if question is not None and member in question.waiting:
            del question.waiting[member]
            if complaint:
                question.outcome.complaints[member] = complaint
            self._settle(ticket)

    def gone(self, member: Hashable) -> None:
        """It will not answer any more: nobody waits for it."""
        for ticket, question in list(self._open.items()):
            if member in question.waiting:
                del question.waiting[member]
                question.outcome.gone.append(member)
                self._settle(ticket)

    def due(self) -> float | None:
        """When `expire` is to be called next."""
        return min((question.due for question in self._open.values()), default=None)

    def expire(self, now: float) -> None:
        for ticket, question in list(self._open.items()):
            if question.due <= now:
                question.outcome.silent = tuple(question.waiting)
                question.waiting.clear()
                self._settle(ticket)

    def _settle(self, ticket: int) -> None:
        question = self._open.get(ticket)
        if question is not None and not question.waiting:
            del self._open[ticket]
            question.then(question.outcome)
