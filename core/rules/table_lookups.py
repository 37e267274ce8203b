"""Looking into stick tables: what is stored with an entry, by the names that fetches and converters have in common.

Owns: those names, what each reads or changes (manual 7.3.1, 7.3.3; measured: HAProxy 3.0). Must not know: where keys
come from.

An entry that is not there gives 0, one whose table does not store what is asked for gives no sample. To look moves no
expiry (reference 3.8).
"""

from __future__ import annotations

from collections.abc import Callable

from ...pools.table_cells import Count, Word
from .trackers import Tracker

Read = Callable[[Tracker, int, int], int | None]
"""(tracker, slot, now) of an entry -> the value; None: it is not stored. Those of CHANGES ask that it is held."""
Look = Callable[[bytes, int], int | None]
"""(key, now) -> what is read of that key's entry."""

PLAIN = (
    "bytes_in_rate", "bytes_out_rate", "conn_cnt", "conn_cur", "conn_rate", "glitch_cnt", "glitch_rate", "gpc0_rate",
    "gpc1_rate", "http_err_cnt", "http_err_rate", "http_fail_cnt", "http_fail_rate", "http_req_cnt", "http_req_rate",
    "sess_cnt", "sess_rate",
)  # fmt: skip
"""Data types that are read under their own names."""
SUMMARIES = {
    "bytes_in_rate": "Bytes from clients in the last period",
    "bytes_out_rate": "Bytes to clients in the last period",
    "conn_cnt": "Connections so far",
    "conn_cur": "Connections now",
    "conn_rate": "Connections in the last period",
    "glitch_cnt": "Oddities of other protocols than HTTP/1: none",
    "glitch_rate": "Oddities of other protocols than HTTP/1: none",
    "gpc0_rate": "Increases of gpc0 in the last period",
    "gpc1_rate": "Increases of gpc1 in the last period",
    "gpc_rate": "Increases of a counter in the last period",
    "http_err_cnt": "Errors of clients so far",
    "http_err_rate": "Errors of clients in the last period",
    "http_fail_cnt": "Failures of servers so far",
    "http_fail_rate": "Failures of servers in the last period",
    "http_req_cnt": "HTTP requests so far",
    "http_req_rate": "HTTP requests in the last period",
    "sess_cnt": "Sessions so far",
    "sess_rate": "Sessions in the last period",
    "kbytes_in": "Kilobytes from clients so far",
    "kbytes_out": "Kilobytes to clients so far",
    "get_gpc0": "The counter gpc0",
    "get_gpc1": "The counter gpc1",
    "get_gpc": "A counter out of the array",
    "get_gpt0": "The tag gpt0",
    "get_gpt": "A tag out of the array",
    "inc_gpc0": "Increase gpc0; its new value",
    "inc_gpc1": "Increase gpc1; its new value",
    "inc_gpc": "Increase a counter; its new value",
    "clr_gpc0": "Clear gpc0; the value that it had",
    "clr_gpc1": "Clear gpc1; the value that it had",
    "clr_gpc": "Clear a counter; the value that it had",
    "trackers": "How often the entry is tracked now",
}
"""What each says, of the entry."""
ARRAYS = ("get_gpc", "get_gpt", "gpc_rate", "inc_gpc", "clr_gpc")
"""Those that take an index."""
CHANGES = frozenset({"inc_gpc0", "inc_gpc1", "inc_gpc", "clr_gpc0", "clr_gpc1", "clr_gpc"})
"""Those that change the entry."""


def reader(name: str, element: int = 0) -> Read:
    """The function behind a name."""
    if name == "trackers":
        return trackers
    if name.startswith("kbytes_"):
        return _kilobytes(("bytes_" + name[7:] + "_cnt", 0))
    action, _, what = name.partition("_")
    if action == "inc":
        return _increase(what, element)
    if action == "clr":
        return _clear((what, element))
    return _value((what if action == "get" else name, element))


def looking(tracker: Tracker, read: Read, absent: int | None = 0) -> Look:
    """The look-up of a key: nothing is held, so it is asked afterwards whether the slot was the key's still. `absent`:
    where there is no entry."""
    find, same = tracker.table.find, tracker.table.same

    def look(key: bytes, now: int) -> int | None:
        while True:
            slot = find(key, now)
            if not slot:
                return absent
            found = read(tracker, slot, now)
            if same(slot, key):
                return found

    return look


def changing(tracker: Tracker, read: Read, *, creates: bool) -> Look:
    """The same for what changes the entry, which is held meanwhile. `creates`: it is made where there is none."""
    table = tracker.table
    find, release = table.track if creates else table.hold, table.release

    def change(key: bytes, now: int) -> int | None:
        slot = find(key, now)
        if not slot:
            return 0
        try:
            return read(tracker, slot, now)
        finally:
            release(slot)

    return change


def trackers(tracker: Tracker, slot: int, now: int) -> int:
    """How often the entry is held: whoever looks does not count himself."""
    return tracker.table.arrays.holders(slot)


def _value(place: tuple[str, int]) -> Read:
    def read(tracker: Tracker, slot: int, now: int) -> int | None:
        cell = tracker.cells.get(place)
        return None if cell is None else cell.value(slot, now)

    read.__dict__["place"] = place
    return read


def place_of(read: Read) -> tuple[str, int] | None:
    """What it reads as it is stored: the data type and the element; None: it does more, or something else."""
    return getattr(read, "place", None)


def _kilobytes(place: tuple[str, int]) -> Read:
    def read(tracker: Tracker, slot: int, now: int) -> int | None:
        cell = tracker.cells.get(place)
        return None if cell is None else cell.value(slot, now) >> 10

    return read


def _increase(name: str, element: int) -> Read:
    places = (name, element), ("gpc_rate" if name == "gpc" else f"{name}_rate", element)

    def read(tracker: Tracker, slot: int, now: int) -> int:
        value = 0
        # The count's value if there is one, else that of the rate's period.
        for place in reversed(places):
            cell = tracker.cells.get(place)
            if cell is not None and not isinstance(cell, Word):
                cell.add(slot, 1, now)
                value = cell.value(slot, now)
        tracker.table.mark(slot)
        return value

    return read


def _clear(place: tuple[str, int]) -> Read:
    def read(tracker: Tracker, slot: int, now: int) -> int | None:
        cell = tracker.cells.get(place)
        if not isinstance(cell, Count):
            return None
        value = cell.value(slot, now)
        if value:
            value = cell.take(slot)
            tracker.table.mark(slot)
        return value

    return read
