"""Changes of the groups that take time: reloads, scalings, upgrades. One at a time, and what came of them.

Owns: which is under way, who waits for it to end, the history that `status` shows. Must not know: what is done in one.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from .status import ChangeStatus

BUSY = "A reload or another change of the groups is under way: try again."


class Changes:
    """`begin` one, `end` it; what was put off begins at its end."""

    __slots__ = ("_kind", "_next", "began", "failed_reloads", "last", "reloads", "started")

    def __init__(self) -> None:
        self.started = time.time()
        """When the supervisor was started, in seconds since the epoch; upgrades do not change it."""
        self.last: ChangeStatus | None = None
        self.reloads = self.failed_reloads = 0
        """In all; those that failed since the last that did not."""
        self._kind = ""
        self.began = 0.0
        self._next: Callable[[], None] | None = None

    @property
    def busy(self) -> bool:
        return bool(self._kind)

    def begin(self, kind: str, began: float | None = None) -> None:
        """`began`: when it really did, on the monotonic clock (an upgrade began in another program). Raises
        RuntimeError when another one is under way."""
        if self._kind:
            raise RuntimeError(f"{kind} during {self._kind}")
        self._kind = kind
        self.began = time.monotonic() if began is None else began

    def put_off(self, what: Callable[[], None]) -> None:
        """To be called when the present one has ended; what was put off before is forgotten."""
        self._next = what

    def end(self, error: str, text: str = "") -> float:
        """The present one is over: `error` "" or what was wrong, `text` what else to remember. Returns the seconds that
        it took."""
        seconds = time.monotonic() - self.began
        self.last = ChangeStatus(self._kind, time.time(), not error, seconds, error or text)
        if self._kind == "reload":
            if error:
                self.failed_reloads += 1
            else:
                self.reloads += 1
                self.failed_reloads = 0
        self._kind = ""
        return seconds

    def go_on(self) -> None:
        """After `end`, when those who waited know: begins what was put off."""
        following, self._next = self._next, None
        if following is not None:
            following()
