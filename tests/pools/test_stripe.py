"""Entries that come and go in one stripe; what a killed writer leaves is mended."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.pools import stripe as module
from maniple.pools.stripe import FRESH, LIVING, TURN, Stripe
from maniple.pools.table import Table
from maniple.pools.table_shape import SPARE
from maniple.tests.pools.tables import entries, key, make_shape, opened


def only_stripe(table: Table) -> Stripe:
    (stripe,) = table._stripes
    return stripe


def check(table: Table) -> None:
    """Everything that follows from the rows does follow."""
    stripe = only_stripe(table)
    arrays = table.arrays
    assert not stripe.state[TURN] & 1
    slots = list(table.slots())
    assert stripe.state[LIVING] == len(slots)
    words = [word for word in arrays.directory.tolist() if word]
    assert sorted(word & 0xFFFFFFFF for word in words) == sorted(slots)
    for slot in slots:
        assert stripe.probe(arrays.key(slot), stripe.hashed(arrays.key(slot))) == slot
        assert arrays.bounds[(slot - 1) // 128] <= arrays.due[slot]
    resting = [stripe.ring[place % stripe.slots] for place in range(stripe.state[3], stripe.state[4])]
    assert sorted(resting + slots) == list(range(1, 1 + stripe.state[FRESH]))


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 12),
    st.lists(
        st.tuples(st.sampled_from(["track", "track", "remove", "sweep"]), st.integers(0, 20), st.integers(0, 400))
    ),
)
def test_against_a_dictionary(size: int, steps: list[tuple[str, int, int]]) -> None:
    """The model: a dictionary of dues, from which the earliest goes when it is full."""
    with opened(make_shape(size, 1000), 1) as (table,):
        model: dict[bytes, int] = {}
        now = 0
        for word, number, gap in steps:
            # Each touch has a time of its own, so that "the oldest" is one.
            now += gap + 1
            wanted = key(number)
            if word == "track":
                if wanted not in model and len(model) == size:
                    del model[min(model, key=model.__getitem__)]
                model[wanted] = now + 1000
                slot = table.track(wanted, now)
                assert table.key(slot) == wanted
                table.release(slot)
            elif word == "remove":
                assert table.remove(wanted) is (True if model.pop(wanted, None) is not None else None)
            else:
                expired = [one for one, due in model.items() if due < now]
                assert table.sweep(now, 100) == len(expired)
                for one in expired:
                    del model[one]
            assert entries(table) == set(model)
            for one, due in model.items():
                slot = table.hold(one, now)
                assert bool(slot) == (due >= now)
                if slot:
                    table.release(slot)
        check(table)


def test_the_oldest_goes_first_over_many_blocks() -> None:
    with opened(make_shape(1000, 10**6), 1) as (table,):
        for number in range(1000):
            table.release(table.track(key(number), number))
        # The first 600 are used again, in another order; 600 to 999 are the oldest then.
        for place in range(600):
            table.release(table.track(key(place * 7 % 600), 2000 + place))
        for number in range(1000):
            table.release(table.track(key(10_000 + number), 5000 + number))
            gone = 600 + number if number < 400 else (number - 400) * 7 % 600
            assert table.remove(key(gone)) is None, number
        check(table)


def test_slots_rest_before_they_are_used_again() -> None:
    with opened(make_shape(1), 1) as (table,):
        seen = []
        for number in range(300):
            slot = table.track(key(number), number)
            table.release(slot)
            seen.append(slot)
        for place, slot in enumerate(seen):
            assert slot not in seen[max(0, place - SPARE) : place]
        assert set(seen) <= set(range(1, SPARE + 3))


def test_held_entries_stay_when_there_is_no_room() -> None:
    with opened(make_shape(3), 1, 2) as (one, two):
        held = [one.track(key(1), 0), two.track(key(2), 1)]
        one.release(one.track(key(3), 2))
        assert one.track(key(4), 3)
        assert entries(one) == {key(1), key(2), key(4)}
        # Now all three are held: no room.
        assert one.track(key(5), 4) == 0
        two.release(held[1])
        assert two.track(key(5), 5)
        assert entries(one) == {key(1), key(4), key(5)}
        check(one)


def test_without_purge_only_expired_ones_make_room() -> None:
    with opened(make_shape(2, 100, False), 1) as (table,):
        for number in (1, 2):
            table.release(table.track(key(number), 0))
        assert table.track(key(3), 100) == 0
        slot = table.track(key(3), 101)
        assert slot
        assert key(3) in entries(table) and len(table) == 2


class Killed(BaseException):
    """Stands for SIGKILL: nothing is undone, the lock is freed by closing."""


@pytest.mark.parametrize("step", range(1, 60))
def test_a_writer_that_dies_at_any_store_leaves_whole_entries(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer is stopped at its n-th call of a part of a change; others go on with all entries but, at most, the
    one that it was about."""
    with opened(make_shape(4, 1000), 1, 2) as (dying, living):
        for number in range(4):
            living.release(living.track(key(number), number))
        living.release(living.track(key(1), 50))
        left = step

        def armed(name: str) -> None:
            original = getattr(Stripe, name)

            def counted(self: Stripe, *arguments: object) -> object:
                nonlocal left
                if self.locks is not living._locks:
                    left -= 1
                    if not left:
                        raise Killed
                result = original(self, *arguments)
                if self.locks is not living._locks:
                    left -= 1
                    if not left:
                        raise Killed
                return result

            monkeypatch.setattr(Stripe, name, counted)

        for name in ("_allocate", "_discard", "_withdraw", "_publish", "_rest", "date", "oldest"):
            armed(name)
        monkeypatch.setattr(Stripe, "unlock", lambda self: self.locks.free(self.number) if left > 0 else None)
        before = entries(living)
        try:
            for number in range(10, 13):
                dying.release(dying.track(key(number), 100 + number))
        except Killed:
            monkeypatch.undo()
            dying._locks.close()
            living.release(living.track(key(50), 200))
            present = entries(living)
            assert key(50) in present and len(present) <= 4
            assert len(present - before) <= 4
            # What was the youngest is there still, whatever was removed.
            assert key(12) in present or key(1) in present or key(11) in present
        else:
            monkeypatch.undo()
        check(living)


