"""Matching methods on whole values, and what a matcher is: patterns that can be searched, made for speed.

Owns: exact, reg, bin, found, bool and the method of methods. Parts of texts (beg, end, sub, dir, dom) are in
`searching`, numbers and networks in `ranges`. Must not know: how patterns are written, files, ACLs. Patterns come as
keys, already read, with a payload: the value of a map, or the text of the pattern.

`match(value)` says whether any pattern matches, `found(value)` gives the payload of the one that HAProxy would take: of
trees (exact; beg with case) the longest, of lists the first. `over(run)` makes the whole test of an ACL from a fetch,
with the matching in it where that saves a call (0.05 us); `over_each(each)` the same for several values. Both go on to
be right when `load` replaces the patterns: state is in attributes or in containers that are changed in place.

Case is ASCII's, as in HAProxy: `fold` lowers both sides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

Entries = Iterable[tuple[Any, Any]]
"""(key, payload) in order."""
Test = Callable[[Any], bool]


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

    def set(self, key: Any, payload: Any) -> bool:
        """Change the payload of one pattern; False: nothing is done, `load` has to."""
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

    def set(self, key: bytes, payload: Any) -> bool:
        key = self.key(key)
        if key in self.doubled:
            return False
        self.table[key] = payload
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


class Regexes(Matcher):
    """`reg`: keys are compiled patterns."""

    __slots__ = ("searches",)

    def __init__(self) -> None:
        self.searches: list[tuple[Any, Any]] = []

    def load(self, entries: Entries) -> None:
        self.searches = [(key.search, payload) for key, payload in entries]

    # One pattern at a time: to read all of them anew costs 35 us each. Two texts may be one expression.

    def _places(self, key: re.Pattern[bytes]) -> list[int]:
        return [index for index, (one, _) in enumerate(self.searches) if one.__self__ == key]

    def add(self, key: re.Pattern[bytes], payload: Any) -> bool:
        self.searches.append((key.search, payload))
        return True

    def remove(self, key: re.Pattern[bytes]) -> bool:
        places = self._places(key)
        if len(places) != 1:
            return False
        del self.searches[places[0]]
        return True

    def set(self, key: re.Pattern[bytes], payload: Any) -> bool:
        places = self._places(key)
        if len(places) != 1:
            return False
        self.searches[places[0]] = (key.search, payload)
        return True

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
