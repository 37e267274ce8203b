"""What an action may say besides nothing: the pass ends here, the client is answered, and so on.

Owns: the kinds. Must not know: what the relay does with one. Invariant: verdicts are made when rules are compiled and
never change, so that giving one costs nothing; what depends on the exchange is a function of it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..config.model import Place


class Kind(IntEnum):
    """What is to be done."""

    STOP = 0
    """allow, accept: no further rule of this section and this kind."""
    ANSWER = 1
    """The client gets an answer of ours."""
    TARPIT = 2
    """The same after a while."""
    REJECT = 3
    """The connection is closed without a word."""
    DROP = 4
    """The connection vanishes; the client is not told."""
    WAIT = 5
    """Go on when something is there."""
    JUMP = 6
    """Go on with another rule set, then after this rule."""
    SWITCH = 7
    """The backend is chosen; no further rule of this section."""
    MISSING = 8
    """A condition needs bytes that may still come; the set is run again then."""


STOP, ANSWER, TARPIT, REJECT, DROP, WAIT, JUMP, SWITCH, MISSING = Kind


class Verdict:
    """One rule's verdict. `place`: of the rule. `unread`: given before the request was looked at, so that its line is
    not in the log."""

    __slots__ = ("kind", "place", "unread")

    def __init__(self, kind: Kind, place: Place | None, unread: bool = False) -> None:
        self.kind = kind
        self.place = place
        self.unread = unread


class Answer(Verdict):
    """ANSWER and TARPIT. Either `page` is the status of one of the proxy's error pages, or `render` gives a whole HTTP
    response (status line, headers without `connection`, body), or None where the rule is to be passed over.

    `constant`: `render` gives the same for all; `prepared` is for whoever sends it. `termination`: the letters for the
    log. `denied`: counted as a denial."""

    __slots__ = ("constant", "denied", "extra", "page", "prepared", "render", "status", "termination")

    def __init__(
        self,
        place: Place | None,
        status: int,
        *,
        kind: Kind = ANSWER,
        page: bool = False,
        render: Callable[[Any], bytes] | None = None,
        constant: bool = False,
        extra: bytes = b"",
        termination: bytes = b"LR",
        denied: bool = False,
    ) -> None:
        super().__init__(kind, place)
        self.status = status
        self.page = page
        self.render = render
        self.constant = constant
        self.extra = extra
        """A header line that is added to a page, with its end."""
        self.termination = termination
        self.denied = denied
        self.prepared: Any = None


class Wait(Verdict):
    """WAIT. `ready(scope)`: is there anything left to wait for? `delay(scope)`: milliseconds, at most.

    `timed_out`: what then happens, None: the rules go on. `body`: it is the client's body that is waited for.
    `started(wake)`: called when the wait has begun, for waits that something else ends than bytes of the client's:
    `wake` asks `ready` again, and may be called at any time after."""

    __slots__ = ("body", "delay", "ready", "started", "timed_out")

    def __init__(
        self,
        place: Place | None,
        ready: Callable[[Any], bool],
        delay: Callable[[Any], float],
        timed_out: Verdict | None = None,
        body: bool = False,
        started: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        super().__init__(WAIT, place)
        self.body = body
        self.started = started
        self.ready = ready
        self.delay = delay
        self.timed_out = timed_out


class Jump(Verdict):
    """JUMP. `steps`: of the rule set that is entered (one that may wait; others are simply called)."""

    __slots__ = ("steps",)

    def __init__(self, place: Place | None, steps: tuple[Any, ...]) -> None:
        super().__init__(JUMP, place)
        self.steps = steps


class Missing(Verdict):
    """MISSING. `delay`: milliseconds that bytes may take to come, from the first time that some are missing. `back`:
    how many steps of the plan are run again."""

    __slots__ = ("back", "delay")

    def __init__(self, delay: float, back: int) -> None:
        super().__init__(MISSING, None)
        self.delay = delay
        self.back = back


class Switch(Verdict):
    """SWITCH. `name(scope)`: of the backend; with one that does not exist the default backend stays."""

    __slots__ = ("name",)

    def __init__(self, place: Place | None, name: Callable[[Any], bytes]) -> None:
        super().__init__(SWITCH, place)
        self.name = name
