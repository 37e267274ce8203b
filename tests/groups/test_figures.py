from __future__ import annotations

import os

import pytest
from maniple.core.config.model import Address, BindSpec, Configuration, Place, ProxySpec, ServerSpec
from maniple.groups.figures import Figures, shape_of
from maniple.groups.shared import create_counters
from maniple.pools.columns import Columns
from maniple.pools.counters import KINDS, ProcessCounts, ServerCounts
from maniple.pools.segment import Segment

PLACE = Place("test.cfg", 1)
BIND = BindSpec(PLACE, ":80", (Address("inet", "*", 80, 80),))
SERVERS = tuple(ServerSpec(PLACE, name, Address("inet", "127.0.0.1", 80, 80)) for name in "ab")
CONFIGURATION = Configuration(
    proxies=(
        ProxySpec(PLACE, "web", "frontend", binds=(BIND, BIND)),
        ProxySpec(PLACE, "app", "backend", servers=SERVERS),
        ProxySpec(PLACE, "both", "listen", binds=(BIND,), servers=SERVERS[:1]),
    )
)


def test_rows_follow_the_file() -> None:
    assert shape_of(CONFIGURATION).rows == (
        ("process", ""),
        ("frontend", "web"),
        ("listener", "web/1"),
        ("listener", "web/2"),
        ("server", "app/a"),
        ("server", "app/b"),
        ("backend", "app"),
        ("frontend", "both"),
        ("listener", "both/1"),
        ("server", "both/a"),
        ("backend", "both"),
    )


def test_figures_are_sums_over_threads_and_visible_to_whoever_attaches() -> None:
    segment, columns = create_counters(CONFIGURATION)
    columns.used = 2
    for number in range(2):
        counts = ServerCounts()
        counts.stot = 10 + number
        process = ProcessCounts()
        process.cum_req = 100
        column = columns.column(number)
        column.publish(columns.shape.row("server", "app/b"), counts)
        column.publish(columns.shape.row("process"), process)
    other = Segment.attach(os.dup(segment.fd))
    for figures in (Figures(columns), Figures.attach(other)):
        assert figures.server("app", "b").stot == 21
        assert figures.server("app", "a").stot == 0
        assert figures.process().cum_req == 200
        assert figures.frontend("web").stot == 0
        assert figures.listener("web", 2).stot == 0
        assert figures.backend("app").lbtot == 0
        assert figures.rows == columns.shape.rows
        with pytest.raises(KeyError):
            figures.backend("web")
    columns.close()
    segment.close()


def counted(configuration: Configuration, stot: int, smax: int) -> tuple[Segment, Columns]:
    segment, columns = create_counters(configuration)
    columns.used = 1
    for kind, name in (("frontend", "web"), ("backend", "app")):
        if (kind, name) in columns.shape.rows:
            counts = KINDS[kind]()
            counts.stot, counts.smax, counts.scur = stot, smax, 1  # type: ignore[attr-defined]
            columns.column(0).publish(columns.shape.row(kind, name), counts)
    return segment, columns


def test_those_that_drain_count_where_they_have_the_same_rows() -> None:
    without = Configuration(proxies=CONFIGURATION.proxies[1:])
    segments, parts = zip(
        *(counted(*one) for one in ((CONFIGURATION, 5, 2), (CONFIGURATION, 7, 9), (without, 1, 3))), strict=True
    )
    figures = Figures(parts[0], parts[1:])
    assert (figures.frontend("web").stot, figures.frontend("web").smax, figures.frontend("web").scur) == (12, 9, 2)
    assert (figures.backend("app").stot, figures.backend("app").smax) == (13, 9)
    with pytest.raises(KeyError):
        Figures(parts[2], parts[:2]).frontend("web")
    for columns in parts:
        columns.close()
    for segment in segments:
        segment.close()
