"""The patterns of a generation as the supervisor knows them: what `show map` shows and what groups are told that come
later. Pure: nothing is sent here.

Owns: entries with their numbers and versions, as HAProxy has them (management 9.3), what has changed since the files
were read. Must not know: groups, messages, the words of commands.

A set is a list of entries: the same key may stand in it several times, and then the first one counts; entries of other
versions than the current one count for nothing. Groups hold what counts, and are told about keys (pattern_changes). So
a change here comes in two steps: what groups have to be told, and, when they have carried it out, the change itself.
The list is made when it is first asked for: an entry costs some 200 bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from ..core.config.model import Configuration
from ..core.rules.pattern_changes import Change
from ..core.rules.pattern_sources import PatternSource, pattern_sources

_FIRST = 0x10000000
_STEP = 0x10
"""Numbers of entries look like HAProxy's, which are addresses."""


class Entry:
    """One entry of one version."""

    __slots__ = ("key", "number", "value", "version")

    def __init__(self, number: int, key: bytes, value: bytes, version: int) -> None:
        self.number = number
        self.key = key
        self.value = value
        self.version = version


class PatternSet:
    """One set of patterns."""

    def __init__(self, source: PatternSource) -> None:
        self.source = source
        self.current = 0
        """The version that counts."""
        self.next = 0
        """The last one that was prepared."""
        self._entries: dict[int, Entry] | None = None
        self._by_key: dict[bytes, list[Entry]] = {}
        """Of all versions."""
        self._next_number = _FIRST
        self._touched: dict[bytes, None] = {}
        self._replaced = False

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def changeable(self) -> bool:
        return bool(self.source.name)

    def __len__(self) -> int:
        """Entries of all versions."""
        spec = self.source.spec
        return len(spec.entries) + len(spec.repeats) if self._entries is None else len(self._entries)

    @property
    def entries(self) -> dict[int, Entry]:
        """By number, in order."""
        if self._entries is None:
            self._entries = {}
            repeats = list(self.source.spec.repeats)
            for place, (key, value) in enumerate(self.source.spec.entries.items()):
                while repeats and repeats[0][0] <= place:
                    self._append(*repeats.pop(0)[1:], version=0)
                self._append(key, value, 0)
            for _, key, value in repeats:
                self._append(key, value, 0)
        return self._entries

    def of_version(self, version: int) -> Iterator[Entry]:
        return (entry for entry in self.entries.values() if entry.version == version)

    def values(self, key: bytes) -> Sequence[Entry]:
        """The entries of a key that are in force, the first of which counts."""
        return [entry for entry in self.of_key(key) if entry.version == self.current]

    def of_key(self, key: bytes) -> Sequence[Entry]:
        """The entries of a key, of all versions."""
        assert self.entries is not None
        return self._by_key.get(key, ())

    # Changes: what groups have to be told. Nothing has changed yet.

    def adding(self, pairs: Iterable[tuple[bytes, bytes]]) -> list[Change]:
        """To the current version."""
        seen: set[bytes] = set()
        changes = []
        for key, value in pairs:
            if not self.values(key) and key not in seen:
                seen.add(key)
                changes.append(Change(self.name, key, value))
        return changes

    def setting(self, entries: Sequence[Entry], value: bytes) -> list[Change]:
        counting = {entry.key for entry in entries if entry.version == self.current and self._counts(entry)}
        return [Change(self.name, key, value) for key in counting]

    def deleting(self, entries: Sequence[Entry]) -> list[Change]:
        gone = {entry.number for entry in entries}
        changes = []
        for key in dict.fromkeys(entry.key for entry in entries if entry.version == self.current):
            left = [entry for entry in self.values(key) if entry.number not in gone]
            if not left or left[0] is not self.values(key)[0]:
                changes.append(Change(self.name, key, left[0].value if left else None))
        return changes

    def clearing(self) -> list[Change]:
        return [Change(self.name, None)]

    def replacing(self, version: int) -> list[Change]:
        """By the entries of another version."""
        pairs: dict[bytes, bytes] = {}
        for entry in self.of_version(version):
            pairs.setdefault(entry.key, entry.value)
        return [Change(self.name, None, None, tuple(pairs.items()))]

    def _counts(self, entry: Entry) -> bool:
        same = self.values(entry.key)
        return bool(same) and same[0] is entry

    # Changes themselves.

    def add(self, pairs: Iterable[tuple[bytes, bytes]], version: int) -> None:
        assert self.entries is not None
        for key, value in pairs:
            self._append(key, value, version)
            if version == self.current:
                self._touched[key] = None

    def _append(self, key: bytes, value: bytes, version: int) -> None:
        assert self._entries is not None
        entry = self._entries[self._next_number] = Entry(self._next_number, key, value, version)
        self._next_number += _STEP
        self._by_key.setdefault(key, []).append(entry)

    def set(self, entries: Iterable[Entry], value: bytes) -> None:
        for entry in entries:
            entry.value = value
            self._touched[entry.key] = None

    def delete(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if self.entries.pop(entry.number, None) is None:
                continue
            same = self._by_key[entry.key]
            same.remove(entry)
            if not same:
                del self._by_key[entry.key]
            if entry.version == self.current:
                self._touched[entry.key] = None

    def clear(self, version: int) -> None:
        self._keep(lambda entry: entry.version != version)
        if version == self.current:
            self._replaced = True
            self._touched.clear()

    def prepare(self) -> int:
        """A new version, 1 to 2^32 - 1 and then 0 again."""
        self.next = (self.next + 1) & 0xFFFFFFFF
        return self.next

    def commit(self, version: int) -> None:
        """This version is the current one, older ones are gone."""
        self._keep(lambda entry: not self._between(entry.version, version))
        self.current = version
        self._replaced = True
        self._touched.clear()

    def _keep(self, wanted: Callable[[Entry], bool]) -> None:
        self._entries = {number: entry for number, entry in self.entries.items() if wanted(entry)}
        self._by_key = {}
        for entry in self._entries.values():
            self._by_key.setdefault(entry.key, []).append(entry)

    def _between(self, version: int, below: int) -> bool:
        """From the current one on, below another: versions wrap around."""
        return (version - self.current) & 0xFFFFFFFF < (below - self.current) & 0xFFFFFFFF

    def can_commit(self, version: int) -> bool:
        return 0 < (version - self.current) & 0xFFFFFFFF <= (self.next - self.current) & 0xFFFFFFFF

    def in_future(self, version: int) -> bool:
        """Was it never prepared?"""
        return 0 < (version - self.next) & 0xFFFFFFFF < 1 << 31

    def follow(self, change: Change) -> None:
        """A rule has changed what counts."""
        assert change.key is not None
        same = list(self.values(change.key))
        if change.value is None:
            self.delete(same)
        elif same:
            self.set(same, change.value)
        else:
            self.add(((change.key, change.value),), self.current)

    def changes(self) -> list[Change]:
        """From the files to what counts now."""
        if self._entries is None:
            return []
        if self._replaced:
            return self.replacing(self.current)
        return [Change(self.name, key, same[0].value if (same := self.values(key)) else None) for key in self._touched]


class PatternBook:
    """All sets of one configuration."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._sets: list[PatternSet] | None = None
        self._by_name: dict[str, PatternSet] = {}

    @property
    def sets(self) -> list[PatternSet]:
        """By number."""
        if self._sets is None:
            self._sets = [PatternSet(source) for source in pattern_sources(self._configuration)]
            self._by_name = {one.name: one for one in self._sets if one.name}
        return self._sets

    def find(self, text: str, wanted: Callable[[PatternSource], bool]) -> PatternSet | None:
        """By file, or by number as #<id>."""
        if text.startswith("#"):
            digits = text[1:]
            number = int(digits) if digits.isdecimal() and digits.isascii() else -1
            return next((one for one in self.sets if one.source.number == number and wanted(one.source)), None)
        return next((one for one in self.sets if text and one.source.file == text and wanted(one.source)), None)

    def follow(self, changes: Iterable[Change]) -> None:
        """Rules have changed it."""
        for change in changes:
            if self.sets and change.name in self._by_name:
                self._by_name[change.name].follow(change)

    def changes(self) -> list[Change]:
        """What a group has to be told that has read what the configuration read."""
        return [change for one in self._sets or () for change in one.changes()]
