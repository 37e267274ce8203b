"""The global words that place groups and threads on CPUs: cpu-map, cpu-set, cpu-policy, thread-group.

Owns: how such a line is read and what is said of a wrong one. Must not know: the machine's CPUs. The model keeps the
words as they were written, since what they come to is known where the process runs (`groups/placement`).
"""

from __future__ import annotations

from .cpu_words import POLICIES, SET_WORDS, cpu_numbers, read_cpu_map
from .drafts import GlobalDraft
from .keywords import GLOBAL, nearest
from .keywords import GLOBAL_KEYWORDS as TABLE
from .statement import Refusal, Statement
from .thread_groups import thread_range
from .threads import MAX_GROUPS
from .values import Integer


@TABLE.keyword(
    "cpu-map",
    GLOBAL,
    "[auto:]<groups>[/<threads>] <cpu-list>...",
    "CPUs that the threads of a group may run on.",
    reader="groups",
    arity=(0, -1),
)
def _cpu_map(statement: Statement, draft: GlobalDraft) -> None:
    if len(statement) < 2:
        raise Refusal("`cpu-map` expects [auto:]<groups>[/<threads>] and a list of CPUs")
    for listed in statement.arguments[1:]:
        try:
            cpu_numbers(listed.text)
        except ValueError as error:
            raise Refusal(f"`cpu-map`: {error}", listed) from None
    word = statement.arguments[0]
    try:
        read_cpu_map(statement.texts)
    except ValueError as error:
        raise Refusal(f"`cpu-map {word.text}`: {error}", word, _map_hint(word.text)) from None
    draft.set("cpu_map", (*draft.spec.cpu_map, statement.texts))


def _map_hint(text: str) -> str:
    if text.startswith("auto:"):
        return (
            "with `auto:` there is one CPU for each thread, as in auto:1/1-4 0-3, or for each group, as in auto:1-4 0-3"
        )
    return "it is written <group>[/<threads>]; before the slash is a group (a process in old configurations)"


@TABLE.keyword(
    "cpu-set",
    GLOBAL,
    "reset | <drop|only>-<cpu|node|cluster|core|thread> <list> ...",
    "CPUs that are considered at all.",
    reader="groups",
    arity=(1, -1),
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
)
def _thread_group(statement: Statement, draft: GlobalDraft) -> None:
    group = statement.value(0, Integer(1, MAX_GROUPS))
    for word in statement.arguments[1:]:
        try:
            thread_range(word.text)
        except ValueError as error:
            raise Refusal(f"`thread-group {group}`: {error}", word) from None
    lines = draft.spec.thread_group_lines
    kept = tuple(line for line in lines if line[0] != str(group))
    if len(kept) != len(lines):
        statement.warn(f"`thread-group {group}` overrides an earlier line")
    draft.set("thread_group_lines", (*kept, statement.texts))
