"""The arguments of `cpu-map`, `cpu-set` and `cpu-policy` as values (manual 3.1, reference 3.10).

Owns: their syntax. Must not know: the machine's CPUs and how many threads there are. Invariants: a `CpuMap` that reads
answers for every pair of a group and a thread; an automatic one has as many CPUs as it has threads or groups.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .threads import MAX_GROUPS, MAX_LOCAL

POLICIES = (
    "none",
    "efficiency",
    "first-usable-node",
    "group-by-ccx",
    "group-by-2-ccx",
    "group-by-3-ccx",
    "group-by-4-ccx",
    "group-by-cluster",
    "group-by-2-clusters",
    "group-by-3-clusters",
    "group-by-4-clusters",
    "performance",
    "resource",
    "group-by-core",
    "group-by-l3",
    "group-by-socket",
)
"""HAProxy's, and our own three at the end."""

SET_WORDS = tuple(
    f"{verb}-{what}" for verb in ("drop", "only") for what in ("cpu", "node", "cluster", "core", "thread")
)
MAX_CPU = 4095

_RANGE = re.compile(r"([0-9]+)(?:-([0-9]*))?", re.ASCII)
_STEPS = {"all": 1, "odd": 2, "even": 2}


def cpu_numbers(text: str) -> frozenset[int]:
    """`0-3,5` -> the numbers; `8-` goes on to the highest. ValueError when malformed."""
    numbers: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ValueError(f"'{part}' is not a CPU number or a range")
        low = int(match[1])
        high = low if match[2] is None else int(match[2] or MAX_CPU)
        if high < low:
            low, high = high, low
        if high > MAX_CPU:
            raise ValueError(f"'{part}': CPU numbers go up to {MAX_CPU}")
        numbers.update(range(low, high + 1))
    return frozenset(numbers)


@dataclass(frozen=True, slots=True)
class Span:
    """The numbers `first`, `first + step`, ... to `last`; `last` 0: without an end."""

    first: int = 1
    last: int = 0
    step: int = 1

    def __contains__(self, number: int) -> bool:
        inside = self.first <= number and (not self.last or number <= self.last)
        return inside and (number - self.first) % self.step == 0

    def index(self, number: int) -> int:
        """Place of a number that it contains, from 0."""
        return (number - self.first) // self.step

    def count(self, highest: int) -> int:
        """How many numbers up to `highest`."""
        return len(range(self.first, (self.last or highest) + 1, self.step))


def read_span(text: str, highest: int) -> Span:
    """`all`, `odd`, `even`, `n`, `n-m` or `n-`, with numbers from 1 to `highest`. ValueError."""
    if text in _STEPS:
        return Span(2 if text == "even" else 1, 0, _STEPS[text])
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is not a number, a range, all, odd or even")
    first = int(match[1])
    last = first if match[2] is None else int(match[2] or 0)
    if last:
        first, last = sorted((first, last))
    if first < 1 or max(first, last) > highest:
        raise ValueError(f"'{text}': numbers go from 1 to {highest}")
    return Span(first, last)


@dataclass(frozen=True, slots=True)
class CpuMap:
    """One `cpu-map` line."""

    groups: Span
    threads: Span | None
    """Numbers in the group; None: the whole group."""
    cpus: tuple[int, ...]
    """Ascending, whatever the order in which they were written."""
    automatic: bool = False
    """One CPU for each, in the order of the numbers."""

    def cpus_of(self, group: int, thread: int) -> tuple[int, ...] | None:
        """What the line says of a thread of a group; None: nothing."""
        if group not in self.groups or (self.threads is not None and thread not in self.threads):
            return None
        if not self.automatic:
            return self.cpus
        index = self.groups.index(group)
        if self.threads is not None:
            index = index * self.threads.count(MAX_LOCAL) + self.threads.index(thread)
        elif self.groups.count(MAX_GROUPS) != len(self.cpus):
            index = index * MAX_LOCAL + thread - 1
        return (self.cpus[index],) if index < len(self.cpus) else None


def read_cpu_map(words: Sequence[str]) -> CpuMap:
    """The words of a `cpu-map` line. ValueError with a text for people.

    In the automatic form groups or threads are a range, not both; without threads either each group has one CPU, or
    each thread that the groups may have (64 a group)."""
    head = words[0]
    automatic = head.startswith("auto:")
    left, slash, right = head.removeprefix("auto:").partition("/")
    groups = read_span(left, MAX_GROUPS)
    threads = read_span(right, MAX_LOCAL) if slash else None
    cpus = tuple(sorted(frozenset[int]().union(*map(cpu_numbers, words[1:]))))
    if automatic:
        pieces = groups.count(MAX_GROUPS)
        each = MAX_LOCAL if threads is None else threads.count(MAX_LOCAL)
        if len(cpus) != pieces * each and (threads is not None or len(cpus) != pieces):
            what = f"{pieces * each} threads" if threads is not None or pieces == 1 else f"{pieces} groups"
            raise ValueError(f"{what} and {len(cpus)} CPUs cannot be paired")
    return CpuMap(groups, threads, cpus, automatic)


@dataclass(frozen=True, slots=True)
class SetStep:
    """One step of `cpu-set`. `verb` is reset, drop or only; `what` is cpu, node, cluster, core or thread."""

    verb: str
    what: str = ""
    numbers: frozenset[int] = frozenset()


def read_cpu_set(words: Sequence[str]) -> tuple[SetStep, ...]:
    """The words of a `cpu-set` line. ValueError with a text for people; the reader of the keyword tells the place."""
    steps = []
    rest = iter(words)
    for word in rest:
        if word == "reset":
            steps.append(SetStep("reset"))
            continue
        if word not in SET_WORDS:
            raise ValueError(f"unknown word '{word}'")
        verb, _, what = word.partition("-")
        numbers = next(rest, None)
        if numbers is None:
            raise ValueError(f"`{word}` expects a list of numbers")
        steps.append(SetStep(verb, what, cpu_numbers(numbers)))
    return tuple(steps)
