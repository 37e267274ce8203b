"""Signs of life: rows that have one writer, and readers in other processes."""

from __future__ import annotations

import mmap
import os

import pytest
from maniple.pools.pulses import ACCEPTING, CONNECTIONS, Pulses, Row
from maniple.pools.segment import Segment


@pytest.fixture
def pulses() -> Pulses:
    return Pulses(memoryview(bytearray(Pulses.size(5))), 5)


def test_all_is_zero_at_first(pulses: Pulses) -> None:
    assert [pulses.row(number) for number in range(1, 6)] == [Row(0, 0, False, 0, 0)] * 5


def test_begin_and_beat(pulses: Pulses) -> None:
    pulse = pulses.pulse(3)
    pulse.begin(77, 1_000)
    pulse.words[CONNECTIONS] = 12
    pulse.words[ACCEPTING] = 1
    pulse.beat(1_200)
    assert pulses.row(3) == Row(1_200, 12, True, 77, 2)
    assert pulses.row(2) == pulses.row(4) == Row(0, 0, False, 0, 0)


def test_a_successor_begins_without_clients(pulses: Pulses) -> None:
    pulse = pulses.pulse(1)
    pulse.begin(77, 1_000)
    pulse.words[CONNECTIONS] = 12
    pulse.words[ACCEPTING] = 1
    pulses.pulse(1).begin(78, 2_000)
    assert pulses.row(1) == Row(2_000, 0, False, 78, 2)


def test_taken_is_kept_by_sender(pulses: Pulses) -> None:
    pulse = pulses.pulse(5)
    for sender in (1, 5, 5):
        pulse.took(sender)
    assert [pulses.taken(5, sender) for sender in range(1, 6)] == [1, 0, 0, 0, 2]
    assert [pulses.taken(4, sender) for sender in range(1, 6)] == [0] * 5


def test_clear_leaves_what_was_taken(pulses: Pulses) -> None:
    """The inbox outlives its thread: the successor goes on counting where the dead one stopped."""
    for number in (1, 2):
        pulse = pulses.pulse(number)
        pulse.begin(77, 1_000)
        pulse.words[CONNECTIONS] = 3
        pulse.took(2)
    pulses.clear(1)
    assert pulses.row(1) == Row(0, 0, False, 0, 0)
    assert pulses.taken(1, 2) == 1
    assert pulses.row(2) == Row(1_000, 3, False, 77, 1)


@pytest.mark.parametrize("number", [-1, 0, 6])
def test_no_such_thread(pulses: Pulses, number: int) -> None:
    with pytest.raises(IndexError):
        pulses.pulse(number)
    with pytest.raises(IndexError):
        pulses.row(number)
    with pytest.raises(IndexError):
        pulses.clear(number)
    with pytest.raises(IndexError):
        pulses.taken(1, number)


def test_sizes() -> None:
    with pytest.raises(ValueError, match="no pulse"):
        Pulses.size(0)
    with pytest.raises(ValueError, match="too few"):
        Pulses(memoryview(bytearray(Pulses.size(2) - 1)), 2)
    for capacity in (1, 8, 9, 64):
        size = Pulses.size(capacity)
        assert (size - 64) % (64 * capacity) == 0, "rows do not share a cache line"
        body = memoryview(bytearray(size + 64))
        pulses = Pulses(body, capacity)
        pulses.pulse(capacity).took(capacity)
        assert bytes(body[size:]) == bytes(64)


def test_close_releases_the_segment() -> None:
    segment = Segment.create("pulses", Pulses.size(2))
    pulses = Pulses(segment.body, 2)
    pulses.close()
    segment.close()


def test_seen_by_another_process() -> None:
    segment = Segment.create("pulses", Pulses.size(300))
    pulses = Pulses(segment.body, 300)
    child = os.fork()
    if child == 0:
        pulse = pulses.pulse(299)
        pulse.begin(os.getpid(), 5)
        pulse.took(300)
        os._exit(0)
    os.waitpid(child, 0)
    assert pulses.row(299) == Row(5, 0, False, child, 1)
    assert pulses.taken(299, 300) == 1
    # Rows that nobody wrote to are not there: 300 of them would be 737,280 bytes.
    assert os.fstat(segment.fd).st_blocks * 512 <= 6 * mmap.PAGESIZE


def test_levels_are_summed_over_the_rows_in_use() -> None:
    pulses = Pulses(memoryview(bytearray(Pulses.size(5, 7))), 5, 7)
    for number in range(1, 6):
        pulse = pulses.pulse(number)
        assert len(pulse.levels) == 7
        pulse.levels[6] = 10**number
        pulse.words[CONNECTIONS] = number
    one = pulses.pulse(1)
    assert one.others(6) == one.other_connections() == 0
    pulses.use(3)
    pulses.use(2)
    assert one.others(6) == 1100 and one.others(5) == 0
    assert one.other_connections() == 5
    # A row that is not in use yet: its thread sees the others.
    assert pulses.pulse(5).others(6) == 1110
    pulses.clear(2)
    assert one.others(6) == 1000 and one.other_connections() == 3
    assert pulses.taken(5, 5) == 0
    pulses.pulse(3).begin(5, 5)
    assert one.others(6) == 0
