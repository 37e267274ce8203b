"""A stripe of a stick table: how entries come and go. Everything here is done by the holder of the stripe's lock.

Owns: the stripe's part of the directory, its free slots, the order by age. Must not know: what is counted.

*The rows are the truth*: a row whose state is LIVE is an entry. Directory, ring, bounds and the number of entries
follow from the rows; who finds the stripe's `turn` odd after taking the lock follows somebody who died in the middle of
a change, and makes them anew (`rebuild`: 1.5 us an entry).

*Readers take no lock.* They probe the directory, which moves words only from place to place in such an order that each
entry is always in it somewhere; a reader that finds nothing while `turn` moved on looks again.

*Removal against holders.* A thread holds an entry by adding to its own word (`held`), then looks whether the directory
still shows it. Who removes takes it out of the directory first and looks at the holders then; if there is one it goes
back. Stores may be seen late by other processors (less than a microsecond), so both could miss each other: therefore a
slot that went rests for SPARE further removals, and is not used while somebody holds it.

*Age.* `bounds` has for each BLOCK of slots a number that is not above any due in it. Touching an entry only makes its
due later, so bounds stay right without being written; whoever looks for the oldest entry raises those that are too low.
"""

from __future__ import annotations

from collections.abc import Callable

from .locks import ByteLocks, NoLocks
from .table_arrays import Arrays
from .table_shape import BLOCK, BORN, FREE, SPARE, STATE

TURN, LIVING, FRESH, HEAD, TAIL = range(5)
"""Words of a stripe's state: odd while it changes; entries; slots that were ever used; the ring's two ends."""
LIVE = 1
PASSED = 64
"""Held entries that a search for the oldest passes before it gives up: a millisecond. They are the newest then, so that
the next search goes on behind them."""


