"""Variables: their names, where they live, how they are read and written, and how much they may hold.

Owns: the five scopes (manual: `set-var`), names, limits (`tune.vars.*`). Must not know: rules.

    proc  the thread's process       sess  one client connection       txn  one request and its response
    req   the request's rules        res   the response's rules

A variable is a pair (type, value) in a dict of its scope; there is no dict before the first one is set, so an exchange
without variables costs nothing. Invariant: what the dicts hold is counted against the limits that are set; a variable
that would exceed one is not set.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .samples import Type
from .scope import Site, Variables

Pair = tuple[Type, Any]

_NAME = re.compile(r"[A-Za-z0-9_.]+", re.ASCII)
SCOPES = ("proc", "sess", "txn", "req", "res")


@dataclass(frozen=True, slots=True)
class Name:
    """A variable's name: `txn.user` is scope txn, name user."""

    scope: str
    name: str

    def __str__(self) -> str:
        return f"{self.scope}.{self.name}"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes that variables may take, as HAProxy counts them (`tune.vars.*`); 0: no limit. A wider scope's limit holds
    for the narrower ones too (global > process > session > transaction > request)."""

    total: int = 0
    proc: int = 0
    sess: int = 0
    txn: int = 0
    reqres: int = 0

    def any(self) -> bool:
        return bool(self.total or self.proc or self.sess or self.txn or self.reqres)


def parse_name(text: str) -> Name:
    """Raises ValueError."""
    scope, dot, name = text.partition(".")
    if not dot or scope not in SCOPES:
        raise ValueError(f"'{text}' is no variable's name: it starts with one of {', '.join(s + '.' for s in SCOPES)}")
    if not _NAME.fullmatch(name):
        raise ValueError(f"'{text}' is no variable's name: letters, digits, '.' and '_' are allowed, as in txn.user_1")
    return Name(scope, name)


def reader(name: Name, site: Site) -> Callable[[Any], Pair | None]:
    """scope -> pair (type, value), None while the variable is not set."""
    key = name.name
    if name.scope == "proc":
        shared = site.variables
        return lambda x: shared.get(key)
    if name.scope == "sess":

        def of_session(x: Any) -> Pair | None:
            variables = x.session.variables
            return None if variables is None else variables.get(key)

        return of_session
    if name.scope == "txn":

        def of_exchange(x: Any) -> Pair | None:
            variables = x.variables
            return None if variables is None else variables.get(key)

        return of_exchange
    if name.scope == "req":

        def of_request(x: Any) -> Pair | None:
            variables = x.request_variables
            return None if variables is None else variables.get(key)

        return of_request

    def of_response(x: Any) -> Pair | None:
        variables = x.response_variables
        return None if variables is None else variables.get(key)

    return of_response


def _holder(name: Name, site: Site) -> Callable[[Any], Variables]:
    """scope -> the dict that the variable lives in, made if there is none."""
    if name.scope == "proc":
        shared = site.variables
        return lambda x: shared
    if name.scope == "sess":

        def of_session(x: Any) -> Variables:
            session = x.session
            if session.variables is None:
                session.variables = {}
            return session.variables  # type: ignore[no-any-return]

        return of_session
    attribute = {"txn": "variables", "req": "request_variables", "res": "response_variables"}[name.scope]

    def of_exchange(x: Any) -> Variables:
        variables: Variables | None = getattr(x, attribute)
        if variables is None:
            variables = {}
            setattr(x, attribute, variables)
        return variables

    return of_exchange


def writer(name: Name, site: Site) -> Callable[[Any, Pair], bool]:
    """(scope, pair): set the variable; False if a limit forbids it."""
    key = name.name
    holder = _holder(name, site)
    if not site.limits.any():

        def set_it(x: Any, pair: Pair) -> bool:
            holder(x)[key] = pair
            return True

        return set_it
    return _limited_writer(name, holder, site)


OVERHEAD = 48
"""What HAProxy counts for a variable besides its content (sizeof(struct var) of 64-bit machines)."""


def size_of(pair: Pair) -> int:
    """Bytes that a variable counts for."""
    value = pair[1]
    return OVERHEAD + len(value) if pair[0] in (Type.STR, Type.BIN, Type.METH) else OVERHEAD


def used(variables: Variables | None) -> int:
    """Bytes that the variables of a scope count for."""
    return sum([size_of(pair) for pair in variables.values()]) if variables else 0


def _limited_writer(name: Name, holder: Callable[[Any], Variables], site: Site) -> Callable[[Any, Pair], bool]:
    """With limits every setting counts all that there is: dear (1 us and more), but exact without bookkeeping."""
    key = name.name
    limits = site.limits
    rank = {"proc": 0, "sess": 1, "txn": 2, "req": 3, "res": 3}[name.scope]

    def set_it(x: Any, pair: Pair) -> bool:
        variables = holder(x)
        old = variables.get(key)
        more = size_of(pair) - (size_of(old) if old is not None else 0)
        if more > 0:
            inner = used(x.request_variables) + used(x.response_variables)
            levels = [(limits.reqres, 3, inner), (limits.txn, 2, inner + used(x.variables))]
            levels.append((limits.sess, 1, levels[1][2] + used(x.session.variables)))
            process = levels[2][2] + used(site.variables)
            levels += [(limits.proc, 0, process), (limits.total, 0, process)]
            for limit, level, size in levels:
                if limit and rank >= level and size + more > limit:
                    return False
        variables[key] = pair
        return True

    return set_it


def unsetter(name: Name, site: Site) -> Callable[[Any], None]:
    """scope: forget the variable."""
    key = name.name
    holder = _holder(name, site)

    def unset(x: Any) -> None:
        holder(x).pop(key, None)

    return unset
