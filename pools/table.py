"""A stick table in shared memory, as one thread uses it.

Owns: finding, holding and making entries. Must not know: what keys mean, event loops, configuration. `now` is an
argument: milliseconds of CLOCK_MONOTONIC, the same clock in all processes.

Who looks at an entry *holds* it: as long as it is held its slot is that entry, and it neither expires nor makes room
for another. Nothing here locks while the key is there. Invariant: what a thread holds it releases, or the supervisor
vacates the writer of the dead thread.

Measured (Python 3.11, 2 cores, us): track of a present key 1.1 in a table of 1,000 and 1.5 in one of 1,000,000; release
0.1; a new key 12, with the removal of the oldest 22.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .locks import ByteLocks, NoLocks
from .segment import Segment
from .stripe import FRESH, LIVE, LIVING, Stripe
from .table_arrays import SECRET, SECRET_BYTES, SEED, SHARED, Arrays
from .table_cells import Count, Gauge, Rate, Word, make_cell
from .table_names import Names
from .table_probing import make_find, make_hold, make_release, make_same, make_track
from .table_shape import FOREVER, STATE, Layout, Stored, TableShape
from .table_spot import Spot, make_regain, mark

_HASH = 0xFFFFFFFF
Hash = Callable[[bytes, int], int]
"""64 bits out of a key and a seed, the same in every process: xxh3_64. Only the lower 32 are used."""


def create_table(name: str, shape: TableShape, seed: int, *, private: bool = False) -> Segment:
    """The segment of a new table, empty. `seed`: 64 bits that clients cannot know. `private`: for one thread, which
    uses it without locks. Raises OSError."""
    create = Segment.private if private else Segment.create
    segment = create(name, Layout(shape).size, shape.encode())
    header = segment.body[:64].cast("Q")
    header[SEED] = seed
    header.release()
    segment.body[SECRET * 8 : SECRET * 8 + SECRET_BYTES] = os.urandom(SECRET_BYTES)
    return segment


class Table:
    """The table in a segment. `writer`: the number of its column, from 1; 0 for whoever adds no counts of its own
    (supervisor, peers), and of whom there is one at a time."""

    __slots__ = (
        "_cells",
        "_hash",
        "_locks",
        "_mask",
        "_seed",
        "_stripes",
        "_submask",
        "_turn",
        "arrays",
        "expire",
        "find",
        "hold",
        "name",
        "names",
        "regain",
        "release",
        "same",
        "segment",
        "shape",
        "shared",
        "track",
        "writer",
    )

    def __init__(self, segment: Segment, writer: int, hash_function: Hash) -> None:
        """Raises ValueError when the segment is no table, OSError when its file cannot be opened anew."""
        self.segment = segment
        self.name = segment.name
        self.shape = TableShape.decode(segment.shape)
        layout = Layout(self.shape)
        self.arrays = Arrays(segment, layout)
        self.writer = writer
        self.expire = self.shape.expire or FOREVER
        self._hash = hash_function
        self._seed: int = self.arrays.header[SEED]
        self.shared = bool(self.arrays.header[SHARED])
        """Other machines are told what changes."""
        self._submask = layout.cells_per_stripe - 1
        self._mask = layout.stripes * layout.cells_per_stripe - 1
        self._locks = ByteLocks(segment.fd, layout.stripes + 1) if segment.fd >= 0 else NoLocks()
        self._locks.take(layout.stripes)
        self.arrays.enlist(writer)
        self._locks.free(layout.stripes)
        hashed = self._hashed
        self._stripes = [
            Stripe(self.arrays, number, self._locks, hashed, self.expire) for number in range(layout.stripes)
        ]
        self.names = Names(self.arrays, self._locks, layout.stripes)
        arrays = self.arrays
        self.track = make_track(arrays, writer, hash_function, self._seed, self.expire, self._track_locked)
        """`track(key, now)` holds the entry of the key, which is made if it is not there, and moves its expiry. `key`
        has the table's width. The slot, to be released; 0 when the table is full and nothing can be removed."""
        self.hold = make_hold(arrays, writer, hash_function, self._seed, self._stripes, self._hold_locked)
        """`hold(key, now)` holds the entry of the key as it is: nothing is made, its expiry does not move. The slot, to
        be released; 0 if there is none."""
        self.find = make_find(arrays, hash_function, self._seed, self._stripes, self._find_locked)
        """`find(key, now)`: the slot of the key's entry, which is not held; 0 if there is none."""
        self.same = make_same(arrays)
        """`same(slot, key)`: it is that key's still; asked behind what was read of a slot that is not held."""
        self.release = make_release(arrays, writer)
        """`release(slot)`: the caller holds it no more."""
        self.regain = make_regain(arrays, writer)
        """`regain(spot, now)`: holds the entry if it is where it was; no: nothing is held."""
        self._cells: dict[tuple[str, int], Count | Rate | Gauge | Word] = {}
        self._turn = 0

    # -- entries ------------------------------------------------------------------------------------------------------

    def probe(self) -> dict[str, Any]:
        """What `track` looks at before it looks further, for whoever composes a function that does (rules/trackers):
        digest, seed, mask, directory, mapping, keys_at, row_bytes, width, held_words."""
        arrays = self.arrays
        return {
            "digest": self._hash,
            "seed": self._seed,
            "mask": self._mask,
            "directory": arrays.directory,
            "mapping": arrays.mapping,
            "keys_at": arrays.keys_at,
            "row_bytes": arrays.row_bytes,
            "width": arrays.width,
            "held_words": arrays.held_words,
        }

    def place(self, key: bytes, slot: int) -> tuple[int, int]:
        """Where the directory has the word of an entry that the caller holds, and the word; -1 while it moves."""
        hashed = self._hashed(key)
        word = hashed << 32 | slot
        directory = self.arrays.directory
        cell = hashed & self._mask
        while directory[cell] != word:
            if not directory[cell]:
                return -1, word
            cell = cell & ~self._submask | cell + 1 & self._submask
        return cell, word

    def locate(self, spot: Spot, now: int) -> None:
        """Finds out where the entry of a spot's key is, if there is one."""
        slot = self.hold(spot.key, now)
        if slot:
            self.mark_spot(spot, slot)
            self.release(slot)

    def mark_spot(self, spot: Spot, slot: int) -> None:
        """The entry of a spot's key is that one, which the caller holds."""
        mark(spot, self.arrays, slot, *self.place(spot.key, slot))

    def keep(self, slot: int) -> int:
        """Holds an entry once more that the caller holds already; the slot."""
        self.arrays.held[self.writer][slot * self.arrays.held_words] += 1
        return slot

    def touch(self, slot: int, now: int) -> None:
        """Moves the expiry of an entry that the caller holds."""
        self.arrays.due[slot] = now + self.expire

    def mark(self, slot: int) -> None:
        """What is stored there has changed: for whoever tells other machines."""
        if self.shared:
            self.arrays.changed[slot] = 1

    def remaining(self, slot: int, now: int) -> int:
        """Milliseconds until the entry expires; FOREVER and more: never."""
        return max(0, self.arrays.due[slot] - now)

    def date(self, slot: int, due: int) -> None:
        """It expires at `due`, ms, instead."""
        stripe = self._stripe_of(slot)
        stripe.lock()
        try:
            stripe.date(slot, due)
        finally:
            stripe.unlock()

    def remove(self, key: bytes) -> bool | None:
        """Removes the key's entry: True; False: it is held; None: it is not there."""
        hashed = self._hashed(key)
        stripe = self._stripes[(hashed & self._mask) // (self._submask + 1)]
        stripe.lock()
        try:
            slot = stripe.probe(key, hashed)
            return stripe.remove(slot) if slot else None
        finally:
            stripe.unlock()

    def sweep(self, now: int, most: int) -> int:
        """Removes expired entries, up to `most`; how many went. Looks at a fifth of the stripes, the next ones at each
        call, and skips those that somebody has locked. 3 us a stripe where nothing is expired."""
        gone = 0
        for _ in range(-(-len(self._stripes) // 5)):
            stripe = self._stripes[self._turn]
            self._turn = (self._turn + 1) % len(self._stripes)
            if stripe.earliest() >= now or not stripe.try_lock():
                continue
            try:
                gone += stripe.sweep(now, most - gone)
            finally:
                stripe.unlock()
            if gone >= most:
                break
        return gone

    def __len__(self) -> int:
        """Entries, expired ones that were not swept yet among them."""
        return sum(stripe.state[LIVING] for stripe in self._stripes)

    def slots(self) -> Iterator[int]:
        """The slots that have entries, by and by: what comes and goes meanwhile may be among them or not."""
        arrays = self.arrays
        rows, words = arrays.rows, arrays.row_words
        for stripe in self._stripes:
            for slot in range(stripe.first, stripe.first + stripe.state[FRESH]):
                if rows[slot * words + STATE] == LIVE:
                    yield slot

    def portion(self, start: int, most: int) -> tuple[list[int], int]:
        """The slots that have entries, of the `most` from `start` (1 at first) on that were ever used, and where the
        next portion begins: 0 when that was all. As `slots`, for whoever does not want to look at all at once."""
        found: list[int] = []
        rows, words = self.arrays.rows, self.arrays.row_words
        for stripe in self._stripes[(start - 1) // self.arrays.layout.slots_per_stripe :]:
            end = stripe.first + stripe.state[FRESH]
            first = max(start, stripe.first)
            last = min(end, first + most)
            found += [slot for slot in range(first, last) if rows[slot * words + STATE] == LIVE]
            if last < end:
                return found, last
            most -= max(0, last - first)
        return found, 0

    def key(self, slot: int) -> bytes:
        return self.arrays.key(slot)

    # -- what is stored -----------------------------------------------------------------------------------------------

    def cell(self, name: str, element: int = 0) -> Count | Rate | Gauge | Word | None:
        """What the table stores under that name; None if it does not (or has not so many elements)."""
        found = self._cells.get((name, element))
        if found is None:
            stored = self.stored(name)
            if stored is None or element >= stored.elements:
                return None
            found = self._cells[(name, element)] = make_cell(self, stored, element)
        return found

    def stored(self, name: str) -> Stored | None:
        for one in self.shape.stored:
            if one.name == name:
                return one
        return None

    @property
    def secret(self) -> bytes:
        """Random bytes that all who share the table have, as long as it is there: for signatures."""
        return bytes(self.arrays.body[SECRET * 8 : SECRET * 8 + SECRET_BYTES])

    @contextmanager
    def locked(self, slot: int) -> Iterator[None]:
        """The stripe of that slot belongs to the caller meanwhile."""
        stripe = self._stripe_of(slot)
        stripe.lock()
        try:
            yield
        finally:
            stripe.unlock()

    def close(self) -> None:
        self._locks.close()
        self.arrays.close()

    # -- inside -------------------------------------------------------------------------------------------------------

    def _hashed(self, key: bytes) -> int:
        return self._hash(key, self._seed) & _HASH

    def _stripe_of(self, slot: int) -> Stripe:
        return self._stripes[(slot - 1) // self.arrays.layout.slots_per_stripe]

    def _track_locked(self, key: bytes, hashed: int, now: int) -> int:
        stripe = self._stripes[(hashed & self._mask) // (self._submask + 1)]
        arrays = self.arrays
        stripe.lock()
        try:
            slot = stripe.probe(key, hashed)
            if slot and arrays.due[slot] < now and not arrays.holders(slot) and stripe.remove(slot):
                slot = 0
            if not slot:
                slot = stripe.insert(key, hashed, now)
            if slot:
                arrays.held[self.writer][slot * arrays.held_words] += 1
                arrays.due[slot] = now + self.expire
            return slot
        finally:
            stripe.unlock()

    def _find_locked(self, key: bytes, hashed: int, now: int) -> int:
        slot = self._hold_locked(key, hashed, now)
        if slot:
            self.release(slot)
        return slot

    def _hold_locked(self, key: bytes, hashed: int, now: int) -> int:
        stripe = self._stripes[(hashed & self._mask) // (self._submask + 1)]
        arrays = self.arrays
        stripe.lock()
        try:
            slot = stripe.probe(key, hashed)
            if slot and (arrays.due[slot] >= now or arrays.holders(slot)):
                arrays.held[self.writer][slot * arrays.held_words] += 1
                return slot
            return 0
        finally:
            stripe.unlock()
