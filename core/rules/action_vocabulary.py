"""The actions of rules: what there is, and what HAProxy (3.2) has and maniple has not yet, by name.

Owns: in which rule sets actions are missing that are there in others, and how all of them are shown (`maniple check
--keywords`). Must not know: what an action does. Invariant: an action that is registered for a set is never said to be
missing there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..config.keywords import State
from .actions import ACTIONS, ALL, Entry
from .all_actions import MODULES

REGISTERED = MODULES
"""Their import fills the registry."""

ELSEWHERE: dict[str, frozenset[str]] = {}
"""Rule sets in which HAProxy has an action too, and maniple only has it in others: none today."""
_LETTERS = {
    "tcp-request connection": "c",
    "tcp-request session": "s",
    "tcp-request content": "t",
    "http-request": "h",
    "tcp-response content": "T",
    "http-response": "H",
    "http-after-response": "A",
}
"""Rule sets in the order in which they are run."""


@dataclass(frozen=True, slots=True)
class ActionTerm:
    """One action, as documentation shows it. `missing_sets`: where HAProxy has it and maniple has it not yet."""

    kind: str
    name: str
    usage: str
    sets: tuple[str, ...]
    missing_sets: tuple[str, ...]
    state: State
    """IN_FORCE or KNOWN."""
    summary: str
    """What it does; of what is missing, why."""


def action_terms() -> Iterator[ActionTerm]:
    """All of them, by name."""
    for _, entry in sorted(ACTIONS.items()):
        if entry.sets & ALL:
            yield _term(entry)


def _term(entry: Entry) -> ActionTerm:
    gone = bool(entry.missing)
    lacking = entry.sets if gone else ELSEWHERE.get(entry.name, frozenset())
    have = frozenset() if gone else entry.sets
    usage = f"{entry.name}({entry.argument}) {entry.usage}" if entry.argument else f"{entry.name} {entry.usage}"
    return ActionTerm(
        "action",
        entry.name,
        usage.strip(),
        tuple(name for name in _LETTERS if name in have),
        tuple(name for name in _LETTERS if name in lacking and name not in have),
        State.KNOWN if gone else State.IN_FORCE,
        entry.missing or entry.summary,
    )


def render_actions() -> str:
    """The actions as text: name, a letter for each rule set, state, arguments, and the line of documentation."""
    lines = ["", f"{'actions':<44} {'sets':<8} {'state':<9} arguments"]
    for term in action_terms():
        letters = "".join(
            letter if name in (*term.sets, *term.missing_sets) else "-" for name, letter in _LETTERS.items()
        )
        name, _, arguments = term.usage.partition(" ")
        state = "in force" if term.state is State.IN_FORCE else "missing"
        lines.append(f"{name:<44} {letters:<8} {state:<9} {arguments}".rstrip())
        summary = term.summary
        if term.sets and term.missing_sets:
            summary += f" (missing in: {', '.join(term.missing_sets)})"
        lines.append(f"    {summary}")
    lines += ("", "sets: " + ", ".join(f"{letter} {name}" for name, letter in _LETTERS.items()))
    return "\n".join(lines) + "\n"
