"""One name that is being asked for, on behalf of all who wait for it.

Owns: the order of questions (manual 5.3.2): all name servers at once, the first valid answer counts; when all have
failed the other family is asked for; when that has failed too, all again when `timeout retry` is over, in all
`resolve_retries` times. Must not know: the cache, sockets, rules.

Facts (measured: HAProxy 3.0): with both families failed it waits for the rest of `timeout retry` before the next try,
and does not after the last one; a question that nobody has answered in time is repeated; where some have, and
failed, the other family is asked for.
Invariant: `ended` is called once, and never before `start` has returned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from .nameserver import Nameserver
from .status import Family, Status
from .wire import Question

_OTHER = {Family.IPV4: Family.IPV6, Family.IPV6: Family.IPV4}


class Flight:
    """`status` is None while it is under way. `addresses`: packed, in the order of the answer."""

    __slots__ = (
        "_answered",
        "_asked",
        "_ended",
        "_handle",
        "_loop",
        "_nameservers",
        "_question",
        "_questions",
        "_retry",
        "_tries",
        "addresses",
        "status",
        "waiting",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        nameservers: Sequence[Nameserver],
        question: Question,
        other: Callable[[Family], Question],
        tries: int,
        retry: float,
        ended: Callable[[Flight], None],
    ) -> None:
        """`question`: of the family that is preferred; `other` makes it for the other one. `retry`: seconds."""
        self._loop = loop
        self._nameservers = nameservers
        self._questions = question, other
        self._question = question
        self._tries = tries
        self._retry = retry
        self._ended = ended
        self._asked: dict[Nameserver, int] = {}
        self._answered = False
        """Some have failed, of those that were asked last."""
        self._handle: asyncio.TimerHandle | None = None
        self.status: Status | None = None
        self.addresses: tuple[bytes, ...] = ()
        self.waiting: list[Callable[[], None]] = []
        """Called when it has ended."""

    def start(self) -> None:
        """Ask for the first time."""
        self._try()

    def _try(self) -> None:
        self._tries -= 1
        self._handle = self._loop.call_later(self._retry, self._late)
        self._ask(self._questions[0])

    def _ask(self, question: Question) -> None:
        self._question = question
        self._answered = False
        for one in self._nameservers:
            number = one.ask(question, self._received)
            if number >= 0:
                self._asked[one] = number

    def _received(self, nameserver: Nameserver, status: Status, addresses: tuple[bytes, ...]) -> None:
        self._asked.pop(nameserver, None)
        self._answered = True
        if status is Status.VALID:
            self._end(status, addresses)
        elif not self._asked:
            if self._question is self._questions[0]:
                self._turn()
            elif not self._tries:
                self._end(status)

    def _turn(self) -> None:
        """To the other family."""
        preferred, other = self._questions
        self._ask(other(_OTHER[preferred.family]))

    def _late(self) -> None:
        self._forget()
        if not self._tries:
            self._end(Status.TIMEOUT)
        elif self._answered and self._question is self._questions[0]:
            self._handle = self._loop.call_later(self._retry, self._late)
            self._turn()
        else:
            self._try()

    def _forget(self) -> None:
        for nameserver, number in self._asked.items():
            nameserver.forget(number)
        self._asked.clear()

    def _end(self, status: Status, addresses: tuple[bytes, ...] = ()) -> None:
        self.close()
        self.status = status
        self.addresses = addresses
        self._ended(self)
        for wake in self.waiting:
            wake()

    def close(self) -> None:
        """Stop asking; nobody is told."""
        if self._handle is not None:
            self._handle.cancel()
        self._forget()
