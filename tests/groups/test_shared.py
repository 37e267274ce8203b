from __future__ import annotations

import os

from maniple.core.config.model import Configuration, Place, ProxySpec
from maniple.groups.shared import create_counters
from maniple.pools.counters import FrontendCounts, Shape

CONFIGURATION = Configuration(proxies=(ProxySpec(Place("test.cfg", 1), "web", "frontend"),))


def test_the_counter_segment_says_what_it_holds() -> None:
    segment, columns = create_counters(CONFIGURATION, 3)
    assert segment.name == "counters"
    assert Shape.decode(segment.shape) == columns.shape
    assert columns.count == 3
    columns.close()
    segment.close()


def test_a_writer_killed_at_any_time_leaves_readable_counters() -> None:
    segment, columns = create_counters(CONFIGURATION, 1)
    row = columns.shape.row("frontend", "web")
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        column = columns.column(0)
        counts = FrontendCounts()
        while True:
            counts.stot += 1 << 32 | 1
            counts.bin = counts.stot
            column.publish(row, counts)
            if counts.stot == 1 << 32 | 1:
                os.write(writer, b"x")
    os.read(reader, 1)
    before = 0
    for _ in range(2000):
        # The two halves of a word are of one store, and no figure goes back.
        stot = columns.read(row, 0).as_dict()["stot"]
        assert stot >> 32 == stot & 0xFFFFFFFF >= before
        before = stot & 0xFFFFFFFF
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    left = columns.read(row, 0).as_dict()
    assert left["stot"] >> 32 == left["stot"] & 0xFFFFFFFF > 0
    columns.retire(0)
    assert columns.sum(row).as_dict() == left
    for fd in (reader, writer):
        os.close(fd)
    columns.close()
    segment.close()
