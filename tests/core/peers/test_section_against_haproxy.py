"""A section of ours and a real HAProxy that share tables, both ways."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from maniple.core.peers.section import PeersSection, RemotePeer, Retry
from maniple.core.peers.tables import ARRAYS, DATA_TYPES, RATES, Column, TableDefinition, make_definition
from maniple.core.peers.values import Rate, Value
from maniple.tests.core.peers.haproxy_rig import PATIENCE, Haproxy
from maniple.tests.core.peers.memory import MemoryTable

OLD = [name for name in DATA_TYPES if name not in ARRAYS and not name.startswith("glitch")]
GLITCHES = ["glitch_cnt", "glitch_rate"]
PERIOD = 600_000
IP = make_definition("ips", "ip", 4, 600_000, [Column(n, 1, PERIOD if n in RATES else 0) for n in OLD])
ARRAYED = make_definition("arr", "integer", 4, 0, [Column("gpc", 3), Column("gpt", 2), Column("gpc_rate", 2, PERIOD)])
V6 = make_definition("v6", "ipv6", 16, 120_000, [Column("gpc0")])
TEXT = make_definition("/text", "string", 12, 90_000, [Column("gpc0"), Column("server_key")])
BINARY = make_definition("bin", "binary", 8, 0, [Column("gpt0")])
TABLES = (IP, ARRAYED, V6, TEXT, BINARY)


def line(table: TableDefinition) -> str:
    """The table as HAProxy's configuration has it."""
    key = f"{table.key} len {table.width}" if table.key in ("string", "binary") else table.key
    stored = []
    for column in table.columns:
        arguments = [str(column.elements)] if column.name in ARRAYS else []
        arguments += [f"{column.period}ms"] if column.period else []
        stored.append(column.name + (f"({','.join(arguments)})" if arguments else ""))
    expire = f" expire {table.expire}ms" if table.expire else ""
    return f"type {key} size 100k{expire} store {','.join(stored)}"


class Side:
    """Our side."""

    def __init__(self, haproxy: Haproxy, tables: tuple[TableDefinition, ...]) -> None:
        self.tables = {table.name: MemoryTable(table) for table in tables}
        self.notices: list[str] = []
        self.section = PeersSection(
            "man",
            [RemotePeer("hap", "127.0.0.1", haproxy.port)],
            list(self.tables.values()),
            notice=self.notices.append,
            retry=Retry(1, 50, 100),
            tick=10,
        )
        self.standing = self.section.standings["hap"]

    def set(self, table: str, key: bytes, values: dict[str, Value], expire: int | None = None) -> None:
        self.tables[table].set(key, values, self.section.now(), expire)


Play = Callable[[Haproxy, Side, socket.socket], Coroutine[Any, Any, None]]


@asynccontextmanager
async def stage(
    version: str, folder: Path, tables: tuple[TableDefinition, ...], lines: dict[str, str] | None = None
) -> AsyncIterator[tuple[Haproxy, Side, socket.socket]]:
    with socket.socket() as ours:
        ours.bind(("127.0.0.1", 0))
        written = {table.name: line(table) for table in tables} | (lines or {})
        haproxy = Haproxy(version, folder, ours.getsockname()[1], written)
        side = Side(haproxy, tables)
        try:
            yield haproxy, side, ours
        finally:
            await side.section.stop()
            haproxy.kill()


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not met():
            await asyncio.sleep(0.02)


def rate(events: int) -> Rate:
    return Rate(10, events, 0)


def numbered(columns: list[str], first: int) -> dict[str, Value]:
    """A value of its own for each data type."""
    return {
        name: b"srv%d" % first if name == "server_key" else rate(number) if name in RATES else number
        for number, name in enumerate(columns, first)
    }


def shown(values: dict[str, Value]) -> dict[str, str]:
    """The values as HAProxy shows them."""
    found = {}
    for name, value in values.items():
        for position, each in enumerate(value if type(value) is tuple else (value,)):
            key = f"gp{name[2]}{position}{name[3:]}" if name in ARRAYS else name
            if name == "conn_cur":
                found[key] = "0"  # not learned
            else:
                found[key] = each.decode() if isinstance(each, bytes) else str(getattr(each, "current", each))
    return found


VERSIONS = pytest.mark.parametrize("version", ["2.6", "3.0"])


