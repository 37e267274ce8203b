"""Files of patterns and maps: read once by path, shared by all that use them.

Owns: the two formats (one column: `-f`; two columns: maps and `-M`), who uses which, changes at run time. Must not
know: ACLs, converters, the runtime API that asks for changes.

Lines that start with `#` and empty ones are left out, blanks at the start are stripped. One column: the rest of the
line is the pattern, blanks at its end included. Two columns: the key ends at the first blank, the value is the rest
without blanks around it. A file is used in one of the two ways only, as in HAProxy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .patterns import Patterns


def read_entries(content: bytes, as_map: bool) -> dict[bytes, bytes]:
    """Key -> value (without a map: the key) in the order of the file; of equal keys the first one counts."""
    entries: dict[bytes, bytes] = {}
    for line in content.split(b"\n"):
        text = line.partition(b"\r")[0]
        if text[:1] == b"#":
            continue
        text = text.lstrip(b" \t")
        if not text:
            continue
        if not as_map:
            entries.setdefault(text, text)
            continue
        key, value = cut_entry(text)
        entries.setdefault(key, value)
    return entries


def cut_entry(text: bytes) -> tuple[bytes, bytes]:
    """Key and value of a line of two columns that starts with its key."""
    end = len(text)
    for blank in (b" ", b"\t"):
        at = text.find(blank)
        if 0 <= at < end:
            end = at
    return text[:end], text[end:].strip(b" \t")


def line_of(content: bytes, key: bytes, as_map: bool) -> int:
    """The line, from 1, on which a key stands; 0 if on none."""
    for number, line in enumerate(content.split(b"\n"), start=1):
        text = line.partition(b"\r")[0]
        if text[:1] != b"#" and (text := text.lstrip(b" \t")) and (cut_entry(text)[0] if as_map else text) == key:
            return number
    return 0


class PatternFile:
    """One file: its entries, and all that was compiled from it."""

    __slots__ = ("as_map", "compiled", "entries", "path")

    def __init__(self, path: str, as_map: bool, entries: dict[bytes, bytes]) -> None:
        self.path = path
        self.as_map = as_map
        self.entries = entries
        self.compiled: dict[Any, Patterns] = {}


class PatternFiles:
    """All files that one configuration names, by path."""

    __slots__ = ("files", "named")

    def __init__(self) -> None:
        self.files: dict[str, PatternFile] = {}
        self.named: dict[str, tuple[Any, Patterns]] = {}
        """Number (`-u`) -> what was written, and the patterns."""

    def file(self, path: str, as_map: bool) -> PatternFile:
        """ValueError: it cannot be read, or is used in the other way already."""
        file = self.files.get(path)
        if file is None:
            try:
                content = Path(path).read_bytes()
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or error
                raise ValueError(f"cannot read the file '{path}': {reason}") from None
            file = self.files[path] = PatternFile(path, as_map, read_entries(content, as_map))
        if file.as_map != as_map:
            used, wanted = ("two columns", "one") if file.as_map else ("one column", "two")
            raise ValueError(f"'{path}' is already read as a file of {used}: it cannot be one of {wanted} as well")
        return file

    def patterns(self, path: str, method: str, fold: bool, resolve: bool, as_map: bool) -> Patterns:
        """The patterns of a file, compiled once for each method. ValueError."""
        file = self.file(path, as_map)
        key = method, fold, resolve
        found = file.compiled.get(key)
        if found is None:
            found = Patterns(method, fold, resolve)
            try:
                found.load(file.entries.items())
            except ValueError as error:
                raise ValueError(f"'{path}': {error}") from None
            file.compiled[key] = found
        return found

    def name(self, identity: str, patterns: Patterns, written: Any) -> Patterns:
        """Patterns of an ACL line that has a number of its own (`-u`): these, or those of the same line if it was
        compiled before. `written` tells lines apart. ValueError: another line has that number."""
        key, known = self.named.setdefault(identity, (written, patterns))
        if key != written:
            raise ValueError(f"another ACL has the number {identity}")
        return known


def files_of(site: Any) -> PatternFiles:
    """The files of a site."""
    files: PatternFiles = site.pattern_files
    return files
