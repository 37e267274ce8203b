"""Bonds: one stick table as the servers of one backend are kept in it (manual 4.2: `stick`).

Owns: which server an entry names, and how a server is written into one. Must not know: rules, where keys come from,
whether a server may have requests.

An entry has a server's key, a text: its name, or with `srvkey addr` its address and port; and its id. The text counts,
and where no server of the backend has it, the id: so backends that share a table may number their servers differently,
or name them differently. Both are words of their own: of two groups that write one entry at once the last one wins.

Measured (Python 3.11, 2 cores that others used, too): `find` of a key that is there 1.5 us, `keep` of one 1.6 us.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from ...pools.table import Table
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


class Bonds:
    """`by_address`: `srvkey addr`. `clock`: seconds of CLOCK_MONOTONIC. The table stores server_id and server_key.

    `find(key)` is the server of that key, None if nothing is known of it here; its expiry moves in any case.
    `keep(key, server)`: the key's server is that one from now on; nothing happens where there is no room."""

    __slots__ = ("find", "keep", "table")

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
        self.find: Find = _finder(table, by_id, by_text, clock)
        self.keep: Keep = _keeper(table, texts, clock)


def _finder(table: Table, by_id: dict[int, Any], by_text: dict[bytes, Any], clock: Callable[[], float]) -> Find:
    hold, release, expire, shared = table.hold, table.release, table.expire, table.shared
    due, changed, rows = table.arrays.due, table.arrays.changed, table.arrays.rows
    row_words = table.arrays.row_words
    key_place, id_place = _places(table)
    known: dict[int, Any] = {}
    """By the number of the text in the table's names, which never gets another text."""

    def learn(number: int) -> Any:
        server = by_text.get(table.names.text(number)) if number else None
        if server is not None:
            known[number] = server
        return server

    def find(key: bytes) -> Any:
        now = int(clock() * 1000.0)
        slot = hold(key, now)
        if not slot:
            return None
        at = slot * row_words
        number = rows[at + key_place]
        server = known.get(number)
        if server is None:
            server = learn(number)
            if server is None:
                server = by_id.get(rows[at + id_place])
        due[slot] = now + expire
        if shared:
            changed[slot] = 1
        release(slot)
        return server

    return find


def _keeper(table: Table, texts: dict[str, bytes], clock: Callable[[], float]) -> Keep:
    track, release, shared, names = table.track, table.release, table.shared, table.names
    changed, rows, row_words = table.arrays.changed, table.arrays.rows, table.arrays.row_words
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

    return keep


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
