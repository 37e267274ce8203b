"""How many threads each group has, by what is written: `nbgroup`, `nbthread` and `thread-group` (TG2, TG7).

Owns: the division of threads over groups, and the limits of both. Must not know: the machine. Invariant: numbers of
threads run through the groups in their order, so sizes alone say which thread is whose. (HAProxy lets `thread-group 1`
have later threads than `thread-group 2`; here that is refused.)
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .threads import MAX_GROUPS, MAX_LOCAL, MAX_THREADS

_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?", re.ASCII)


def thread_range(text: str) -> range:
    """`5` or `1-4`, as on a `thread-group` line. ValueError when it is something else."""
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is not a thread number or a range")
    low, high = sorted((int(match[1]), int(match[2] or match[1])))
    if low < 1 or high > MAX_THREADS:
        raise ValueError(f"'{text}': numbers go from 1 to {MAX_THREADS}")
    return range(low, high + 1)


def divide(total: int, parts: int) -> tuple[int, ...]:
    """`total` in `parts` that differ by one at most, the larger ones first."""
    base, more = divmod(total, parts)
    return tuple(base + (number < more) for number in range(parts))


def group_sizes(nbgroup: int | None, nbthread: int | None, lines: Sequence[Sequence[str]] = ()) -> tuple[int, ...]:
    """Threads of each group. `None` is "not written"; `lines` are the words of `thread-group` lines.

    Without lines at least one number is written: nbthread alone is as many groups, nbgroup alone a thread each. With
    them nbgroup is by default the highest group named; nbthread the highest thread named, or more if groups need them.
    Threads that no line names go evenly to the groups that none names. ValueError when it cannot be."""
    if lines:
        sizes = _by_lines(nbgroup, nbthread, lines)
    else:
        groups = nbgroup or nbthread or 1
        threads = nbthread or groups
        if threads < groups:
            raise ValueError(
                f"{groups} groups cannot share {threads} thread{'s' * (threads > 1)}: nbthread is those of all groups"
            )
        sizes = divide(threads, groups)
    check_sizes(sizes)
    return sizes


def check_sizes(sizes: Sequence[int]) -> None:
    """ValueError for what is beyond the limits: 256 groups, 64 threads in a group, 256 threads."""
    if len(sizes) > MAX_GROUPS or sum(sizes) > MAX_THREADS:
        raise ValueError(f"{len(sizes)} groups with {sum(sizes)} threads: {MAX_GROUPS} of each are the most")
    for number, size in enumerate(sizes, 1):
        if size > MAX_LOCAL:
            least = -(-sum(sizes) // MAX_LOCAL)
            raise ValueError(
                f"group {number} has {size} threads, and {MAX_LOCAL} are the most: write nbgroup {least} or more"
            )


def _by_lines(nbgroup: int | None, nbthread: int | None, lines: Sequence[Sequence[str]]) -> tuple[int, ...]:
    owners: dict[int, int] = {}
    """Thread -> group; a later line takes threads from an earlier one, as in HAProxy."""
    named = 0
    for line in lines:
        named = max(named, int(line[0]))
        for text in line[1:]:
            owners.update(dict.fromkeys(thread_range(text), int(line[0])))
    groups = nbgroup or named
    free = [group for group in range(1, groups + 1) if group not in owners.values()]
    highest = max(owners, default=0)
    threads = nbthread or max(highest, len(owners) + len(free))
    if named > groups:
        raise ValueError(f"thread-group {named} does not exist: nbgroup is {groups}")
    if highest > threads:
        raise ValueError(f"thread {highest} of thread-group {owners[highest]} does not exist: nbthread is {threads}")
    left = [thread for thread in range(1, threads + 1) if thread not in owners]
    if left and not free:
        raise ValueError(
            f"{len(left)} of {threads} threads are in no thread-group, and all {groups} groups are in use: "
            "raise nbgroup, lower nbthread, or name them on a thread-group line"
        )
    if len(left) < len(free):
        raise ValueError(f"{len(free)} groups without a thread-group line cannot share {len(left)} threads")
    for group, size in zip(free, divide(len(left), len(free)) if free else (), strict=True):
        owners.update(dict.fromkeys(left[:size], group))
        del left[:size]
    order = [owners[thread] for thread in range(1, threads + 1)]
    if order != sorted(order):
        thread = next(number for number in range(2, threads + 1) if order[number - 1] < order[number - 2])
        raise ValueError(
            f"thread-group {order[thread - 2]} has thread {thread - 1} and thread-group {order[thread - 1]} thread "
            f"{thread}: threads run through the groups in their order, each group has neighbours"
        )
    return tuple(order.count(group) for group in range(1, groups + 1))
