"""Actions on stick tables. (What comes of them is compared with HAProxy in tests/wire/test_tables.)"""

from __future__ import annotations

from typing import Any

import pytest
from maniple.core.rules.catalogue import Needs
from maniple.core.rules.fused import light_of
from maniple.tests.core.rules.lines import compile_at, compile_lines, mistake

REQUEST = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
MORE = (
    "backend t\n  stick-table type string size 9 store gpc0,gpt0,http_req_cnt,conn_cur\n"
    "backend u\n  stick-table type integer size 9 store gpc(2),gpt(2),gpc_rate(2,10s)\n"
)


def played(lines: str, x: Any) -> Any:
    rules, site = compile_at("\n".join(f"http-request {line}" for line in lines.split("; ")), more=MORE)
    assert rules.request.run(x) is None
    return site


def test_the_first_that_has_a_key_counts(make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    lines = "track-sc0 hdr(none) table t; track-sc0 path table t; track-sc0 str(b) table t; track-sc2 int(5) table u"
    site = played(lines, x)
    table = site.trackers.find("t").table
    first, second = x.tracked
    tracker, slot = first.tracker, first.slot
    assert (tracker, first.late) == (site.trackers.find("t"), False) and table.key(slot).rstrip(b"\0") == b"/a"
    assert [first.number, second.number] == [0, 2] and second.tracker is site.trackers.find("u")
    assert [tracker.cells[name, 0].value(slot, 0) for name in ("http_req_cnt", "conn_cur")] == [1, 1]
    assert len(table) == 1 and table.arrays.holders(slot) == 1


def test_of_a_connection(make_scope: Any) -> None:
    x = make_scope()
    rules, site = compile_at(
        "tcp-request connection track-sc1 src table t\ntcp-request connection sc-inc-gpc0(1)", more=MORE
    )
    assert rules.connection.needs & Needs.TRACKING
    rules.connection.run(x)
    (entry,) = x.session.tracked
    tracker, slot = entry.tracker, entry.slot
    assert entry.number == 1 and x.tracked is None and tracker is site.trackers.find("t")
    assert tracker.cells["gpc0", 0].value(slot, 0) == 1 and tracker.cells["http_req_cnt", 0].value(slot, 0) == 0
    rules.connection.run(x)
    assert tracker.table.arrays.holders(slot) == 1


def test_counters_and_tags(make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    lines = (
        "track-sc0 path table t; track-sc1 int(5) table u; sc-inc-gpc0; sc-inc-gpc0(0); sc-inc-gpc1(0);"
        " sc-set-gpt0(0) -1; sc-inc-gpc(1,1); sc-add-gpc(1,1) int(4); sc-add-gpc(0,1) 3; sc-set-gpt(1,1) str(12x);"
        " sc-set-gpt(7,1) 5; sc-inc-gpc(0,0); sc-set-gpt(0,0) 5; sc-inc-gpc0(2); sc-set-gpt0(1) hdr(none)"
    )
    played(lines, x)
    one, slot = x.tracked[0].tracker, x.tracked[0].slot
    assert (one.cells["gpc0", 0].value(slot, 0), one.cells["gpt0", 0].value(slot, 0)) == (2, 0xFFFFFFFF)
    other, slot = x.tracked[1].tracker, x.tracked[1].slot
    values = {place: cell.value(slot, 0) for place, cell in other.cells.items()}
    assert [values["gpc", 0], values["gpc", 1], values["gpt", 0], values["gpt", 1]] == [3, 5, 0, 12]


def test_a_proxys_own_table(make_scope: Any) -> None:
    x = make_scope(request=REQUEST)
    rules, _ = compile_at(
        "stick-table type string size 5\nhttp-request track-sc0 path\nhttp-request track-sc1 path table l",
        both="stick-table type string size 6",
        proxy="f",
    )
    rules.request.run(x)
    assert [entry.tracker.table.name for entry in x.tracked] == ["f", "l"]


def test_a_key_is_made_once_and_may_leave_something(make_scope: Any) -> None:
    """By a converter with an effect."""
    for key, lights in (("path", True), ("path,set-var(txn.a)", False), ("path,table_inc_gpc0(t)", True)):
        x = make_scope(request=REQUEST)
        x.request_number = 1
        rules, site = compile_at(f"http-request track-sc0 {key} table t", more=MORE)
        run = rules.request.run
        assert (light_of(run) is not None) == lights
        run(x)
        x.tracked = None
        run(x)
        if "inc" in key:
            tracker = site.trackers.find("t")
            (slot,) = [slot for slot in tracker.table.slots() if tracker.table.key(slot).startswith(b"/a")]
            assert tracker.cells["gpc0", 0].value(slot, 0) == 2


def test_who_has_no_address_is_not_tracked(make_scope: Any) -> None:
    """A client of a unix socket, in a table of texts."""
    x = make_scope(request=REQUEST)
    x.session.source = b""
    for number in range(3):
        x.request_number = number
        played("track-sc0 src table t", x)
        assert x.tracked is None


def test_needs() -> None:
    assert compile_lines("http-request track-sc0 src table t", more=MORE).request.needs & (
        Needs.TRACKING | Needs.CONNECTION
    )
    assert not compile_lines("http-request set-header a b").request.needs & Needs.TRACKING


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("http-request track-sc0 src", "`track-sc0`: 'f' has no stick table"),
        ("http-request track-sc0 src table nope", "38 `track-sc0`: there is no stick table 'nope'"),
        ("http-request track-sc3 src table t", "`track-sc3`: sets of counters are 0 to 2"),
        ("http-request track-sc0", "`track-sc0` expects a sample expression"),
        ("http-request track-sc0 src table", "`track-sc0` expects the name of a table"),
        ("http-request track-sc0 src table u", "a value of type ip is no key of table 'u' (integer)"),
        ("tcp-request connection track-sc0 path table t", "'path' has nothing to say here"),
        ("http-after-response track-sc0 src table t", "it is no action of `http-after-response`"),
        ("http-request sc-inc-gpc0(3)", "sets of counters are 0 to 2"),
        ("http-request sc-inc-gpc(0)", "expected is sc-inc-gpc(<index>,<set>)"),
        ("http-request sc-inc-gpc(100,0)", "elements of arrays are 0 to 99"),
        ("http-request sc-add-gpc(0,0)", "`sc-add-gpc` expects a sample expression"),
        ("http-request sc-set-gpt0", "expected is sc-set-gpt0(<set>)"),
        ("http-request sc-set-gpt0(0)", "`sc-set-gpt0` expects a sample expression"),
    ],
)
def test_mistakes(line: str, says: str) -> None:
    assert says in mistake(line, more=MORE)


def test_more_sets() -> None:
    from maniple.core.config.parser import load
    from maniple.core.rules.proxy_rules import check_rules

    text = "global\n tune.stick-counters 12\nfrontend f\n mode http\n bind :80\n http-request track-sc11 src table t\n"
    configuration, _ = load([("a", text + MORE)], {})
    assert configuration is not None and check_rules(configuration).errors == []