def test_rebuilt_stripes_are_as_before() -> None:
    with opened(make_shape(200, 10**6), 1) as (table,):
        for number in range(300):
            table.release(table.track(key(number), number))
        for number in range(150, 200):
            table.remove(key(number))
        before = entries(table)
        stripe = only_stripe(table)
        stripe.state[module.TURN] += 1
        for cell in range(20):
            table.arrays.directory[cell] = 0xFFFFFFFF00000001
        # A reader that finds nothing takes the lock, and so mends.
        for one in before:
            slot = table.hold(one, 300)
            assert slot and table.key(slot) == one
            table.release(slot)
        check(table)
        assert entries(table) == before


def test_a_search_for_the_oldest_passes_few_that_are_held() -> None:
    """With everything held a request costs about a millisecond, and who is free is found soon."""
    with opened(make_shape(1000, 1000), 1) as (table,):
        stripe = only_stripe(table)
        slots = [table.track(key(number), number) for number in range(1000)]
        assert not table.track(key(5000), 1000)
        moved = [number for number, slot in enumerate(slots) if table.arrays.due[slot] != number + 1000]
        assert moved == list(range(module.PASSED))
        table.release(slots[500])
        tries = 1
        while not table.track(key(5000), 1000 + tries):
            tries += 1
        assert tries <= 500 // module.PASSED + 1
        assert key(500) not in entries(table)
        check(table)
        assert stripe.state[LIVING] == 1000


def test_a_slot_that_was_touched_after_it_went_is_no_entry() -> None:
    """Both may miss each other (see the module), and who holds a slot moves its due whenever he likes."""
    with opened(make_shape(3, 1000), 1) as (table,):
        gone = table.track(key(0), 0)
        table.release(gone)
        assert table.remove(key(0))
        table.touch(gone, 5)
        for number in range(1, 10):
            slot = table.track(key(number), 10 + number)
            table.touch(gone, 5)
            table.release(slot)
            check(table)
        assert entries(table) == {key(7), key(8), key(9)}
        assert table.sweep(10_000, 64) == 3
        check(table)
