"""Trackers: composed functions do what the cells do."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from maniple.core.rules.trackers import Tracker, Trackers, tracked_of
from maniple.pools.table_shape import KINDS, Kind
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
            (tracker.begin, ("conn_cnt", "conn_cur", "conn_rate")),
            (tracker.request, ("http_req_cnt", "http_req_rate")),
            (tracker.start, ("conn_cnt", "conn_cur", "conn_rate", "http_req_cnt", "http_req_rate")),
            (tracker.error, ("http_err_cnt", "http_err_rate")),
            (tracker.failure, ("http_fail_cnt", "http_fail_rate")),
            (tracker.session, ("sess_cnt", "sess_rate")),
        ):
            event(one, now)
            for name in names:
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
    tracker.end(one, 50_000)
    assert table.arrays.holders(one) == 0 and table.remaining(one, 50_000) == 10_000
    if current is not None:
        assert current.value(one, 0) == before - 1


def test_a_table_that_stores_nothing_of_it_hears_nothing() -> None:
    tracker = Tracker(tables_of({"t": "type ip size 5 store gpt0"})["t"])
    assert tracker.begin is tracker.request
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


def test_trackers_are_made_once() -> None:
    trackers = Trackers(tables_of({"t": "type ip size 5"}), 4)
    assert trackers.find("t") is trackers.find("t") and trackers.all() == (trackers.find("t"),)
    assert trackers.empty == [None] * 4
    with pytest.raises(KeyError):
        trackers.find("u")


def test_what_the_session_tracks_comes_first() -> None:
    mine, its = object(), object()
    x = SimpleNamespace(session=SimpleNamespace(tracked=None), tracked=None)
    assert tracked_of(x, 0) is None
    x.tracked = [its, its]
    x.session.tracked = [mine, None]
    assert (tracked_of(x, 0), tracked_of(x, 1)) == (mine, its)
