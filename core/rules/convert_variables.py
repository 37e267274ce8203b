"""Converters that write variables and captures while a value passes by (manual 7.3.1).

Owns: the conditions of set-var. Must not know: where variables live. Invariant: the value goes on as it came; only
where a condition of set-var is not met there is no value any more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import variables
from .catalogue import Call, Needs, Scoped, converter
from .samples import ANY, BIN, INT, METH, STR
from .variables import Pair

_CONDITIONS: dict[bytes, Callable[[Pair | None, Pair], bool]] = {
    b"ifexists": lambda old, new: old is not None,
    b"ifnotexists": lambda old, new: old is None,
    b"ifset": lambda old, new: old is not None,
    b"ifnotset": lambda old, new: old is None,
    b"ifempty": lambda old, new: new[0] in (STR, BIN, METH) and not new[1],
    b"ifnotempty": lambda old, new: new[0] not in (STR, BIN, METH) or bool(new[1]),
    # Only numbers have an order; anything else passes.
    b"ifgt": lambda old, new: old is None or old[0] is not INT or new[0] is not INT or old[1] > new[1],
    b"iflt": lambda old, new: old is None or old[0] is not INT or new[0] is not INT or old[1] < new[1],
}
"""Condition -> (the variable's pair, the new one) -> whether the new one is set. A variable exists when it is set."""


def read_conditions(call: Call, first: int = 1) -> tuple[Callable[[Pair | None, Pair], bool], ...]:
    """The conditions that the arguments from `first` on name."""
    found = []
    for index in range(first, len(call.values)):
        name = call.values[index]
        if name is None:
            break
        if name not in _CONDITIONS:
            raise call.error(f"a condition is one of {b', '.join(_CONDITIONS).decode()}", index)
        found.append(_CONDITIONS[name])
    return tuple(found)


@converter(
    "set-var",
    ANY,
    None,
    "As it is; a variable is set to it if all conditions are met",
    arguments="name:variable condition:string? condition2:string? condition3:string? condition4:string?",
    needs=Needs.LEAVES,
)
def _set_var(call: Call) -> Scoped:
    name = call.values[0]
    write = variables.writer(name, call.site)
    conditions = read_conditions(call)
    kind = call.source
    if not conditions:
        if kind is ANY:

            def set_pair(x: Any, value: Any) -> Any:
                return value if write(x, value) else None

            return Scoped(set_pair)

        def set_value(x: Any, value: Any) -> Any:
            return value if write(x, (kind, value)) else None

        return Scoped(set_value)
    read = variables.reader(name, call.site)

    def set_if(x: Any, value: Any) -> Any:
        new = value if kind is ANY else (kind, value)
        old = read(x)
        for condition in conditions:
            if not condition(old, new):
                return None
        return value if write(x, new) else None

    return Scoped(set_if)


@converter("unset-var", ANY, None, "As it is; a variable is forgotten", arguments="name:variable", needs=Needs.LEAVES)
def _unset_var(call: Call) -> Scoped:
    unset = variables.unsetter(call.values[0], call.site)

    def run(x: Any, value: Any) -> Any:
        unset(x)
        return value

    return Scoped(run)


def _capture(call: Call, attribute: str, request: bool) -> Scoped:
    number = call.values[0]
    if number < 0:
        raise call.error("slots are counted from 0", 0)

    def run(x: Any, value: bytes) -> bytes | None:
        x.capture(request, number, value)
        # Without that slot nothing was kept, and as in HAProxy nothing goes on.
        return value if number < len(getattr(x, attribute)) else None

    return Scoped(run)


@converter("capture-req", STR, STR, "As it is; kept in a slot of the request's captures", arguments="slot:integer")
def _capture_req(call: Call) -> Scoped:
    return _capture(call, "request_captures", True)


@converter("capture-res", STR, STR, "As it is; kept in a slot of the response's captures", arguments="slot:integer")
def _capture_res(call: Call) -> Scoped:
    return _capture(call, "response_captures", False)
