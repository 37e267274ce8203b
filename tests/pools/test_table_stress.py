"""Eight processes that add to the same keys, and some of them killed at any instant: totals are exact.

MANIPLE_STRESS=1000000 runs the full load (minutes); the suite runs a fiftieth of it.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable

import pytest
from maniple.pools.segment import Segment
from maniple.pools.stripe import TURN
from maniple.pools.table import Table, create_table
from maniple.pools.table_arrays import vacate
from maniple.pools.table_cells import Count, Gauge, Rate, Word
from maniple.pools.table_shape import Stored
from maniple.tests.pools.tables import SEED, entries, key, make_shape, open_again

PROCESSES = 8
OPERATIONS = int(os.environ.get("MANIPLE_STRESS", "20000"))
BEGUN, DONE = range(2)


def spawn(work: Callable[..., None], *arguments: int) -> int:
    pid = os.fork()
    if not pid:
        status = 1
        try:
            work(*arguments)
            status = 0
        finally:
            os._exit(status)
    return pid


def cells(table: Table) -> tuple[Count, Rate, Gauge]:
    count, rate, gauge = table.cell("gpc0"), table.cell("http_req_rate"), table.cell("conn_cur")
    assert isinstance(count, Count) and isinstance(rate, Rate) and isinstance(gauge, Gauge)
    return count, rate, gauge


SHAPE = make_shape(
    1000, 10**9, True, Stored("gpc0"), Stored("http_req_rate", 1, 10**9), Stored("conn_cur"), Stored("gpt0")
)


def test_nothing_is_lost() -> None:
    """Hot keys, and a tenth of operations on keys that come and go."""
    segment = create_table("t", SHAPE, SEED)

    def work(writer: int) -> None:
        table = open_again(segment, writer)
        count, rate, gauge = cells(table)
        chosen = random.Random(writer)
        for number in range(OPERATIONS):
            slot = table.track(key(number % 7), 1000)
            count.add(slot, 1, 1000)
            rate.add(slot, 1, 1000)
            gauge.add(slot, 1, 1000)
            gauge.add(slot, -1, 1000)
            table.release(slot)
            if not number % 10:
                passing = key(100 + chosen.randrange(50))
                slot = table.track(passing, 1000)
                count.add(slot, 1, 1000)
                table.release(slot)
                if not number % 50:
                    table.remove(passing)

    for pid in [spawn(work, writer) for writer in range(1, PROCESSES + 1)]:
        assert os.waitpid(pid, 0)[1] == 0
    table = open_again(segment, 0)
    count, rate, gauge = cells(table)
    slots = [table.hold(key(number), 1000) for number in range(7)]
    totals = [count.value(slot, 1000) for slot in slots]
    assert totals == [PROCESSES * ((OPERATIONS - number + 6) // 7) for number in range(7)]
    assert [rate.value(slot, 1000) for slot in slots] == totals
    assert [gauge.value(slot, 1000) for slot in slots] == [0] * 7
    for slot in slots:
        table.release(slot)
    assert [table.arrays.holders(slot) for slot in table.slots()] == [0] * len(table)
    assert len(entries(table)) == len(table)
    close(table, segment)


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_instant(seed: int) -> None:
    """Processes note in a segment of their own what they have begun and what they have done; whoever dies is replaced
    in its column."""
    segment = create_table("t", make_shape(40, 10**9, True, *SHAPE.stored), SEED)
    journal = Segment.create("journal", 8 * 2 * 64 * 16)
    words = journal.body.cast("q")
    chosen = random.Random(seed)

    def work(writer: int, row: int) -> None:
        table = open_again(segment, writer)
        count, _, gauge = cells(table)
        place = random.Random(row)
        for number in range(OPERATIONS // 20):
            at = row * 8 + 2 * (number % 4)
            slot = table.track(key(number % 4), 1000)
            words[at + BEGUN] += 1
            count.add(slot, 1, 1000)
            words[at + DONE] += 1
            gauge.add(slot, 1, 1000)
            # Others come and go around the four that are counted: as many as there is room for, and more.
            other = table.track(key(10 + place.randrange(60)), 1000)
            if other:
                table.release(other)
            gauge.add(slot, -1, 1000)
            table.release(slot)

    supervisor = open_again(segment, 0)
    held = [supervisor.track(key(number), 1000) for number in range(4)]
    rows = iter(range(1000))
    running = {spawn(work, writer, next(rows)): writer for writer in range(1, PROCESSES + 1)}
    for _ in range(24):
        time.sleep(chosen.random() * 0.02)
        victim = chosen.choice(sorted(running))
        os.kill(victim, signal.SIGKILL)
        writer = running.pop(victim)
        # One that had ended already is not replaced.
        if os.waitpid(victim, 0)[1]:
            vacate(supervisor.segment, writer)
            running[spawn(work, writer, next(rows))] = writer
        if not running:
            break
    for pid in running:
        assert os.waitpid(pid, 0)[1] == 0
    count, _, gauge = cells(supervisor)
    for number, slot in enumerate(held):
        assert supervisor.key(slot) == key(number)
        begun = sum(words[row * 8 + 2 * number + BEGUN] for row in range(100))
        done = sum(words[row * 8 + 2 * number + DONE] for row in range(100))
        assert done <= count.value(slot, 1000) <= begun <= done + 24
        assert gauge.value(slot, 1000) == 0
        assert supervisor.arrays.holders(slot) == 1
    # Whatever was under way, the table goes on; a lock finds what is to be mended.
    for stripe in supervisor._stripes:
        stripe.lock()
        stripe.unlock()
        assert not stripe.state[TURN] & 1
    assert len(entries(supervisor)) == len(supervisor) == 40
    words.release()
    journal.close()
    close(supervisor, segment)


def test_one_of_all_who_settle_wins() -> None:
    """D3.7: requests of one session race in many processes; one server for all of them."""
    segment = create_table("t", make_shape(1000, 10**9, True, Stored("server_id")), SEED)
    answers = Segment.create("answers", 8 * PROCESSES * 200)
    words = answers.body.cast("q")

    def work(writer: int) -> None:
        table = open_again(segment, writer)
        server = table.cell("server_id")
        assert isinstance(server, Word)
        for number in range(200):
            slot = table.track(key(number), 1000)
            words[number * PROCESSES + writer - 1] = server.value(slot, 1000) or server.settle(slot, 0, writer)
            table.release(slot)

    for pid in [spawn(work, writer) for writer in range(1, PROCESSES + 1)]:
        assert os.waitpid(pid, 0)[1] == 0
    for number in range(200):
        assert len(set(words[number * PROCESSES : (number + 1) * PROCESSES].tolist())) == 1
    words.release()
    answers.close()
    segment.close()


def close(table: Table, segment: Segment) -> None:
    table.close()
    table.segment.close()
    segment.close()
