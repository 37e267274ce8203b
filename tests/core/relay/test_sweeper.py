"""Expired entries go a few at a time, until there are none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from maniple.core.relay.sweeper import MOST, SOON, Sweeper
from maniple.tests.core.relay.fakes import FakeLoop
from maniple.tests.core.rules.tables import tables_of


def rig(*sizes: int) -> tuple[Sweeper, FakeLoop, list[Any]]:
    loop = FakeLoop()
    tables = []
    for size in sizes:
        table = tables_of({"t": "type integer size 1k expire 10s"})["t"]
        for number in range(size):
            table.release(table.track(number.to_bytes(4, "big"), 0))
        tables.append(table)
    relay = SimpleNamespace(loop=loop, now=lambda: loop.now * 1000.0)
    return Sweeper(cast(Any, relay), tables), loop, tables


def test_what_is_behind_goes_on_soon() -> None:
    sweeper, loop, (long, short) = rig(4 * MOST + 3, 5)
    sweeper.beat(20_000)
    assert (len(long), len(short)) == (3 * MOST + 3, 0)
    sweeper.beat(20_000)
    assert len(long) == 3 * MOST + 3, "it goes on by itself"
    loop.advance(SOON * 1000)
    assert len(long) == 2 * MOST + 3
    loop.advance(3 * SOON * 1000)
    assert len(long) == 0 and loop.pending == 0
    sweeper.beat(20_000)
    assert loop.pending == 0


def test_what_is_not_expired_stays() -> None:
    sweeper, loop, (table,) = rig(3)
    sweeper.beat(5000)
    assert len(table) == 3 and loop.pending == 0


def test_nothing_is_done_after_the_end() -> None:
    sweeper, loop, (table,) = rig(3 * MOST)
    sweeper.beat(20_000)
    sweeper.stop()
    loop.advance(1000)
    sweeper.beat(20_000)
    assert len(table) == 2 * MOST and loop.pending == 0
