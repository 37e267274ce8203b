"""Matching methods on parts of texts: how a value begins and ends, what it contains, what stands between delimiters.

Owns: beg, end, sub, dir, dom. Must not know: how patterns are written. Few patterns are tried one by one, in C; many
are looked up by what the value can be cut into, so that their number does not matter (but for `sub`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import itemgetter
from typing import Any

from .matching import Entries, Matcher, Test

_RANK = itemgetter(0)
FEW = 12
"""So many patterns are tried one by one."""


class _Ends(Matcher):
    """Texts at one end of the value: few are tried all, of many one look-up a length."""

    __slots__ = ("fold", "lengths", "rank", "table", "texts")

    def __init__(self, fold: bool) -> None:
        self.fold = fold
        self.load(())

    def load(self, entries: Entries) -> None:
        table: dict[bytes, tuple[int, Any]] = {}
        for rank, (key, payload) in enumerate(entries):
            table.setdefault(key.lower() if self.fold else key, (rank, payload))
        self.table = table
        self.texts = tuple(table)
        self.lengths = sorted({len(key) for key in table}, reverse=True)
        self.rank = 1 + max([rank for rank, _ in table.values()], default=0)

    # One pattern at a time: of those that ignore case several may be one here.

    def add(self, key: bytes, payload: Any) -> bool:
        if self.fold:
            return False
        if key not in self.table:
            self.table[key] = (self.rank, payload)
            self.rank += 1
            self.texts = tuple(self.table)
            if len(key) not in self.lengths:
                self.lengths = sorted((*self.lengths, len(key)), reverse=True)
        return True

    def remove(self, key: bytes) -> bool:
        if self.fold:
            return False
        self.table.pop(key, None)
        self.texts = tuple(self.table)
        return True

    def set(self, key: bytes, payload: Any) -> bool:
        if self.fold:
            return False
        self.table[key] = (self.table[key][0], payload)
        return True


class Prefixes(_Ends):
    """`beg`: how the value begins."""

    __slots__ = ()

    def match(self, value: bytes) -> bool:
        if self.fold:
            value = value.lower()
        if len(self.texts) <= FEW:
            return value.startswith(self.texts)
        table = self.table
        for length in self.lengths:  # noqa: SIM110
            if value[:length] in table:
                return True
        return False

    def found(self, value: bytes) -> Any:
        if self.fold:
            value = value.lower()
        hits = [hit for length in self.lengths if (hit := self.table.get(value[:length])) is not None]
        if not hits:
            return None
        return (min(hits, key=_RANK) if self.fold else hits[0])[1]

    def source(self) -> str:
        if len(self.texts) > FEW:
            return "match(value)"
        return f"value{'.lower()' if self.fold else ''}.startswith(matcher.texts)"

    def over(self, run: Callable[[Any], Any]) -> Test:
        if len(self.texts) > FEW:
            return Matcher.over(self, run)
        if self.fold:

            def test_folded(x: Any) -> bool:
                value = run(x)
                return value is not None and value.lower().startswith(self.texts)

            return test_folded

        def test(x: Any) -> bool:
            value = run(x)
            return value is not None and value.startswith(self.texts)

        return test


class Suffixes(_Ends):
    """`end`: how the value ends."""

    __slots__ = ()

    def match(self, value: bytes) -> bool:
        if self.fold:
            value = value.lower()
        if len(self.texts) <= FEW:
            return value.endswith(self.texts)
        table = self.table
        size = len(value)
        for length in self.lengths:  # noqa: SIM110
            if length <= size and value[size - length :] in table:
                return True
        return False

    def found(self, value: bytes) -> Any:
        if self.fold:
            value = value.lower()
        size = len(value)
        hits = [
            hit
            for length in self.lengths
            if length <= size and (hit := self.table.get(value[size - length :])) is not None
        ]
        return min(hits, key=_RANK)[1] if hits else None

    def source(self) -> str:
        if len(self.texts) > FEW:
            return "match(value)"
        return f"value{'.lower()' if self.fold else ''}.endswith(matcher.texts)"


class Substrings(Matcher):
    """`sub`: what the value contains."""

    __slots__ = ("fold", "table")

    def __init__(self, fold: bool) -> None:
        self.fold = fold
        self.table: dict[bytes, Any] = {}

    def load(self, entries: Entries) -> None:
        table: dict[bytes, Any] = {}
        for key, payload in entries:
            table.setdefault(key.lower() if self.fold else key, payload)
        self.table = table

    def add(self, key: bytes, payload: Any) -> bool:
        if self.fold:
            return False
        self.table.setdefault(key, payload)
        return True

    def remove(self, key: bytes) -> bool:
        if self.fold:
            return False
        self.table.pop(key, None)
        return True

    def set(self, key: bytes, payload: Any) -> bool:
        if self.fold:
            return False
        self.table[key] = payload
        return True

    def match(self, value: bytes) -> bool:
        if self.fold:
            value = value.lower()
        # `text in value` costs 0.2 us more: it tries the text as a number first.
        for text in self.table:  # noqa: SIM110
            if value.find(text) >= 0:
                return True
        return False

    def found(self, value: bytes) -> Any:
        if self.fold:
            value = value.lower()
        for text, payload in self.table.items():
            if value.find(text) >= 0:
                return payload
        return None


class Words(Matcher):
    """`dir` and `dom`: what stands in the value between delimiters, or its ends. Delimiters around a pattern are no
    part of it; those inside are."""

    __slots__ = ("delimiters", "depth", "fold", "pieces", "table", "texts")

    def __init__(self, fold: bool, delimiters: bytes) -> None:
        self.fold = fold
        self.delimiters = delimiters
        self.pieces = re.compile(b"[^" + re.escape(delimiters) + b"]+")
        self.load(())

    def load(self, entries: Entries) -> None:
        table: dict[bytes, tuple[int, Any]] = {}
        for rank, (key, payload) in enumerate(entries):
            text = key.strip(self.delimiters)
            if text:
                table.setdefault(text.lower() if self.fold else text, (rank, payload))
        self.table = table
        self.texts = tuple(table)
        self.depth = max([len(self.pieces.findall(text)) for text in table], default=0)

    def _stands_in(self, text: bytes, value: bytes) -> bool:
        start = value.find(text)
        delimiters = self.delimiters
        while start >= 0:
            end = start + len(text)
            if (not start or value[start - 1] in delimiters) and (end == len(value) or value[end] in delimiters):
                return True
            start = value.find(text, start + 1)
        return False

    def match(self, value: bytes) -> bool:
        if self.fold:
            value = value.lower()
        if len(self.texts) <= FEW:
            for text in self.texts:  # noqa: SIM110
                if self._stands_in(text, value):
                    return True
            return False
        return bool(self._hits(value))

    def _hits(self, value: bytes) -> list[tuple[int, Any]]:
        places = [piece.span() for piece in self.pieces.finditer(value)]
        table = self.table
        return [
            hit
            for index, (start, _) in enumerate(places)
            for _, end in places[index : index + self.depth]
            if (hit := table.get(value[start:end])) is not None
        ]

    def found(self, value: bytes) -> Any:
        hits = self._hits(value.lower() if self.fold else value)
        return min(hits, key=_RANK)[1] if hits else None
