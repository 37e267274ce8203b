"""Fetches of stick tables: how entries are found. (What they say is compared with HAProxy: tests/wire/test_tables.)"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from maniple.core.errors import ConfigError
from maniple.core.rules.samples import pack_ip
from maniple.core.rules.trackers import Tracking
from maniple.tests.core.rules.tables import Clock, with_tables

T = "type ip size 10 expire 10s store gpc0,conn_cnt,http_req_cnt"
HERE = pack_ip(b"192.0.2.7")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(make_site: Callable[..., Any], clock: Clock) -> Any:
    return with_tables(
        make_site,
        clock,
        "t",
        3,
        t=T,
        u="type ip size 10 store gpc0",
        v="type string len 3 size 10",
        w="type integer size 5",
    )


def tracking(site: Any, x: Any, number: int = 0, table: str = "t") -> int:
    """The exchange tracks the client's address."""
    tracker = site.trackers.find(table)
    slot: int = tracker.table.track(HERE, 1000)
    x.tracked = (*(x.tracked or ()), Tracking(tracker, number, slot))
    return slot


def test_of_what_is_tracked(site: Any, make_scope: Callable[..., Any], value_of: Callable[..., Any]) -> None:
    x = make_scope()
    for text in ("sc_get_gpc0(0)", "sc0_get_gpc0", "sc_inc_gpc0(0)", "sc_trackers(0)", "sc_get_gpc0(0,u)"):
        assert value_of(text, x, site=site) is None
    assert value_of("sc_tracked(0)", x, site=site) is False
    slot = tracking(site, x)
    assert value_of("sc_tracked(0)", x, site=site) is True
    assert value_of("sc0_inc_gpc0", x, site=site) == 1
    assert value_of("sc_get_gpc0(0)", x, site=site) == 1
    assert value_of("sc1_get_gpc0", x, site=site) is None
    assert value_of("sc_sess_cnt(0)", x, site=site) is None
    assert value_of("sc_get_gpc0(0,t)", x, site=site) == 1
    assert value_of("sc_trackers(0)", x, site=site) == value_of("sc0_trackers(t)", x, site=site) == 1
    # Of the session, too.
    x.session.tracked, x.tracked = x.tracked, None
    assert value_of("sc_get_gpc0(0)", x, site=site) == 1
    assert site.trackers.find("t").table.arrays.holders(slot) == 1


def test_the_same_key_in_another_table(site: Any, make_scope: Callable[..., Any], value_of: Callable[..., Any]) -> None:
    x = make_scope()
    tracking(site, x)
    assert value_of("sc_inc_gpc0(0,u)", x, site=site) == 0
    assert len(site.trackers.find("u").table) == 0
    assert value_of("src_inc_gpc0(u)", x, site=site) == 1
    assert value_of("sc_inc_gpc0(0,u)", x, site=site) == 2
    assert value_of("sc_trackers(0,u)", x, site=site) == 0
    # A key of another type is none.
    assert value_of("sc_get_gpc0(0,v)", x, site=site) is None


def test_of_the_clients_address(
    site: Any, clock: Clock, make_scope: Callable[..., Any], value_of: Callable[..., Any]
) -> None:
    x = make_scope()
    table = site.trackers.find("t").table
    assert value_of("src_get_gpc0", x, site=site) == 0 and len(table) == 0
    assert value_of("src_conn_rate(t)", x, site=site) == 0
    assert value_of("src_updt_conn_cnt", x, site=site) == 1
    assert value_of("src_conn_cnt", x, site=site) == 1
    assert value_of("src_conn_rate(t)", x, site=site) is None
    assert value_of("src_inc_gpc0", x, site=site) == 1 and value_of("src_clr_gpc0", x, site=site) == 1
    assert table.arrays.holders(table.hold(HERE, clock.now)) == 1
    # A look does not move the expiry; a change does.
    table.release(table.hold(HERE, clock.now))
    clock.now += 9000
    assert value_of("src_conn_cnt", x, site=site) == 1
    assert value_of("table_cnt", x, site=site) == 1 and value_of("table_avl(t)", x, site=site) == 9
    assert value_of("src_get_gpc0", make_scope(source=b""), site=site) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sc_get_gpc0(3)", "sets of counters are 0 to 2: see `tune.stick-counters`"),
        ("sc_get_gpc0(-1)", "sets of counters are 0 to 2"),
        ("sc_get_gpc(100,0)", "elements of arrays are 0 to 99"),
        ("sc_get_gpc0(0,nope)", "there is no stick table 'nope'"),
        ("src_get_gpc0(nope)", "there is no stick table 'nope'"),
        ("src_get_gpc0(w)", "addresses are no keys of table 'w'"),
    ],
)
def test_errors(text: str, says: str, site: Any, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=says):
        value_of(text, None, site=site)


def test_a_proxy_without_a_table(make_site: Callable[..., Any], clock: Clock, value_of: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match="'web' has no stick table: name one"):
        value_of("src_get_gpc0", None, site=with_tables(make_site, clock, "web", 3, t=T))
    with pytest.raises(ConfigError, match="the name of a table is expected"):
        value_of("table_cnt", None, site=with_tables(make_site, clock, "", 3, t=T))
    with pytest.raises(ConfigError, match="sets of counters are 0 to 0"):
        value_of("sc2_get_gpc0", None, site=with_tables(make_site, clock, "t", 1, t=T))
