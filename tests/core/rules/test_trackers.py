"""Trackers: composed functions do what the cells do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from maniple.core.rules.trackers import Tracker, Trackers, Tracking, remember, tracked_of
from maniple.pools.table_shape import KINDS, Kind
from maniple.pools.table_spot import KNOWN, LONGEST, Memory
from maniple.tests.core.rules.tables import tables_of

EVERYTHING = ",".join(
    f"{name}(10s)" if kind is Kind.RATE else name
    for name, kind in KINDS.items()
    if name not in ("gpc", "gpc_rate", "gpt")
)
SOME = ["http_req_cnt", "conn_cur", "http_req_rate(1s),bytes_out_rate(1s)", "gpt0", EVERYTHING]


@pytest.mark.parametrize("stored", SOME)
def test_events_as_cells_count_them(stored: str) -> None:
    table = tables_of({"t": f"type integer size 50 expire 10s store {stored}"})["t"]
    tracker = Tracker(table)
    one, other = table.track(b"aaaa", 1000), table.track(b"bbbb", 1000)
    for now in (1000, 1500, 2700, 11_100, 40_000):
        for slot in (one, other):
            assert slot
        for event, names in (
            (tracker.request, ("http_req_cnt", "http_req_rate")),
            (tracker.error, ("http_err_cnt", "http_err_rate")),
            (tracker.failure, ("http_fail_cnt", "http_fail_rate")),
            (tracker.session, ("sess_cnt", "sess_rate")),
        ):
            event(one, now)
            for name in names:
                cell = table.cell(name)
                if cell is not None:
                    cell.add(other, 1, now)
        for enter, told in (
            (tracker.enter, ("conn_cnt", "conn_cur", "conn_rate")),
            (tracker.enter_request, ("conn_cnt", "conn_cur", "conn_rate", "http_req_cnt", "http_req_rate")),
        ):
            assert enter(b"aaaa", now) == one
            table.release(one)
            for name in told:
                cell = table.cell(name)
                if cell is not None:
                    cell.add(other, 1, now)
        tracker.carry(one, 100, 2000, now)
        for name, number in (("bytes_in", 100), ("bytes_out", 2000)):
            for kind in ("cnt", "rate"):
                cell = table.cell(f"{name}_{kind}")
                if cell is not None:
                    cell.add(other, number, now)
        for place, cell in tracker.cells.items():
            assert cell.value(one, now) == cell.value(other, now), place
    current = table.cell("conn_cur")
    before = current.value(one, 0) if current is not None else 0
    table.keep(one)
    tracker.end(one, 50_000)
    tracker.finish(Tracking(tracker, 0, one), 0, 0, 50_000)
    assert table.arrays.holders(one) == 0 and table.remaining(one, 50_000) == 10_000
    if current is not None:
        assert current.value(one, 0) == before - 2


def test_a_table_that_stores_nothing_of_it_hears_nothing() -> None:
    tracker = Tracker(tables_of({"t": "type ip size 5 store gpt0"})["t"])
    assert tracker.carry(1, 2, 3, 4) is tracker.request(1, 2) is None
    assert not tracker.hears_responses
    assert Tracker(tables_of({"t": "type ip size 5 store http_err_cnt"})["t"]).hears_responses


def test_arrays_stand_for_counters_of_old() -> None:
    tracker = Tracker(tables_of({"t": "type ip size 5 store gpc(2),gpt(1),gpc_rate(1,10s)"})["t"])
    assert tracker.cells["gpc0", 0] is tracker.cells["gpc", 0]
    assert tracker.cells["gpc1", 0] is tracker.cells["gpc", 1]
    assert tracker.cells["gpc0_rate", 0] is tracker.cells["gpc_rate", 0]
    assert ("gpc1_rate", 0) not in tracker.cells
    assert tracker.cells["gpt0", 0] is tracker.cells["gpt", 0]
    slot = tracker.table.track(b"aaaa", 5)
    tracker.increase((("gpc", 1), ("gpc_rate", 1)), 4, slot, 5)
    assert tracker.cells["gpc1", 0].value(slot, 5) == 4


@pytest.mark.parametrize("shared", [False, True])
def test_changes_are_marked_where_peers_are_told_of_them(shared: bool) -> None:
    table = tables_of({"t": "type ip size 5 store gpc0,conn_cnt,http_req_cnt,http_err_cnt"})["t"]
    table.shared = shared
    tracker = Tracker(table)
    changed = table.arrays.changed
    slot = tracker.enter(b"aaaa", 5)
    marks = []
    for tell in (
        lambda: None,
        lambda: tracker.request(slot, 5),
        lambda: tracker.error(slot, 5),
        lambda: tracker.increase((("gpc0", 0),), 4, slot, 5),
        lambda: table.release(tracker.enter_request(b"aaaa", 5)),
        lambda: tracker.end(slot, 5),
    ):
        tell()
        marks.append(changed[slot])
        changed[slot] = 0
    assert marks == [shared] * 6


def test_trackers_are_made_once() -> None:
    trackers = Trackers(tables_of({"t": "type ip size 5"}), 4)
    assert trackers.find("t") is trackers.find("t") and trackers.all() == (trackers.find("t"),)
    with pytest.raises(KeyError):
        trackers.find("u")


def test_what_the_session_tracks_comes_first() -> None:
    mine, other, its = (cast("Tracking", SimpleNamespace(number=number)) for number in (0, 0, 1))
    x = SimpleNamespace(session=SimpleNamespace(tracked=None), tracked=None)
    assert tracked_of(x, 0) is None
    x.tracked = (other, its)
    x.session.tracked = (mine,)
    assert (tracked_of(x, 0), tracked_of(x, 1), tracked_of(x, 2)) == (mine, its, None)


def test_few_short_keys_are_remembered() -> None:
    table = tables_of({"t": "type string size 2000"})["t"]
    tracker = Tracker(table)
    known: Memory[Any] = Memory()
    for number in range(KNOWN + 3):
        key = b"%d" % number
        padded = key.ljust(table.shape.width, b"\0")
        remember(known, key, Tracking(tracker, 0, table.track(padded, 5), padded))
    assert len(known) == 3
    remember(known, b"x" * (LONGEST + 1), Tracking(tracker, 0, table.track(padded, 5), padded))
    assert len(known) == 3


def test_tracking_goes_on_where_the_first_look_finds_nothing() -> None:
    """New keys, those that another one pushed away, expired ones, a full table."""
    table = tables_of({"t": "type integer size 20 expire 1s store http_req_cnt"})["t"]
    tracker = Tracker(table)
    slots = {}
    for number in range(20):
        key = number.to_bytes(4, "big")
        slots[key] = tracker.enter_request(key, 1000)
    assert len(set(slots.values())) == 20 and 0 not in slots.values()
    assert tracker.enter_request(b"full", 1000) == 0
    for key, slot in slots.items():
        assert tracker.enter_request(key, 1500) == slot
        assert tracker.cells["http_req_cnt", 0].value(slot, 1500) == 2
        assert table.arrays.holders(slot) == 2
        tracker.end(slot, 1500)
        tracker.end(slot, 1500)
    key = (3).to_bytes(4, "big")
    slot = tracker.enter_request(key, 9000)
    assert tracker.cells["http_req_cnt", 0].value(slot, 9000) == 1