@VERSIONS
def test_everything_both_ways(version: str, tmp_path: Path) -> None:
    """Live updates and lessons, of all key types and data types."""

    async def play() -> None:
        async with stage(version, tmp_path, TABLES) as (haproxy, side, ours):
            haproxy.start()
            for command in (
                "ips key 10.0.0.9 data.gpc0 1234 data.server_id 3 data.http_req_rate 5 data.bytes_in_cnt 99999999999",
                "pp/text key hello data.gpc0 300",
                "v6 key 2001:db8::1 data.gpc0 240",
            ):
                haproxy.ask(f"set table {command}")
            haproxy.ask("set table arr key 77")
            # Before there is a connection: these are told by number.
            side.set("v6", bytes(15) + b"\2", {"gpc0": 9})
            await side.section.start([ours])
            learned = side.tables["ips"].held
            await until(lambda: bytes((10, 0, 0, 9)) in learned and b"hello" in side.tables["/text"].held)
            left, values = learned[bytes((10, 0, 0, 9))]
            assert left is not None and 590_000 < left - side.section.now() <= 600_000
            assert (values["gpc0"], values["server_id"], values["bytes_in_cnt"]) == (1234, 3, 99999999999)
            # What `set table` writes of a rate is kept for the period before as well, by 2.6.
            counted = values["http_req_rate"]
            assert isinstance(counted, Rate) and counted.current == 5
            assert "conn_cur" not in values and values["server_key"] is None
            assert side.tables["/text"].values(b"hello")["gpc0"] == 300
            assert side.tables["v6"].values(bytes.fromhex("20010db8" + "00" * 11 + "01")) == {"gpc0": 240}
            assert side.tables["arr"].values(bytes((0, 0, 0, 77)))["gpc"] == (0, 0, 0)

            everything = numbered(OLD, 1000)
            second = {**everything, "server_key": b"srv7", "gpc0": 1 << 31}
            array: dict[str, Value] = {"gpc": (1, 2, 3), "gpt": (4, 5), "gpc_rate": (rate(6), rate(7))}
            side.set("ips", bytes((10, 0, 0, 1)), everything, 100_000)
            side.set("ips", bytes((10, 0, 0, 2)), everything)
            side.set("ips", bytes((10, 0, 0, 3)), second)
            side.set("arr", bytes((0, 0, 1, 0)), array)
            side.set("/text", b"key", {"gpc0": 4, "server_key": b"srv7"})
            side.set("bin", b"abcdefgh", {"gpt0": 8})
            side.section.push()
            await until(lambda: "6162636465666768" in haproxy.table("bin"))
            table = haproxy.table("ips")
            assert shown(everything).items() <= table["10.0.0.1"].items()
            assert shown(everything).items() <= table["10.0.0.2"].items()
            assert shown(second).items() <= table["10.0.0.3"].items()
            assert 90_000 < int(table["10.0.0.1"]["exp"]) <= 100_000 < 590_000 < int(table["10.0.0.2"]["exp"])
            assert shown(array).items() <= haproxy.table("arr")["256"].items()
            assert {"gpc0": "4", "server_key": "srv7"}.items() <= haproxy.table("pp/text")["key"].items()
            assert haproxy.table("v6")["::2"]["gpc0"] == "9"
            assert haproxy.table("bin")["6162636465666768"]["gpt0"] == "8"
            assert side.notices == []

            # Acknowledged, and not told again by a new connection; what HAProxy has lost it asks for.
            await until(lambda: side.standing.progress.acked == {"ips": 3, "arr": 1, "v6": 1, "/text": 1, "bin": 1})
            haproxy.kill()
            side.set("bin", b"meanwhil", {"gpt0": 9})
            haproxy.start()
            await until(lambda: {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.9"} == set(haproxy.table("ips")))
            await until(lambda: len(haproxy.table("bin")) == 2)
            again = haproxy.table("ips")
            assert 85_000 < int(again["10.0.0.1"]["exp"]) <= 100_000
            assert {**shown(second), "server_key": "srv7"}.items() <= again["10.0.0.3"].items()
            assert haproxy.table("ips")["10.0.0.9"]["gpc0"] == "1234"

    asyncio.run(play())


def test_glitches(tmp_path: Path) -> None:
    table = make_definition("gl", "ip", 4, 5000, [Column("glitch_cnt"), Column("glitch_rate", 1, PERIOD)])

    async def play() -> None:
        async with stage("3.0", tmp_path, (table,)) as (haproxy, side, ours):
            haproxy.start()
            await side.section.start([ours])
            haproxy.ask("set table gl key 10.0.0.1 data.glitch_cnt 3")
            side.set("gl", bytes((10, 0, 0, 2)), {"glitch_cnt": 4, "glitch_rate": rate(5)})
            await until(lambda: "10.0.0.2" in haproxy.table("gl") and bytes((10, 0, 0, 1)) in side.tables["gl"].held)
            assert side.tables["gl"].values(bytes((10, 0, 0, 1)))["glitch_cnt"] == 3
            assert {"glitch_cnt": "4", "glitch_rate": "5"}.items() <= haproxy.table("gl")["10.0.0.2"].items()

    asyncio.run(play())


@VERSIONS
def test_many_entries_are_learned_and_taught(version: str, tmp_path: Path) -> None:
    many = 5000
    table = make_definition("many", "integer", 4, 600_000, [Column("gpc0"), Column("server_key")])

    async def play() -> None:
        async with stage(version, tmp_path, (table,)) as (haproxy, side, ours):
            # Taught: HAProxy starts empty and asks.
            side.section.resync.next(1 << 60, ())
            for number in range(many):
                values: dict[str, Value] = {"gpc0": number, "server_key": b"srv%d" % (number % 300)}
                side.set("many", number.to_bytes(4, "big"), values)
            side.tables["many"].journal.forget(many)
            await side.section.start([ours])
            haproxy.start()
            await until(lambda: f"used:{many}" in haproxy.ask("show table").split("many")[1])
            taught = haproxy.table("many")
            assert all((taught[str(n)]["gpc0"], taught[str(n)]["server_key"]) == (str(n), f"srv{n % 300}")
                       for n in range(many))  # fmt: skip
            # Learned: we start empty and ask.
            await side.section.stop()
            fresh = Side(haproxy, (table,))
            await fresh.section.start()
            try:
                await until(lambda: len(fresh.tables["many"].held) == many)
                held = fresh.tables["many"].held
                assert all(
                    held[n.to_bytes(4, "big")][1] == {"gpc0": n, "server_key": b"srv%d" % (n % 300)}
                    for n in range(many)
                )
                await until(lambda: fresh.section.resync.done)
                await until(lambda: haproxy.ask("show peers").count("confirm=0") == 2)
            finally:
                await fresh.section.stop()

    asyncio.run(play())


def test_tables_that_differ_are_passed_over_and_the_others_go_on(tmp_path: Path) -> None:
    tables = (
        make_definition("kind", "ip", 4, 0, [Column("gpc0")]),
        make_definition("period", "ip", 4, 0, [Column("gpc0"), Column("gpc0_rate", 1, 1000)]),
        make_definition("fewer", "ip", 4, 0, [Column("gpc0"), Column("gpt0"), Column("server_key")]),
        make_definition("oursonly", "ip", 4, 0, [Column("server_key")]),
        make_definition("same", "ip", 4, 0, [Column("gpc0"), Column("server_key")]),
    )
    lines = {
        "kind": "type integer size 1k store gpc0",
        "period": "type ip size 1k store gpc0,gpc0_rate(2s)",
        "fewer": "type ip size 1k store gpc0,gpc1",
        "theirsonly": "type ip size 1k store gpc0",
    }
    key = bytes((10, 0, 0, 1))

    async def play() -> None:
        async with stage("3.0", tmp_path, tables, lines) as (haproxy, side, ours):
            haproxy._folder.joinpath("cfg").write_text(
                haproxy._folder.joinpath("cfg").read_text().replace("backend oursonly\n", "backend other\n")
            )
            haproxy.start()
            await side.section.start([ours])
            for name in side.tables:
                side.set(name, key, {"gpc0": 5, "gpt0": 6, "server_key": b"s1"})
            await until(lambda: "10.0.0.1" in haproxy.table("same"))
            # HAProxy passes over the text in a table that it does not have, and is told it again in another.
            assert haproxy.table("same")["10.0.0.1"]["server_key"] == "s1"
            assert haproxy.table("fewer")["10.0.0.1"]["gpc0"] == "5"
            assert haproxy.table("kind") == {} and haproxy.table("theirsonly") == {}
            for name, word in (("fewer", "10.0.0.7"), ("kind", "7"), ("period", "10.0.0.7"), ("same", "10.0.0.7")):
                haproxy.ask(f"set table {name} key {word} data.gpc0 9")
            await until(lambda: bytes((10, 0, 0, 7)) in side.tables["same"].held)
            assert side.tables["fewer"].values(bytes((10, 0, 0, 7))) == {"gpc0": 9}
            assert len(side.tables["kind"].held) == len(side.tables["period"].held) == 1
            texts = "\n".join(side.notices)
            assert "table 'kind' is passed over: its keys are integer of 4 bytes, ours ip of 4" in texts
            assert "table 'period' is passed over: its gpc0_rate has a period of 2000 ms, ours of 1000" in texts
            assert "table 'theirsonly' is passed over: no such table is shared here" in texts

    asyncio.run(play())


def test_heartbeats(tmp_path: Path) -> None:
    """Each side sends one when it has been silent for three seconds, and counts the other's."""

    async def play() -> None:
        async with stage("3.0", tmp_path, (V6,)) as (haproxy, side, ours):
            haproxy.start()
            await side.section.start([ours])

            def both() -> bool:
                # The connection is looked up each time: the first ones may end in a collision.
                link = side.standing.link
                return bool(link and link.conversation.heartbeats) and "rx_hbt=1" in haproxy.ask("show peers")

            await until(both)
            assert "no_hbt=0" in haproxy.ask("show peers")

    asyncio.run(play())
