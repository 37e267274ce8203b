"""Limits: shares, the ramp of minconn, warming up, queues."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.pools.slots import Shares, dynamic_limit, full_connections, may_queue, share, warming_limit


@given(st.integers(1, 10000), st.integers(1, 64))
def test_shares_sum_up(limit: int, parts: int) -> None:
    shares = [share(limit, parts, index) for index in range(parts)]
    assert sum(shares) == max(limit, parts)
    assert min(shares) >= 1
    assert max(shares) - min(shares) <= 1


def test_no_limit_stays_no_limit() -> None:
    assert share(0, 4, 3) == 0


@pytest.mark.parametrize(("parts", "index"), [(4, 4), (4, -1), (0, 0)])
def test_share_of_a_part_that_is_none(parts: int, index: int) -> None:
    with pytest.raises(ValueError, match="no part"):
        share(10, parts, index)


@pytest.mark.parametrize(
    ("maxconn", "minconn", "load", "full", "limit"),
    [
        (1000, 100, 0, 10000, 100),
        (1000, 100, 999, 10000, 100),
        (1000, 100, 5000, 10000, 500),
        (1000, 100, 10000, 10000, 1000),
        (1000, 100, 90000, 10000, 1000),
        (10, 0, 0, 100, 10),
        (10, 10, 0, 100, 10),
        (10, 20, 0, 100, 10),
    ],
)
def test_dynamic_limit(maxconn: int, minconn: int, load: int, full: int, limit: int) -> None:
    """The first four are the manual's own example of fullconn."""
    assert dynamic_limit(maxconn, minconn, load, full) == limit


@pytest.mark.parametrize(
    ("limit", "elapsed", "slowstart", "now"),
    [
        (100, 0, 10000, 1),
        (100, 2500, 10000, 25),
        (100, 10000, 10000, 100),
        (100, 5, 0, 100),
        (0, 1, 10, 0),
        (3, 1, 10, 1),
    ],
)
def test_warming_limit(limit: int, elapsed: int, slowstart: int, now: int) -> None:
    assert warming_limit(limit, elapsed, slowstart) == now


@pytest.mark.parametrize(("waiting", "maxqueue", "may"), [(10**6, 0, True), (0, 1, True), (1, 1, False), (2, 1, False)])
def test_may_queue(waiting: int, maxqueue: int, may: bool) -> None:
    assert may_queue(waiting, maxqueue) is may


@pytest.mark.parametrize(("limits", "full"), [(0, 1), (1, 1), (10, 1), (11, 2), (20000, 2000)])
def test_full_connections(limits: int, full: int) -> None:
    assert full_connections(limits) == full


def test_shares_of_listeners() -> None:
    """Those that accept share the limit; where nothing is said, all threads do."""
    shares = Shares(part=3, parts=4)
    assert (shares.of_frontend("f", 10), shares.of_bind("f", 0, 10), shares.of_bind("f", 0, 0)) == (2, 2, 0)
    shares.places["f", 1] = (1, 2)
    assert (shares.of_bind("f", 1, 10), shares.of_frontend("f", 10)) == (5, 2)
    shares.places["f", -1] = (0, 1)
    assert shares.of_frontend("f", 10) == 10
