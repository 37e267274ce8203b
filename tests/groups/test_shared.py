from __future__ import annotations

import os
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.core.config.model import Configuration, Place, ProxySpec
from maniple.groups.shared import MAX_SLOTS, Slots, create_counters, create_pulses
from maniple.pools.columns import Shape
from maniple.pools.counters import FrontendCounts

CONFIGURATION = Configuration(proxies=(ProxySpec(Place("test.cfg", 1), "web", "frontend"),))


def test_the_counter_segment_says_what_it_holds() -> None:
    segment, columns = create_counters(CONFIGURATION)
    assert segment.name == "counters"
    assert Shape.decode(segment.shape) == columns.shape
    assert (columns.count, columns.used) == (MAX_SLOTS, 0)
    columns.close()
    segment.close()


def test_a_writer_killed_at_any_time_leaves_readable_counters() -> None:
    segment, columns = create_counters(CONFIGURATION)
    columns.used = 1
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


def test_the_pulse_segment_has_a_row_for_every_slot() -> None:
    segment, pulses = create_pulses(CONFIGURATION)
    pulse = pulses.pulse(MAX_SLOTS)
    pulse.begin(7, 1000)
    assert (pulses.row(MAX_SLOTS).pid, pulses.row(MAX_SLOTS).heartbeat, pulses.row(1).pid) == (7, 1000, 0)
    pulse.words.release()
    pulses.close()
    segment.close()


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(1, 60), max_size=30), st.randoms(use_true_random=False))
def test_a_slot_has_one_thread(counts: list[int], random: Random) -> None:
    slots = Slots()
    taken: list[tuple[int, ...]] = []
    highest = 0
    for count in counts:
        present = {slot for one in taken for slot in one}
        if len(present) + count > MAX_SLOTS:
            with pytest.raises(ValueError, match="no more than 256 threads"):
                slots.take(count)
        else:
            new = slots.take(count)
            assert len(set(new)) == count
            assert not present & set(new)
            assert list(new) == [slot for slot in range(MAX_SLOTS) if slot not in present][:count]
            taken.append(new)
            highest = max(highest, new[-1] + 1)
        assert slots.highest == highest
        if taken and random.random() < 0.5:
            slots.free(taken.pop(random.randrange(len(taken))))


def test_slots_of_another_program_are_taken() -> None:
    slots = Slots()
    slots.claim((0, 2))
    assert slots.take(2) == (1, 3)
    assert slots.highest == 4
