"""How entries of a stick table are found and held without a lock: what a request does with a table.

Owns: these functions. Must not know: how entries come and go (stripe), what is stored.

They are functions over names of their own rather than methods: a look-up is twenty loads of what never changes, and a
name of the function costs half of an attribute of an object of an object (1.3 us became 0.9).

Whoever holds an entry has added one to its own word, and has seen the directory's word for it afterwards. Who removes
takes the word away first and looks at the holders then; so one of the two sees the other (stripe tells the rest).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .stripe import TURN

if TYPE_CHECKING:
    from .stripe import Stripe
    from .table_arrays import Arrays

Find = Callable[[bytes, int], int]
"""Key and `now` to slot; 0: there is none."""


def make_track(
    arrays: Arrays, writer: int, digest: Find, seed: int, expire: int, locked: Callable[[bytes, int, int], int]
) -> Find:
    """Holds the key's entry and moves its expiry. `locked(key, hash, now)`: what is done when that cannot be: it is not
    there, or has expired."""
    layout = arrays.layout
    submask = layout.cells_per_stripe - 1
    mask = layout.stripes * layout.cells_per_stripe - 1
    directory, mapping, due, held = arrays.directory, arrays.mapping, arrays.due, arrays.held[writer]
    keys_at, row_bytes, width, held_words = arrays.keys_at, arrays.row_bytes, arrays.width, arrays.held_words

    def track(key: bytes, now: int) -> int:
        hashed = digest(key, seed) & 0xFFFFFFFF
        cell = hashed & mask
        word = directory[cell]
        while word:
            if word >> 32 == hashed:
                slot: int = word & 0xFFFFFFFF
                at = keys_at + slot * row_bytes
                if mapping[at : at + width] == key:
                    if due[slot] < now:
                        break
                    at = slot * held_words
                    held[at] += 1
                    if directory[cell] == word:
                        due[slot] = now + expire
                        return slot
                    held[at] -= 1
                    break
            cell = cell & ~submask | cell + 1 & submask
            word = directory[cell]
        return locked(key, hashed, now)

    return track


def make_hold(
    arrays: Arrays,
    writer: int,
    digest: Find,
    seed: int,
    stripes: list[Stripe],
    locked: Callable[[bytes, int, int], int],
) -> Find:
    """Holds the key's entry as it is. `locked`: as above, for what changed while it was looked at."""
    layout = arrays.layout
    submask = layout.cells_per_stripe - 1
    mask = layout.stripes * layout.cells_per_stripe - 1
    directory, mapping, due, held = arrays.directory, arrays.mapping, arrays.due, arrays.held[writer]
    keys_at, row_bytes, width, held_words = arrays.keys_at, arrays.row_bytes, arrays.width, arrays.held_words

    def hold(key: bytes, now: int) -> int:
        hashed = digest(key, seed) & 0xFFFFFFFF
        cell = hashed & mask
        word = directory[cell]
        while word:
            if word >> 32 == hashed:
                slot: int = word & 0xFFFFFFFF
                at = keys_at + slot * row_bytes
                if mapping[at : at + width] == key:
                    if due[slot] < now and not arrays.holders(slot):
                        return 0
                    at = slot * held_words
                    held[at] += 1
                    if directory[cell] == word:
                        return slot
                    held[at] -= 1
                    break
            cell = cell & ~submask | cell + 1 & submask
            word = directory[cell]
        else:
            # Nothing there; unless words moved while it looked.
            stripe = stripes[(hashed & mask) // (submask + 1)]
            turn = stripe.state[TURN]
            if not turn & 1 and not stripe.probe(key, hashed) and stripe.state[TURN] == turn:
                return 0
        return locked(key, hashed, now)

    return hold


def make_find(
    arrays: Arrays, digest: Find, seed: int, stripes: list[Stripe], locked: Callable[[bytes, int, int], int]
) -> Find:
    """Where the key's entry is, without holding it: for who reads one word and asks `make_same` afterwards. `locked`:
    as above; it holds nothing either."""
    layout = arrays.layout
    submask = layout.cells_per_stripe - 1
    mask = layout.stripes * layout.cells_per_stripe - 1
    directory, mapping, due = arrays.directory, arrays.mapping, arrays.due
    keys_at, row_bytes, width = arrays.keys_at, arrays.row_bytes, arrays.width

    def find(key: bytes, now: int) -> int:
        hashed = digest(key, seed) & 0xFFFFFFFF
        cell = hashed & mask
        word = directory[cell]
        while word:
            if word >> 32 == hashed:
                slot: int = word & 0xFFFFFFFF
                at = keys_at + slot * row_bytes
                if mapping[at : at + width] == key:
                    return slot if due[slot] >= now or arrays.holders(slot) else 0
            cell = cell & ~submask | cell + 1 & submask
            word = directory[cell]
        stripe = stripes[(hashed & mask) // (submask + 1)]
        turn = stripe.state[TURN]
        if not turn & 1 and not stripe.probe(key, hashed) and stripe.state[TURN] == turn:
            return 0
        return locked(key, hashed, now)

    return find


def make_same(arrays: Arrays) -> Callable[[int, bytes], bool]:
    """Whether a slot that was found is that key's still. A slot rests for many removals before another key has it, and
    its words are cleared then and not before: what was read before a yes is what was stored with the key."""
    mapping, keys_at, row_bytes, width = arrays.mapping, arrays.keys_at, arrays.row_bytes, arrays.width

    def same(slot: int, key: bytes) -> bool:
        at = keys_at + slot * row_bytes
        return mapping[at : at + width] == key

    return same


def make_release(arrays: Arrays, writer: int) -> Callable[[int], None]:
    """The inverse of both."""
    held, held_words = arrays.held[writer], arrays.held_words

    def release(slot: int) -> None:
        held[slot * held_words] -= 1

    return release
