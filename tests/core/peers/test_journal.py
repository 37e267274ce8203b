"""The journal of changes against a model."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from maniple.core.peers.journal import Journal


@given(st.lists(st.integers(0, 5) | st.tuples(st.just("forget"), st.integers(0, 60)), max_size=60), st.integers(0, 60))
def test_as_a_plain_list(steps: list[int | tuple[str, int]], since: int) -> None:
    journal, written, floor = Journal(), list[tuple[int, bytes]](), 0
    for step in steps:
        if isinstance(step, tuple):
            journal.forget(step[1])
            floor = max(floor, min(step[1], journal.head))
        else:
            key = b"k%d" % step
            journal.note(key)
            written.append((journal.head, key))
    last = {key: number for number, key in written}
    wanted = [(number, key) for number, key in written if last[key] == number and number > max(since, floor)]
    assert journal.changes(since, 1000) == wanted
    assert journal.changes(since, 2) == wanted[:2]
    assert (journal.head, journal.floor) == (len(written), floor)


def test_memory_is_bounded_by_keys() -> None:
    journal = Journal()
    for number in range(20_000):
        journal.note(b"k%d" % (number % 3))
    assert len(journal) == 3 and len(journal._numbers) < 1100
    assert journal.changes(0, 9) == [(19_998, b"k2"), (19_999, b"k0"), (20_000, b"k1")]
    assert journal.floor == 0


def test_too_many_keys_are_forgotten() -> None:
    journal = Journal(most=10)
    for number in range(5_000):
        journal.note(b"k%d" % number)
    assert journal.floor > 3_900 and len(journal) <= 5_000 - journal.floor
    assert journal.changes(journal.floor, 1)[0][0] == journal.floor + 1
