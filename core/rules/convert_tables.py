"""Converters that look a sample up in a stick table (manual 7.3.1: `in_table`, `table_*`).

Owns: these. Must not know: what is stored (table_lookups). A look-up makes nothing and moves no expiry; only to
increase a counter makes the entry of a key that has none, as `src_inc_gpc` does. Measured: the rate of a present key 3
us.
"""

from __future__ import annotations

from typing import Any

from .catalogue import Call, Convert, Needs, converter
from .fetch_tables import element_of, tracker_of
from .samples import ANY, BOOL, INT
from .table_keys import Make, key_maker
from .table_lookups import ARRAYS, CHANGES, PLAIN, SUMMARIES, Look, Read, changing, looking, reader
from .trackers import Tracker


def _key_of(call: Call, tracker: Tracker) -> Make:
    make = key_maker(tracker.table.shape, call.source)
    if make is None:
        kind = tracker.table.shape.key
        raise call.error(f"a value of type {call.source.value} is no key of table '{tracker.table.name}' ({kind})")
    return make


def _look(call: Call, index: int, read: Read, *, absent: int | None = 0) -> Convert:
    tracker = tracker_of(call, index)
    return _with_key(call, tracker, looking(tracker, read, absent))


def _with_key(call: Call, tracker: Tracker, look: Look) -> Convert:
    make = _key_of(call, tracker)
    clock = call.site.process.clock

    def convert(value: Any) -> int | None:
        key = make(value)
        return None if key is None else look(key, int(clock() * 1000.0))

    return convert


def _register(name: str, lookup: str, indexed: bool) -> None:
    arguments = ("index:integer " if indexed else "") + "table:table?"
    summary = f"{SUMMARIES[lookup]}, of the entry of a key"

    @converter(f"table_{name}", ANY, INT, summary, arguments=arguments, needs=Needs.TABLES)
    def make(call: Call) -> Convert:
        read = reader(lookup, element_of(call, 0) if indexed else 0)
        return _look(call, int(indexed), read)


for _name in (*PLAIN, "kbytes_in", "kbytes_out", "trackers"):
    _register(_name, _name, False)
for _name, _lookup in (("gpc0", "get_gpc0"), ("gpc1", "get_gpc1"), ("gpt0", "get_gpt0")):
    _register(_name, _lookup, False)
for _name, _lookup in (("gpc", "get_gpc"), ("gpt", "get_gpt"), ("gpc_rate", "gpc_rate")):
    _register(_name, _lookup, True)


def _register_change(name: str) -> None:
    indexed = name in ARRAYS
    arguments = ("index:integer " if indexed else "") + "table:table?"

    @converter(f"table_{name}", ANY, INT, f"{SUMMARIES[name]}, of a key", arguments=arguments, needs=Needs.TABLES)
    def make(call: Call) -> Convert:
        tracker = tracker_of(call, int(indexed))
        read = reader(name, element_of(call, 0) if indexed else 0)
        return _with_key(call, tracker, changing(tracker, read, creates=name.startswith("inc_")))


for _name in sorted(CHANGES):
    _register_change(_name)


@converter(
    "in_table", ANY, BOOL, "Whether a table has an entry of that key", arguments="table:table?", needs=Needs.TABLES
)
def _in_table(call: Call) -> Convert:
    look = _look(call, 0, lambda tracker, slot, now: 1)
    return lambda value: bool(look(value))


@converter(
    "table_server_id",
    ANY,
    INT,
    "The server that the entry of a key is bound to, its id",
    arguments="table:table?",
    needs=Needs.TABLES,
)
def _server_id(call: Call) -> Convert:
    def read(tracker: Tracker, slot: int, now: int) -> int | None:
        cell = tracker.cells.get(("server_id", 0))
        return None if cell is None else cell.value(slot, now)

    return _look(call, 0, read)


@converter(
    "table_expire",
    ANY,
    INT,
    "Time until the entry of a key expires, ms",
    arguments="table:table? default:integer?",
    needs=Needs.TABLES,
)
def _expire(call: Call) -> Convert:
    def read(tracker: Tracker, slot: int, now: int) -> int:
        return tracker.table.remaining(slot, now) if tracker.table.shape.expire else 0

    return _look(call, 0, read, absent=call.values[1])


@converter(
    "table_idle",
    ANY,
    INT,
    "Time since the entry of a key was tracked last, ms",
    arguments="table:table? default:integer?",
)
def _idle(call: Call) -> Convert:
    def read(tracker: Tracker, slot: int, now: int) -> int:
        expire = tracker.table.shape.expire
        return max(expire - tracker.table.remaining(slot, now), 0) if expire else 0

    return _look(call, 0, read, absent=call.values[1])
