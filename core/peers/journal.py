"""The changes of one table in their order, each key once.

Owns: numbers of changes. Must not know: entries, peers. For the adaptors of tables (sharing.SharedTable).

Invariants: numbers grow; of a key only the last change is told; memory is bounded by twice the keys that are
remembered, and those by `most`: older changes are forgotten, and `floor` says up to where.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

_SLACK: Final = 1024


class Journal:
    """Numbers of changes."""

    __slots__ = ("_keys", "_last", "_most", "_numbers", "floor", "head")

    def __init__(self, most: int = 1 << 20) -> None:
        self._most = most
        self._numbers: list[int] = []
        self._keys: list[bytes] = []
        self._last: dict[bytes, int] = {}
        self.head = 0
        self.floor = 0

    def __len__(self) -> int:
        return len(self._last)

    def note(self, key: bytes) -> None:
        """The entry has changed."""
        self.head += 1
        self._last[key] = self.head
        self._numbers.append(self.head)
        self._keys.append(key)
        if len(self._numbers) > 2 * min(len(self._last), self._most) + _SLACK:
            self._tidy()

    def changes(self, since: int, most: int) -> list[tuple[int, bytes]]:
        """The first `most` changes after number `since`."""
        found: list[tuple[int, bytes]] = []
        numbers, keys, last = self._numbers, self._keys, self._last
        for at in range(bisect_right(numbers, since), len(numbers)):
            if len(found) >= most:
                break
            if last.get(keys[at]) == numbers[at]:
                found.append((numbers[at], keys[at]))
        return found

    def forget(self, until: int) -> None:
        """Changes up to number `until` are of no interest any more: all peers have them."""
        if until <= self.floor:
            return
        at = bisect_right(self._numbers, until)
        for number, key in zip(self._numbers[:at], self._keys[:at], strict=True):
            if self._last.get(key) == number:
                del self._last[key]
        del self._numbers[:at], self._keys[:at]
        self.floor = min(until, self.head)

    def _tidy(self) -> None:
        pairs = [
            (number, key)
            for number, key in zip(self._numbers, self._keys, strict=True)
            if self._last.get(key) == number
        ]
        self._numbers = [number for number, _ in pairs]
        self._keys = [key for _, key in pairs]
        if len(pairs) > self._most:
            self.forget(pairs[-self._most - 1][0])
