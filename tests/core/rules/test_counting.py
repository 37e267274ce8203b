"""Entries that a rule remembers: it counts as if it had looked each time. (What composed functions add is held against
the cells in test_trackers.)"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.core.rules.samples import STR
from maniple.core.rules.table_keys import key_maker
from maniple.core.rules.trackers import Tracker, Tracking, remember
from maniple.pools.table_spot import Memory
from maniple.tests.core.rules.tables import Clock, tables_of

TABLE = "type string size 4 expire 1s store http_req_cnt,http_req_rate(700ms),bytes_out_rate(300ms),conn_cur"
KEYS = [b"a", b"b", b"c", b"d", b"e", b"f"]
_step = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from(KEYS)),
    st.tuples(st.just("ask"), st.sampled_from(KEYS)),
    st.tuples(st.just("answer"), st.integers(0, 9)),
    st.tuples(st.just("later"), st.integers(0, 1300)),
    st.tuples(st.just("remove"), st.sampled_from(KEYS)),
)


class Site:
    """A table, and the rule `track-sc0` with a memory or without one."""

    def __init__(self, memory: bool, line: str = TABLE) -> None:
        self.table = tables_of({"t": line})["t"]
        self.tracker = Tracker(self.table)
        self.clock = Clock()
        self.known: Memory[Any] = Memory()
        self.taken = self.sampled = self.others = 0
        self.open: list[Any] = []
        make = key_maker(self.table.shape, STR)
        assert make is not None
        self.make = cast("Callable[[bytes], bytes]", make)
        known: Memory[Any] = self.known if memory else Memory()
        again = self.tracker.again(self.sample, self.clock, known, self.begin, self.otherwise, light=True)
        way = again.light("there", self.onward)  # type: ignore[attr-defined]
        self.acts = [again, lambda x: way(x, float(self.clock.now))]
        self.ways = 0

    def onward(self, x: Any, now: float) -> None:
        assert x.route == "there" and now == self.clock.now
        self.ways += 1

    def sample(self, x: Any) -> Any:
        self.sampled += 1
        return x.value

    def otherwise(self, x: Any) -> None:
        self.others += 1

    def begin(self, x: Any, value: Any) -> None:
        self.taken += 1
        key = self.make(value)
        slot = self.tracker.enter_request(key, self.clock.now)
        if slot:
            entry = Tracking(self.tracker, 0, slot, key)
            x.tracked = (entry,)
            remember(self.known, value, entry)

    def play(self, step: tuple[str, Any]) -> None:
        word, value = step
        if word == "ask":
            x = SimpleNamespace(value=value, tracked=None, session=SimpleNamespace(tracked=None))
            self.acts[len(self.open) % 2](x)
            self.open.append(x)
        elif word == "answer" and self.open:
            x = self.open.pop(value % len(self.open))
            for entry in x.tracked or ():
                entry.tracker.finish(entry, 10, 100, self.clock.now)
        elif word == "later":
            self.clock.now += value
        elif word == "remove":
            self.table.remove(self.make(value))

    def seen(self) -> dict[bytes, Any]:
        """What is in the table, by key."""
        found = {}
        now = self.clock.now
        for slot in self.table.slots():
            values = {place: cell.value(slot, now) for place, cell in self.tracker.cells.items()}
            key = self.table.key(slot).rstrip(b"\0")
            found[key] = values, self.table.arrays.holders(slot), self.table.remaining(slot, now)
        return found


@settings(max_examples=300, deadline=None)
@given(st.lists(_step, max_size=40))
def test_a_memory_changes_nothing(steps: list[tuple[str, Any]]) -> None:
    with_memory, without = Site(True), Site(False)
    for step in steps:
        with_memory.play(step)
        without.play(step)
        assert with_memory.seen() == without.seen()


def test_periods_end_to_the_millisecond() -> None:
    line = "type string size 4 expire 100s store http_req_rate(7ms),bytes_out_rate(5ms),http_req_cnt"
    with_memory, without = Site(True, line), Site(False, line)
    for number in range(200):
        for site in with_memory, without:
            for step in ("ask", b"a"), ("answer", 0), ("later", number % 3):
                site.play(step)
        assert with_memory.seen() == without.seen()


def test_a_key_that_is_remembered_is_not_looked_for() -> None:
    site = Site(True)
    for _ in range(5):
        site.play(("ask", b"a"))
    assert (site.taken, site.sampled) == (1, 5)
    for _ in range(5):
        site.play(("answer", 0))
    site.play(("later", 5000))
    site.play(("ask", b"a"))
    site.play(("ask", b"a"))
    assert site.taken == 2, "expired, and made anew"


def test_another_entry_in_the_same_slot_is_no_match() -> None:
    """The same word in the same cell, as two keys with one hash could have."""
    site = Site(True)
    site.play(("ask", b"a"))
    site.play(("answer", 0))
    (entry,) = site.known[b"a"]
    site.table.arrays.rows[entry.born_at] += 1
    site.play(("ask", b"a"))
    assert site.taken == 2 and site.table.arrays.holders(entry.slot) == 1


def test_what_is_tracked_already_is_left_to_the_slow_way() -> None:
    site = Site(True)
    site.play(("ask", b"a"))
    x = site.open[0]
    site.acts[0](x)
    site.acts[1](SimpleNamespace(value=b"a", tracked=None, session=SimpleNamespace(tracked=())))
    assert (site.taken, site.sampled, site.others, site.ways) == (1, 1, 2, 1)
