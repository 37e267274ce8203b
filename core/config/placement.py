"""The global words that place groups and threads on CPUs: cpu-map, cpu-set, cpu-policy, thread-group.

Owns: their syntax. Must not know: the machine's CPUs; what the words come to is the topology's business, so the model
keeps the words as they were written. All of them are accepted and not yet in force.
"""

from __future__ import annotations

import re

from .drafts import GlobalDraft
from .keywords import GLOBAL, State, nearest
from .keywords import GLOBAL_KEYWORDS as TABLE
from .statement import Refusal, Statement
from .threads import MAX_GROUPS, MAX_LOCAL, MAX_THREADS
from .values import Integer

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

_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?", re.ASCII)
_NAMED = {"all", "odd", "even"}


def cpu_numbers(text: str) -> frozenset[int]:
    """`0-3,5` -> the numbers. ValueError when malformed."""
    numbers: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ValueError(f"'{part}' is not a CPU number or a range")
        low, high = int(match[1]), int(match[2] or match[1])
        if high < low:
            low, high = high, low
        if high > MAX_CPU:
            raise ValueError(f"'{part}': CPU numbers go up to {MAX_CPU}")
        numbers.update(range(low, high + 1))
    return frozenset(numbers)


def _span(text: str, highest: int) -> int | None:
    """How many numbers `all`, `odd`, `even`, a number or a range stands for; None for the words. ValueError."""
    if text in _NAMED:
        return None
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is not a number, a range, all, odd or even")
    low, high = sorted((int(match[1]), int(match[2] or match[1])))
    if low < 1 or high > highest:
        raise ValueError(f"'{text}': numbers go from 1 to {highest}")
    return high - low + 1


@TABLE.keyword(
    "cpu-map",
    GLOBAL,
    "[auto:]<groups>[/<threads>] <cpu-list>...",
    "CPUs that the threads of a group may run on.",
    reader="groups",
    arity=(0, -1),
    state=State.ACCEPTED,
)
def _cpu_map(statement: Statement, draft: GlobalDraft) -> None:
    if len(statement) < 2:
        raise Refusal("`cpu-map` expects [auto:]<groups>[/<threads>] and a list of CPUs")
    word = statement.arguments[0]
    automatic = word.text.startswith("auto:")
    groups, slash, threads = word.text.removeprefix("auto:").partition("/")
    try:
        spans = [_span(groups, MAX_GROUPS), _span(threads, MAX_LOCAL) if slash else 1]
    except ValueError as error:
        raise Refusal(f"`cpu-map {word.text}`: {error}", word) from None
    cpus: set[int] = set()
    for listed in statement.arguments[1:]:
        try:
            cpus |= cpu_numbers(listed.text)
        except ValueError as error:
            raise Refusal(f"`cpu-map`: {error}", listed) from None
    if automatic:
        expected = (spans[0] or MAX_LOCAL) * (spans[1] or MAX_LOCAL)
        if expected != len(cpus):
            raise Refusal(f"`cpu-map {word.text}`: {expected} threads and {len(cpus)} CPUs cannot be paired", word)
    draft.set("cpu_map", (*draft.spec.cpu_map, statement.texts))


@TABLE.keyword(
    "cpu-set",
    GLOBAL,
    "reset | <drop|only>-<cpu|node|cluster|core|thread> <list> ...",
    "CPUs that are considered at all.",
    reader="groups",
    arity=(1, -1),
    state=State.ACCEPTED,
)
def _cpu_set(statement: Statement, draft: GlobalDraft) -> None:
    words = list(statement.arguments)
    while words:
        word = words.pop(0)
        if word.text == "reset":
            continue
        if word.text not in SET_WORDS:
            hint = nearest(word.text, SET_WORDS) or f"words are reset, {', '.join(SET_WORDS)}"
            raise Refusal(f"`cpu-set`: unknown word '{word.text}'", word, hint)
        if not words:
            raise Refusal(f"`cpu-set {word.text}` expects a list of numbers", word)
        listed = words.pop(0)
        try:
            cpu_numbers(listed.text)
        except ValueError as error:
            raise Refusal(f"`cpu-set {word.text}`: {error}", listed) from None
    draft.set("cpu_set", (*draft.spec.cpu_set, statement.texts))


@TABLE.keyword(
    "cpu-policy",
    GLOBAL,
    "<policy> [threads-per-core <1|auto>]",
    "How groups are laid over sockets, caches and cores.",
    reader="groups",
    arity=(1, 3),
    state=State.ACCEPTED,
)
def _cpu_policy(statement: Statement, draft: GlobalDraft) -> None:
    word = statement.arguments[0]
    if word.text not in POLICIES:
        hint = nearest(word.text, POLICIES) or f"policies are {', '.join(POLICIES)}"
        raise Refusal(f"`cpu-policy`: unknown policy '{word.text}'", word, hint)
    if len(statement) > 1 and (statement.text(1) != "threads-per-core" or statement.text(2) not in ("1", "auto")):
        raise Refusal("`cpu-policy` takes `threads-per-core 1` or `threads-per-core auto`", statement.arguments[1])
    draft.set("cpu_policy", statement.texts)


@TABLE.keyword(
    "thread-group",
    GLOBAL,
    "<group> <low[-high]>...",
    "Threads of a group, by numbers of the process.",
    reader="groups",
    arity=(1, -1),
    state=State.ACCEPTED,
)
def _thread_group(statement: Statement, draft: GlobalDraft) -> None:
    group = statement.value(0, Integer(1, MAX_GROUPS))
    for word in statement.arguments[1:]:
        try:
            _span(word.text if word.text not in _NAMED else "", MAX_THREADS)
        except ValueError:
            raise Refusal(f"`thread-group {group}`: '{word.text}' is not a thread number or a range", word) from None
    lines = draft.spec.thread_group_lines
    kept = tuple(line for line in lines if line[0] != str(group))
    if len(kept) != len(lines):
        statement.warn(f"`thread-group {group}` overrides an earlier line")
    draft.set("thread_group_lines", (*kept, statement.texts))
