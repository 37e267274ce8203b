"""A rig whose listen section tracks entries of a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maniple.core.build_rules import install
from maniple.core.build_tracking import install_tracking
from maniple.core.config.model import Configuration
from maniple.core.relay.straight import straight_way
from maniple.core.rules.proxy_rules import ProxyRules
from maniple.core.rules.trackers import Tracker
from maniple.tests.core.relay.rig import Rig
from maniple.tests.core.relay.ruled_rig import rule_lines
from maniple.tests.core.rules.tables import tables_of

EVERYTHING = "conn_cnt,conn_cur,sess_cnt,http_req_cnt,http_err_cnt,http_fail_cnt,bytes_in_cnt,bytes_out_cnt"


def tracked(
    make_rig: Callable[..., Rig], lines: str, *, stored: str = EVERYTHING, straight: bool = True, **words: Any
) -> tuple[Rig, Tracker]:
    """A rig with these rules, and the tracker of its one table, `t`, of texts."""
    rig = make_rig(rules=rule_lines(lines), **words)
    compiled: dict[tuple[str, bool], ProxyRules] = {}
    tables = tables_of({"t": f"type string size 50 expire 100s store {stored}"})
    configuration = Configuration(proxies=(rig.spec,))
    site = install(
        configuration, {"px": rig.frontend}, {"px": rig.backend}, rig.relay, compiled=compiled, tables=tables
    )
    install_tracking([rig.frontend], compiled, site.trackers)
    if straight:
        rig.frontend.straight = straight_way(rig.frontend)
    return rig, site.trackers.find("t")


def count(tracker: Tracker, name: str, key: bytes = b"k") -> int:
    """What is stored; -1: there is no entry."""
    table = tracker.table
    slot = table.hold(key.ljust(table.shape.width, b"\0"), 0)
    if not slot:
        return -1
    value = tracker.cells[name, 0].value(slot, 0)
    table.release(slot)
    return value


def holders(tracker: Tracker) -> int:
    """How often anything is held."""
    return sum(tracker.table.arrays.holders(slot) for slot in tracker.table.slots())
