"""The functions without locks, where somebody else changes the table between two of their steps."""

from __future__ import annotations

from collections.abc import Callable

from maniple.pools.table import Table
from maniple.pools.table_probing import make_hold, make_track
from maniple.tests.pools.tables import SEED, key, make_shape, opened
from xxhash import xxh3_64_intdigest


def calls(table: Table, during: object) -> list[str]:
    """What `track` and `hold` do when the entry goes while they look: `during` is called within them."""
    said: list[str] = []

    def digest(one: bytes, seed: int) -> int:
        return xxh3_64_intdigest(one, seed)

    def locked(name: str) -> Callable[[bytes, int, int], int]:
        def call(one: bytes, hashed: int, now: int) -> int:
            said.append(name)
            return 0

        return call

    class Held:
        """The words of the holder, before the first of which the entry goes."""

        def __init__(self, words: memoryview) -> None:
            self.words = words

        def __getitem__(self, at: int) -> int:
            if callable(during):
                during()
            return self.words[at]

        def __setitem__(self, at: int, value: int) -> None:
            self.words[at] = value

    held = table.arrays.held
    words = held[1]
    held[1] = Held(words)  # type: ignore[call-overload]
    try:
        arrays = table.arrays
        track = make_track(arrays, 1, digest, SEED, 1000, locked("track"))
        hold = make_hold(arrays, 1, digest, SEED, table._stripes, locked("hold"))
        for find in (track, hold):
            said += [str(find(key(1), 10))]
    finally:
        held[1] = words
    return said


def test_an_entry_that_goes_before_it_is_held_is_not() -> None:
    with opened(make_shape(), 1, 2) as (one, two):
        two.release(two.track(key(1), 0))
        assert calls(one, lambda: two.remove(key(1))) == ["track", "0", "0"]
        assert one.arrays.holders(1) == 0
        two.release(two.track(key(1), 0))

        def move() -> None:
            # Another key's entry takes its place.
            two.remove(key(1))
            for number in range(2, 80):
                two.release(two.track(key(number), 0))

        assert calls(one, move)[0] == "track"
        assert all(one.arrays.holders(slot) == 0 for slot in one.slots())


def test_what_was_read_of_a_slot_that_another_key_has_is_told() -> None:
    with opened(make_shape(), 1, 2) as (one, two):
        two.release(two.track(key(1), 0))
        slot = one.find(key(1), 10)
        assert slot and one.same(slot, key(1))
        assert one.arrays.holders(slot) == 0
        two.remove(key(1))
        assert one.find(key(1), 10) == 0
        for number in range(2, 80):
            two.release(two.track(key(number), number))
        assert not one.same(slot, key(1))


def test_expired_entries_are_found_while_somebody_holds_them() -> None:
    with opened(make_shape(10, 1000), 1, 2) as (one, two):
        slot = two.track(key(1), 0)
        assert one.find(key(1), 1001) == slot
        two.release(slot)
        assert one.find(key(1), 1000) == slot
        assert one.find(key(1), 1001) == 0


def test_who_finds_nothing_in_a_stripe_that_changes_looks_again() -> None:
    with opened(make_shape(), 1, 2) as (one, two):
        slot = two.track(key(1), 0)
        stripe = one._stripes[0]
        directory = stripe.arrays.directory
        (cell,) = [cell for cell in range(stripe.submask + 1) if directory[cell]]
        directory[cell] = 0
        # Somebody died in the middle of a change: the look behind the lock mends it.
        stripe.state[0] += 1
        assert one.find(key(1), 10) == slot
        assert one.arrays.holders(slot) == 1


def test_present_keys_need_no_lock() -> None:
    with opened(make_shape(), 1, 2) as (one, two):
        slot = two.track(key(1), 0)
        assert calls(one, None) == [str(slot), str(slot)]
        assert one.arrays.holders(slot) == 3
