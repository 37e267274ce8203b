"""What a peer tells: which tables are taken, numbers of updates, acknowledgements, texts of tables passed over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from maniple.core.peers.dictionary import SentTexts
from maniple.core.peers.entries import encode_entry
from maniple.core.peers.faults import MalformedFault
from maniple.core.peers.incoming import MOST_TABLES, Incoming
from maniple.core.peers.messages import Ack, Definition, Switch, Update
from maniple.core.peers.tables import Column, TableDefinition, make_definition
from maniple.core.peers.values import Value
from maniple.tests.core.peers.memory import MemoryTable

T = make_definition("t", "ip", 4, 60_000, [Column("gpc0"), Column("conn_cur"), Column("server_key")])
KEY = b"\x0a\0\0\1"


class Rig:
    """Our tables, and a peer's words."""

    def __init__(self, *tables: TableDefinition) -> None:
        self.tables = {table.name: MemoryTable(table) for table in tables}
        self.notices: list[str] = []
        self.incoming = Incoming(self.tables, self.notices.append)
        self.texts = SentTexts()

    def define(self, number: int, table: TableDefinition) -> None:
        self.incoming.define(Definition(number, table, table.name))

    def update(
        self, table: TableDefinition, values: dict[str, Value], number: int | None = 1, expire: int | None = None
    ) -> None:
        self.incoming.update(Update(number, expire, encode_entry(table, KEY, values, self.texts)), 1000)

    def acks(self) -> Sequence[Ack]:
        return self.incoming.acks()


def test_a_shared_table_learns() -> None:
    rig = Rig(T)
    rig.define(7, T)
    rig.update(T, {"gpc0": 5, "conn_cur": 3, "server_key": b"s1"}, 9, 2500)
    assert rig.tables["t"].held == {KEY: (3500, {"gpc0": 5, "server_key": b"s1"})}
    assert rig.tables["t"].head == 0
    assert rig.acks() == [Ack(7, 9)]
    assert (rig.acks(), rig.incoming.updates) == ([], 1)


def test_without_a_time_the_table_says_it() -> None:
    rig = Rig(T)
    rig.define(1, T)
    rig.update(T, {})
    assert rig.tables["t"].held[KEY][0] == 61_000


def test_what_never_expires_there_has_our_time() -> None:
    rig = Rig(T)
    theirs = replace(T, expire=0)
    rig.define(1, theirs)
    rig.update(theirs, {}, 1, 0)
    assert rig.tables["t"].held[KEY][0] == 61_000


def test_numbers_go_on_and_wrap_around() -> None:
    rig = Rig(T)
    rig.define(1, T)
    rig.update(T, {}, (1 << 32) - 1)
    rig.update(T, {}, None)
    assert rig.acks() == [Ack(1, 0)]
    rig.update(T, {}, None)
    assert rig.acks() == [Ack(1, 1)]


def test_switching() -> None:
    other = replace(T, name="u")
    rig = Rig(T, other)
    rig.define(1, T)
    rig.define(2, other)
    rig.update(other, {"gpc0": 2})
    rig.incoming.switch(Switch(1))
    rig.update(T, {"gpc0": 1}, 4)
    assert [table.values(KEY)["gpc0"] for table in rig.tables.values()] == [1, 2]
    assert rig.acks() == [Ack(2, 1), Ack(1, 4)]
    rig.incoming.switch(Switch(99))
    rig.update(T, {"gpc0": 9}, 5)
    assert rig.tables["t"].values(KEY)["gpc0"] == 1 and rig.acks() == []


def test_a_definition_that_is_repeated_goes_on() -> None:
    rig = Rig(T)
    rig.define(1, T)
    rig.update(T, {}, 5)
    rig.define(1, T)
    rig.update(T, {}, None)
    assert rig.acks() == [Ack(1, 6)]


PASSED_OVER = [
    (replace(T, name="x"), "table 'x' is passed over: no such table is shared here"),
    (make_definition("t", "integer", 4, 0, T.columns), "its keys are integer of 4 bytes, ours ip of 4"),
]


@pytest.mark.parametrize(("theirs", "notice"), PASSED_OVER)
def test_tables_that_are_not_shared(theirs: TableDefinition, notice: str) -> None:
    rig = Rig(T)
    rig.define(1, theirs)
    rig.update(theirs, {"gpc0": 5, "server_key": b"s9"})
    assert notice in rig.notices[0] and len(rig.notices) == 1
    assert rig.tables["t"].held == {} and rig.acks() == []
    rig.define(1, theirs)
    assert len(rig.notices) == 1


def test_texts_of_tables_that_are_passed_over_are_remembered() -> None:
    """HAProxy tells a text once in a connection, in whichever table."""
    rig = Rig(T)
    rig.define(1, replace(T, name="x"))
    rig.incoming.update(Update(1, None, KEY + b"\0\0\4\1\2s1"), 0)
    rig.define(2, T)
    rig.incoming.update(Update(1, None, KEY + b"\0\0\1\1"), 0)
    assert rig.tables["t"].values(KEY)["server_key"] == b"s1"


def test_keys_of_an_unknown_type() -> None:
    rig = Rig(T)
    rig.incoming.define(Definition(1, None, "t"))
    rig.incoming.update(Update(1, None, b"whatever"), 0)
    assert "unknown type" in rig.notices[0] and rig.acks() == []


def test_only_what_both_have_is_learned() -> None:
    theirs = make_definition("t", "ip", 4, 0, [Column("gpc0"), Column("gpc1")])
    rig = Rig(T)
    rig.define(1, theirs)
    rig.update(theirs, {"gpc0": 5, "gpc1": 6})
    assert rig.tables["t"].values(KEY) == {"gpc0": 5}


def test_updates_before_any_definition_are_passed_over() -> None:
    rig = Rig(T)
    rig.update(T, {"gpc0": 1})
    assert rig.tables["t"].held == {} and rig.acks() == []


def test_damaged_updates() -> None:
    rig = Rig(T)
    rig.define(1, T)
    with pytest.raises(MalformedFault):
        rig.incoming.update(Update(1, None, b"abc"), 0)


def test_too_many_tables() -> None:
    rig = Rig()
    for number in range(MOST_TABLES):
        rig.incoming.define(Definition(number, None, "x"))
    with pytest.raises(MalformedFault, match="too many"):
        rig.incoming.define(Definition(MOST_TABLES, None, "x"))


def test_lessons_about_tables_that_are_known_are_passed_over() -> None:
    one = make_definition("all", "ip", 4, 0, [Column("gpc0")])
    table = MemoryTable(one)
    table.known = True
    incoming = Incoming({"all": table}, lambda text: None)
    incoming.define(Definition(1, one, "all"))
    body = encode_entry(one, b"\1\2\3\4", {"gpc0": 5}, SentTexts())
    incoming.update(Update(1, None, body), 10, lesson=True)
    assert not table.held and incoming.acks() == [Ack(1, 1)]
    incoming.update(Update(2, None, body), 10)
    assert table.held
