"""Which tables belong to which section."""

from __future__ import annotations

from dataclasses import replace

from maniple.core.config.parser import load
from maniple.groups.steward_plan import SectionPlan, SharedSegment, StewardPlan, sections_in_use, tables_of
from maniple.pools.segment import Segment

TEXT = """
global
    localpeer me
peers one
    peer me 127.0.0.1:1
    table t type ip size 9 recv-only store conn_cur
peers off
    peer me 127.0.0.1:2
    disabled
    table u type ip size 9
backend b
    stick-table type ip size 9 peers one
backend c
    stick-table type ip size 9
frontend f
    bind :80
"""


def test_tables_of_a_section() -> None:
    configuration, _ = load([("x", TEXT)], {})
    assert configuration is not None
    (spec,) = sections_in_use(configuration)
    segments = {name: Segment.create(name, 10) for name in configuration.tables}
    try:
        found = tables_of(spec, configuration, segments)
        assert {(one.name, one.learns_open) for one in found} == {("/t", True), ("b", False)}
        assert tables_of(spec, configuration, {}) == []
        plan = SectionPlan(spec, tuple(found), None, {"a": 1})
        again = [replace(one, known=True) for one in found]
        assert plan == SectionPlan(spec, tuple(again), None, {"a": 1}) != SectionPlan(spec, tuple(found), None)
        assert StewardPlan((plan,)) == StewardPlan((plan,), writer=5) != StewardPlan(())
        other = SectionPlan(spec, (SharedSegment("b", segments["c"]),), None)
        assert other != SectionPlan(spec, (SharedSegment("b", segments["b"]),), None)
        assert set(StewardPlan((plan, other)).segments) == {segments["one/t"], segments["b"], segments["c"]}
    finally:
        for segment in segments.values():
            segment.close()
