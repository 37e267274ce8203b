from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from maniple.tests.groups.seats import seat_of


def test_a_seat_is_a_value_with_nothing_in_it_that_was_not_given() -> None:
    with seat_of(None, 2) as seat:
        assert (seat.place.threads, seat.slots, sorted(seat.shares)) == (2, (5, 6), [1, 2])
        assert (dict(seat.inboxes), seat.stacks, seat.enter, seat.title, seat.leave_streams) == (
            {},
            -1,
            None,
            None,
            False,
        )
        with pytest.raises(FrozenInstanceError):
            seat.stacks = 3  # type: ignore[misc]
