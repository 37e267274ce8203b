"""Matching methods on text: what a set of patterns is searched in, made for speed.

Owns: exact, beg, end, sub, dir, dom, reg, bin, found, bool and the method of methods; numbers and networks are in
`ranges`. Must not know: how patterns are written, files, ACLs. Patterns come as keys, already read, with a payload: the
value of a map, or the text of the pattern.

`match(value)` says whether any pattern matches, `found(value)` gives the payload of the one that HAProxy would take: of
trees (exact; beg with case) the longest, of lists the first. `over(run)` makes the whole test of an ACL from a fetch,
with the matching in it where that saves a call (0.05 us); `over_each(each)` the same for several values. Both go on to
be right when `load` replaces the patterns: state is in attributes or in containers that are changed in place.

Case is ASCII's, as in HAProxy: `fold` lowers both sides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

Entries = Iterable[tuple[Any, Any]]
"""(key, payload) in order."""
Test = Callable[[Any], bool]

_RANK = itemgetter(0)
FEW = 12
"""So many patterns are tried one by one; more are looked up by what the value can be cut into."""


class Matcher:
    """Patterns of one method."""

    __slots__ = ()

    def load(self, entries: Entries) -> None:
        """Replace all patterns. Of equal keys the first one counts."""
        raise NotImplementedError

    def add(self, key: Any, payload: Any) -> bool:
        """Append one pattern; False: nothing is done, `load` has to."""
        return False

    def remove(self, key: Any) -> bool:
        """Take out one pattern; False: nothing is done, `load` has to."""
        return False

    def match(self, value: Any) -> bool:
        raise NotImplementedError

    def found(self, value: Any) -> Any:
        """The payload of the pattern that matches; None where none does."""
        raise NotImplementedError

    def source(self) -> str:
        """`match` as an expression of Python, for functions made as source (header_tests): names are `value`,
        `matcher` (itself), `match` and `table` (its own, changed in place only)."""
        return "match(value)"

    def over(self, run: Callable[[Any], Any]) -> Test:
        """The test of one value: no value, no match."""
        match = self.match

        def test(x: Any) -> bool:
            value = run(x)
            return value is not None and match(value)

        return test

    def over_each(self, each: Callable[[Any], Any]) -> Test:
        """The test of several values, of which one has to match."""
        match = self.match

        def test(x: Any) -> bool:
            for value in each(x):  # noqa: SIM110 -- a generator costs 0.3 us
                if match(value):
                    return True
            return False

        return test


class Presence(Matcher):
    """`found`: any value will do."""

    __slots__ = ()

    def load(self, entries: Entries) -> None:
        pass

    def match(self, value: Any) -> bool:
        return True

    def found(self, value: Any) -> Any:
        return b""

    def source(self) -> str:
        return "True"

    def over(self, run: Callable[[Any], Any]) -> Test:
        return lambda x: run(x) is not None

    def over_each(self, each: Callable[[Any], Any]) -> Test:
        return lambda x: len(each(x)) > 0


class Truth(Matcher):
    """`bool`: anything but 0. Patterns are ignored."""

    __slots__ = ()

    def load(self, entries: Entries) -> None:
        pass

    def match(self, value: Any) -> bool:
        return bool(value)

    def found(self, value: Any) -> Any:
        return b"" if value else None

    def over(self, run: Callable[[Any], Any]) -> Test:
        return lambda x: bool(run(x))


class Exact(Matcher):
    """`str` and `bin`: the whole value."""

    __slots__ = ("doubled", "fold", "table")

    def __init__(self, fold: bool) -> None:
        self.fold = fold
        self.table: dict[bytes, Any] = {}
        self.doubled: set[bytes] = set()
        """Keys that several patterns have, of which one was kept."""

    def key(self, key: bytes) -> bytes:
        """The form in which a key is looked up."""
        return key.lower() if self.fold else key

    def load(self, entries: Entries) -> None:
        self.table.clear()
        self.doubled.clear()
        for key, payload in entries:
            self.add(key, payload)

    def add(self, key: bytes, payload: Any) -> bool:
        key = self.key(key)
        if key in self.table:
            self.doubled.add(key)
        else:
            self.table[key] = payload
        return True

    def remove(self, key: bytes) -> bool:
        key = self.key(key)
        if key in self.doubled:
            return False
        self.table.pop(key, None)
        return True

    def share(self, table: dict[bytes, Any]) -> None:
        """Search in this very table from now on, which its owner changes in place. Before `over` is called."""
        self.table = table

    def match(self, value: bytes) -> bool:
        return (value.lower() if self.fold else value) in self.table

    def found(self, value: bytes) -> Any:
        return self.table.get(value.lower() if self.fold else value)

    def source(self) -> str:
        return "value.lower() in table" if self.fold else "value in table"

    def over(self, run: Callable[[Any], Any]) -> Test:
        table = self.table
        if not self.fold:
            return lambda x: run(x) in table

        def test(x: Any) -> bool:
            value = run(x)
            return value is not None and value.lower() in table

        return test


KNOWN_METHODS = frozenset((b"OPTIONS", b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"TRACE", b"CONNECT"))


class Methods(Exact):
    """What the fetch `method` is matched by: as `str`, but case is only ignored in methods that HAProxy does not
    know by name."""

    __slots__ = ()

    def key(self, key: bytes) -> bytes:
        return key.lower() if self.fold and key not in KNOWN_METHODS else key

    def match(self, value: bytes) -> bool:
        return self.key(value) in self.table

    def found(self, value: bytes) -> Any:
        return self.table.get(self.key(value))

    def source(self) -> str:
        return Matcher.source(self) if self.fold else Exact.source(self)

    def over(self, run: Callable[[Any], Any]) -> Test:
        return Matcher.over(self, run) if self.fold else Exact.over(self, run)


def _by_length(keys: Iterable[bytes]) -> list[int]:
    return sorted({len(key) for key in keys}, reverse=True)


class Prefixes(Matcher):
    """`beg`: how the value begins."""

    __slots__ = ("fold", "lengths", "table", "texts")

    def __init__(self, fold: bool) -> None:
        self.fold = fold
        self.load(())

    def load(self, entries: Entries) -> None:
        table: dict[bytes, tuple[int, Any]] = {}
        for rank, (key, payload) in enumerate(entries):
            table.setdefault(key.lower() if self.fold else key, (rank, payload))
        self.table = table
        self.texts = tuple(table)
        self.lengths = _by_length(table)

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


class Suffixes(Matcher):
    """`end`: how the value ends."""

    __slots__ = ("fold", "lengths", "table", "texts")

    def __init__(self, fold: bool) -> None:
        self.fold = fold
        self.load(())

    def load(self, entries: Entries) -> None:
        table: dict[bytes, tuple[int, Any]] = {}
        for rank, (key, payload) in enumerate(entries):
            table.setdefault(key.lower() if self.fold else key, (rank, payload))
        self.table = table
        self.texts = tuple(table)
        self.lengths = _by_length(table)

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


class Regexes(Matcher):
    """`reg`: keys are compiled patterns."""

    __slots__ = ("searches",)

    def __init__(self) -> None:
        self.searches: list[tuple[Callable[[bytes], Any], Any]] = []

    def load(self, entries: Entries) -> None:
        self.searches = [(key.search, payload) for key, payload in entries]

    def match(self, value: bytes) -> bool:
        for search, _ in self.searches:  # noqa: SIM110
            if search(value) is not None:
                return True
        return False

    def found(self, value: bytes) -> Any:
        for search, payload in self.searches:
            if search(value) is not None:
                return payload
        return None

    def found_match(self, value: bytes) -> tuple[re.Match[bytes], Any] | None:
        """The match itself and the payload (`map_regm`)."""
        for search, payload in self.searches:
            match = search(value)
            if match is not None:
                return match, payload
        return None

    def over(self, run: Callable[[Any], Any]) -> Test:
        if len(self.searches) != 1:
            return Matcher.over(self, run)

        def test(x: Any) -> bool:
            value = run(x)
            return value is not None and (
                self.searches[0][0](value) is not None if len(self.searches) == 1 else self.match(value)
            )

        return test
