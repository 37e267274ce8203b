"""What a peer is told about our tables: the half of a conversation that teaches.

Owns: our numbers of tables, how far each has been told, lessons. Must not know: sockets, when it may be told.

Changes are told in the order of their numbers, each with the value that the entry has when it is told. A *lesson* is
all entries of all tables; a table of which changes were forgotten before the peer had them is told whole. Numbers
travel with 32 bits. Invariant: a change counts as known to the peer only when it has acknowledged it, so that the next
connection starts from there; entries of a lesson carry the number up to which changes had been told before, because an
acknowledged half of a lesson is no reason to leave out changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from .dictionary import SentTexts
from .entries import encode_entry
from .messages import Ack, Definition, Switch, Update, encode_message
from .sharing import Progress, SharedTable

_WORD: Final = (1 << 32) - 1
_STEP: Final = 64
"""Changes that are looked up at a time."""
_SHORTEST: Final = 1
"""Ms: HAProxy sends 0 for entries of tables that do not expire, and takes it for 'at once' in all others."""


class _Course:
    """A table and how far the peer has been told about it."""

    __slots__ = ("_progress", "cursor", "defined", "mark", "number", "rest", "shared")

    def __init__(self, number: int, shared: SharedTable, progress: Progress) -> None:
        self.number = number
        self.shared = shared
        self._progress = progress
        # A table that was made anew has fewer changes than the peer acknowledged.
        self.cursor = min(progress.acked.get(shared.definition.name, 0), shared.head)
        self.defined = False
        self.rest: Iterator[bytes] | None = None
        """Keys of the lesson that is given."""
        self.mark = 0
        """The number of the last change when that began."""

    def learn(self) -> None:
        self.mark = self.shared.head
        self.rest = self.shared.keys()

    def confirm(self) -> None:
        self._reach(self.mark)

    def _reach(self, number: int) -> None:
        name = self.shared.definition.name
        self._progress.acked[name] = max(self._progress.acked.get(name, 0), number)

    def acknowledge(self, word: int) -> None:
        behind = (self.cursor - word) & _WORD
        if behind <= _WORD >> 1:
            self._reach(self.cursor - behind)


class Outgoing:
    """What one conversation tells. `timed`: whether the peer understands times in updates (2.1)."""

    __slots__ = ("_courses", "_current", "_last", "_timed", "texts", "updates")

    def __init__(self, tables: Sequence[SharedTable], progress: Progress, timed: bool) -> None:
        self._courses = [_Course(number, table, progress) for number, table in enumerate(tables, 1)]
        self._current: _Course | None = None
        self._last: int | None = None
        """Number of the update before, of the same table."""
        self._timed = timed
        self.texts = SentTexts()
        self.updates = 0
        """Entries that were told."""

    def begin_lesson(self) -> None:
        """All entries are to be told, from the start."""
        for course in self._courses:
            course.learn()

    def acknowledge(self, message: Ack) -> None:
        """The peer has what came up to there; tables that we do not have are passed over."""
        if 1 <= message.number <= len(self._courses):
            self._courses[message.number - 1].acknowledge(message.update)

    def confirm(self) -> None:
        """The peer has heard the lesson to its end."""
        for course in self._courses:
            course.confirm()

    def lesson(self, now: int, room: int) -> tuple[bytes, bool]:
        """(the next messages of the lesson, about `room` bytes; whether it is over with them)."""
        parts: list[bytes] = []
        for course in self._courses:
            if course.rest is None:
                continue
            # Also a table without entries is told of.
            room -= self._turn_to(course, parts)
            room = self._tell_rest(course, now, room, parts)
            if room <= 0:
                break
        return b"".join(parts), all(course.rest is None for course in self._courses)

    def changes(self, now: int, room: int) -> bytes:
        """The next messages about changes, about `room` bytes; empty when the peer has been told all."""
        parts: list[bytes] = []
        for course in self._courses:
            if course.rest is None and course.cursor < course.shared.floor:
                course.learn()
            room = self._tell_rest(course, now, room, parts)
            while room > 0 and course.cursor < course.shared.head:
                found = course.shared.changes(course.cursor, _STEP)
                if not found:
                    course.cursor = course.shared.head
                for number, key in found:
                    room -= self._tell(course, key, number, now, parts)
                    course.cursor = number
            if room <= 0:
                break
        return b"".join(parts)

    def _tell_rest(self, course: _Course, now: int, room: int, parts: list[bytes]) -> int:
        if course.rest is None or room <= 0:
            return room
        for key in course.rest:
            room -= self._tell(course, key, course.cursor, now, parts)
            if room <= 0:
                return room
        course.rest = None
        course.cursor = max(course.cursor, course.mark)
        return room

    def _tell(self, course: _Course, key: bytes, number: int, now: int, parts: list[bytes]) -> int:
        entry = course.shared.read(key, now)
        if entry is None:
            return 0
        size = self._turn_to(course, parts)
        definition = course.shared.definition
        word = number & _WORD
        update = None if self._last is not None and word == (self._last + 1) & _WORD else word
        expire = None
        if self._timed:
            left = entry.expire if entry.expire is not None else definition.expire
            expire = min(max(left, _SHORTEST), _WORD) if definition.expire else 0
        encoded = encode_message(Update(update, expire, encode_entry(definition, key, entry.values, self.texts)))
        self._last = word
        self.updates += 1
        parts.append(encoded)
        return size + len(encoded)

    def _turn_to(self, course: _Course, parts: list[bytes]) -> int:
        if self._current is course:
            return 0
        self._current = course
        self._last = None
        definition = course.shared.definition
        told = Switch(course.number) if course.defined else Definition(course.number, definition, definition.name)
        course.defined = True
        parts.append(encode_message(told))
        return len(parts[-1])
