from __future__ import annotations

import pytest
from maniple.pools.pressure import AMPLE, LOW, SHORT, pressure_of


@pytest.mark.parametrize(
    ("used", "pressure"), [(0, AMPLE), (74, AMPLE), (75, LOW), (89, LOW), (90, SHORT), (100, SHORT), (101, SHORT)]
)
def test_where_it_begins(used: int, pressure: int) -> None:
    assert pressure_of(used, 100) == pressure
