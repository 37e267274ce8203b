"""Fetches of stick tables (manual 7.3.2, 7.3.3): of tracked entries (`sc_*`, `sc0_*`), and of the client's (`src_*`).

Owns: how an entry is found. Must not know: what is stored (table_lookups), who tracks.

`sc_name(<n>[,<table>])` reads what set n of counters tracks; with a table the same key there, which is not made.
`src_name([<table>])` looks the client's address up; only those that increase or clear something make an entry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .catalogue import CLIENT, RUNNING, Call, Fetch, Needs, fetch
from .samples import BOOL, INT, IP
from .table_keys import Make, fit_key, key_maker
from .table_limits import value_of
from .table_lookups import ARRAYS, CHANGES, PLAIN, SUMMARIES, Look, Read, changing, looking, place_of, reader
from .trackers import Tracker, tracked_of

NEEDS = Needs.TABLES
OF_CLIENT = Needs.TABLES | Needs.CONNECTION
Lookup = Callable[[Any], int | None]
SINGLES = (
    *PLAIN,
    *("kbytes_in", "kbytes_out"),
    *("get_gpc0", "get_gpc1", "get_gpt0", "inc_gpc0", "inc_gpc1", "clr_gpc0", "clr_gpc1"),
)
"""Names without an index."""


def tracker_of(call: Call, index: int) -> Tracker:
    """The table that argument `index` names, or the proxy's own where there is none. Raises ConfigError."""
    site = call.site
    given = call.values[index]
    if given is not None:
        return site.trackers.find(given)  # type: ignore[no-any-return]
    if site.proxy not in site.trackers.tables:
        what = f"'{site.proxy}' has no stick table" if site.proxy else "the name of a table is expected"
        raise call.error(f"{what}: name one")
    return site.trackers.find(site.proxy)  # type: ignore[no-any-return]


def set_number(call: Call, index: int) -> int:
    """The set of counters that argument `index` names. Raises ConfigError."""
    number: int = call.values[index]
    most: int = call.site.trackers.number
    if not 0 <= number < most:
        raise call.error(f"sets of counters are 0 to {most - 1}: see `tune.stick-counters`", index)
    return number


def element_of(call: Call, index: int) -> int:
    """The element that argument `index` names. Raises ConfigError."""
    number: int = call.values[index]
    if not 0 <= number < 100:
        raise call.error("elements of arrays are 0 to 99", index)
    return number


def _of_set(read: Read, number: int, clock: Callable[[], float]) -> Lookup:
    place = place_of(read)
    if place is not None:
        return value_of(place, number, clock)

    def run(x: Any) -> int | None:
        found = tracked_of(x, number)
        return None if found is None else read(found.tracker, found.slot, int(clock() * 1000.0))

    return run


def _of_set_elsewhere(read: Read, look: Look, number: int, tracker: Tracker, clock: Callable[[], float]) -> Lookup:
    """The key that a set tracks, in another table."""
    table = tracker.table

    def run(x: Any) -> int | None:
        found = tracked_of(x, number)
        if found is None:
            return None
        now = int(clock() * 1000.0)
        tracked = found.tracker.table
        if tracked is table:
            return read(tracker, found.slot, now)
        key = fit_key(table.shape, tracked.shape, tracked.key(found.slot))
        return None if key is None else look(key, now)

    return run


def _of_source(look: Look, make: Make, clock: Callable[[], float]) -> Fetch:
    def run(x: Any) -> int | None:
        source = x.session.source
        key = make(source) if source else None
        return None if key is None else look(key, int(clock() * 1000.0))

    return run


def _look_of(name: str, tracker: Tracker, read: Read, *, creates: bool) -> Look:
    return changing(tracker, read, creates=creates) if name in CHANGES else looking(tracker, read)


