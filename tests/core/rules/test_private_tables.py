"""Tables of one thread alone."""

from __future__ import annotations

import os

from maniple.core.rules.private_tables import private_tables
from maniple.tests.core.rules.tables import specs_of


def test_they_store_what_is_said() -> None:
    specs = specs_of({"t": "type ip size 100 store gpc0,http_req_rate(10s)", "u": "type integer size 5"})
    tables = private_tables(specs)
    assert tables["t"].shape == specs["t"].shape and tables["t"].writer == 1
    few = private_tables(specs, 16)
    assert [table.shape.size for table in few.values()] == [16, 5]
    assert few["t"].shape.stored == specs["t"].shape.stored
    assert tables["t"].track(b"abcd", 5) == tables["t"].hold(b"abcd", 5) != 0
    assert tables["t"].remove(b"abce") is None


def test_they_need_no_descriptors() -> None:
    before = len(os.listdir("/proc/self/fd"))
    tables = private_tables(specs_of({"t": "type ip size 100"}))
    assert len(os.listdir("/proc/self/fd")) == before
    for table in tables.values():
        table.close()
        table.segment.close()


def test_nothing_for_nothing() -> None:
    assert private_tables({}) == {}
