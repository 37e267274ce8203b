"""Texts that are sent once and then by number: one cache for each direction of a connection.

Owns: numbers and texts. Must not know: what the texts mean (names of servers). Both sides have the same SIZE; numbers
are 1..SIZE, and a number that comes with a text means that text from then on. The caches end with the connection.
"""

from __future__ import annotations

from typing import Final

from .faults import MalformedFault
from .integers import decode_integer, encode_integer

SIZE: Final = 128
LONGEST: Final = 1024
"""Bytes of a text."""


class SentTexts:
    """What the peer has been told.

    A receiver that does not share a table may pass over its updates and the texts in them. So a text counts as told
    only in the table in which it was."""

    __slots__ = ("_next", "_told")

    def __init__(self) -> None:
        self._told: dict[bytes, tuple[int, set[str]]] = {}
        """Text -> its number, and the tables in which it was told; the oldest first."""
        self._next = 0

    def encode(self, text: bytes | None, table: str) -> bytes:
        """A text as a value: length of what follows, number, and the text itself where the peer may not know it.
        Longer ones than LONGEST are cut."""
        if text is None:
            return b"\0"
        text = text[:LONGEST]
        number, tables = self._told.get(text) or self._take(text)
        body = encode_integer(number)
        if table not in tables:
            tables.add(table)
            body += encode_integer(len(text)) + text
        return encode_integer(len(body)) + body

    def _take(self, text: bytes) -> tuple[int, set[str]]:
        if len(self._told) == SIZE:
            del self._told[next(iter(self._told))]
        self._next = self._next % SIZE + 1
        found: tuple[int, set[str]] = (self._next, set())
        self._told[text] = found
        return found


class ReceivedTexts:
    """What the peer has told."""

    __slots__ = ("_texts",)

    def __init__(self) -> None:
        self._texts: list[bytes | None] = [None] * SIZE

    def decode(self, data: bytes, at: int) -> tuple[bytes | None, int]:
        """(the text at `at` or None, the offset after it). MalformedFault, also for a number that was never told."""
        length, at = decode_integer(data, at)
        if not length:
            return None, at
        end = at + length
        if end > len(data):
            raise MalformedFault("a text is cut short")
        number, at = decode_integer(data, at)
        if not 1 <= number <= SIZE or at > end:
            raise MalformedFault(f"a text has number {number}")
        if at == end:
            known = self._texts[number - 1]
            if known is None:
                raise MalformedFault(f"text {number} was never told")
            return known, at
        size, at = decode_integer(data, at)
        if at + size != end or size > LONGEST:
            raise MalformedFault("a text has another length than it says")
        text = data[at:end]
        self._texts[number - 1] = text
        return text, end
