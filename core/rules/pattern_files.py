"""Files of patterns and maps where they are used: compiled once for each use, changed for all of them at once.

Owns: who uses which file how, and changes at run time (`add`, `remove`, `set`, `replace`), which every ACL and map that
was compiled from the file follows. Must not know: the formats of files (config.pattern_files), ACLs, converters, the
runtime API that asks for changes.

Entries are those that the configuration read before the fork; a group that changes a file changes its own copy. Of
several threads in a process all but one need entries of their own (build), since each changes them itself.
Invariants: what is compiled agrees with `entries`; a change that cannot be compiled for one use changes nothing, and
asks no name server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.model import PatternFileSpec
from ..config.pattern_files import both_ways, line_of, open_source, read_entries
from .patterns import PatternError, Patterns
from .ranges import read_network, show
from .samples import pack_ip, str_to_int

if TYPE_CHECKING:
    from .pattern_journal import Journal


def _as_text(value: bytes) -> bytes:
    return value


def _as_number(value: bytes) -> int:
    digits = value[1:] if value[:1] in (b"-", b"+") else value
    if not digits.isdigit():
        raise ValueError(f"'{show(value)}' is not an integer")
    number = str_to_int(value)
    return number if number is not None else 0


def _as_address(value: bytes) -> bytes:
    packed = pack_ip(value)
    if packed is None:
        raise ValueError(f"'{show(value)}' is not an address")
    return packed


PAYLOADS: dict[str, Callable[[bytes], Any]] = {"str": _as_text, "int": _as_number, "ip": _as_address}
"""What the value of a map can be read as. The use `key` gives the key itself."""


Use = tuple[str, bool, bool, str]
"""Method, whether case is ignored, whether names of hosts are resolved, payload."""


class PatternFile:
    """One file, or one ACL with a number: its entries, and all that was compiled from it. A change that raises
    ValueError changes nothing."""

    __slots__ = ("as_map", "entries", "path", "shown", "uses")

    def __init__(self, path: str, as_map: bool, entries: Mapping[bytes, bytes]) -> None:
        self.path = path
        self.as_map = as_map
        self.entries = dict(entries) if not isinstance(entries, dict) else entries
        """Key -> value, in order; without a map the key itself. Changed in place."""
        self.uses: dict[Use, Patterns] = {}
        self.shown: dict[Use, Patterns] = {}
        """The same as the control socket lists them: under the names of methods that it knows."""

    def patterns(self, method: str, fold: bool, resolve: bool, payload: str, shown: str = "") -> Patterns:
        """The entries compiled for a matching method; `payload`: one of PAYLOADS, or `key`. Always the same object for
        the same use. `shown`: the method's name in lists, where that is another. Raises ValueError."""
        use = method, fold, resolve, payload
        found = self.uses.get(use)
        if found is None:
            found = Patterns(method, fold, resolve)
            if found.shares and payload in ("str", "key") and (payload == "str" or not self.as_map):
                found.share(self.entries)
            else:
                try:
                    found.load(self._loaded(payload))
                except PatternError as error:
                    raise ValueError(self._located(error)) from None
            self.uses[use] = found
        self.shown.setdefault((shown or method, fold, resolve, payload), found)
        return found

    def _loaded(self, payload: str) -> Iterable[tuple[bytes, Any]]:
        if payload == "key":
            return [(key, key) for key in self.entries]
        if payload == "str":
            return self.entries.items()
        read = PAYLOADS[payload]
        loaded = []
        for key, value in self.entries.items():
            try:
                loaded.append((key, read(value)))
            except ValueError as error:
                raise PatternError(str(error), key) from None
        return loaded

    def _located(self, error: PatternError) -> str:
        try:
            line = line_of(Path(self.path).read_bytes(), error.text, self.as_map)
        except (OSError, ValueError):
            line = 0
        return f"'{self.path}'{f', line {line}' if line else ''}: {error}"

    # At run time.

    def add(self, key: bytes, value: bytes = b"") -> None:
        """Append an entry; one whose key is there already changes nothing, since the first one counts."""
        if key in self.entries:
            return
        value = value if self.as_map else key
        self._check(key, value)
        self.entries[key] = value
        for (_, _, _, payload), patterns in self.uses.items():
            if not patterns.add(key, self._payload(payload, key, value)):
                patterns.load(self._loaded(payload))

    def remove(self, key: bytes) -> None:
        """KeyError: there is no such entry."""
        del self.entries[key]
        for (_, _, _, payload), patterns in self.uses.items():
            if not patterns.remove(key):
                patterns.load(self._loaded(payload))

    def set(self, key: bytes, value: bytes) -> None:
        """Change the value of an entry of a map. KeyError: there is no such entry."""
        if key not in self.entries:
            raise KeyError(key)
        if not self.as_map:
            raise ValueError(f"'{self.path}' is not a map")
        self._check(key, value)
        self.entries[key] = value
        for (_, _, _, payload), patterns in self.uses.items():
            if patterns.shared or payload == "key":
                continue
            if not patterns.set(key, self._payload(payload, key, value)):
                patterns.load(self._loaded(payload))

    def put(self, key: bytes, value: bytes) -> None:
        """`set` or `add`, whichever it takes."""
        if key not in self.entries:
            self.add(key, value)
        elif self.as_map:
            self.set(key, value)

    def replace(self, entries: Mapping[bytes, bytes]) -> None:
        """All entries at once (`clear`, `prepare` and `commit` of the runtime API)."""
        self.check(entries.items())
        new = dict(entries)
        self.entries.clear()
        self.entries.update(new)
        for (_, _, _, payload), patterns in self.uses.items():
            if not patterns.shared:
                patterns.load(self._loaded(payload))

    def check(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        """Could these be added? ValueError, worded as the control socket says it."""
        for key, value in entries:
            self._check(key, value if self.as_map else key)

    def _check(self, key: bytes, value: bytes) -> None:
        for (method, _, _, payload), patterns in self.uses.items():
            try:
                if method == "ip":
                    read_network(key, resolve=False)
                else:
                    patterns.read(key)
            except ValueError as error:
                raise ValueError(f"{error}.") from None
            try:
                self._payload(payload, key, value)
            except ValueError:
                raise ValueError(f"unable to parse '{show(value)}'.") from None

    @staticmethod
    def _payload(payload: str, key: bytes, value: bytes) -> Any:
        return key if payload == "key" else PAYLOADS[payload](value)


class PatternFiles:
    """All files that one configuration names, by path, and the patterns of lines with numbers of their own (`-u`)."""

    __slots__ = ("files", "journal", "named")

    def __init__(self, read: Mapping[str, PatternFileSpec] | None = None) -> None:
        """`read`: what the configuration read (Configuration.pattern_files)."""
        self.files: dict[str, PatternFile] = {
            path: PatternFile(path, spec.as_map, spec.entries) for path, spec in (read or {}).items()
        }
        self.named: dict[str, tuple[Any, Patterns]] = {}
        """Number (`-u`) -> what was written, and the patterns. They are in `files` too, as `#` and the number."""
        self.journal: Journal | None = None
        """What rules changed is told to it."""

    def file(self, path: str, as_map: bool) -> PatternFile:
        """ValueError: it cannot be read, or is used in the other way already."""
        file = self.files.get(path)
        if file is None:
            try:
                content = open_source(path, lambda name: Path(name).read_bytes())
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or error
                raise ValueError(f"cannot read the file '{path}': {reason}") from None
            file = self.files[path] = PatternFile(path, as_map, read_entries(content, as_map))
        if file.as_map != as_map:
            raise ValueError(both_ways(path, file.as_map))
        return file

    def patterns(self, path: str, method: str, fold: bool, resolve: bool, as_map: bool) -> Patterns:
        """The patterns of a file for an ACL. ValueError."""
        return self.file(path, as_map).patterns(method, fold, resolve, "key")

    def name(self, identity: str, patterns: Patterns, written: Any) -> Patterns:
        """Patterns of an ACL line that has a number of its own (`-u`): these, or those of the same line if it was
        compiled before. `written` tells lines apart. ValueError: another line has that number."""
        first = identity not in self.named
        key, known = self.named.setdefault(identity, (written, patterns))
        if key != written:
            raise ValueError(f"another ACL has the number {identity}")
        if first:
            texts = [text.encode("utf-8", "surrogateescape") for text, _ in written]
            file = self.files[f"#{identity}"] = PatternFile(f"#{identity}", False, {text: text for text in texts})
            use = patterns.method.name, patterns.ignore_case, True, "key"
            file.uses[use] = file.shown[use] = known
        return known

    def change(self, file: PatternFile, key: bytes, value: bytes | None) -> None:
        """What a rule does: `value` None takes the entry out. What cannot be an entry of this file is left out."""
        if value is None:
            if key not in file.entries:
                return
            file.remove(key)
        else:
            known = file.entries.get(key)
            if known == value or (known is not None and not file.as_map):
                return
            try:
                file.put(key, value)
            except ValueError:
                return
        if self.journal is not None:
            self.journal.note(file.path, key, value)


def files_of(site: Any) -> PatternFiles:
    """The files of a site."""
    files: PatternFiles = site.pattern_files
    return files
