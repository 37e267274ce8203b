"""Converters that take one part out of a text with delimiters: fields, words, parameters (manual 7.3.1).

Owns: these. Must not know: what the parts are for.

A field ends at each delimiter, so fields may be empty; a word is a run of other characters, so it may not. Both are
counted from 1, or from the end by -1; where there is none of that number there is no sample (HAProxy 2.6 gave an empty
text for words; later ones do not). Several at once keep the delimiters that are between them, and reach to the end of
the text (or its start, if counted from the end) where so many are not there, or 0 are asked for.
"""

from __future__ import annotations

import re
from typing import Any

from .catalogue import Call, Convert, converter
from .samples import STR

_ARGUMENTS = "index:integer delimiters:string count:integer?"


def _read(call: Call) -> tuple[int, bytes, int]:
    index, delimiters, count = call.values
    if not index:
        raise call.error("it is counted from 1, or from -1 at the end", 0)
    if not delimiters:
        raise call.error("at least one delimiter is expected", 1)
    return index, delimiters, 1 if count is None else count


@converter("field", STR, STR, "The part of this number between delimiters", arguments=_ARGUMENTS)
def _field(call: Call) -> Convert:
    index, delimiters, count = _read(call)
    first = delimiters[:1]
    same = bytes.maketrans(delimiters, first * len(delimiters)) if len(delimiters) > 1 else None
    if count == 1 and index > 0:

        def nth(value: bytes) -> bytes | None:
            parts = (value if same is None else value.translate(same)).split(first, index)
            # Nothing is left of the text's rest; a single field has no delimiter in it.
            return parts[index - 1] if index <= len(parts) else None

        return nth
    if count == 1:

        def nth_last(value: bytes) -> bytes | None:
            parts = (value if same is None else value.translate(same)).rsplit(first, -index)
            return parts[index] if -index <= len(parts) else None

        return nth_last
    gap = re.compile(b"[" + re.escape(delimiters) + b"]")

    def several(value: bytes) -> bytes | None:
        # Edges: where delimiters stand, with one before the text and one behind it.
        edges = [-1, *[found.start() for found in gap.finditer(value)], len(value)]
        fields = len(edges) - 1
        if index > fields or -index > fields:
            return None
        if index > 0:
            start = index - 1
            end = fields if count <= 0 else min(start + count, fields)
        else:
            end = fields + index + 1
            start = 0 if count <= 0 else max(end - count, 0)
        return value[edges[start] + 1 : edges[end]]

    return several


@converter("word", STR, STR, "The word of this number, delimiters being skipped", arguments=_ARGUMENTS)
def _word(call: Call) -> Convert:
    index, delimiters, count = _read(call)
    words = re.compile(b"[^" + re.escape(delimiters) + b"]+")
    if count == 1:

        def nth(value: bytes) -> bytes | None:
            found: list[bytes] = words.findall(value)
            try:
                return found[index - 1 if index > 0 else index]
            except IndexError:
                return None

        return nth

    def several(value: bytes) -> bytes | None:
        found = list(words.finditer(value))
        try:
            edge = found[index - 1 if index > 0 else index]
        except IndexError:
            return None
        number = index - 1 if index > 0 else len(found) + index
        if index > 0:
            last = number + count - 1
            end = found[last].end() if count > 0 and last < len(found) else len(value)
            return value[edge.start() : end]
        last = number - count + 1
        start = found[last].start() if count > 0 and last >= 0 else 0
        return value[start : edge.end()]

    return several


@converter("param", STR, STR, "The value of a parameter in a query", arguments="name:string delimiter:string?")
def _param(call: Call) -> Convert:
    name, delimiter = call.values
    if delimiter is None:
        delimiter = b"&"
    if len(delimiter) != 1:
        raise call.error("a delimiter is one character", 1)
    edge = re.escape(delimiter)
    # A parameter without `=` is there, with nothing as its value.
    pattern = b"(?:\\A|" + edge + b")" + re.escape(name) + b"(?:=([^" + edge + b"]*))?(?=" + edge + b"|\\Z)"
    find = re.compile(pattern, re.DOTALL).search

    def run(value: Any) -> bytes | None:
        found = find(value)
        return None if found is None else found[1] or b""

    return run
