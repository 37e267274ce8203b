"""What a client of the control socket says: bytes in, commands out. Sans-I/O.

Owns: how bytes become lines, and what belongs to a line: the payload behind a command that ends with `<<` (management
9.3). Must not know: what commands do, prompts, how many lines a client may say.

Invariants: a command is complete when it is handed out; a payload that never ends is none. What is kept is bounded.
"""

from __future__ import annotations

from collections.abc import Callable

from .command import Payload
from .command_words import split_commands

MAX_INPUT = 16384
"""Bytes of a line."""
MAX_PAYLOAD = 4 * 1024 * 1024
"""Characters of the lines behind a command that ends with `<<`."""
_LONGEST_END = 7
"""Characters of the word behind `<<`, which ends a payload instead of an empty line."""


class TooLong(ValueError):
    """The client says more than we keep. The text is for it."""


class CommandLines:
    """`more` is called for each line of a payload that is wanted."""

    __slots__ = ("_buffer", "_end", "_more", "_payload", "_size", "_waiting", "begun")

    def __init__(self, more: Callable[[], None]) -> None:
        self.begun = False
        """A line has come."""
        self._buffer = bytearray()
        self._more = more
        self._payload: list[str] | None = None
        """The lines that have come of the payload of the last command; None: there is none to come."""
        self._end = ""
        self._size = 0
        self._waiting: list[list[str]] = []
        """The commands of the line that a payload belongs to."""

    @property
    def in_payload(self) -> bool:
        """The last line is not complete: its payload has not ended."""
        return self._payload is not None

    @property
    def full(self) -> bool:
        """Nothing more is to be fed before lines are taken."""
        return len(self._buffer) > MAX_INPUT

    def feed(self, received: bytes) -> None:
        """Raises TooLong for a line that does not end."""
        self._buffer += received
        if self.full and b"\n" not in self._buffer:
            raise TooLong("Line too long.")

    def take(self) -> list[list[str]] | None:
        """The words of each command of the next line, with its payload; None: it has not come yet. Raises TooLong for a
        payload that does not end."""
        if self._payload is not None:
            return self._take_payload(self._payload)
        end = self._buffer.find(b"\n")
        if end < 0:
            return None
        found = split_commands(self._cut(end))
        self.begun = True
        last = found[-1]
        if len(last) > 1 and last[-1].startswith("<<") and len(last[-1]) <= 2 + _LONGEST_END:
            self._end = last.pop()[2:]
            self._size = 0
            self._payload = []
            self._waiting = found
            self._more()
            return self._take_payload(self._payload)
        return found

    def _cut(self, end: int) -> str:
        """The line that ends there. Bytes that are no text come through."""
        line = self._buffer[:end].decode("utf-8", "surrogateescape").rstrip("\r")
        del self._buffer[: end + 1]
        return line

    def _take_payload(self, lines: list[str]) -> list[list[str]] | None:
        """Up to its last line, as far as it has come."""
        while (end := self._buffer.find(b"\n")) >= 0:
            line = self._cut(end)
            if line == self._end:
                self._payload = None
                self._waiting[-1].append(Payload("\n".join(lines)))
                return self._waiting
            lines.append(line)
            self._size += len(line) + 1
            if self._size > MAX_PAYLOAD:
                raise TooLong("Payload too long.")
            self._more()
        return None
