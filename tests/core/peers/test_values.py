"""Values: what entries are made of."""

from __future__ import annotations

from maniple.core.peers.values import Entry, Rate


def test_fields() -> None:
    rate = Rate(5, 2, 1)
    assert (rate.age, rate.current, rate.previous) == (5, 2, 1)
    assert Entry(b"k", None, {"gpc0": 1}) == Entry(b"k", None, {"gpc0": 1})
