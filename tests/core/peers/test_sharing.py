"""The interface of tables: what the tests' table and the journal make of it."""

from __future__ import annotations

from maniple.core.peers.sharing import Progress, SharedTable
from maniple.core.peers.values import Entry
from maniple.tests.core.peers.memory import MemoryTable
from maniple.tests.core.peers.samples import GLITCHES


def test_a_table_in_a_dictionary_is_one() -> None:
    table: SharedTable = MemoryTable(GLITCHES)
    table.apply(Entry(b"k", 5, {"glitch_cnt": 1}), 100)
    assert table.read(b"k", 102) == Entry(b"k", 3, {"glitch_cnt": 1})
    assert (table.read(b"k", 105), list(table.keys()), table.head) == (None, [b"k"], 0)


def test_progress_starts_with_nothing() -> None:
    assert Progress().acked == {}
