from __future__ import annotations

from maniple.cli.memory import memory_rows, memory_text
from maniple.core.config.model import Configuration, Place
from maniple.core.config.table_spec import TableSpec
from maniple.pools.table_shape import Layout, Stored, TableShape

SHAPE = TableShape("ip", 4, 1_000_000, 1000, True, (Stored("http_req_rate", 1, 1000),))
CONFIGURATION = Configuration(tables={"web": TableSpec("web", Place("x", 1), SHAPE)})


def test_entries_cost_what_the_layout_says() -> None:
    each = Layout(SHAPE).bytes_per_entry(4)
    assert memory_rows(CONFIGURATION, 4) == [
        {"table": "web", "entries": 1_000_000, "entry": each, "full": each * 1_000_000}
    ]


def test_text_for_people() -> None:
    text = memory_text(CONFIGURATION, 4)
    assert "shared by 4 threads" in text
    assert "1,000,000" in text and "MiB" in text
    assert memory_text(Configuration(), 4) == "No stick tables.\n"
