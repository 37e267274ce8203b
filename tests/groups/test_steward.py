"""The process that shares tables: two of them, each with its own."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from maniple.groups.tables import open_table
from maniple.pools.table import Table
from maniple.pools.table_cells import Count
from maniple.tests.groups.stewards import Rig, configuration_of, ended, free_port

Pair = tuple[Rig, Rig]


@pytest.fixture
def pair() -> Iterator[Pair]:
    one, other = Rig(), Rig()
    yield one, other
    one.close()
    other.close()


def now() -> int:
    return time.monotonic_ns() // 1_000_000


def counted(table: Table, number: int = 0) -> int:
    """Counts; what is there then, under one key."""
    slot = table.track(b"k".ljust(9, b"\0"), now())
    cell = table.cell("gpc0")
    assert isinstance(cell, Count)
    if number:
        cell.add(slot, number, now())
        table.mark(slot)
    found = cell.value(slot, now())
    table.release(slot)
    return found


def serve(pair: Pair, mode: str) -> tuple[int, int]:
    here, there = free_port(), free_port()
    pair[0].serve(configuration_of(here, there, mode=mode, name="me"))
    # To the other one we are `you`.
    text = configuration_of(there, 0, mode=mode, name="you", more=f" server me 127.0.0.1:{here}\n")
    pair[1].serve(text)
    return here, there


@pytest.mark.parametrize("mode", ["mode overwrite", "mode sum"])
def test_marks_are_told(pair: Pair, mode: str) -> None:
    for rig in pair:
        rig.knowing = True
    serve(pair, mode)
    # As other threads have it.
    with closing(open_table(pair[0].opened["pp/t"], 8)) as one, closing(open_table(pair[1].opened["pp/t"], 8)) as other:
        counted(one, 3)
        pair[0].until(lambda: counted(other) == 3)
        counted(other, 7)
        pair[0].until(lambda: counted(one) == 10 and counted(other) == 10)
        pid = pair[0].stewardship.pid
        # What is counted while it ends is told before, or by the next one.
        counted(one, 1)
        pair[0].stewardship.stop()
        counted(one, 1)
        assert ended(pid)
        pair[1].until(lambda: counted(other) == 11)
        pair[0].serve(configuration_of(free_port(), _port_of(pair[1]), mode=mode, name="me"))
        pair[1].until(lambda: counted(other) == 12)


def _port_of(rig: Rig) -> int:
    sections = rig.stewardship._plan
    assert sections is not None
    sock = sections.sections[0].sock
    assert sock is not None
    port: int = sock.getsockname()[1]
    return port


def test_it_has_nothing_of_the_supervisors_and_ends_with_it() -> None:
    rig = Rig()
    reader, writer = os.pipe()
    try:
        rig.serve(configuration_of(free_port()))
        rig.until(lambda: rig.show())
        pid = rig.stewardship.pid
        open_ones = {os.readlink(f"/proc/{pid}/fd/{one}") for one in os.listdir(f"/proc/{pid}/fd")}
        assert os.readlink(f"/proc/self/fd/{reader}") not in open_ones
        # The channel's end.
        channel = rig.stewardship._channel
        assert channel is not None
        rig.selector.unregister(channel)
        channel.close()
        rig.stewardship._channel = None
        rig.stewardship._plan = None
        rig.until(lambda: rig.stewardship.pid == 0)
    finally:
        os.close(reader)
        os.close(writer)
        rig.close()
