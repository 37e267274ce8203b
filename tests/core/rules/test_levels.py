"""Levels: sums over threads, rates, and that nothing is done where nobody asks."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.model import Configuration
from maniple.core.config.parser import load
from maniple.core.rules.levels import ACTIVE, REQUESTS, SESSIONS, WIDTH, Levels, rows_of, words_of
from maniple.pools.pulses import CONNECTIONS, Pulses

TEXT = """
frontend f
    mode http
    bind 127.0.0.1:0
    default_backend b
backend b
    mode http
    server s 127.0.0.1:1
    server t 127.0.0.1:1
listen b2
    mode http
    bind 127.0.0.1:0
    server s 127.0.0.1:1
"""


def configuration() -> Configuration:
    loaded, said = load([("a.cfg", TEXT)], {})
    assert loaded is not None, said.render()
    return loaded


def threads(count: int, clock: SimpleNamespace | None = None) -> list[Levels]:
    rows = rows_of(configuration())
    words = len(rows) * WIDTH
    pulses = Pulses(memoryview(bytearray(Pulses.size(8, words))), 8, words)
    pulses.use(count)
    tick = (lambda: 0.0) if clock is None else (lambda: clock.now)
    return [Levels(rows, pulses.pulse(number), tick) for number in range(1, count + 1)]


def test_rows_are_those_of_the_file() -> None:
    assert list(rows_of(configuration()).items()) == [
        (("frontend", "f"), 0),
        (("backend", "b"), 3),
        (("server", "b/s"), 6),
        (("server", "b/t"), 9),
        (("frontend", "b2"), 12),
        (("backend", "b2"), 15),
        (("server", "b2/s"), 18),
    ]
    assert words_of(configuration()) == 21
    assert words_of(Configuration()) == 0


def test_own_part_is_immediate_and_the_others_come_with_their_beat() -> None:
    own = [1, 10, 100]
    seats = threads(3)
    whole = [
        levels.whole("frontend", "f", ACTIVE, lambda number=number: own[number])  # type: ignore[misc]
        for number, levels in enumerate(seats)
    ]
    assert [count() for count in whole] == [1, 10, 100]
    for levels in seats:
        levels.beat()
    assert [count() for count in whole] == [111, 111, 111]
    own[0] = 2
    assert [count() for count in whole] == [112, 111, 111]
    seats[0].beat()
    assert [count() for count in whole] == [112, 112, 112]


def test_alone_the_own_part_is_the_whole() -> None:
    for levels in (Levels(), Levels(rows_of(configuration()))):
        assert levels.whole("frontend", "f", ACTIVE, lambda: 7)() == 7
        assert levels.connections(SimpleNamespace(connections=4))() == 4
        levels.beat()
    (one, _) = threads(2)
    assert one.whole("backend", "unknown", ACTIVE, lambda: 7)() == 7


def test_a_pulse_without_room_for_levels_is_not_used() -> None:
    pulse = Pulses(memoryview(bytearray(Pulses.size(2))), 2).pulse(1)
    levels = Levels(rows_of(configuration()), pulse)
    assert levels.whole("frontend", "f", ACTIVE, lambda: 7)() == 7
    levels.beat()


def test_nothing_is_done_where_nobody_asks() -> None:
    levels, other = threads(2)
    assert levels.idle
    other.whole("frontend", "f", ACTIVE, lambda: 3)
    assert not other.idle and not other.counted
    other.rate("frontend", "f", SESSIONS, lambda: 3)
    assert other.counted == {("frontend", "f", SESSIONS)}


def test_connections_of_the_process_are_written_at_once() -> None:
    rows = rows_of(configuration())
    words = len(rows) * WIDTH
    pulses = Pulses(memoryview(bytearray(Pulses.size(4, words))), 4, words)
    pulses.use(3)
    count = Levels(rows, pulses.pulse(2)).connections(SimpleNamespace(connections=5))
    pulses.pulse(1).words[CONNECTIONS] = 20
    pulses.pulse(2).words[CONNECTIONS] = 5
    pulses.pulse(3).words[CONNECTIONS] = 300
    assert count() == 325


def test_a_rate_counts_the_own_at_once_and_the_others_with_their_beat() -> None:
    clock = SimpleNamespace(now=50_000.0)
    ever = [0, 0]
    one, other = threads(2, clock)
    mine = one.rate("backend", "b", SESSIONS, lambda: ever[0])
    theirs = other.rate("backend", "b", SESSIONS, lambda: ever[1])
    ever[:] = [3, 20]
    assert (mine(), theirs()) == (3, 20)
    one.beat()
    other.beat()
    assert (mine(), theirs()) == (23, 23)
    clock.now += 1500
    assert mine() == 11
    clock.now += 1000
    assert (mine(), theirs()) == (0, 0)


def test_a_rate_is_one_for_all_that_ask() -> None:
    (levels,) = threads(1)
    ever = [0]
    first = levels.rate("frontend", "f", REQUESTS, lambda: ever[0])
    second = levels.rate("frontend", "f", REQUESTS, lambda: ever[0])
    ever[0] = 4
    assert (first(), second()) == (4, 4)


def test_a_thread_that_dies_or_begins_late_makes_no_burst() -> None:
    ever = 1000
    rows = rows_of(configuration())
    words = len(rows) * WIDTH
    pulses = Pulses(memoryview(bytearray(Pulses.size(8, words))), 8, words)
    pulses.use(2)
    old = Levels(rows, pulses.pulse(1))
    old.rate("frontend", "f", SESSIONS, lambda: ever)
    old.beat()
    young = Levels(rows, pulses.pulse(2))
    rate = young.rate("frontend", "f", SESSIONS, lambda: 0)
    assert rate() == 0
    pulses.clear(1)
    assert rate() == 0
    ever = 5
    old.beat()
    assert rate() == 5


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.booleans()), max_size=60))
def test_sums_are_those_of_a_plain_model(steps: list[tuple[int, int, bool]]) -> None:
    own = [0, 0, 0, 0]
    shown = [0, 0, 0, 0]
    seats = threads(4)
    whole = [
        levels.whole("server", "b/t", ACTIVE, lambda number=number: own[number])  # type: ignore[misc]
        for number, levels in enumerate(seats)
    ]
    for who, value, beats in steps:
        own[who] = value
        if beats:
            seats[who].beat()
            shown[who] = value
        for number in range(4):
            assert whole[number]() == own[number] + sum(shown) - shown[number]


@pytest.mark.parametrize("word", [ACTIVE, REQUESTS, SESSIONS])
def test_words_do_not_overlap(word: int) -> None:
    one, other = threads(2)
    for row in rows_of(configuration()):
        other.whole(*row, word, lambda: 1)
    other.beat()
    for row in rows_of(configuration()):
        for there in (ACTIVE, REQUESTS, SESSIONS):
            assert one.whole(*row, there, lambda: 0)() == (there == word)
