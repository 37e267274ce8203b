"""The `thread` word of a bind line: `45`, `1-4`, `odd`, `1/45`, `1/2-4`, `1/all`, `all/2`, `all/all`, and lists.

Owns: its syntax and which threads it means (reference TG6). Must not know: bind lines, processes, CPUs. Invariants:
numbers count from 1, through the whole process without a slash, inside a group behind one; the two are not mixed in a
list; a range of process-wide numbers stays inside one group; `format_threads` gives a text that reads back to the
same set.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .model import ThreadRange, ThreadSet

MAX_THREADS = 256
"""The highest thread number of the process."""
MAX_GROUPS = 256
MAX_LOCAL = 64
"""The highest thread number inside a group."""

_NUMBERS = re.compile(r"([0-9]+)(?:-([0-9]*))?", re.ASCII)
_STEPS = {"all": (1, 1), "odd": (1, 2), "even": (2, 2)}


def parse_threads(text: str) -> ThreadSet:
    """The set that `text` stands for. ValueError with a text for people when it is malformed."""
    if not text:
        raise ValueError("a thread set is expected, such as 1-4, odd, 1/2 or all/1")
    ranges = tuple(_parse_range(part) for part in text.split(","))
    if len({one.group is None for one in ranges}) > 1:
        raise ValueError("numbers of the whole process and numbers inside a group (with a slash) cannot be mixed")
    if any(one == ThreadRange(one.group) and not one.group for one in ranges):
        return ThreadSet()
    return ThreadSet(tuple(dict.fromkeys(ranges)))


def _parse_range(text: str) -> ThreadRange:
    head, slash, numbers = text.rpartition("/")
    group = _parse_group(head) if slash else None
    limit = MAX_THREADS if group is None else MAX_LOCAL
    if numbers in _STEPS:
        first, step = _STEPS[numbers]
        return ThreadRange(group, first, 0, step)
    match = _NUMBERS.fullmatch(numbers)
    if match is None:
        raise ValueError(f"'{text}' is not a thread number, a range, all, odd or even")
    first = int(match[1])
    last = first if match[2] is None else int(match[2] or 0)
    for number in (first, last or first):
        if not 1 <= number <= limit:
            where = "of the process" if group is None else "inside a group"
            raise ValueError(f"'{number}' is no thread number {where} (1 to {limit})")
    if last and last < first:
        first, last = last, first
    return ThreadRange(group, first, last)


def _parse_group(text: str) -> int:
    if text == "all":
        return 0
    if not text.isdecimal() or not text.isascii() or not 1 <= int(text) <= MAX_GROUPS:
        raise ValueError(f"'{text}' is no thread group (1 to {MAX_GROUPS}, or all)")
    return int(text)


def format_threads(threads: ThreadSet) -> str:
    """The text of a set: `all` when it is everything."""
    return ",".join(map(_format_range, threads.ranges)) or "all"


def _format_range(one: ThreadRange) -> str:
    group = "" if one.group is None else "all/" if one.group == 0 else f"{one.group}/"
    for word, (first, step) in _STEPS.items():
        if (one.first, one.last, one.step) == (first, 0, step):
            return group + word
    if one.last == one.first:
        return f"{group}{one.first}"
    return f"{group}{one.first}-{one.last or ''}"


def expand(threads: ThreadSet, sizes: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """The (group, local thread) pairs of a set, in order, where group g has `sizes[g - 1]` threads.

    ValueError when a number does not exist, or a process-wide range crosses from one group into another."""
    places = [(group, local) for group, size in enumerate(sizes, 1) for local in range(1, size + 1)]
    if not threads.ranges:
        return tuple(places)
    chosen: set[tuple[int, int]] = set()
    for one in threads.ranges:
        chosen.update(_expand_range(one, sizes, places))
    return tuple(sorted(chosen))


def _expand_range(one: ThreadRange, sizes: Sequence[int], places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    if one.group is None:
        total = len(places)
        if max(one.first, one.last) > total and (one.last or one.step == 1):
            raise ValueError(f"thread {max(one.first, one.last)} does not exist: there are {total}")
        found = [places[number - 1] for number in range(one.first, (one.last or total) + 1, one.step)]
        if one.last and len({group for group, _ in found}) > 1:
            raise ValueError(f"threads {one.first}-{one.last} are not all in one group")
        return found
    if one.group > len(sizes):
        raise ValueError(f"thread group {one.group} does not exist: there are {len(sizes)}")
    groups = range(1, len(sizes) + 1) if one.group == 0 else (one.group,)
    found = [
        (group, local)
        for group in groups
        for local in range(one.first, min(one.last or sizes[group - 1], sizes[group - 1]) + 1, one.step)
    ]
    if one.last and (not found or (one.group and one.last > sizes[one.group - 1])):
        raise ValueError(f"thread {_format_range(one)} does not exist: group sizes are {', '.join(map(str, sizes))}")
    return found
