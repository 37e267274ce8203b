"""The `thread` word of a bind line: `45`, `1-4`, `odd`, `1/45`, `1/2-4`, `1/all`, `all/2`, `all/all`, and lists.

Owns: its syntax and which threads it means (TG6, TG8). Must not know: bind lines, processes, CPUs. Invariants: numbers
count from 1, through the whole process without a slash, inside a group behind one; the two are not mixed in a list;
where groups are written, a range of process-wide numbers stays inside one group; `format_threads` gives a text that
reads back to the same set.

Where the configuration does not speak of groups, HAProxy has one, with all threads in it; maniple may have one a core.
There `1/2` is thread 2 of the whole, and a range may cross groups (`resolve_threads`).
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

_NUMBERS = re.compile(r"(?=-?[0-9])([0-9]*)(?:(-)([0-9]*))?", re.ASCII)
_STEPS = {"all": (1, 1), "odd": (1, 2), "even": (2, 2)}


def parse_threads(text: str) -> ThreadSet:
    """The set that `text` stands for. ValueError with a text for people when it is malformed."""
    if not text:
        raise ValueError("a thread set is expected, such as 1-4, odd, 1/2 or all/1")
    ranges = tuple(_parse_range(part) for part in text.split(","))
    _check_mixture(ranges)
    if any(one == ThreadRange(one.group) and not one.group for one in ranges):
        return ThreadSet()
    return ThreadSet(tuple(dict.fromkeys(ranges)))


def _check_mixture(ranges: Sequence[ThreadRange]) -> None:
    if len({one.group is None for one in ranges}) > 1:
        raise ValueError("numbers of the whole process and numbers inside a group (with a slash) cannot be mixed")


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
    first = int(match[1] or 1)
    last = first if match[2] is None else int(match[3] or 0)
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


def join(left: ThreadSet, right: ThreadSet) -> ThreadSet:
    """The union, for a bind line with several `thread` words. ValueError when their numbers count differently."""
    if not left.ranges or not right.ranges:
        return ThreadSet()
    ranges = (*left.ranges, *right.ranges)
    _check_mixture(ranges)
    return ThreadSet(tuple(dict.fromkeys(ranges)))


def expand(threads: ThreadSet, sizes: Sequence[int], crossing: bool = False) -> tuple[tuple[int, int], ...]:
    """The (group, local thread) pairs of a set, in order, where group g has `sizes[g - 1]` threads.

    What a range has beyond the last thread is left out, as in HAProxy. ValueError when a single number, a whole range
    or a group does not exist, when the set is empty, or when a process-wide range crosses from one group into another
    and `crossing` does not allow it."""
    places = [(group, local) for group, size in enumerate(sizes, 1) for local in range(1, size + 1)]
    if not threads.ranges:
        return tuple(places)
    chosen: set[tuple[int, int]] = set()
    for one in threads.ranges:
        if one.group is None:
            found = [places[number - 1] for number in _members(one, len(places), f"there are {len(places)}")]
            if one.last and not crossing and len({group for group, _ in found}) > 1:
                raise ValueError(f"threads {one.first}-{one.last} are not all in one group")
            chosen.update(found)
        else:
            chosen.update(_local(one, sizes))
    if not chosen:
        raise ValueError(f"no thread is in `{format_threads(threads)}`: group sizes are {', '.join(map(str, sizes))}")
    return tuple(sorted(chosen))


def _members(one: ThreadRange, size: int, why: str) -> range:
    """The numbers of a range of which `size` exist."""
    if one.first > size and one.step == 1:
        raise ValueError(f"thread {_format_range(one)} does not exist: {why}")
    return range(one.first, min(one.last or size, size) + 1, one.step)


def _local(one: ThreadRange, sizes: Sequence[int]) -> list[tuple[int, int]]:
    group = one.group or 0
    if group > len(sizes):
        raise ValueError(f"thread group {group} does not exist: there are {len(sizes)}")
    why = f"group sizes are {', '.join(map(str, sizes))}"
    if group:
        return [(group, local) for local in _members(one, sizes[group - 1], why)]
    _members(one, max(sizes), why)  # it is enough that one of the groups has it
    return [
        (number, local)
        for number, size in enumerate(sizes, 1)
        for local in range(one.first, min(one.last or size, size) + 1, one.step)
    ]


def resolve_threads(
    threads: ThreadSet, sizes: Sequence[int], groups_written: bool
) -> tuple[tuple[tuple[int, int], ...], str | None]:
    """The (group, local thread) pairs of a bind line's set under a placement, and a notice where its text could be read
    otherwise. `sizes` and `groups_written` are those of `groups.placement.Placement`. ValueError as `expand`."""
    notices = []
    if not groups_written and len(sizes) > 1 and threads.ranges and {one.group for one in threads.ranges} == {1}:
        written = format_threads(threads)
        threads = ThreadSet(tuple(ThreadRange(None, one.first, one.last, one.step) for one in threads.ranges))
        notices.append(
            f"`thread {written}` is read as `thread {format_threads(threads)}`: without `nbgroup` the numbers of "
            "group 1 are those of the whole, as in HAProxy, which then has one group"
        )
    pairs = expand(threads, sizes, crossing=not groups_written)
    missing = [_format_range(one) for one in threads.ranges if one.last > _size(one, sizes)]
    if missing:
        notices.append(f"`thread {','.join(missing)}` has threads that do not exist: they are left out")
    return pairs, "; ".join(notices) or None


def _size(one: ThreadRange, sizes: Sequence[int]) -> int:
    """How many threads there are to count where this range counts."""
    if one.group is None:
        return sum(sizes)
    return sizes[one.group - 1] if one.group else max(sizes)
