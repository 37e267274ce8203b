"""Converters that look into stick tables. (Their values are compared with HAProxy in tests/wire/test_tables.)"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules.samples import pack_ip
from maniple.tests.core.rules.tables import Clock, with_tables

T = "type ip size 10 expire 10s store gpc0,http_req_rate(10s)"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(make_site: Callable[..., Any], clock: Clock) -> Any:
    return with_tables(
        make_site, clock, "t", 3, t=T, w="type integer size 5 store server_id", a="type string size 9 store gpc(2)"
    )


def test_values(site: Any, clock: Clock, make_scope: Callable[..., Any], value_of: Callable[..., Any]) -> None:
    x = make_scope()
    tracker = site.trackers.find("t")

    def value(text: str) -> Any:
        return value_of(text, x, site=site)

    assert value("src,table_gpc0(t)") == 0 and value("src,in_table(t)") is False
    assert value("src,table_expire(t)") is None
    assert (value("src,table_expire(t,7)"), value("src,table_idle(t,8)")) == (7, 8)
    assert len(tracker.table) == 0
    slot = tracker.enter_request(pack_ip(b"192.0.2.7"), clock.now)
    tracker.increase((("gpc0", 0),), 4, slot, clock.now)
    clock.now += 3000
    assert value("src,table_gpc0(t)") == value("src,table_gpc0") == value("str(192.0.2.7),table_gpc0(t)") == 4
    assert value("src,table_http_req_rate(t)") == 1 and value("src,in_table(t)") is True
    assert value("src,table_trackers(t)") == 1 and tracker.table.arrays.holders(slot) == 1
    assert value("src,table_conn_cnt(t)") is None
    assert (value("src,table_expire(t)"), value("src,table_idle(t)")) == (7000, 3000)
    assert value("str(nonsense),table_gpc0(t)") is None
    assert tracker.table.remaining(slot, clock.now) == 7000


def test_servers_and_arrays(site: Any, make_scope: Callable[..., Any], value_of: Callable[..., Any]) -> None:
    x = make_scope()
    table = site.trackers.find("w").table
    slot = table.track((9).to_bytes(4, "big"), 1)
    table.cell("server_id").set(slot, 3, 1)
    assert value_of("int(9),table_server_id(w)", x, site=site) == 3
    assert value_of("int(8),table_server_id(w)", x, site=site) == 0
    assert value_of("int(9),table_expire(w)", x, site=site) == value_of("int(9),table_idle(w)", x, site=site) == 0
    array = site.trackers.find("a")
    array.increase((("gpc", 1),), 2, array.table.track(b"x".ljust(31, b"\0"), 1), 1)
    assert value_of("str(x),table_gpc(1,a)", x, site=site) == value_of("str(x),table_gpc1(a)", x, site=site) == 2
    assert value_of("str(x),table_gpc(5,a)", x, site=site) is None


def test_counters_of_a_key(site: Any, make_scope: Callable[..., Any], value_of: Callable[..., Any]) -> None:
    x = make_scope()

    def value(text: str) -> Any:
        return value_of(text, x, site=site)

    table = site.trackers.find("t").table
    # Nothing is cleared, so nothing is made; to increase makes the entry, and lets it go.
    assert value("src,table_clr_gpc0(t)") == 0 and len(table) == 0
    assert [value("src,table_inc_gpc0(t)"), value("src,table_inc_gpc0")] == [1, 2] and len(table) == 1
    assert value("src,table_gpc0(t)") == 2 and value("src,table_trackers(t)") == 0
    assert value("str(192.0.2.7),table_clr_gpc0(t)") == 2 and value("src,table_gpc0(t)") == 0
    assert value("str(no address),table_inc_gpc0(t)") is None and value("src,table_clr_gpc1(t)") is None
    assert [value("str(k),table_inc_gpc(1,a)"), value("str(k),table_inc_gpc1(a)")] == [1, 2]
    assert value("str(k),table_inc_gpc(0,a)") == 1 and value("str(k),table_clr_gpc(1,a)") == 2
    assert (value("str(k),table_gpc(0,a)"), value("str(k),table_gpc(1,a)")) == (1, 0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("src,table_gpc0(nope)", "there is no stick table 'nope'"),
        ("src,table_server_id(w)", "a value of type ip is no key of table 'w' .integer."),
        ("src,table_gpc(100,a)", "elements of arrays are 0 to 99"),
        ("src,table_inc_gpc(100,a)", "elements of arrays are 0 to 99"),
        ("src,table_expire(t,5s)", "an integer is expected"),
    ],
)
def test_errors(text: str, says: str, site: Any, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says):
        value_of(text, None, site=site)
