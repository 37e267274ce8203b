from __future__ import annotations

import pytest
from maniple.pools.counters import GAUGES, KINDS, MAXIMA, FrontendCounts, ServerCounts


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_counts_start_at_zero_and_have_one_value_a_field(kind: str) -> None:
    counts = KINDS[kind]()
    assert counts.values() == (0,) * len(counts.FIELDS)
    assert len(set(counts.FIELDS)) == len(counts.FIELDS)
    assert not hasattr(counts, "__dict__")


def test_every_figure_with_a_special_sum_exists() -> None:
    fields = {field for kind in KINDS.values() for field in kind.FIELDS}
    assert fields >= MAXIMA
    assert fields >= GAUGES
    assert not MAXIMA & GAUGES


def test_repr_shows_what_was_counted() -> None:
    counts = FrontendCounts()
    counts.stot = 3
    assert repr(counts) == "<FrontendCounts stot=3>"


def test_add_sums_and_takes_the_greatest_maximum() -> None:
    one, other = ServerCounts(), ServerCounts()
    one.stot, one.smax = 3, 5
    other.stot, other.smax = 4, 2
    one.add(other)
    assert (one.stot, one.smax) == (7, 5)
