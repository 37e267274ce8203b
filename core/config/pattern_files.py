"""Files of patterns and maps that rules name: found in the words, read once, before groups are forked.

Owns: the two formats (one column: `-f`; two columns: maps and `-M`), where lines name files. Must not know: what is
matched, converters. Reading here, and not where rules are compiled, lets all groups share the entries copy-on-write,
needs no file after privileges are dropped, and makes a missing file an error of the configuration with its place.
Names that this does not find (written with quotes inside parentheses) are read when rules are compiled.

Lines that start with `#` and empty ones are left out, blanks at the start are stripped. One column: the rest of the
line is the pattern, blanks at its end included. Two columns: the key ends at the first blank, the value is the rest
without blanks around it. Paths are relative to the working directory.

`file@PATH` is the same as PATH, `opt@PATH` is empty where there is no such file, `virt@NAME` is no file at all: it is
empty at first, and filled at run time (3.x; manual 2.7).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from .diagnostics import Diagnostics
from .model import Configuration, PatternFileSpec, Place, Repeat, RuleSpec, RuleWord

_MAP = re.compile(r"(?<![A-Za-z0-9_.-])map(?:_[a-z]+){0,2}\(([^,()'\"\\]+)")
_CHANGE = re.compile(r"(set-map|del-map|add-acl|del-acl)\(([^()]+)\)\Z")
_WITH_ARGUMENT = ("-m", "-u")


def open_source(path: str, read_file: Callable[[str], bytes]) -> bytes:
    """What is in the file that a configuration names so. Raises what `read_file` does."""
    if path.startswith("virt@"):
        return b""
    if path.startswith("opt@"):
        try:
            return read_file(path[4:])
        except FileNotFoundError:
            return b""
    return read_file(path.removeprefix("file@"))


def read_entries(content: bytes, as_map: bool) -> dict[bytes, bytes]:
    """Key -> value (without a map: the key) in the order of the file; of equal keys the first one counts."""
    return _read(content, as_map)[0]


def _read(content: bytes, as_map: bool) -> tuple[dict[bytes, bytes], tuple[Repeat, ...]]:
    """The entries that count, and the others."""
    entries: dict[bytes, bytes] = {}
    repeats: list[Repeat] = []
    for text in _lines(content):
        key, value = cut_entry(text) if as_map else (text, text)
        if key in entries:
            repeats.append((len(entries), key, value))
        else:
            entries[key] = value
    return entries, tuple(repeats)


def _lines(content: bytes) -> Iterator[bytes]:
    for line in content.split(b"\n"):
        text = line.partition(b"\r")[0] if b"\r" in line else line
        if text[:1] != b"#" and (text := text.lstrip(b" \t")):
            yield text


def cut_entry(text: bytes) -> tuple[bytes, bytes]:
    """Key and value of a line of two columns that starts with its key."""
    parts = re.split(rb"[ \t]+", text, maxsplit=1)
    return parts[0], parts[1].strip(b" \t") if len(parts) > 1 else b""


def line_of(content: bytes, key: bytes, as_map: bool) -> int:
    """The line, from 1, on which a key stands; 0 if on none."""
    for number, line in enumerate(content.split(b"\n"), start=1):
        for text in _lines(line):
            if (cut_entry(text)[0] if as_map else text) == key:
                return number
    return 0


def read_pattern_files(
    configuration: Configuration, read_file: Callable[[str], bytes], diagnostics: Diagnostics
) -> dict[str, PatternFileSpec]:
    """All files that the configuration names, by path. What cannot be read is complained of where it is named."""
    files: dict[str, PatternFileSpec] = {}
    broken: set[str] = set()
    for place, word, path, as_map, certain in _named(configuration):
        if path in broken:
            continue
        where = Place(place.file, place.line, word) if word else place
        known = files.get(path)
        if known is None:
            try:
                content = open_source(path, read_file)
            except (OSError, ValueError) as error:
                if not certain:
                    continue
                reason = getattr(error, "strerror", None) or error
                diagnostics.error(where, f"cannot read the file '{path}': {reason}", path, FILE_HINT)
                broken.add(path)
                continue
            files[path] = PatternFileSpec(path, as_map, *_read(content, as_map))
        elif known.as_map != as_map and certain:
            diagnostics.error(where, both_ways(path, known.as_map), path, "use another file, or a copy of it")
            broken.add(path)
    return files


FILE_HINT = "a file that rules fill only is written opt@<path> (there may be none) or virt@<name> (there is none)"
"""The hint for a file that cannot be read."""


def both_ways(path: str, as_map: bool) -> str:
    """The complaint about a file that is named for the other use than its first."""
    used, wanted = ("two columns", "one") if as_map else ("one column", "two")
    return f"'{path}' is already read as a file of {used}: it cannot be one of {wanted} as well"


def _named(configuration: Configuration) -> Iterator[tuple[Place, int, str, bool, bool]]:
    """(place of the line, column or 0, path, whether it has two columns, whether it is a file for certain)."""
    for rule in _rules(configuration):
        for word in rule.words:
            for found in _MAP.finditer(word.text):
                yield rule.place, word.column + found.start(1), found[1], True, True
        for criterion in _criteria(rule):
            for word, as_map, certain in _flagged(criterion):
                yield rule.place, word.column, word.text, as_map, certain
    for proxy in configuration.proxies:
        for text in (proxy.log_format, proxy.error_log_format, proxy.log_format_sd):
            for found in _MAP.finditer(text or ""):
                yield proxy.place, 0, found[1], True, True
    # Last: what changes a file does not say of which kind it is.
    for rule in _rules(configuration):
        for word in rule.words:
            if (change := _CHANGE.match(word.text)) is not None:
                yield rule.place, word.column + change.start(2), change[2], change[1].endswith("map"), False


def _rules(configuration: Configuration) -> Iterator[RuleSpec]:
    for proxy in configuration.proxies:
        yield from proxy.rules
    for rule_set in configuration.rule_sets.values():
        yield from rule_set.rules


def _criteria(rule: RuleSpec) -> Iterator[Sequence[RuleWord]]:
    """The words of each ACL in a line, behind its name."""
    words = rule.words
    if rule.kind == "acl":
        yield words[1:]
        return
    start = -1
    for index, word in enumerate(words):
        if word.text.lstrip("!") == "{":
            start = index + 1
        elif word.text == "}" and start >= 0:
            yield words[start:index]
            start = -1


def _flagged(words: Sequence[RuleWord]) -> Iterator[tuple[RuleWord, bool, bool]]:
    """The paths behind `-f`, whether `-M` stood before, and whether it is certain that these are flags: words behind
    the criterion may be its converters, before flags, or patterns already."""
    as_map = False
    index = 1
    certain = len(words) > 1 and words[1].text.startswith("-")
    while index < len(words) and not words[index].text.startswith("-"):
        index += 1
    while index < len(words) and words[index].text.startswith("-"):
        text = words[index].text
        if text == "--":
            return
        if text == "-M":
            as_map = True
        elif text == "-f" and index + 1 < len(words):
            index += 1
            yield words[index], as_map, certain
        elif text in _WITH_ARGUMENT:
            index += 1
        index += 1
