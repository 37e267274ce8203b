"""Pins in a stick table: assigned once, whoever tries; what eight processes make of one key."""

from __future__ import annotations

import mmap
import os
import signal

from maniple.core.balance.pin_table import EMPTY, PinTable
from maniple.core.balance.pins import PLACES, make_pin, place_of
from maniple.pools.segment import Segment
from maniple.pools.table import Table, create_table
from maniple.pools.table_shape import Stored, TableShape
from xxhash import xxh3_64_intdigest

SHAPE = TableShape("binary", 16, 100, 60_000, True, (Stored("gpt", 2 * PLACES),))
KEY = b"0123456789abcdef"
NOW = 5_000


def test_pins() -> None:
    segment = create_table("sticky/S", SHAPE, 7)
    table = PinTable(Table(segment, 1, xxh3_64_intdigest))
    assert table.hold(KEY, NOW) == 0
    assert table.pins(0) == EMPTY
    slot = table.track(KEY, NOW)
    assert table.pins(slot) == EMPTY
    assert table.assign(slot, 3, 0, make_pin(11, 101)) == make_pin(11, 101)
    assert table.assign(slot, 3, 0, make_pin(11, 102)) == make_pin(11, 101)
    assert table.assign(slot, 3, make_pin(11, 101), make_pin(2**31 - 1, 2**31 - 1)) == make_pin(2**31 - 1, 2**31 - 1)
    table.use(slot, 3, 1_700_000_000)
    assert table.used(slot, 3) == 1_700_000_000
    assert table.used(slot, 2) == 0
    assert table.pins(slot) == [0, 0, 0, make_pin(2**31 - 1, 2**31 - 1), 0, 0, 0, 0]
    table.release(slot)
    assert len(table.secret) == 32


def contend(segment: Segment, writer: int, turn: int) -> int:
    """What a process does with the first request of a session: choose a server of its own, and learn which it is."""
    table = PinTable(Table(segment, writer, xxh3_64_intdigest))
    asked = 16
    slot = table.track(turn.to_bytes(16, "big"), NOW)
    try:
        while True:
            pins = table.pins(slot)
            place = place_of(pins, asked)
            word = pins[place]
            if word >> 32 == asked:
                return word & 0xFFFFFFFF
            pin = make_pin(asked, 100 + writer)
            if table.assign(slot, place, word, pin) == pin:
                return 100 + writer
    finally:
        table.release(slot)


def test_d3_7_eight_processes_one_key() -> None:
    """Never two servers for one key."""
    segment = create_table("sticky/S", SHAPE, 7)
    turns = 40
    arrived = mmap.mmap(-1, 8)
    pipes = []
    children = []
    for writer in range(1, 9):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                signal.alarm(20)
                found = []
                for turn in range(turns):
                    arrived[writer - 1] = turn + 1
                    while min(arrived[:]) <= turn:
                        os.sched_yield()
                    found.append(contend(segment, writer, turn))
                os.write(writing, bytes(one - 100 for one in found))
                code = 0
            finally:
                os._exit(code)
        os.close(writing)
        pipes.append(reading)
        children.append(pid)
    said = [os.read(one, turns) for one in pipes]
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0] * 8
    for one in pipes:
        os.close(one)
    assert all(len(one) == turns for one in said)
    for turn in range(turns):
        assert len({one[turn] for one in said}) == 1, turn
    # They did contend.
    assert len({one for each in said for one in each}) > 1