class Stripe:
    """Stripe `number` of the table in `arrays`."""

    __slots__ = (
        "arrays",
        "blocks",
        "expire",
        "first",
        "hashed",
        "home",
        "locks",
        "mask",
        "number",
        "purge",
        "quota",
        "ring",
        "slots",
        "state",
        "submask",
    )

    def __init__(
        self, arrays: Arrays, number: int, locks: ByteLocks | NoLocks, hashed: Callable[[bytes], int], expire: int
    ):
        """`hashed`: 32 bits of a key; `expire`: ms by which a touch moves an entry's due."""
        layout = arrays.layout
        self.arrays = arrays
        self.number = number
        self.locks = locks
        self.hashed = hashed
        self.expire = expire
        self.quota = layout.quota
        self.purge = layout.shape.purge
        self.slots = layout.slots_per_stripe
        self.first = 1 + number * self.slots
        self.home = number * layout.cells_per_stripe
        """The first cell of its part of the directory."""
        self.submask = layout.cells_per_stripe - 1
        self.mask = layout.stripes * layout.cells_per_stripe - 1
        self.blocks = range(number * layout.blocks_per_stripe, (number + 1) * layout.blocks_per_stripe)
        self.ring = arrays.ring[number * self.slots : (number + 1) * self.slots]
        self.state = arrays.states[number * 8 : number * 8 + 8]

    # -- locked -------------------------------------------------------------------------------------------------------

    def lock(self) -> None:
        """Waits for the lock, and mends what a dead holder left."""
        self.locks.take(self.number)
        if self.state[TURN] & 1:
            self.rebuild()

    def try_lock(self) -> bool:
        if not self.locks.try_take(self.number):
            return False
        if self.state[TURN] & 1:
            self.rebuild()
        return True

    def unlock(self) -> None:
        self.locks.free(self.number)

    def insert(self, key: bytes, hashed: int, now: int) -> int:
        """The slot of the key, which may have been there; 0 when there is no room. The lock is the caller's."""
        found = self.probe(key, hashed)
        if found:
            return found
        state = self.state
        state[TURN] += 1
        slot = self._allocate(now)
        if slot:
            arrays = self.arrays
            arrays.clear(slot)
            at = arrays.keys_at + slot * arrays.row_bytes
            arrays.mapping[at : at + arrays.width] = key
            row = slot * arrays.row_words
            arrays.rows[row + BORN] = now
            self.date(slot, now + self.expire)
            arrays.rows[row + STATE] = LIVE
            self._publish(hashed << 32 | slot)
            state[LIVING] += 1
        state[TURN] += 1
        return slot

    def remove(self, slot: int) -> bool:
        """Takes the entry away unless somebody holds it."""
        state = self.state
        state[TURN] += 1
        gone = self._discard(slot)
        state[TURN] += 1
        return gone

    def sweep(self, now: int, most: int) -> int:
        """Removes up to `most` expired entries; says how many went."""
        arrays, state = self.arrays, self.state
        state[TURN] += 1
        gone = 0
        while gone < most:
            slot = self.oldest(now)
            if not slot or arrays.due[slot] >= now:
                break
            # The expired ones of its block with it, which are cheaper than one at a time: 5 us instead of 19.
            start = slot - (slot - self.first) % BLOCK
            end = min(start + BLOCK, self.first + state[FRESH])
            for other, due in enumerate(arrays.due[start:end].tolist(), start):
                if due < now and gone < most and arrays.rows[other * arrays.row_words + STATE] == LIVE:
                    gone += not arrays.holders(other) and self._discard(other)
        state[TURN] += 1
        return gone

    def earliest(self) -> int:
        """No entry of the stripe expires before; FREE when there is none. Needs no lock."""
        blocks = -(-self.state[FRESH] // BLOCK)
        if not blocks:
            return FREE
        least: int = min(self.arrays.bounds[self.blocks.start : self.blocks.start + blocks])
        return least

    def date(self, slot: int, due: int) -> None:
        """The entry expires then, which may be earlier than before."""
        block = self.blocks[(slot - self.first) // BLOCK]
        bounds = self.arrays.bounds
        if due < bounds[block]:
            bounds[block] = due
        self.arrays.due[slot] = due

    def probe(self, key: bytes, hashed: int) -> int:
        """The slot of the key, 0 if it is not there."""
        arrays = self.arrays
        directory, submask, home = arrays.directory, self.submask, self.home
        cell = hashed & self.mask
        for _ in range(submask + 1):
            word = directory[cell]
            if not word:
                return 0
            if word >> 32 == hashed:
                slot: int = word & 0xFFFFFFFF
                if arrays.key(slot) == key:
                    return slot
            cell = home | (cell + 1) & submask
        return 0

    def oldest(self, now: int) -> int:
        """The slot of the entry that expires first and that nobody holds; 0 if there is none, or not before PASSED that
        are held. Held ones that it meets are touched: they are in use."""
        arrays = self.arrays
        bounds, due = arrays.bounds, arrays.due
        blocks = self.blocks
        fresh = self.state[FRESH]
        if not fresh:
            return 0
        end = self.first + fresh
        stop = blocks.start + -(-fresh // BLOCK)
        passed = 0
        while passed < PASSED:
            lowest = bounds[blocks.start : stop].tolist()
            bound = min(lowest)
            if bound >= FREE:
                return 0
            block = lowest.index(bound)
            start = self.first + block * BLOCK
            dues = due[start : min(start + BLOCK, end)].tolist()
            least = min(dues)
            if least > bound:
                bounds[blocks.start + block] = least
                continue
            slot = start + dues.index(least)
            if arrays.rows[slot * arrays.row_words + STATE] != LIVE:
                # Somebody held it in the moment in which it went, and has touched it since.
                due[slot] = FREE
            elif arrays.holders(slot):
                due[slot] = now + self.expire
                passed += 1
            else:
                return slot
        return 0

    def rebuild(self) -> None:
        """All that follows from the rows, made anew."""
        arrays, state = self.arrays, self.state
        for cell in range(self.home, self.home + self.submask + 1):
            arrays.directory[cell] = 0
        for block in self.blocks:
            arrays.bounds[block] = FREE
        free = []
        living = 0
        for slot in range(self.first, self.first + state[FRESH]):
            if arrays.rows[slot * arrays.row_words + STATE] == LIVE:
                living += 1
                self._publish(self.hashed(arrays.key(slot)) << 32 | slot)
                self.date(slot, arrays.due[slot])
            else:
                arrays.due[slot] = FREE
                free.append(slot)
        state[HEAD], state[TAIL] = 0, len(free)
        for place, slot in enumerate(free):
            self.ring[place] = slot
        state[LIVING] = living
        state[TURN] += 1

    # -- parts of changes ---------------------------------------------------------------------------------------------

    def _allocate(self, now: int) -> int:
        state = self.state
        while state[LIVING] >= self.quota:
            oldest = self.oldest(now)
            if not oldest or (not self.purge and self.arrays.due[oldest] >= now):
                return 0
            self._discard(oldest)
        ring = self.ring
        resting = state[TAIL] - state[HEAD]
        if resting <= SPARE and state[FRESH] < self.slots:
            slot: int = self.first + state[FRESH]
            state[FRESH] += 1
            return slot
        for _ in range(resting):
            slot = ring[state[HEAD] % self.slots]
            state[HEAD] += 1
            if not self.arrays.holders(slot):
                return slot
            self._rest(slot)
        return 0

    def _discard(self, slot: int) -> bool:
        arrays, state = self.arrays, self.state
        hashed = self.hashed(arrays.key(slot))
        self._withdraw(hashed, slot)
        if arrays.holders(slot):
            self._publish(hashed << 32 | slot)
            return False
        arrays.rows[slot * arrays.row_words + STATE] = 0
        arrays.due[slot] = FREE
        self._rest(slot)
        state[LIVING] -= 1
        return True

    def _rest(self, slot: int) -> None:
        state = self.state
        self.ring[state[TAIL] % self.slots] = slot
        state[TAIL] += 1

    def _publish(self, word: int) -> None:
        directory, submask, home = self.arrays.directory, self.submask, self.home
        cell = word >> 32 & self.mask
        while directory[cell]:
            cell = home | (cell + 1) & submask
        directory[cell] = word

    def _withdraw(self, hashed: int, slot: int) -> None:
        """Takes the slot's word out of the directory, and closes the gap: words behind it that had wished for a place
        before it move forward, each copied before its old place is used again."""
        directory, submask, home, mask = self.arrays.directory, self.submask, self.home, self.mask
        wanted = hashed << 32 | slot
        cell = hashed & mask
        while True:
            word = directory[cell]
            if word == wanted:
                break
            if not word:
                return
            cell = home | (cell + 1) & submask
        gap = cell
        while True:
            cell = home | (cell + 1) & submask
            word = directory[cell]
            if not word:
                break
            if (cell - (word >> 32 & mask)) & submask >= (cell - gap) & submask:
                directory[gap] = word
                gap = cell
        directory[gap] = 0
