"""Pins: which server a sticky session has where a backend is asked for, and what follows from them for a request
(schedulers.md D3).

Owns: a pin's word, where pins lie in a session's entry, the choice. Must not know: tables, heads, how a server is
balanced. Numbers in, a decision out; a table of cases and a model hold it.

An entry has eight places. A pin is one word, `asked << 32 | server`, so that it is assigned by one compare-and-set;
when it was used last is a word beside it, of which nothing but `sticky-return idle` depends. Both halves are hashes of
names: they mean the same in every process, after a restart, and in another instance.

The pin of a backend is at its *home*, asked % 8, or behind it, before the first empty place; when all are taken it
replaces the one at home. Places are never emptied. So all who look for one backend's pin at a time try the same place,
and of several who assign one wins (D3.7).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from hashlib import blake2b
from typing import Generic, NamedTuple, Protocol, TypeVar

from ..config.sticky_spec import NEVER

PLACES = 8
_HALF = 0xFFFFFFFF


def number_of(name: str) -> int:
    """31 bits that stand for a backend, or for `backend/server`; never 0. (Words of tables have a sign.)"""
    return number_in(blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest())


def number_in(digest: bytes) -> int:
    """The number of a server whose hint that is (sticky_cookie)."""
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF or 1


def make_pin(asked: int, server: int) -> int:
    return asked << 32 | server


def server_of(pin: int) -> int:
    return pin & _HALF


def place_of(pins: Sequence[int], asked: int) -> int:
    """Where the pin of that backend is, or is to be put. `pins`: the PLACES words of an entry."""
    home = asked % PLACES
    for step in range(PLACES):
        place = (home + step) % PLACES
        if not pins[place] or pins[place] >> 32 == asked:
            return place
    return home


class Member(Protocol):
    """What is asked of a server."""

    @property
    def usable(self) -> bool:
        """Bound requests may be sent to it."""


M = TypeVar("M", bound=Member)


class Way(Enum):
    """What becomes of a request."""

    KEEP = "keep"
    """It goes to the decision's server, which is its session's."""
    MAIN = "main"
    """A server of the backend asked for is balanced, and becomes the session's."""
    BACKUP = "backup"
    """The same, of its backup."""
    DOWN = "down"
    """Its server is down, and it may not move: 503."""
    NOBODY = "nobody"
    """There is no usable server."""


class Decision(NamedTuple, Generic[M]):
    """`server`: where to; with MAIN, BACKUP, DOWN: the one that it had, None for a new session. `spare`: it is one of
    the backup's. `place`, `word`: of the session's pin, what was read there."""

    way: Way
    server: M | None
    spare: bool
    place: int
    word: int


class Choice(Generic[M]):
    """The rules for one backend that is asked for. `main`, `spare`: its servers and its backup's, by number; `back`:
    ms that a session must not have used its backup server before it returns, 0: at once, NEVER."""

    __slots__ = ("_main", "_own", "_spare", "asked", "back", "strict")

    def __init__(self, asked: int, main: Mapping[int, M], spare: Mapping[int, M], strict: bool, back: int) -> None:
        self.asked = asked
        self.strict = strict
        self.back = back
        self._main = main
        self._spare = spare
        self._own = {**spare, **main}

    def member(self, number: int) -> M | None:
        """The server of that number, of either backend."""
        return self._own.get(number)

    def stays(self, pin: int) -> M | None:
        """The server of a pin that holds whatever else is; None: `decide` says. For the path of every request."""
        if pin >> 32 != self.asked:
            return None
        server = self._own.get(pin & _HALF)
        if server is None or not server.usable or (self.back != NEVER and self.is_spare(pin & _HALF)):
            return None
        return server

    def is_spare(self, number: int) -> bool:
        """Is it one of the backup's?"""
        return number in self._spare and number not in self._main

    def decide(
        self, pins: Sequence[int], main_ready: bool, spare_ready: bool, idle: int = 0, hint: int = 0
    ) -> Decision[M]:
        """`main_ready`: the backend has a server for requests that are not bound; `spare_ready`: its backup has one.
        `idle`: ms since the session's pin was used last. `hint`: the number of a server that the client names, for a
        session without a pin here."""
        place = place_of(pins, self.asked)
        word = pins[place]
        had = None
        number = 0
        if word >> 32 == self.asked:
            number = server_of(word)
        else:
            # Another backend's pin whose server is one of ours (D3.1), else what the client says.
            number = next((server_of(pin) for pin in pins if pin and server_of(pin) in self._main), hint)
        server = self._own.get(number)
        if server is not None:
            had = server
            spare = self.is_spare(number)
            if server.usable:
                if not (spare and main_ready and self._returns(idle)):
                    return Decision(Way.KEEP, server, spare, place, word)
            elif self.strict:
                return Decision(Way.DOWN, server, spare, place, word)
        if main_ready:
            return Decision(Way.MAIN, had, False, place, word)
        for pin in pins:
            other = self._own.get(server_of(pin)) if pin and self.is_spare(server_of(pin)) else None
            if other is not None and other.usable:
                return Decision(Way.KEEP, other, True, place, word)
        if spare_ready:
            return Decision(Way.BACKUP, had, True, place, word)
        return Decision(Way.NOBODY, had, False, place, word)

    def _returns(self, idle: int) -> bool:
        return self.back != NEVER and idle >= self.back
