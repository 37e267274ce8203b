"""Remembered sessions: believed while the entry, the pin and the server are what they were."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from maniple.core.balance import pin_memory
from maniple.core.balance.pin_memory import make_memory
from maniple.core.balance.pin_table import PinTable
from maniple.core.balance.pins import make_pin
from maniple.core.config.model import Place, ProxySpec
from maniple.core.config.sticky import sticky_tables
from maniple.core.config.sticky_spec import StickySpec
from maniple.core.rules.private_tables import private_tables
from maniple.pools.table import Table

KEY = b"k" * 16
PIN = make_pin(5, 7)


def server() -> Any:
    return SimpleNamespace(usable=True)


@pytest.fixture
def table() -> Table:
    spec = ProxySpec(Place("f", 1), "b", "backend", sticky=StickySpec("header", "x", lifetime=1000))
    (one,) = private_tables({table.name: table for table in sticky_tables([spec])}).values()
    return one


def pinned(table: Table, note: Any, place: int = 5) -> Any:
    """A session that is noted; its server."""
    pins, one = PinTable(table), server()
    slot = table.track(KEY, 0)
    assert pins.assign(slot, place, 0, PIN) == PIN
    note(KEY, slot, place, PIN, one)
    table.release(slot)
    return one


def test_recalled_while_all_is_as_it_was(table: Table) -> None:
    recall, note = make_memory(table, dated=True)
    assert recall(KEY, 0, 1) is None
    one = pinned(table, note)
    spot = recall(KEY, 500, 77)
    assert spot is not None
    assert (spot.server, spot.number) == (one, 7)
    slot = table.find(KEY, 500)
    assert table.remaining(slot, 500) == table.expire, "its expiry has moved"
    assert PinTable(table).used(slot, 5) == 77
    one.usable = False
    assert recall(KEY, 500, 1) is None
    one.usable = True
    assert recall(KEY, 500, 1) is spot
    assert table.arrays.holders(slot) == 0


def test_not_where_the_pin_is_another(table: Table) -> None:
    recall, note = make_memory(table, dated=False)
    pinned(table, note)
    slot = table.find(KEY, 0)
    pins = PinTable(table)
    assert pins.used(slot, 5) == 0
    assert pins.assign(slot, 5, PIN, PIN + 1) == PIN + 1
    assert recall(KEY, 0, 1) is None
    assert pins.used(slot, 5) == 0


def test_not_where_the_entry_has_gone(table: Table) -> None:
    recall, note = make_memory(table, dated=False)
    pinned(table, note)
    table.remove(KEY)
    assert recall(KEY, 0, 1) is None
    pinned(table, lambda *words: None)
    assert recall(KEY, 0, 1) is None
    pinned_at = table.find(KEY, 0)
    assert table.arrays.holders(pinned_at) == 0


def test_bounded(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pin_memory, "KNOWN", 2)
    recall, note = make_memory(table, dated=False)
    keys = [bytes((number,)) * 16 for number in range(3)]
    for key in keys:
        slot = table.track(key, 0)
        PinTable(table).assign(slot, 5, 0, PIN)
        note(key, slot, 5, PIN, cast(Any, server()))
        table.release(slot)
    assert [recall(key, 0, 1) is None for key in keys] == [True, True, False]
