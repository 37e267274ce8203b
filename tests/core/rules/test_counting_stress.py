"""Several processes whose rules remember entries of one table in which keys come and go: totals are exact, and nothing
is held or open at the end.

MANIPLE_STRESS=200000 runs more.
"""

from __future__ import annotations

import os
import random
from types import SimpleNamespace
from typing import Any

from maniple.core.rules.trackers import Tracker, Tracking, remember
from maniple.pools.table import create_table
from maniple.pools.table_shape import Stored
from maniple.pools.table_spot import Memory
from maniple.tests.pools.tables import SEED, key, make_shape, open_again

PROCESSES = 4
OPERATIONS = int(os.environ.get("MANIPLE_STRESS", "8000"))
HOT = 5
SIZE = 40
SHAPE = make_shape(
    SIZE, 3, True, Stored("http_req_cnt"), Stored("http_req_rate", 1, 7), Stored("bytes_out_cnt"), Stored("conn_cur")
)
"""Entries expire after 3 ms, periods of the rate end after 7."""


class Rule:
    """`http-request track-sc0` of one process, with a clock that it moves itself."""

    def __init__(self, segment: Any, writer: int) -> None:
        self.tracker = Tracker(open_again(segment, writer))
        self.now = 1000
        self.known: Memory[Any] = Memory()
        self.act = self.tracker.again(
            lambda x: x.key, lambda: self.now / 1000.0, self.known, self.begin, lambda x: None, light=True
        )

    def begin(self, x: Any, value: bytes) -> None:
        slot = self.tracker.enter_request(value, self.now)
        if slot:
            entry = Tracking(self.tracker, 0, slot, value)
            x.tracked = (entry,)
            remember(self.known, value, entry)


def work(segment: Any, writer: int) -> None:
    rule = Rule(segment, writer)
    table = rule.tracker.table
    chosen = random.Random(writer)
    under_way: list[Any] = []
    for number in range(OPERATIONS):
        wanted = chosen.randrange(HOT) if number % 3 else HOT + chosen.randrange(200)
        x = SimpleNamespace(key=key(wanted), tracked=None, session=SimpleNamespace(tracked=None))
        rule.act(x)
        assert x.tracked is not None or wanted >= HOT
        under_way.append(x)
        for other in under_way:
            # Whatever came and went: what is held is that key's.
            assert other.tracked is None or table.key(other.tracked[0].slot) == other.key
        rule.now += not number % 4
        while len(under_way) > chosen.randrange(4):
            for entry in under_way.pop(0).tracked or ():
                entry.finish(entry, 1, 10, rule.now)
    for x in under_way:
        for entry in x.tracked or ():
            entry.finish(entry, 1, 10, rule.now)


def test_what_is_remembered_is_counted_exactly() -> None:
    segment = create_table("t", SHAPE, SEED)
    table = open_again(segment, 0)
    # Held by us, so that they neither expire nor make room; the others do all the time.
    slots = [table.track(key(number), 1000) for number in range(HOT)]
    children = []
    for writer in range(1, PROCESSES + 1):
        pid = os.fork()
        if not pid:
            status = 1
            try:
                work(segment, writer)
                status = 0
            finally:
                os._exit(status)
        children.append(pid)
    for pid in children:
        assert os.waitpid(pid, 0)[1] == 0
    asked = [0] * HOT
    for writer in range(1, PROCESSES + 1):
        chosen = random.Random(writer)
        length = 0
        for number in range(OPERATIONS):
            if number % 3:
                asked[chosen.randrange(HOT)] += 1
            else:
                chosen.randrange(200)
            length += 1
            while length > chosen.randrange(4):
                length -= 1
    tracker = Tracker(open_again(segment, 0))
    for slot, requests in zip(slots, asked, strict=True):
        table.release(slot)
        values = {name: cell.value(slot, 10**6) for (name, _), cell in tracker.cells.items()}
        assert values == {"http_req_cnt": requests, "http_req_rate": 0, "bytes_out_cnt": 10 * requests, "conn_cur": 0}
    for slot in table.slots():
        assert table.arrays.holders(slot) == 0 and tracker.cells["conn_cur", 0].value(slot, 0) == 0
