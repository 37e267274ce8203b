"""What a thread is asked about its patterns: what a value meets (`get map`), how often files are used, whether entries
could be added.

Owns: the answers, in HAProxy's form (management 9.3: get map). Must not know: who asks, how. A question and its answer
are JSON and text: they come from another process.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .pattern_changes import check_changes, read_changes
from .pattern_files import PAYLOADS, PatternFile, PatternFiles, Use
from .patterns import Patterns
from .samples import CASTS, STR, unpack_ip

_TREES = frozenset(("str", "beg", "ip"))
"""Methods whose patterns HAProxy keeps in a tree, where case counts."""


def answer(files: PatternFiles, question: Sequence[Any]) -> str:
    """`["uses"]`: JSON of name -> how often it is compiled; `["get", name, as_map, value]`: the lines of `get map` or
    `get acl`; `["check", changes]`: why they cannot be carried out, or ""."""
    what = question[0]
    if what == "uses":
        return json.dumps({name: len(file.shown) for name, file in files.files.items()})
    if what == "check":
        try:
            check_changes(files, read_changes(question[1]))
        except ValueError as error:
            return str(error)
        return ""
    _, name, as_map, value = question
    file = files.files.get(name)
    if file is None:
        return ""
    return "\n".join([_line(file, use, as_map, value.encode("latin-1")) for use in file.shown])


def _line(file: PatternFile, use: Use, as_map: bool, value: bytes) -> str:
    shown, fold, resolve, payload = use
    patterns = file.shown[use]
    text = f"type={shown}, case={'insensitive' if fold else 'sensitive'}"
    hit = _find(file, patterns, resolve, payload, value)
    if hit is None:
        return f"{text}, found=no" if as_map else f"{text}, match=no"
    index = "tree" if shown in _TREES and not fold else "list"
    key = hit[0].decode("utf-8", "replace")
    if not as_map:
        return f'{text}, match=yes, idx={index}, pattern="{key}"'
    found = f'{text}, found=yes, idx={index}, key="{key}"'
    return f"{found}, value=none" if payload == "key" else f"{found}, {_show(payload, hit[1])}"


def _find(
    file: PatternFile, patterns: Patterns, resolve: bool, payload: str, text: bytes
) -> tuple[bytes, bytes] | None:
    """Key and value of the entry that a text meets."""
    want = patterns.want
    value: Any = text if want is None or want is STR else CASTS[STR, want](text)
    if value is None:
        return None
    if patterns.shared:
        return (text, file.entries[text]) if text in file.entries else None
    if patterns.found(value) is None:
        return None
    if payload == "key":
        key = patterns.found(value)
        return key, file.entries.get(key, key)
    # The payload does not tell which entry it is from: the same patterns with their entries for a payload.
    again = Patterns(patterns.method.name, patterns.ignore_case, resolve)
    again.load([(key, (key, value)) for key, value in file.entries.items()])
    pair: tuple[bytes, bytes] | None = again.found(value)
    return pair


def _show(payload: str, value: bytes) -> str:
    read = PAYLOADS[payload](value)
    if payload == "int":
        return f'value="{read}", type="sint"'
    if payload == "ip":
        shown = unpack_ip(read).decode()
        return f'value="{shown}", type="{"ipv4" if len(read) == 4 else "ipv6"}"'
    return f'value="{value.decode("utf-8", "replace")}", type="str"'
