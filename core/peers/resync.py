"""From whom a peers section learns what it does not know yet: a table of moves for the whole section.

Owns: stages, whom to ask, when to give up. Must not know: connections. `now` in ms.

LOCAL: an old process is about to dial and to tell everything (only when one was announced). REMOTE: any connected peer
is to be asked. ASKED: one was. DONE: up to date, or nobody could be asked for WAIT: then what there is counts as all.
A peer that told all while it was not up to date itself (partial) is not asked again; when every connected one is like
that, it ends by the time as well. Invariant: at most one peer is asked at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import Final

WAIT: Final = 5000
"""Milliseconds in LOCAL and in REMOTE, and between two signs of life of who was asked."""


class Stage(IntEnum):
    """See the module."""

    LOCAL = 0
    REMOTE = 1
    ASKED = 2
    DONE = 3


MOVES: Final = {
    Stage.LOCAL: frozenset((Stage.LOCAL, Stage.REMOTE, Stage.DONE)),
    Stage.REMOTE: frozenset((Stage.ASKED, Stage.DONE)),
    Stage.ASKED: frozenset((Stage.REMOTE, Stage.DONE)),
    Stage.DONE: frozenset[Stage](),
}


class Resync:
    """One section's learning. `whom`: who was asked, "" else."""

    __slots__ = ("_choose", "_deadline", "_refused", "_wait", "heard_all", "stage", "whom")

    def __init__(
        self, now: int, *, local: bool = False, choose: Callable[[Sequence[str]], str] = lambda names: names[0],
        wait: int = WAIT, done: bool = False,
    ) -> None:  # fmt: skip
        """`local`: an old process will dial; `choose`: one of several peers (HAProxy draws); `done`: there is nothing
        to learn."""
        self.stage = Stage.DONE if done else Stage.LOCAL if local else Stage.REMOTE
        self.whom = ""
        self.heard_all = done
        """Whether some peer has told all that it knows, be it up to date or not."""
        self._wait = wait
        self._choose = choose
        self._refused: set[str] = set()
        self._deadline = now + wait

    @property
    def done(self) -> bool:
        """Whether what is known is all that can be known."""
        return self.stage is Stage.DONE

    def next(self, now: int, talking: Iterable[str]) -> str:
        """Whom to ask now, out of those that talk; "" for nobody. Moves on where time is up."""
        if self.stage is Stage.LOCAL and now >= self._deadline:
            self._move(Stage.REMOTE, now)
        if self.stage is Stage.ASKED and now >= self._deadline:
            self._refused.add(self.whom)
            self._move(Stage.REMOTE, now)
        if self.stage is not Stage.REMOTE:
            return ""
        names = [name for name in talking if name not in self._refused]
        if names:
            self.whom = self._choose(names)
            self._move(Stage.ASKED, now)
            return self.whom
        if now >= self._deadline:
            self._move(Stage.DONE, now)
        return ""

    def heard(self, name: str, now: int) -> None:
        """Something came from that peer."""
        if self.stage is Stage.ASKED and name == self.whom:
            self._deadline = now + self._wait

    def lost(self, name: str, now: int) -> None:
        """The connection to that peer is over."""
        if self.stage is Stage.ASKED and name == self.whom:
            self._move(Stage.REMOTE, now)

    def taught(self, name: str, full: bool, now: int, *, local: bool = False) -> None:
        """That peer has told everything; `full`: and was up to date; `local`: it is our own old process."""
        self.heard_all = True
        if self.stage is Stage.DONE:
            return
        if local and self.stage is Stage.LOCAL:
            self._move(Stage.DONE if full else Stage.LOCAL, now)
        elif self.stage is Stage.ASKED and name == self.whom:
            if full:
                self._move(Stage.DONE, now)
            else:
                self._refused.add(name)
                self._move(Stage.REMOTE, now)

    def deadline(self) -> int | None:
        """When `next` is to be called at the latest; None: never."""
        return None if self.done else self._deadline

    def _move(self, stage: Stage, now: int) -> None:
        if stage not in MOVES[self.stage]:
            raise AssertionError(f"{self.stage.name} does not become {stage.name}")
        self.stage = stage
        self._deadline = now + self._wait
        if stage is not Stage.ASKED:
            self.whom = ""
