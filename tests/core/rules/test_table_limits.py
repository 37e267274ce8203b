"""Values of tracked entries by the shortest way: the same as by the long one, whichever table is tracked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.rules.acl import compile_acl
from maniple.core.rules.catalogue import Stage
from maniple.core.rules.samples import INT_MAX
from maniple.core.rules.table_limits import limit_of, value_of
from maniple.core.rules.table_lookups import place_of, reader
from maniple.core.rules.trackers import Tracking
from maniple.tests.core.rules.tables import Clock, with_tables

STORED = {
    "t": "type binary len 1 size 10 expire 10s store http_req_rate(1s),http_req_cnt,conn_cur,gpt0",
    "u": "type binary len 1 size 10 expire 10s store http_req_rate(2s)",
    "v": "type binary len 1 size 10 expire 10s store gpc0",
}
NAMES = ("http_req_rate", "http_req_cnt", "conn_cur", "get_gpt0", "get_gpc0")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(make_site: Callable[..., Any], clock: Clock) -> Any:
    return with_tables(make_site, clock, "t", 3, **STORED)


def track(site: Any, name: str, number: int) -> Tracking:
    tracker = site.trackers.find(name)
    return Tracking(tracker, number, tracker.table.track(b"k", 1000))


class Words:
    """Words of a line."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.column = 1


def test_of(site: Any, text: str) -> Callable[[Any], bool]:
    return compile_acl([Words(word) for word in text.split()], site, Stage.FRONT_REQUEST).test


test_of.__test__ = False  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", NAMES)
def test_values_and_limits(site: Any, clock: Clock, make_scope: Callable[..., Any], name: str) -> None:
    """By the session or by the exchange, in one set or another: the functions are the same ones for all tables."""
    place = place_of(reader(name))
    assert place is not None
    value = value_of(place, 1, clock)
    above = limit_of(value)
    assert above is not None
    tests = {least: above(least) for least in (-1, 0, 1, 2, 5)}
    x = make_scope()
    assert value(x) is None
    assert not any(test(x) for test in tests.values())
    for table in ("t", "u", "v", "t"):
        for number in (0, 1):
            x.tracked = (track(site, table, 0), track(site, table, 1))[: number + 1]
            entry = x.tracked[-1]
            for _ in range(4):
                cell = entry.tracker.cells.get(place)
                found = None
                if number and cell is not None:
                    if name == "get_gpt0":
                        cell.set(entry.slot, 2, clock.now)
                    else:
                        cell.add(entry.slot, 1, clock.now)
                    found = cell.value(entry.slot, clock.now)
                clock.now += 300
                found = None if found is None or cell is None else cell.value(entry.slot, clock.now)
                for session in (False, True):
                    if session:
                        x.session.tracked, x.tracked = x.tracked, None
                    assert value(x) == found
                    for least, test in tests.items():
                        assert test(x) is (found is not None and found >= least)
                    if session:
                        x.session.tracked, x.tracked = None, x.session.tracked
    # One set of the session's, another of the exchange's.
    x.session.tracked, x.tracked = (track(site, "t", 1),), (track(site, "t", 0),)
    assert (value(x) is None) is (name == "get_gpc0")


def test_numbers_that_no_pattern_has(site: Any, clock: Clock, make_scope: Callable[..., Any]) -> None:
    x = make_scope()
    entry = track(site, "t", 0)
    x.tracked = (entry,)
    entry.tracker.cells["http_req_cnt", 0].add(entry.slot, INT_MAX, clock.now)  # type: ignore[union-attr]
    test = test_of(site, "sc_http_req_cnt(0) gt 5")
    assert test(x)
    entry.tracker.cells["http_req_cnt", 0].add(entry.slot, 1, clock.now)  # type: ignore[union-attr]
    assert not test(x)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("sc_http_req_rate(0) gt 3", True),
        ("sc0_http_req_rate ge 3", True),
        ("sc_http_req_rate(0) 4:", True),
        ("sc_http_req_rate(0) -m int gt 3", True),
        ("sc_http_req_rate(0) lt 3", False),
        ("sc_http_req_rate(0) eq 3", False),
        ("sc_http_req_rate(0) 3:5", False),
        ("sc_http_req_rate(0) 3: 7:", True),
        ("sc_http_req_rate(0) -u 7 gt 3", False),
        ("sc_http_req_rate(0),add(1) gt 3", False),
        ("sc_http_req_rate(0,u) gt 3", False),
        ("sc_http_req_rate(0) -m len 2", False),
        ("sc_kbytes_in(0) gt 3", False),
        ("sc_trackers(0) gt 3", False),
        ("sc_inc_gpc0(0) gt 3", False),
    ],
)
def test_conditions(site: Any, clock: Clock, make_scope: Callable[..., Any], text: str, short: bool) -> None:
    test = test_of(site, text)
    assert ("table_limits" in test.__code__.co_filename) is short
    if not text.startswith(("sc_http_req_rate(0) ", "sc0")) or "-u" in text or "len" in text:
        return
    rule = text.replace("-m int ", "").split(" ", 1)[1]
    holds: Callable[[int], bool] = {
        "gt 3": lambda v: v > 3,
        "ge 3": lambda v: v >= 3,
        "4:": lambda v: v >= 4,
        "lt 3": lambda v: v < 3,
        "eq 3": lambda v: v == 3,
        "3:5": lambda v: 3 <= v <= 5,
        "3: 7:": lambda v: v >= 3,
    }[rule]
    x = make_scope()
    x.tracked = (entry,) = (track(site, "t", 0),)
    rate = entry.tracker.cells["http_req_rate", 0]
    for _ in range(9):
        assert test(x) is holds(rate.value(entry.slot, clock.now))
        rate.add(entry.slot, 1, clock.now)  # type: ignore[union-attr]
        clock.now += 70
