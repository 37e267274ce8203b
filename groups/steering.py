"""What the control socket may ask of the supervisor, and the answer that it gets.

Owns: both interfaces. Must not know: sockets' bytes, how anything is carried out.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .status import Status

if TYPE_CHECKING:
    from ..pools.segment import Segment
    from .pattern_book import PatternBook
    from .pattern_desk import Plan

MAX_ANSWER = 4 * 1024 * 1024
"""Characters of one answer; what is said beyond is dropped, with a last line that says so."""


class Answer:
    """To one command. May be given much later, from any place in the supervisor's thread; nothing is sent before `end`
    or `pour`. Where the client is gone meanwhile, all calls do nothing."""

    __slots__ = ("_ended", "_length", "_lines", "_pass", "_pour", "_then")

    def __init__(
        self,
        then: Callable[[list[str], bool], None],
        hand_over: Callable[[], socket.socket | None] | None = None,
        pour: Callable[[Iterator[Sequence[str]]], None] | None = None,
    ) -> None:
        """`then` gets the lines and whether it was done, once; `pour` the portions instead, where that is possible."""
        self._then = then
        self._pass = hand_over
        self._pour = pour
        self._lines: list[str] = []
        self._length = 0
        self._ended = False

    @property
    def ended(self) -> bool:
        return self._ended

    def line(self, text: str) -> None:
        """One line, or several with line feeds between them. An empty one is sent as a space: an empty line is the end
        of an answer."""
        for line in text.rstrip("\n").split("\n"):
            if self._ended or self._length > MAX_ANSWER:
                return
            self._length += len(line) + 1
            self._lines.append((line if self._length <= MAX_ANSWER else "[the rest is too long]") or " ")

    def end(self, ok: bool = True) -> None:
        """`ok`: it was done. The second call does nothing."""
        if not self._ended:
            self._ended = True
            self._then(self._lines, ok)

    def finish(self, error: str) -> None:
        """Ends it: "" is done, anything else was wrong, and is said."""
        if error:
            self.line(error)
        self.end(not error)

    def pour(self, portions: Iterator[Sequence[str]]) -> None:
        """Ends it with lines that are made as the client reads them, a portion a turn of the supervisor's loop, however
        many they are. No line may be empty. A portion without lines is a turn's work without anything to say. Nothing
        may have been said before; when the client goes, the rest is not asked for."""
        if self._ended:
            return
        if self._pour is not None:
            self._ended = True
            self._pour(portions)
            return
        for lines in portions:
            for line in lines:
                self.line(line)
        self.end()

    def hand_over(self) -> socket.socket | None:
        """Takes the client's connection out of our hands, unanswered: for `upgrade`, whose answer the new program gives
        (Control.resume). None: there is no connection (any more). The answer is over for us."""
        if self._ended:
            return None
        self._ended = True
        return None if self._pass is None else self._pass()


class Patterns(Protocol):
    """The maps and ACLs of what is in service."""

    @property
    def book(self) -> PatternBook | None: ...

    def uses(self, then: Callable[[dict[str, int]], None]) -> None:
        """In how many ways each set is used, by name; nothing where no group answers."""

    def ask(self, question: Sequence[Any], then: Callable[[str | None], None]) -> None:
        """One group's answer (core/rules/pattern_requests); None: nobody gives one."""

    def change(self, plan: Callable[[], Plan | str], answer: Answer) -> None:
        """Calls `plan` when it is its turn, and carries it out; a text says why there is none."""


class Steering(Protocol):
    """What the supervisor offers. Each takes the answer with it and ends it, now or later; `ok` False: it was refused
    or did not succeed, and the lines say why."""

    def reload(self, answer: Answer) -> None:
        """Reads the configuration anew and puts it in service. The lines are the start-up messages."""

    def upgrade(self, answer: Answer) -> None:
        """Executes the program's present files in place of the running ones, sockets kept."""

    def scale(self, groups: int, answer: Answer) -> None:
        """As many groups as that."""

    def set_server(self, backend: str, server: str, state: str | None, weight: str | None, answer: Answer) -> None:
        """`state`: ready, drain or maint; `weight`: "n" or "n%"; None: as it is. No line where it was done."""

    @property
    def patterns(self) -> Patterns: ...

    @property
    def tables(self) -> Mapping[str, Segment]:
        """The stick tables of what is in service, in the order of the configuration."""

    def show_peers(self, words: Sequence[str], answer: Answer) -> None:
        """What the steward knows of peers; the words behind `show peers`."""

    def stop(self, *, hard: bool) -> None:
        """Hard: at once. Otherwise connections may end, up to hard-stop-after."""

    def status(self) -> Status: ...

    def hand_sockets(self, connection: socket.socket) -> None:
        """Answers `_getsocks` with all listening sockets. The connection (non-blocking) is the supervisor's from now
        on: it must close it."""
