"""Changes of patterns on their way between processes: what one is, its form in JSON, and how it is carried out.

Owns: both. Must not know: who asks for changes, channels, threads.

A change names a file (or `#` and the number of an ACL) and says what holds for a key from now on, so that carrying it
out twice does no harm, and who has missed some is right again when told the last of each key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from .pattern_files import PatternFiles


class Change(NamedTuple):
    """`value` None: there is no such entry any more. `key` None: `pairs` are all entries, each key once."""

    name: str
    key: bytes | None
    value: bytes | None = None
    pairs: tuple[tuple[bytes, bytes], ...] = ()


def write_changes(changes: Iterable[Change]) -> list[Any]:
    """As JSON can say it."""
    return [
        [name, None, [[_text(key), _text(value)] for key, value in pairs]]
        if one is None
        else [name, _text(one), None if value is None else _text(value)]
        for name, one, value, pairs in changes
    ]


def read_changes(content: Sequence[Any]) -> list[Change]:
    """The inverse."""
    found = []
    for name, key, value in content:
        if key is None:
            found.append(Change(name, None, None, tuple([(_bytes(one), _bytes(other)) for one, other in value])))
        else:
            found.append(Change(name, _bytes(key), None if value is None else _bytes(value)))
    return found


def _text(value: bytes) -> str:
    return value.decode("latin-1")


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")


def check_changes(files: PatternFiles, changes: Iterable[Change]) -> None:
    """ValueError: one of them cannot be carried out."""
    for name, key, value, pairs in changes:
        file = files.files.get(name)
        if file is None:
            continue
        if key is None:
            file.check(pairs)
        elif value is not None:
            file.check(((key, value),))


def carry_out(files: PatternFiles, change: Change) -> None:
    """Files that this configuration has not are left out. ValueError: nothing has changed."""
    name, key, value, pairs = change
    file = files.files.get(name)
    if file is None:
        return
    if key is None:
        file.replace(dict(pairs))
    elif value is not None:
        file.put(key, value)
    elif key in file.entries:
        file.remove(key)