def _register(name: str) -> None:
    indexed = name in ARRAYS
    front = "index:integer " if indexed else ""
    shift = int(indexed)
    summary = SUMMARIES[name]

    @fetch(
        f"sc_{name}",
        INT,
        RUNNING,
        f"{summary}, of a tracked entry",
        arguments=f"{front}set:integer table:table?",
        needs=NEEDS,
    )
    def of_set(call: Call) -> Fetch:
        return _make_of_set(call, name, set_number(call, shift), shift + 1)

    @fetch(
        f"src_{name}",
        INT,
        CLIENT,
        f"{summary}, of the client's address",
        arguments=f"{front}table:table?",
        needs=OF_CLIENT,
    )
    def of_source(call: Call) -> Fetch:
        tracker = tracker_of(call, shift)
        make = _source_maker(call, tracker)
        read = reader(name, element_of(call, 0) if indexed else 0)
        return _of_source(_look_of(name, tracker, read, creates=True), make, call.site.process.clock)

    if not indexed:
        _register_numbered(name, summary)


def _register_numbered(name: str, summary: str) -> None:
    for number in range(3):

        @fetch(
            f"sc{number}_{name}",
            INT,
            RUNNING,
            f"{summary}, of what sc{number} tracks",
            arguments="table:table?",
            needs=NEEDS,
        )
        def of_numbered(call: Call, number: int = number) -> Fetch:
            return _make_of_set(call, name, number, 0)


def _make_of_set(call: Call, name: str, number: int, index: int) -> Fetch:
    read = reader(name, element_of(call, 0) if name in ARRAYS else 0)
    clock = call.site.process.clock
    if number >= call.site.trackers.number:
        raise call.error(f"sets of counters are 0 to {call.site.trackers.number - 1}: see `tune.stick-counters`")
    if call.values[index] is None:
        return _of_set(read, number, clock)
    tracker = tracker_of(call, index)
    return _of_set_elsewhere(read, _look_of(name, tracker, read, creates=False), number, tracker, clock)


def _source_maker(call: Call, tracker: Tracker) -> Make:
    make = key_maker(tracker.table.shape, IP)
    if make is None:
        raise call.error(f"addresses are no keys of table '{tracker.table.name}'")
    return make


for _name in (*SINGLES, *ARRAYS):
    _register(_name)


def _register_tracking() -> None:
    def trackers_of(call: Call) -> Fetch:
        return _make_of_set(call, "trackers", set_number(call, 0), 1)

    def tracked(number: int) -> Fetch:
        return lambda x: tracked_of(x, number) is not None

    fetch("sc_trackers", INT, RUNNING, SUMMARIES["trackers"], arguments="set:integer table:table?", needs=NEEDS)(
        trackers_of
    )
    fetch(
        "sc_tracked",
        BOOL,
        RUNNING,
        "Whether a set of counters tracks something",
        arguments="set:integer table:table?",
        needs=NEEDS,
    )(lambda call: tracked(set_number(call, 0)))
    for number in range(3):
        fetch(f"sc{number}_trackers", INT, RUNNING, SUMMARIES["trackers"], arguments="table:table?", needs=NEEDS)(
            lambda call, number=number: _make_of_set(call, "trackers", number, 0)
        )
        fetch(
            f"sc{number}_tracked",
            BOOL,
            RUNNING,
            f"Whether sc{number} tracks something",
            arguments="table:table?",
            needs=NEEDS,
        )(lambda call, number=number: tracked(number))


_register_tracking()


@fetch(
    "src_updt_conn_cnt",
    INT,
    CLIENT,
    "Count a connection of the client's address; how many there were",
    arguments="table:table?",
)
def _update_connections(call: Call) -> Fetch:
    tracker = tracker_of(call, 0)

    def count(tracker: Tracker, slot: int, now: int) -> int | None:
        cell = tracker.cells.get(("conn_cnt", 0))
        if cell is None:
            return None
        cell.add(slot, 1, now)  # type: ignore[union-attr]
        tracker.table.mark(slot)
        return cell.value(slot, now)

    look = changing(tracker, count, creates=True)
    return _of_source(look, _source_maker(call, tracker), call.site.process.clock)


@fetch("table_cnt", INT, RUNNING, "Entries of a table", arguments="table:table?", needs=OF_CLIENT)
def _count(call: Call) -> Fetch:
    table = tracker_of(call, 0).table
    return lambda x: len(table)


@fetch("table_avl", INT, RUNNING, "Entries that a table has room for", arguments="table:table?", needs=NEEDS)
def _available(call: Call) -> Fetch:
    table = tracker_of(call, 0).table
    return lambda x: max(table.shape.size - len(table), 0)
