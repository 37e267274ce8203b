"""Bonds: one stick table as the servers of one backend are kept in it (manual 4.2: `stick`).

Owns: which server an entry names, and how a server is written into one. Must not know: rules, where keys come from,
whether a server may have requests.

An entry has a server's key, a text: its name, or with `srvkey addr` its address and port; and its id. The text counts,
and where no server of the backend has it, the id: so backends that share a table may number their servers differently,
or name them differently. Both are words of their own: of two groups that write one entry at once the last one wins.

Measured (Python 3.11, 2 cores that others used, too): `find` of a key that is there 1.5 us, `keep` of one 1.6 us; of
one of which the spot is known (pools/table_spot) half of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from ...pools.table import Table
from ...pools.table_spot import Spot
from ..addresses import Address


class Member(Protocol):
    """What is asked of a server."""

    @property
    def name(self) -> str: ...

    @property
    def spec(self) -> Any:
        """The server line: its id and address."""


Find = Callable[[bytes], Any]
Keep = Callable[[bytes, Any], None]
FindAt = Callable[[Spot], Any]
KeepAt = Callable[[Spot, Any], None]


class Bonds:
    """`by_address`: `srvkey addr`. `clock`: seconds of CLOCK_MONOTONIC. The table stores server_id and server_key.

    `find(key)` is the server of that key, None if nothing is known of it here; its expiry moves in any case.
    `keep(key, server)`: the key's server is that one from now on; nothing happens where there is no room.
    `find_at(spot)`, `keep_at(spot, server)`: the same of a spot's key."""

    __slots__ = ("find", "find_at", "keep", "keep_at", "table")

    def __init__(self, table: Table, servers: Iterable[Member], by_address: bool, clock: Callable[[], float]) -> None:
        self.table = table
        by_id: dict[int, Any] = {}
        by_text: dict[bytes, Any] = {}
        texts: dict[str, bytes] = {}
        for server in servers:
            by_id.setdefault(server.spec.id, server)
            text = texts[server.name] = address_key(server.spec.address) if by_address else server.name.encode()
            if text:
                by_text.setdefault(text, server)
        self.find: Find
        self.find_at: FindAt
        self.find, self.find_at = _finders(table, by_id, by_text, clock)
        self.keep: Keep
        self.keep_at: KeepAt
        self.keep, self.keep_at = _keepers(table, texts, clock)


def _finders(
    table: Table, by_id: dict[int, Any], by_text: dict[bytes, Any], clock: Callable[[], float]
) -> tuple[Find, FindAt]:
    hold, release, regain, locate = table.hold, table.release, table.regain, table.locate
    due, changed, rows, held = (
        table.arrays.due,
        table.arrays.changed,
        table.arrays.rows,
        table.arrays.held[table.writer],
    )
    expire, shared, row_words = table.expire, table.shared, table.arrays.row_words
    key_place, id_place = _places(table)
    known: dict[int, Any] = {}
    """By the number of the text in the table's names, which never gets another text."""

    def learn(number: int, at: int) -> Any:
        server = by_text.get(table.names.text(number)) if number else None
        if server is None:
            return by_id.get(rows[at + id_place])
        known[number] = server
        return server

    def find(key: bytes) -> Any:
        now = int(clock() * 1000.0)
        slot = hold(key, now)
        if not slot:
            return None
        at = slot * row_words
        number = rows[at + key_place]
        server = known.get(number) or learn(number, at)
        due[slot] = now + expire
        if shared:
            changed[slot] = 1
        release(slot)
        return server

    def find_at(spot: Spot) -> Any:
        now = int(clock() * 1000.0)
        if not regain(spot, now):
            server = find(spot.key)
            if server is not None:
                locate(spot, now)
            return server
        at = spot.row_at
        number = rows[at + key_place]
        server = known.get(number) or learn(number, at)
        slot = spot.slot
        due[slot] = now + expire
        if shared:
            changed[slot] = 1
        held[spot.held_at] -= 1
        return server

    return find, find_at


def _keepers(table: Table, texts: dict[str, bytes], clock: Callable[[], float]) -> tuple[Keep, KeepAt]:
    track, release, regain, locate = table.track, table.release, table.regain, table.locate
    due, changed, rows, held = (
        table.arrays.due,
        table.arrays.changed,
        table.arrays.rows,
        table.arrays.held[table.writer],
    )
    expire, shared, row_words, names = table.expire, table.shared, table.arrays.row_words, table.names
    key_place, id_place = _places(table)
    numbers: dict[str, int] = {}

    def keep(key: bytes, server: Any) -> None:
        slot = track(key, int(clock() * 1000.0))
        if not slot:
            return
        name = server.name
        number = numbers.get(name)
        if number is None:
            number = names.number(texts[name])
            if number:
                numbers[name] = number
        at = slot * row_words
        rows[at + id_place] = server.spec.id
        rows[at + key_place] = number
        if shared:
            changed[slot] = 1
        release(slot)

    def keep_at(spot: Spot, server: Any) -> None:
        number = numbers.get(server.name)
        now = int(clock() * 1000.0)
        if number is None or not regain(spot, now):
            keep(spot.key, server)
            locate(spot, now)
            return
        slot, at = spot.slot, spot.row_at
        due[slot] = now + expire
        rows[at + id_place] = server.spec.id
        rows[at + key_place] = number
        if shared:
            changed[slot] = 1
        held[spot.held_at] -= 1

    return keep, keep_at


def _places(table: Table) -> tuple[int, int]:
    """Of both words in an entry's row."""
    assigned = table.arrays.layout.assigned
    return assigned["server_key"], assigned["server_id"]


def address_key(address: Address) -> bytes:
    """What `srvkey addr` keeps of a server: address and port, `+` before a port that is added to the client's; b"" of
    one whose address is not known."""
    if address.kind in ("inet", "inet6"):
        sign = "+" if address.port_offset and address.port >= 0 else ""
        return f"{address.host}:{sign}{address.port}".encode()
    return address.host.encode("utf-8", "surrogateescape") if address.kind in ("unix", "abns") else b""
