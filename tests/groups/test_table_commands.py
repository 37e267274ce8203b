"""The commands without a socket. What they say is HAProxy's (tests/wire/test_table_commands.py asks it)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

import pytest
from maniple.groups import table_commands
from maniple.groups.commands import execute
from maniple.groups.steering import Answer
from maniple.groups.tables import open_table
from maniple.pools.segment import Segment
from maniple.pools.table import create_table
from maniple.pools.table_arrays import share
from maniple.pools.table_shape import Stored, TableShape
from maniple.tests.groups.control_rig import FakeSteering


class Rig:
    def __init__(self) -> None:
        self.steering = FakeSteering()
        self.segments: list[Segment] = []

    def make(
        self, name: str = "t", kind: str = "integer", size: int = 100, expire: int = 60_000, **words: bool
    ) -> Segment:
        width = {"ip": 4, "integer": 4, "binary": 6}[kind]
        shape = TableShape(kind, width, size, expire, stored=(Stored("gpc0"), Stored("conn_cur")), **words)
        self.segments.append(create_table(name, shape, 7))
        self.steering.tables[name] = self.segments[-1]
        return self.segments[-1]

    def ask(self, text: str, level: str = "admin") -> list[str]:
        """The lines; pointers and times are left out."""
        ended: list[list[str]] = []
        execute(self.steering, text.split(), level, Answer(lambda lines, ok: ended.append(lines)))
        assert len(ended) == 1
        return [re.sub(r"^0x[0-9a-f]+: | (?:exp|shard)=\d+", "", line) for line in ended[0]]

    def pour(self, text: str) -> Iterator[Sequence[str]]:
        """Of an answer that comes by and by."""
        poured: list[Iterator[Sequence[str]]] = []
        execute(self.steering, text.split(), "admin", Answer(lambda lines, ok: None, None, poured.append))
        return poured[0]

    def close(self) -> None:
        for segment in self.segments:
            segment.close()


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.close()


def test_set_show_and_clear(rig: Rig) -> None:
    rig.make("first")
    rig.make("t", "ip")
    assert rig.ask("show table", "user") == [
        "# table: t, type: ip, size:100, used:0",
        "# table: first, type: integer, size:100, used:0",
    ]
    assert rig.ask("set table t key 1.2.3.4 data.gpc0 5", "operator") == []
    assert rig.ask("set table t key 1.2.3.5") == []
    head = "# table: t, type: ip, size:100, used:2"
    assert sorted(rig.ask("show table t")) == [
        head,
        "key=1.2.3.4 use=0 gpc0=5 conn_cur=0",
        "key=1.2.3.5 use=0 gpc0=0 conn_cur=0",
    ]
    assert rig.ask("show table t data.gpc0 gt 4") == [head, "key=1.2.3.4 use=0 gpc0=5 conn_cur=0"]
    assert rig.ask("show table t key 1.2.3.5") == [head, "key=1.2.3.5 use=0 gpc0=0 conn_cur=0"]
    assert rig.ask("clear table t data.gpc0 eq 5") == []
    assert rig.ask("clear table t key 1.2.3.7") == []
    assert rig.ask("show table t key 1.2.3.4") == []
    assert rig.ask("clear table t") == []
    assert rig.ask("show table t") == ["# table: t, type: ip, size:100, used:0"]
    for command in ("set table t key 1.2.3.4", "clear table t"):
        assert rig.ask(command, "user") == ["Permission denied"]


def test_pointers(rig: Rig) -> None:
    segment = rig.make()
    rig.ask("set table t key 7")
    table = open_table(segment, 0)
    (slot,) = table.slots()
    table.close()
    assert rig.ask(f"set table t ptr 0x{slot:X} data.gpc0 3") == []
    assert rig.ask(f"show table t ptr 0x{slot:x}")[1:] == ["key=7 use=0 gpc0=3 conn_cur=0"]
    assert rig.ask(f"clear table t ptr 0x{slot:x}") == []
    for number in (slot, 0, slot + 1, 1 << 60):
        assert rig.ask(f"show table t ptr 0x{number:x}") == ["No entry can be found matching ptr."]


def test_binary_keys_are_named_as_they_are_shown(rig: Rig) -> None:
    rig.make(kind="binary")
    assert rig.ask("set table t key 01ff") == []
    assert rig.ask("show table t key 01FF00000000")[1:] == ["key=01FF00000000 use=0 gpc0=0 conn_cur=0"]
    assert rig.ask("clear table t key zz") == ["Invalid key"]
    assert rig.ask("clear table t key 01ff") == []
    assert rig.ask("show table t")[1:] == []


def test_who_is_held_is_not_removed(rig: Rig) -> None:
    table = open_table(rig.make(purge=False, size=2), 1)
    slot = table.track(b"\0\0\0\7", table_commands.now())
    rig.ask("set table t key 8")
    assert rig.ask("set table t key 9") == ["Unable to allocate a new entry"]
    assert rig.ask("clear table t key 7") == ["Entry currently in use, cannot remove"]
    assert rig.ask("clear table t") == []
    assert rig.ask("show table t")[1:] == ["key=7 use=1 gpc0=0 conn_cur=0"]
    table.release(slot)
    table.close()
    assert rig.ask("clear table t key 7") == []


def test_a_change_moves_the_expiry_and_is_for_peers_too(rig: Rig) -> None:
    segment = rig.make()
    share(segment, True)
    table = open_table(segment, 1)
    slot = table.track(b"\0\0\0\7", table_commands.now())
    table.arrays.changed[slot] = 0
    table.date(slot, table_commands.now() + 10)
    rig.ask("set table t key 7 data.gpc0 1")
    assert table.remaining(slot, table_commands.now()) > 50_000 and table.arrays.changed[slot] == 1
    table.close()


def test_expired_entries_are_not_shown(rig: Rig) -> None:
    table = open_table(rig.make(), 1)
    now = table_commands.now()
    slot = table.track(b"\0\0\0\7", now)
    table.release(slot)
    table.date(slot, now - 1)
    table.close()
    assert rig.ask("show table t")[1:] == rig.ask("show table t key 7")[1:] == []


@pytest.fixture
def many(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Segment:
    """A table with 1000 entries, of which 100 are looked at in a turn."""
    monkeypatch.setattr(table_commands, "PORTION", 600)
    monkeypatch.setattr(table_commands, "_REMOVALS", 100)
    segment = rig.make(size=2000)
    table = open_table(segment, 0)
    for number in range(1000):
        table.release(table.track(number.to_bytes(4, "big"), table_commands.now()))
    table.close()
    return segment


def test_a_long_list_comes_in_portions(rig: Rig, many: Segment) -> None:
    portions = [list(one) for one in rig.pour("show table t")]
    assert [len(one) for one in portions] == [101] + [100] * 9
    assert portions[0][0] == "# table: t, type: integer, size:2000, used:1000"
    assert len({line.split()[1] for one in portions for line in one[-100:]}) == 1000


def test_a_long_removal_comes_in_portions(rig: Rig, many: Segment) -> None:
    portions = rig.pour("clear table t")
    assert next(portions) == []
    assert rig.ask("show table") == ["# table: t, type: integer, size:2000, used:900"]
    assert [*portions] == [[]] * 9
    assert rig.ask("show table") == ["# table: t, type: integer, size:2000, used:0"]


def test_a_list_ends_when_a_reload_replaces_its_table(rig: Rig, many: Segment) -> None:
    portions = rig.pour("show table t")
    next(portions)
    rig.make(size=20)
    many.close()
    assert [*portions] == []


def test_nothing_stays_open_between_the_portions(rig: Rig, many: Segment) -> None:
    """A forked group inherits no lock, and no entry is held for as long as a client does not read."""
    before = set(os.listdir("/proc/self/fd"))
    portions = rig.pour("show table t")
    next(portions)
    assert set(os.listdir("/proc/self/fd")) <= before
    table = open_table(many, 0)
    assert not any(map(table.arrays.holders, table.slots()))
    table.close()
