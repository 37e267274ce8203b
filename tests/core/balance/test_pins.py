"""Pins: the choice as a table of cases and against a model, and the place of each."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.balance.pins import PLACES, Choice, Way, make_pin, number_in, number_of, place_of, server_of
from maniple.core.balance.sticky_cookie import hint_of
from maniple.core.config.sticky_spec import ALWAYS, NEVER

B, OTHER = 16, 24
"""Numbers of two backends that have the same home."""
M1, M2, R1, R2, GONE = 101, 102, 201, 202, 301
EMPTY = (0,) * PLACES


@dataclass(slots=True)
class Thing:
    """A server."""

    number: int
    usable: bool = True


def pins(*words: int) -> tuple[int, ...]:
    return (*words, *EMPTY)[:PLACES]


def choice(strict: bool = False, back: int = NEVER, down: tuple[int, ...] = ()) -> Choice[Thing]:
    things = {number: Thing(number, number not in down) for number in (M1, M2, R1, R2)}
    main = {number: things[number] for number in (M1, M2)}
    spare = {number: things[number] for number in (R1, R2)}
    return Choice(B, main, spare, strict, back)


@dataclass(frozen=True, slots=True)
class Row:
    """One case: `pins` of the session, what is down, and what is to come of it."""

    name: str
    pins: tuple[int, ...]
    way: Way
    server: int = 0
    down: tuple[int, ...] = ()
    strict: bool = False
    back: int = NEVER
    idle: int = 0
    main: bool = True
    spare: bool = True
    hint: int = 0


MAIN_DOWN = (M1, M2)
ROWS = (
    Row("new", EMPTY, Way.MAIN),
    Row("new, main down", EMPTY, Way.BACKUP, main=False),
    Row("new, all down", EMPTY, Way.NOBODY, main=False, spare=False),
    Row("pinned", pins(make_pin(B, M2)), Way.KEEP, M2),
    Row("D3.1 another backend's pin, server is ours", pins(make_pin(OTHER, M2)), Way.KEEP, M2),
    Row("D3.1 another backend's pin, server is theirs", pins(make_pin(OTHER, R1)), Way.MAIN),
    Row("D3.1 one's own pin goes before", pins(make_pin(OTHER, M1), make_pin(B, M2)), Way.KEEP, M2),
    Row("D3.1 one key for each backend", pins(make_pin(OTHER, GONE)), Way.MAIN),
    Row("D3.4 strict, down", pins(make_pin(B, M1)), Way.DOWN, M1, (M1,), True),
    Row("D3.4 strict, on the backup, down", pins(make_pin(B, R1)), Way.DOWN, R1, (R1,), True),
    Row("D3.4 failover, down: main first", pins(make_pin(B, M1)), Way.MAIN, M1, (M1,)),
    Row("D3.4 failover, backup server down: main first", pins(make_pin(B, R1)), Way.MAIN, R1, (R1,)),
    Row("D3.4 failover, main down", pins(make_pin(B, M1)), Way.BACKUP, M1, MAIN_DOWN, main=False),
    Row(
        "D3.4 failover, main down: a pin in the backup first",
        pins(make_pin(B, M1), make_pin(OTHER, R2)),
        Way.KEEP,
        R2,
        MAIN_DOWN,
        main=False,
    ),
    Row(
        "D3.4 that one is down too",
        pins(make_pin(B, M1), make_pin(OTHER, R2)),
        Way.BACKUP,
        M1,
        (*MAIN_DOWN, R2),
        main=False,
    ),
    Row("D3.4 all down", pins(make_pin(B, M1)), Way.NOBODY, M1, MAIN_DOWN, main=False, spare=False),
    Row("D3.4 removed, strict", pins(make_pin(B, GONE)), Way.MAIN, strict=True),
    Row("D3.4 removed, failover", pins(make_pin(B, GONE)), Way.MAIN),
    Row("D3.4 removed, main down", pins(make_pin(B, GONE)), Way.BACKUP, main=False, strict=True),
    Row("D3.5 stays on the backup", pins(make_pin(B, R1)), Way.KEEP, R1, idle=10**9),
    Row("D3.5 idle, too short", pins(make_pin(B, R1)), Way.KEEP, R1, back=5000, idle=4999),
    Row("D3.5 idle, long enough", pins(make_pin(B, R1)), Way.MAIN, R1, back=5000, idle=5000),
    Row("D3.5 idle, main down", pins(make_pin(B, R1)), Way.KEEP, R1, MAIN_DOWN, back=5000, idle=9999, main=False),
    Row("D3.5 always", pins(make_pin(B, R1)), Way.MAIN, R1, back=ALWAYS),
    Row("D3.5 always, main down", pins(make_pin(B, R1)), Way.KEEP, R1, MAIN_DOWN, back=ALWAYS, main=False),
    Row("D3.5 always concerns the backup only", pins(make_pin(B, M1)), Way.KEEP, M1, back=ALWAYS),
    Row("D3.5 a strict session may return", pins(make_pin(B, R1)), Way.MAIN, R1, strict=True, back=ALWAYS),
    Row("D3.9 a hint", EMPTY, Way.KEEP, M2, hint=M2),
    Row("D3.9 a hint at the backup", EMPTY, Way.KEEP, R1, hint=R1),
    Row("D3.9 a pin goes before", pins(make_pin(B, M1)), Way.KEEP, M1, hint=M2),
    Row("D3.9 a hint at nobody", EMPTY, Way.MAIN, hint=GONE),
    Row("D3.9 a hint at who is down, strict", EMPTY, Way.DOWN, M1, (M1,), True, hint=M1),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_choice(row: Row) -> None:
    chosen = choice(row.strict, row.back, row.down).decide(row.pins, row.main, row.spare, row.idle, row.hint)
    assert chosen.way is row.way
    assert (chosen.server.number if chosen.server is not None else 0) == row.server
    assert chosen.word == row.pins[chosen.place]
    if chosen.way is Way.KEEP:
        assert chosen.spare is (row.server in (R1, R2))


words = st.one_of(
    st.just(0), st.builds(make_pin, st.sampled_from([B, OTHER, 5]), st.sampled_from([M1, M2, R1, R2, GONE]))
)


@given(
    st.lists(words, min_size=PLACES, max_size=PLACES),
    st.sets(st.sampled_from([M1, M2, R1, R2])),
    st.booleans(),
    st.sampled_from([NEVER, ALWAYS, 1000]),
    st.integers(0, 2000),
)
def test_what_always_holds(found: list[int], down: set[int], strict: bool, back: int, idle: int) -> None:
    main_ready = not {M1, M2} <= down
    spare_ready = not {R1, R2} <= down
    chosen = choice(strict, back, tuple(down)).decide(found, main_ready, spare_ready, idle)
    if chosen.way is Way.KEEP:
        assert chosen.server is not None
        assert chosen.server.usable
    if chosen.way is Way.DOWN:
        assert strict
        assert chosen.server is not None
        assert not chosen.server.usable
    assert (chosen.way is Way.MAIN) <= main_ready
    assert (chosen.way is Way.BACKUP) <= (spare_ready and not main_ready)
    assert (chosen.way is Way.NOBODY) <= (not spare_ready and not main_ready)
    own = found[place_of(found, B)]
    stays = choice(strict, back, tuple(down)).stays(own)
    if stays is not None:
        assert chosen.way is Way.KEEP
        assert chosen.server is not None
        assert chosen.server.number == stays.number
    if own >> 32 == B and back == NEVER and server_of(own) not in (*down, GONE):
        # A session whose server is there stays, whatever else is.
        assert chosen.way is Way.KEEP
        assert chosen.server is not None
        assert chosen.server.number == server_of(own)


@given(st.lists(st.integers(1, 2**31 - 1), max_size=30))
def test_every_backend_finds_the_pin_that_it_has_put(backends: list[int]) -> None:
    entry = [0] * PLACES
    for asked in backends:
        place = place_of(entry, asked)
        assert not entry[place] or entry[place] >> 32 == asked or all(entry)
        entry[place] = make_pin(asked, 7)
        assert place_of(entry, asked) == place
        # One pin for each backend (D3.1).
        taken = [word >> 32 for word in entry if word]
        assert len(set(taken)) == len(taken)


def test_numbers() -> None:
    assert 0 < number_of("b/s") < 2**31
    assert number_in(hint_of("b", "s")) == number_of("b/s")
    assert number_in(bytes(8)) == number_in(b"\x80" + bytes(7)) == 1
    assert number_of("b/s") == number_of("b/s") != number_of("b/t")
    assert server_of(make_pin(B, M1)) == M1
    assert make_pin(B, M1) >> 32 == B
