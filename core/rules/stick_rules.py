"""`stick match`, `stick on`, `stick store-request`, `stick store-response` (manual 4.2): requests go to the server that
a stick table knows of a key, and the table learns which server has had a request.

Owns: compiling these lines, and how their sets are run. Must not know: tables' entries (bonds), when a set is run and
what becomes of a server that it names (relay).

All lines of a set are looked at, in their order (measured: HAProxy 3.0):

    match      the first server that a table names and that may have requests (it is usable, or persistence holds in
               any case) is the request's, unless it had one; every entry that is found has its expiry moved
    store      the key is noted: of each table the first line that gives one, and no more than eight in all. Further
               lines of that table, also `stick on`, are skipped, their conditions too
    write      when the response is here, before its rules, or the server of a tunnel is connected: what was noted is
               written, with the server that really has the request. One with `non-stick` is never written

What is noted for a request lies in `stores` of the exchange, which every run begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ...pools.table import Table
from ...pools.table_spot import Memory, Spot
from ..config import stick
from ..config.model import RuleSpec, RuleWord
from ..config.suggest import offer
from ..session import FORCED
from .acl_set import AclSet
from .actions import Act, Ground, Use
from .bonds import Bonds
from .quiet import LOUD, quiet
from .ruleset import EMPTY, Rule, RuleSet, Step, compile_test, runner
from .table_keys import Make, key_maker

KINDS = stick.KINDS
MATCH, _ON, _REQUEST, RESPONSE = KINDS
MOST = 8
"""Keys that are noted for one request and its response."""

Noted = tuple[Bonds, bytes, bool, Spot | None]
"""The table, the key, and: it comes from the response; where the key's entry is, if that is remembered."""


@dataclass(frozen=True, slots=True)
class StickRule(Rule):
    """`stores`: the table whose keys the line notes."""

    stores: Table | None = None


def compile_stick(line: RuleSpec, acls: AclSet, ground: Ground) -> StickRule:
    """One line. Raises ConfigError."""
    kind = line.kind
    use = Use(ground, (RuleWord(kind, line.place.column), *line.words), line.place, {})
    compiled = use.expression()
    bonds = _bonds(use)
    table = bonds.table
    make = key_maker(table.shape, compiled.type)
    if make is None:
        raise use.error(f"a value of type {compiled.type.value} is no key of table '{table.name}' ({table.shape.key})")
    condition = None
    rest = use.rest
    if rest:
        condition = compile_test(rest, acls, ground)
    assert ground.spec is not None
    persists = "persist" in ground.spec.options
    act = _act(kind, bonds, compiled.run, make, persists)
    needs = compiled.needs if condition is None else compiled.needs | condition.needs
    text = f"{kind} {' '.join(word.text for word in line.words)}"
    return StickRule(line.place, text, condition, (act,), needs, False, (kind,), (), None if kind == MATCH else table)


_NO_TABLE = "a section has one by a `stick-table` line"


def _bonds(use: Use) -> Bonds:
    """The table that is named, or the proxy's own, with the proxy's servers."""
    site, spec = use.ground.site, use.ground.spec
    assert spec is not None
    tables = site.trackers.tables
    if use.skip("table"):
        word = use.take("the name of a table")
        name = word.text
        if name not in tables:
            raise use.error(f"there is no stick table '{name}'", word, offer(name, tables, "tables") or _NO_TABLE)
    else:
        name = spec.name
        if name not in tables:
            raise use.error(f"'{name}' has no stick table", None, "name one: `table <table>`, or add a `stick-table`")
    if not use.ended():
        raise use.error(f"`if` or `unless` is expected instead of '{use.peek()}'", use.rest[0])
    by_address = name in site.trackers.by_address
    return Bonds(tables[name], site.backends[spec.name].servers, by_address, site.process.clock)


def _act(kind: str, bonds: Bonds, run: Callable[[Any], Any], make: Make, persists: bool) -> Act:
    """What a line does. Where the entries are of values that come again on connections that are kept is remembered."""
    matches, stores, late = kind in (MATCH, _ON), kind != MATCH, kind == RESPONSE
    find, find_at, table = bonds.find, bonds.find_at, bonds.table
    known: Memory[Spot] = Memory()

    def act(x: Any) -> None:
        noted = x.stores
        if stores and noted and (_noted(noted, table, late) or (len(noted) >= MOST and not matches)):
            return
        value = run(x)
        spot = known.get(value)
        if spot is not None:
            key = spot.key
        else:
            made = None if value is None else make(value)
            if made is None:
                return
            key = made
            if not late and x.request_number > 0:
                spot = _remember(known, value, key)
        if matches:
            server = find(key) if spot is None else find_at(spot)
            if server is not None and x.wanted is None and (server.usable or persists or x.persistence & FORCED):
                x.wanted = server
        if stores and len(noted) < MOST:
            x.stores = (*noted, (bonds, key, late, spot))

    return act


def _remember(known: Memory[Spot], value: Any, key: bytes) -> Spot:
    spot = Spot(key)
    if known.takes(value):
        known.note(value, spot)
    return spot


def _noted(stores: Sequence[Noted], table: Table, late: bool) -> bool:
    """Is there a key for that table already?"""
    return any(one[0].table is table and one[2] is late for one in stores)


# Sets.


def make_stick_set(rules: Sequence[StickRule]) -> RuleSet:
    """The lines for requests, or those for responses, as one set. It gives no verdict."""
    if not rules:
        return EMPTY
    needs = rules[0].needs
    for rule in rules:
        needs |= rule.needs
    late = rules[0].texts[0] == RESPONSE
    steps = tuple(_step(rule, late) for rule in rules)
    run = runner(steps)

    def begin(x: Any) -> None:
        x.stores = ()
        run(x)

    whole: Callable[[Any], Any] = run if late else begin
    if not needs & LOUD:
        quiet(whole)
    return RuleSet(steps, tuple(rules), needs, True, whole)


def _step(rule: StickRule, late: bool) -> Step:
    act, table = rule.actions[0], rule.stores
    if rule.condition is None:
        return None, act
    test = rule.condition.test
    if table is None:
        return test, act

    def guarded(x: Any) -> None:
        if not _noted(x.stores, table, late) and test(x):
            act(x)

    return None, guarded


def stores_of(requests: RuleSet, responses: RuleSet) -> tuple[Act, ...]:
    """What is done when the response is here, or the server of a tunnel: the last of it is `write`."""
    if not responses.steps:
        stores = any(rule.texts[0] != MATCH for rule in requests.rules)
        return (write,) if stores else ()
    return (responses.run, write) if requests.steps else (forget, responses.run, write)


@quiet
def forget(x: Any) -> None:
    """Nothing is noted of this request."""
    x.stores = ()


@quiet
def write(x: Any) -> None:
    """What is noted goes into its tables."""
    stores = x.stores
    if stores:
        x.stores = ()
        server = x.server
        if server is not None and server.spec.sticks:
            for bonds, key, _, spot in stores:
                if spot is None:
                    bonds.keep(key, server)
                else:
                    bonds.keep_at(spot, server)
