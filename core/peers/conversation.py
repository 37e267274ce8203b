"""One connection between two peers, without the connection: bytes in, bytes out, `now` in ms an argument.

Owns: the greeting, heartbeats, who teaches whom, the table of moves. Must not know: sockets, clocks, which peer is
asked for a resync (resync) and when one dials (section). Invariant: whatever bytes arrive, `receive` raises nothing; a
conversation that is over says nothing more.

A conversation starts GREETING (it was dialled, and waits for a greeting) or ASKING (it dials, has greeted, and waits
for the status), becomes TALKING, and is OVER. While it talks, two things go on apart from each other: our *lesson* to
the peer (told since the peer asked for a resync, then to be confirmed), and *learning* from it (asked, until it says
that it has told all). Changes are told when no lesson is given and nothing is being learned.

Counts that are summed (`mode sum`, see summing). HAProxy 2.6 and 3.0 pass over every message of an unknown class but
255, and go on (found by experiment). So class SUMMING is ours, and its type ANNOUNCE is the first message of both sides
after the greeting: version, flags (none yet), instance (16 random bytes made by each process that speaks to peers).
Whoever receives something else first speaks to a peer that does not add up. Nothing is told about tables before that is
known. Between two who have announced themselves all messages are the ordinary ones, but entries carry what the *sender
alone* has counted; a receiver keeps that apart. Told twice is told once, so numbers, acknowledgements and lessons are
those of the protocol; only an instance that was not met before is asked for a lesson, and each one is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from .faults import HelloFault, PeerFault
from .hello import Hello, Status, take_hello, take_status
from .incoming import Incoming
from .messages import (
    Ack,
    Complaint,
    Control,
    Definition,
    Foreign,
    Message,
    MessageReader,
    Switch,
    Update,
    encode_message,
)
from .outgoing import Outgoing
from .sharing import Progress, SharedTable, Shares

SUMMING: Final = 77
"""The class of our own messages; see above."""
ANNOUNCE: Final = 128


class Phase(IntEnum):
    """Of the connection."""

    GREETING = 0
    ASKING = 1
    TALKING = 2
    OVER = 3


class Lesson(IntEnum):
    """What we tell the peer that has asked for all."""

    NONE = 0
    GIVING = 1
    GIVEN = 2
    """Told to the end, not confirmed yet."""


class Learning(IntEnum):
    """What we hear."""

    NONE = 0
    ASKED = 1


MOVES: Final[Mapping[IntEnum, frozenset[IntEnum]]] = {
    Phase.GREETING: frozenset((Phase.TALKING, Phase.OVER)),
    Phase.ASKING: frozenset((Phase.TALKING, Phase.OVER)),
    Phase.TALKING: frozenset((Phase.OVER,)),
    Phase.OVER: frozenset(),
}
LESSON_MOVES: Final[Mapping[IntEnum, frozenset[IntEnum]]] = {
    Lesson.NONE: frozenset((Lesson.GIVING,)),
    Lesson.GIVING: frozenset((Lesson.GIVING, Lesson.GIVEN)),
    Lesson.GIVEN: frozenset((Lesson.GIVING, Lesson.NONE)),
}


@dataclass(frozen=True, slots=True)
class Pace:
    """Times in ms, those of HAProxy."""

    heartbeat: int = 3000
    """Nothing was sent for so long: a heartbeat is."""
    silence: int = 5000
    """Nothing was received for so long: the connection is dead."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears what happens. All are called from within `receive` and `tick`, before they return."""

    greeted: Callable[[str], Status]
    """A peer of that name dials. ACCEPTED, or why not."""
    talking: Callable[[], None]
    asked: Callable[[], None]
    """The peer wants to be told everything."""
    taught: Callable[[bool], None]
    """The peer has told everything; whether it considered itself up to date."""
    notice: Callable[[str], None]


