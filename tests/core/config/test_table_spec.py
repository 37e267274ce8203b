"""The value of a `stick-table` line."""

from __future__ import annotations

import pickle

from maniple.core.config.model import Place
from maniple.core.config.table_spec import TableSpec
from maniple.pools.table_shape import TableShape


def test_it_is_a_value() -> None:
    spec = TableSpec("t", Place("f", 1), TableShape("ip", 4, 100))
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert (spec.peers, spec.server_key, spec.file) == ("", "name", "")
