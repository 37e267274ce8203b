"""Changes of rules: batches, and that all threads end with the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.model import PatternFileSpec
from maniple.core.rules.pattern_changes import Change
from maniple.core.rules.pattern_files import PatternFiles
from maniple.core.rules.pattern_journal import Journal, take


class Thread:
    """One thread's map, and what its journal wants."""

    def __init__(self) -> None:
        self.files = PatternFiles({"m": PatternFileSpec("m", True, {b"a": b"0"})})
        self.armed: list[Callable[[], None]] = []
        self.sent: list[list[Change]] = []
        self.journal = self.files.journal = Journal(self.files, self.armed.append, self.sent.append)

    @property
    def entries(self) -> dict[bytes, bytes]:
        return self.files.files["m"].entries

    def change(self, key: bytes, value: bytes | None) -> None:
        self.files.change(self.files.files["m"], key, value)

    def flush(self) -> None:
        while self.armed:
            self.armed.pop()()


def test_a_batch_has_the_last_of_each_key() -> None:
    one = Thread()
    for key, value in ((b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (b"b", None), (b"c", b"4"), (b"c", b"4")):
        one.change(key, value)
    assert len(one.armed) == 1
    one.flush()
    assert one.sent == [[Change("m", b"a", b"3"), Change("m", b"b", None), Change("m", b"c", b"4")]]
    one.change(b"c", b"4")
    one.change(b"none", None)
    assert not one.armed
    one.flush()
    assert len(one.sent) == 1


def test_nobody_goes_back_to_what_he_has_replaced() -> None:
    one = Thread()
    one.change(b"a", b"mine")
    one.flush()
    one.journal.take([Change("m", b"a", b"theirs"), Change("m", b"b", b"theirs")])
    assert one.entries == {b"a": b"mine", b"b": b"theirs"}
    one.change(b"a", b"newer")
    one.journal.take([Change("m", b"a", b"mine")], own=True)
    assert one.entries[b"a"] == b"newer"
    one.flush()
    one.journal.take([Change("m", b"a", b"newer")], own=True)
    one.journal.take([Change("m", b"a", b"later")])
    assert one.entries[b"a"] == b"later"


def test_all_entries_but_those_on_their_way() -> None:
    one = Thread()
    one.change(b"mine", b"1")
    one.flush()
    one.change(b"a", None)
    one.journal.take([Change("m", None, None, ((b"a", b"9"), (b"z", b"26")))])
    assert one.entries == {b"z": b"26", b"mine": b"1"}
    one.journal.take([Change("gone", None, None, ())])


def test_an_operator_is_told_what_is_wrong() -> None:
    one = Thread()
    one.files.files["m"].patterns("str", False, True, "int")
    changes = [Change("m", b"b", b"1"), Change("m", b"c", b"x")]
    with pytest.raises(ValueError, match="unable to parse"):
        take(one.files, changes, None)
    assert one.entries == {b"a": b"0"}
    # Another thread's are carried out as far as they can be.
    take(one.files, changes, False)
    assert one.entries == {b"a": b"0", b"b": b"1"}
    one.files.journal = None
    take(one.files, [Change("m", b"b", None)], None)
    assert one.entries == {b"a": b"0"}


STEP = st.one_of(
    st.tuples(
        st.just("change"),
        st.integers(0, 2),
        st.sampled_from([b"a", b"b"]),
        st.none() | st.integers(0, 9).map(lambda number: b"%d" % number),
    ),
    st.tuples(st.sampled_from(["flush", "supervise"]), st.integers(0, 2), st.just(b""), st.none()),
    st.tuples(st.just("deliver"), st.integers(0, 2), st.just(b""), st.none()),
    st.tuples(st.just("operator"), st.just(0), st.sampled_from([b"a", b"b", b""]), st.none() | st.just(b"op")),
)


@given(st.lists(STEP, max_size=40))
def test_all_end_equal(steps: list[tuple[str, int, bytes, bytes | None]]) -> None:
    """Three threads, a supervisor that takes their batches in any order, messages that come in their order."""
    threads = [Thread() for _ in range(3)]
    last = {b"a": b"0"}
    """What the supervisor's order comes to."""
    ways: list[list[tuple[int, list[Change]]]] = [[], [], []]

    def tell(sender: int, batch: list[Change]) -> None:
        for change in batch:
            if change.key is None:
                last.clear()
            elif change.value is None:
                last.pop(change.key, None)
            else:
                last[change.key] = change.value
        for way in ways:
            way.append((sender, batch))

    def supervise(number: int) -> None:
        if threads[number].sent:
            tell(number, threads[number].sent.pop(0))

    def deliver(number: int) -> None:
        if ways[number]:
            sender, batch = ways[number].pop(0)
            threads[number].journal.take(batch, own=sender == number)

    for what, number, key, value in steps:
        if what == "change":
            threads[number].change(key, value)
        elif what == "flush":
            threads[number].flush()
        elif what == "supervise":
            supervise(number)
        elif what == "deliver":
            deliver(number)
        else:
            tell(-1, [Change("m", key or None, value if key else None)])
    for number, thread in enumerate(threads):
        thread.flush()
        while thread.sent:
            supervise(number)
    for number in range(3):
        while ways[number]:
            deliver(number)
    assert [thread.entries for thread in threads] == [last] * 3
