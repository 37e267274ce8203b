"""Actions that set and forget variables (manual 4.2: set-var).

Owns: the conditions of `set-var(name,condition,...)`. Must not know: where variables live (variables).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..config.model import RuleWord
from . import variables
from .actions import ALL, EARLY, Act, Use, action, nothing
from .samples import Type
from .variables import Name, Pair

Allowed = Callable[[Pair | None, Pair], bool]
"""(what the variable holds, what it would hold) -> may it be set?"""


def is_empty(pair: Pair) -> bool:
    """A text without a character. (Numbers and addresses are never empty.)"""
    return pair[0] in (Type.STR, Type.BIN, Type.METH) and not pair[1]


def _number(pair: Pair) -> int | None:
    return pair[1] if pair[0] in (Type.INT, Type.BOOL) else None


def _compared(old: Pair | None, new: Pair, greater: bool) -> bool:
    """Of something that is no number nothing is greater and nothing is less; then it is set."""
    if old is None:
        return True
    one, other = _number(old), _number(new)
    if one is None or other is None:
        return True
    return one > other if greater else one < other


CONDITIONS: dict[str, Allowed] = {
    "ifexists": lambda old, new: old is not None,
    "ifnotexists": lambda old, new: old is None,
    "ifempty": lambda old, new: is_empty(new),
    "ifnotempty": lambda old, new: not is_empty(new),
    "ifset": lambda old, new: old is not None,
    "ifnotset": lambda old, new: old is None,
    "ifgt": lambda old, new: _compared(old, new, True),
    "iflt": lambda old, new: _compared(old, new, False),
}


_NAMED = "<scope>.<name>[,<condition>]..."


def read_target(use: Use) -> tuple[Name, list[Allowed]]:
    """What stands in the parentheses."""
    word = use.argument
    if word is None or not word.text:
        raise use.error("the name of a variable is expected, as in `set-var(txn.x)`")
    first, *rest = word.text.split(",")
    try:
        name = variables.parse_name(first.strip())
    except ValueError as error:
        raise use.unreadable(error, word) from None
    refuse_scope(use, name, word)
    conditions = []
    for item in rest:
        if item.strip() not in CONDITIONS:
            raise use.error(f"unknown condition '{item}'", word, f"conditions are {', '.join(sorted(CONDITIONS))}")
        conditions.append(CONDITIONS[item.strip()])
    return name, conditions


def refuse_scope(use: Use, name: Name, word: RuleWord) -> None:
    """A variable that nobody could ever read: an error, or where there is no request yet a warning, as HAProxy takes
    the line (`_is_lost`)."""
    if _is_lost(use, name):
        use.warn(f"there is no request yet: '{name}' is lost, and the line does nothing", word, "use sess. or proc.")
        return
    if name.scope == "res" and use.ground.request:
        raise use.error(f"there is no response yet: '{name}' would be lost", word, "use txn.")
    if name.scope == "req" and not use.ground.request:
        raise use.error(f"the request is gone: '{name}' cannot be set any more", word, "use txn.")


def _is_lost(use: Use, name: Name) -> bool:
    """Whether the variable's scope is one of requests, and there is none yet."""
    return use.ground.kind in EARLY and name.scope not in ("proc", "sess")


def _store(use: Use, name: Name, conditions: list[Allowed], pair_of: Callable[[Any], Pair | None]) -> Act:
    if _is_lost(use, name):
        return nothing()
    write = variables.writer(name, use.ground.site)
    if not conditions:

        def act(x: Any) -> None:
            pair = pair_of(x)
            if pair is not None:
                write(x, pair)

        return act
    read = variables.reader(name, use.ground.site)

    def act_if(x: Any) -> None:
        pair = pair_of(x)
        if pair is not None:
            old = read(x)
            for allowed in conditions:
                if not allowed(old, pair):
                    return
            write(x, pair)

    return act_if


@action("set-var", ALL, "<expression>", "Set a variable to the value of an expression", argument=_NAMED)
def _set_var(use: Use) -> Act:
    name, conditions = read_target(use)
    compiled = use.expression()
    run, kind = compiled.run, compiled.type
    if kind is Type.ANY:
        return _store(use, name, conditions, run)

    def pair_of(x: Any) -> Pair | None:
        value = run(x)
        return None if value is None else (kind, value)

    return _store(use, name, conditions, pair_of)


@action("set-var-fmt", ALL, "<format>", "Set a variable to a text", argument=_NAMED)
def _set_var_fmt(use: Use) -> Act:
    name, conditions = read_target(use)
    text = use.format("a format", encoded=False)
    return _store(use, name, conditions, lambda x: (Type.STR, text(x)))


@action("unset-var", ALL, "", "Forget a variable", argument="<scope>.<name>")
def _unset_var(use: Use) -> Act:
    name, conditions = read_target(use)
    if conditions:
        raise use.error("unset-var takes a name only", use.argument)
    if _is_lost(use, name):
        return nothing()
    return variables.unsetter(name, use.ground.site)
