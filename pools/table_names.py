"""The few texts that entries of a stick table refer to: names of servers (server_key).

Owns: their numbers, from 1, in the order in which they came; nothing is ever removed. Must not know: what they name.

A name is written whole before the number of names moves on, so readers need no lock; writers have one. Names beyond
NAME_BYTES - 2 are not stored.
"""

from __future__ import annotations

from .locks import ByteLocks, NoLocks
from .table_arrays import NAMED, Arrays
from .table_shape import NAME_BYTES, NAMES


class Names:
    """The texts of one table, with what this process has read of them."""

    __slots__ = ("_arrays", "_byte", "_locks", "_numbers", "_texts")

    def __init__(self, arrays: Arrays, locks: ByteLocks | NoLocks, byte: int) -> None:
        """`byte`: which one of the locks is theirs."""
        self._arrays = arrays
        self._locks = locks
        self._byte = byte
        self._texts: list[bytes] = [b""]
        self._numbers: dict[bytes, int] = {b"": 0}

    def number(self, text: bytes) -> int:
        """The number of that text, which gets one now if it has none; 0 for the empty text, for one that is too long,
        and when there is no room."""
        found = self._numbers.get(text)
        if found is None:
            self._locks.take(self._byte)
            try:
                self._read()
                found = self._numbers.get(text)
                if found is None:
                    found = self._write(text)
            finally:
                self._locks.free(self._byte)
        return found

    def text(self, number: int) -> bytes:
        """The text of that number; empty for one that was never given."""
        if number >= len(self._texts):
            self._read()
        return self._texts[number] if 0 <= number < len(self._texts) else b""

    def _read(self) -> None:
        for index in range(len(self._texts) - 1, self._arrays.header[NAMED]):
            at = self._arrays.layout.names_at + index * NAME_BYTES
            length = int.from_bytes(self._arrays.body[at : at + 2], "little")
            text = bytes(self._arrays.body[at + 2 : at + 2 + length])
            self._texts.append(text)
            self._numbers.setdefault(text, len(self._texts) - 1)

    def _write(self, text: bytes) -> int:
        count = self._arrays.header[NAMED]
        if len(text) > NAME_BYTES - 2 or count >= NAMES:
            return 0
        at = self._arrays.layout.names_at + count * NAME_BYTES
        self._arrays.body[at : at + 2 + len(text)] = len(text).to_bytes(2, "little") + text
        self._arrays.header[NAMED] = count + 1
        self._read()
        return self._numbers[text]
