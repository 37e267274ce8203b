"""Bonds: entries name servers by their keys, else by their ids."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest
from maniple.core.addresses import parse_server_address
from maniple.core.rules.bonds import Bonds, address_key
from maniple.pools.table import Table, create_table
from maniple.pools.table_arrays import share
from maniple.pools.table_names import Names
from maniple.pools.table_spot import Spot
from maniple.tests.core.rules.tables import Clock, specs_of, tables_of
from xxhash import xxh3_64_intdigest

LINE = "type string len 4 size 20 expire 10s store server_id,server_key"


def server(name: str, number: int, address: str = "10.0.0.1:80") -> Any:
    return SimpleNamespace(name=name, spec=SimpleNamespace(id=number, address=parse_server_address(address)))


def bonds_of(*servers: Any, table: Any = None, by_address: bool = False, clock: Any = None) -> Bonds:
    return Bonds(tables_of({"t": LINE})["t"] if table is None else table, servers, by_address, clock or Clock())


def test_kept_and_found() -> None:
    one, two = server("s1", 1), server("s2", 2)
    bonds = bonds_of(one, two)
    assert bonds.find(b"aaaa") is None and len(bonds.table) == 0
    bonds.keep(b"aaaa", two)
    bonds.keep(b"bbbb", one)
    assert (bonds.find(b"aaaa"), bonds.find(b"bbbb")) == (two, one)
    bonds.keep(b"aaaa", one)
    assert bonds.find(b"aaaa") is one
    for slot in bonds.table.slots():
        assert bonds.table.arrays.holders(slot) == 0


def test_the_name_counts_and_then_the_id() -> None:
    table = tables_of({"t": LINE})["t"]
    bonds_of(server("s1", 1), server("s2", 2), table=table).keep(b"aaaa", server("s2", 2))
    swapped = server("s1", 2), server("s2", 1)
    assert bonds_of(*swapped, table=table).find(b"aaaa") is swapped[1]
    renamed = server("a", 1), server("b", 2)
    assert bonds_of(*renamed, table=table).find(b"aaaa") is renamed[1]
    assert bonds_of(server("a", 7), table=table).find(b"aaaa") is None


def test_by_address() -> None:
    table = tables_of({"t": LINE})["t"]
    servers = server("s1", 1, "10.0.0.1:80"), server("s2", 2, "10.0.0.2:80")
    bonds_of(*servers, table=table, by_address=True).keep(b"aaaa", servers[1])
    others = server("s2", 1, "10.0.0.1:80"), server("x", 9, "10.0.0.2:80"), server("y", 10, "10.0.0.2:80")
    assert bonds_of(*others, table=table, by_address=True).find(b"aaaa") is others[1]


def test_two_groups() -> None:
    """Names have the same numbers in both; the last one who writes has the entry."""
    clock = Clock()
    segment = create_table("t", next(iter(specs_of({"t": LINE}).values())).shape, 5)
    tables = [Table(segment, writer, xxh3_64_intdigest) for writer in (1, 2)]
    one, two = server("s1", 1), server("s2", 2)
    first, second = (bonds_of(one, two, table=table, clock=clock) for table in tables)
    second.keep(b"aaaa", two)
    first.keep(b"bbbb", one)
    first.keep(b"cccc", two)
    assert [bonds.find(key) for bonds in (first, second) for key in (b"aaaa", b"bbbb", b"cccc")] == [two, one, two] * 2
    second.keep(b"cccc", one)
    assert first.find(b"cccc") is one


def test_of_peers_table_what_changes_is_marked() -> None:
    segment = create_table("t", next(iter(specs_of({"t": LINE}).values())).shape, 5)
    share(segment, True)
    table = Table(segment, 1, xxh3_64_intdigest)
    one = server("s1", 1)
    bonds = bonds_of(one, table=table)
    bonds.keep(b"aaaa", one)
    (slot,) = table.slots()
    changed = table.arrays.changed
    assert changed[slot]
    spot = Spot(b"aaaa")
    for look in (bonds.find, lambda key: bonds.find_at(spot), lambda key: bonds.keep_at(spot, one)):
        for _ in range(2):
            changed[slot] = 0
            look(b"aaaa")
            assert changed[slot]


def test_to_find_moves_the_expiry() -> None:
    clock = Clock()
    one = server("s1", 1)
    bonds = bonds_of(one, clock=clock)
    bonds.keep(b"aaaa", one)
    for _ in range(3):
        clock.now += 9_000
        assert bonds.find(b"aaaa") is one
    clock.now += 10_001
    assert bonds.find(b"aaaa") is None


def test_by_spot_as_by_key() -> None:
    """Two tables: in one everything is done by spots."""
    chance = random.Random(3)
    clock = Clock()
    servers = server("s1", 1), server("s2", 2)
    by_key, by_spot = bonds_of(*servers, clock=clock), bonds_of(*servers, clock=clock)
    spots = [Spot(b"%04d" % number) for number in range(24)]
    found = 0
    for _ in range(1500):
        clock.now += chance.randrange(150)
        spot = chance.choice(spots[: chance.choice((5, 24))])
        if chance.random() < 0.3:
            one = chance.choice(servers)
            by_key.keep(spot.key, one)
            by_spot.keep_at(spot, one)
        elif chance.random() < 0.05:
            assert by_key.table.remove(spot.key) == by_spot.table.remove(spot.key)
        server_of = by_key.find(spot.key)
        assert by_spot.find_at(spot) is server_of
        found += server_of is not None
    assert 100 < found < 1400
    entries = [
        {bonds.table.key(slot): bonds.table.remaining(slot, clock.now) for slot in bonds.table.slots()}
        for bonds in (by_key, by_spot)
    ]
    assert entries[0] == entries[1]
    assert not any(map(by_spot.table.arrays.holders, by_spot.table.slots()))


def test_a_full_table_keeps_nothing() -> None:
    one = server("s1", 1)
    bonds = bonds_of(one, table=tables_of({"t": LINE.replace("size 20", "size 1 nopurge")})["t"])
    bonds.keep(b"aaaa", one)
    bonds.keep(b"bbbb", one)
    assert (bonds.find(b"aaaa"), bonds.find(b"bbbb")) == (one, None)


def test_names_that_have_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = server("s1", 1), server("s2", 2)
    bonds = bonds_of(one, two)
    bonds.keep(b"aaaa", one)
    monkeypatch.setattr(Names, "number", lambda names, text: 0)
    bonds.keep(b"aaaa", two)
    # Its id is all that is left.
    assert bonds.find(b"aaaa") is two


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("10.0.0.1:80", b"10.0.0.1:80"),
        ("[::1]:80", b"::1:80"),
        ("10.0.0.1:+8", b"10.0.0.1:+8"),
        ("10.0.0.1:-8", b"10.0.0.1:-8"),
        ("10.0.0.1", b"10.0.0.1:+0"),
        ("unix@/a/b", b"/a/b"),
    ],
)
def test_keys_of_addresses(text: str, key: bytes) -> None:
    assert address_key(parse_server_address(text)) == key