class Conversation:
    """See the module. `over` tells why it ended, "" before."""

    __slots__ = (
        "_complete",
        "_greeting",
        "_held",
        "_listener",
        "_local",
        "_out",
        "_pace",
        "_progress",
        "_reader",
        "_shares",
        "_tables",
        "heard",
        "heartbeats",
        "incoming",
        "learning",
        "lesson",
        "minor",
        "outgoing",
        "over",
        "phase",
        "refused",
        "remote",
        "said",
    )

    def __init__(
        self,
        local: str,
        tables: Sequence[SharedTable],
        listener: Listener,
        now: int,
        *,
        remote: str = "",
        progress: Callable[[str], Progress],
        complete: Callable[[], bool],
        minor: int = 1,
        process: int = 0,
        pace: Pace = Pace(),
        shares: Shares | None = None,
    ) -> None:
        """`remote`: who is dialled, "" when we were; `progress`: of a peer by name; `complete`: whether our tables are
        up to date; `minor`: of the version that a dialling one speaks; `shares`: what is shared in parts, instead of
        `tables`."""
        self._local = local
        self._tables = tables
        self._shares = shares
        self._listener = listener
        self._progress = progress
        self._complete = complete
        self._pace = pace
        self._held = bytearray()
        self._reader = MessageReader()
        self._out: list[bytes] = []
        self.remote = remote
        self.minor = minor
        self.phase = Phase.ASKING if remote else Phase.GREETING
        self.lesson = Lesson.NONE
        self.learning = Learning.NONE
        self.heard = self.said = now
        self.heartbeats = 0
        """Those that came."""
        self.over = ""
        self.refused = 0
        """The status that our greeting got, if not 200."""
        self.incoming = Incoming({table.definition.name: table for table in tables}, listener.notice)
        self.outgoing: Outgoing | None = None
        if remote:
            self._out.append(Hello(remote, local, process, minor).encode())

    # What comes.

    def receive(self, data: bytes, now: int) -> None:
        """Bytes of the peer."""
        self.heard = now
        try:
            if self.phase is Phase.GREETING:
                data = self._greeted(data)
            elif self.phase is Phase.ASKING:
                data = self._answered(data)
            if self.phase is Phase.TALKING and data:
                for message in self._reader.feed(data):
                    self._hear(message, now)
                    if self.phase is not Phase.TALKING:
                        break
                self._out += map(encode_message, self.incoming.acks())
        except HelloFault as fault:
            if self.phase is Phase.GREETING:
                self._out.append(b"%d\n" % fault.status)
            self.end(str(fault))
        except PeerFault as fault:
            self._out.append(encode_message(Complaint(fault.kind)))
            self.end(str(fault))

    def _greeted(self, data: bytes) -> bytes:
        self._held += data
        hello = take_hello(self._held)
        if hello is None:
            return b""
        if hello.to != self._local:
            raise HelloFault(Status.HOST, f"it looks for {hello.to!r}")
        status = self._listener.greeted(hello.sender)
        if status is not Status.ACCEPTED:
            raise HelloFault(status, f"{hello.sender!r} is refused with {int(status)}")
        self.remote = hello.sender
        self.minor = hello.minor
        self._out.append(b"%d\n" % Status.ACCEPTED)
        return self._start()

    def _answered(self, data: bytes) -> bytes:
        self._held += data
        status = take_status(self._held)
        if status is None:
            return b""
        if status != Status.ACCEPTED:
            self.refused = status
            raise HelloFault(status, f"it refuses with {status}")
        return self._start()

    def _start(self) -> bytes:
        """Bytes that came with the greeting belong to messages already."""
        if self._shares is None:
            self._open(self._tables)
        else:
            self._out.append(encode_message(Foreign(SUMMING, ANNOUNCE, self._shares.announcement)))
        self._move(Phase.TALKING)
        self._listener.talking()
        data = bytes(self._held)
        self._held.clear()
        return data

    def _open(self, tables: Sequence[SharedTable]) -> Outgoing:
        self.incoming = Incoming({table.definition.name: table for table in tables}, self._listener.notice)
        self.outgoing = Outgoing(tables, self._progress(self.remote), self.minor >= 1)
        return self.outgoing

    def _meet(self, message: Message) -> Outgoing:
        """The first message of a peer with whom tables may be shared in parts."""
        assert self._shares is not None
        announced = isinstance(message, Foreign) and (message.group, message.kind) == (SUMMING, ANNOUNCE)
        body = message.body if isinstance(message, Foreign) and announced else None
        tables, wanted = self._shares.meet(self.remote, body)
        if body is None:
            self._listener.notice("it does not add up: it is told sums, and what it counts is not learned")
        outgoing = self._open(tables)
        if wanted:
            self.ask()
        return outgoing

    def _hear(self, message: Message, now: int) -> None:
        outgoing = self.outgoing or self._meet(message)
        if isinstance(message, Update):
            self.incoming.update(message, now, lesson=self.learning is Learning.ASKED)
        elif isinstance(message, Ack):
            outgoing.acknowledge(message)
        elif isinstance(message, Definition):
            self.incoming.define(message)
        elif isinstance(message, Switch):
            self.incoming.switch(message)
        elif isinstance(message, Control):
            self._obey(message, outgoing)
        elif isinstance(message, Complaint):
            self.end(f"it complains: {message.name.lower()} error")

    def _obey(self, message: Control, outgoing: Outgoing) -> None:
        if message is Control.RESYNC_REQUEST:
            self._listener.asked()
            self.teach()
        elif message in (Control.RESYNC_FINISHED, Control.RESYNC_PARTIAL):
            # An old process tells without being asked.
            self.learning = Learning.NONE
            self._out += map(encode_message, self.incoming.acks())
            self._out.append(encode_message(Control.RESYNC_CONFIRM))
            self._listener.taught(message is Control.RESYNC_FINISHED)
        elif message is Control.RESYNC_CONFIRM:
            if self.lesson is Lesson.GIVEN:
                self._turn(Lesson.NONE)
                outgoing.confirm()
        else:
            self.heartbeats += 1

    # What goes.

    def ask(self) -> None:
        """The peer shall tell everything."""
        if self.phase is not Phase.TALKING:
            raise ValueError("nobody can be asked before the greeting")
        self.learning = Learning.ASKED
        self._out.append(encode_message(Control.RESYNC_REQUEST))

    def teach(self) -> None:
        """Everything is to be told, from the start."""
        if self.outgoing is None:
            raise ValueError("nobody can be told before the greeting")
        self._turn(Lesson.GIVING)
        self.outgoing.begin_lesson()

    def produce(self, now: int, room: int = 32768) -> bytes:
        """What is to be sent next, about `room` bytes; empty when there is nothing more at the moment."""
        parts, self._out = self._out, []
        outgoing = self.outgoing
        if self.phase is Phase.TALKING and outgoing is not None:
            if self.lesson is Lesson.GIVING:
                told, whole = outgoing.lesson(now, room)
                parts.append(told)
                if whole:
                    end = Control.RESYNC_FINISHED if self._complete() else Control.RESYNC_PARTIAL
                    parts.append(encode_message(end))
                    self._turn(Lesson.GIVEN)
            elif self.learning is Learning.NONE:
                parts.append(outgoing.changes(now, room))
            if not any(parts) and now - self.said >= self._pace.heartbeat:
                parts.append(encode_message(Control.HEARTBEAT))
        data = b"".join(parts)
        if data:
            self.said = now
        return data

    def tick(self, now: int) -> None:
        """Time goes by. What is to be said because of it, `produce` has."""
        if self.phase is not Phase.OVER and now - self.heard >= self._pace.silence:
            self.end(f"nothing was heard for {now - self.heard} ms")

    def deadline(self) -> int:
        """When `tick` and `produce` are to be called at the latest."""
        return min(self.heard + self._pace.silence, self.said + self._pace.heartbeat)

    def end(self, reason: str) -> None:
        """It is over; what `produce` still has shall be sent before the connection is closed."""
        if self.phase is not Phase.OVER:
            self._move(Phase.OVER)
            self.over = reason

    # The moves.

    def _move(self, phase: Phase) -> None:
        if phase not in MOVES[self.phase]:
            raise AssertionError(f"{self.phase.name} does not become {phase.name}")
        self.phase = phase

    def _turn(self, lesson: Lesson) -> None:
        if lesson not in LESSON_MOVES[self.lesson]:
            raise AssertionError(f"a lesson {self.lesson.name} does not become {lesson.name}")
        self.lesson = lesson
