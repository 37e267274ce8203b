"""The shape of a stick table: what its keys are, how many entries it holds, what is stored with each, and where all
that lies in a segment's body.

Owns: the data types (reference 3.8, manual 11.1), the arithmetic of places and of memory. Must not know: keys' texts,
clocks, processes, locks. A shape is a value: two tables whose shapes are equal have the same places.

An entry has a *slot*, a number from 1. Its parts lie in arrays:

    directory   words: upper half of the key's hash, slot; open addressing, at most half full
    bounds      words: for each BLOCK of slots a lower bound of their due
    ring        words: slots to use again, per stripe
    changed     bytes: set by writers, cleared by whoever tells other machines
    rows        state, born, due (when the entry expires, ms; free slots have FREE), words of the data types that are
                assigned (gpt, server), the key: what a look-up needs is in one line of the processor's cache
    held[s]     per writer: how often its thread holds the entry, conn_cur
    counted[s]  per writer: counts and rates

A *writer* is a number, and a column of its own: counts are added to by one thread each and summed by readers, so
nothing on the path of a request needs a lock, a killed thread leaves nothing half done, and N threads lose nothing.
Writer 0 is the base: what was set from outside. Slots are dealt to *stripes*, which the hash chooses; whoever adds or
removes entries locks one.
"""

from __future__ import annotations

import math
import mmap
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

LAYOUT: Final = 2
"""Counts changes of the places and meanings below."""
STATE, BORN, DUE, ROW_WORDS = range(4)
"""Words of a row: 1 for an entry; when it was made, ms; when it expires, ms; how many words all rows have."""
WRITERS: Final = 257
"""The base and 256 writers at a time. Columns that nobody took cost address space only."""
BLOCK: Final = 128
"""Slots that share a bound: the oldest entry of a stripe is found by two looks at so many words (8 us)."""
SPARE: Final = 64
"""Slots of a stripe that are free even when it is full: a slot rests for so many removals before it is used again, so
that whoever was about to hold it has seen that it went (see stripe)."""
FREE: Final = 1 << 62
"""The due of slots without an entry."""
FOREVER: Final = 1 << 40
"""Milliseconds that stand for 'does not expire': entries still have an order by age."""
_SINGLE: Final = 16384
"""Up to so many entries there is one stripe, and the size is exact."""
_STRIPE: Final = 8192
HEADER_WORDS: Final = 512
STRIPE_WORDS: Final = 8
NAMES: Final = 1024
NAME_BYTES: Final = 128


class Kind(Enum):
    """What can be done with a data type, and how it is stored."""

    COUNT = "count"
    """Added to; one word a writer."""
    RATE = "rate"
    """Events in the last period; two words a writer."""
    GAUGE = "gauge"
    """Goes up and down with what is open; one word a writer, forgotten when the writer's thread dies."""
    WORD = "word"
    """Assigned; one word."""
    NAME = "name"
    """Assigned; a text out of few."""


KINDS: Final[dict[str, Kind]] = {
    "server_id": Kind.WORD,
    "server_key": Kind.NAME,
    "gpt0": Kind.WORD,
    "gpt": Kind.WORD,
    "gpc0": Kind.COUNT,
    "gpc1": Kind.COUNT,
    "gpc": Kind.COUNT,
    "gpc0_rate": Kind.RATE,
    "gpc1_rate": Kind.RATE,
    "gpc_rate": Kind.RATE,
    "conn_cnt": Kind.COUNT,
    "conn_cur": Kind.GAUGE,
    "conn_rate": Kind.RATE,
    "sess_cnt": Kind.COUNT,
    "sess_rate": Kind.RATE,
    "http_req_cnt": Kind.COUNT,
    "http_req_rate": Kind.RATE,
    "http_err_cnt": Kind.COUNT,
    "http_err_rate": Kind.RATE,
    "http_fail_cnt": Kind.COUNT,
    "http_fail_rate": Kind.RATE,
    "bytes_in_cnt": Kind.COUNT,
    "bytes_in_rate": Kind.RATE,
    "bytes_out_cnt": Kind.COUNT,
    "bytes_out_rate": Kind.RATE,
    "glitch_cnt": Kind.COUNT,
    "glitch_rate": Kind.RATE,
}
"""Every data type that `store` may name."""
ARRAYS: Final = frozenset({"gpt", "gpc", "gpc_rate"})
"""Those that are arrays: they need a number of elements, 1 to 100."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One data type of a table: its `name`, `elements` for arrays (else 1), `period` in ms for rates (else 0)."""

    name: str
    elements: int = 1
    period: int = 0

    @property
    def kind(self) -> Kind:
        return KINDS[self.name]


@dataclass(frozen=True, slots=True)
class TableShape:
    """What a table is. `key`: the type's word (ip, ipv6, integer, string, binary); `width`: bytes of a key as it is
    stored, zeros at its end; `size`: entries; `expire`: ms, 0: never; `purge`: make room by removing the oldest."""

    key: str
    width: int
    size: int
    expire: int = 0
    purge: bool = True
    stored: tuple[Stored, ...] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        if self.size < 1 or self.width < 1:
            raise ValueError("a table has at least one entry, and a key at least one byte")
        names = [one.name for one in self.stored]
        if len(set(names)) != len(names):
            raise ValueError("a data type is stored twice")
        for one in self.stored:
            if one.name not in KINDS:
                raise ValueError(f"no data type {one.name!r}")
            if (one.kind is Kind.RATE) != (one.period > 0):
                raise ValueError(f"{one.name}: a period belongs to a rate, and to nothing else")

    def encode(self) -> bytes:
        """The shape as bytes; equal shapes have equal ones. A segment carries them. They begin with the version of the
        layout: tables of programs that lay out otherwise do not look alike."""
        parts = [str(LAYOUT), self.key, str(self.width), str(self.size), str(self.expire), str(int(self.purge))]
        parts += [f"{one.name}:{one.elements}:{one.period}" for one in self.stored]
        return " ".join(parts).encode()

    @classmethod
    def decode(cls, encoded: bytes) -> TableShape:
        """What `encode` wrote. Raises ValueError for anything else."""
        version, key, width, size, expire, purge, *stored = encoded.decode().split(" ")
        if version != str(LAYOUT):
            raise ValueError(f"a table of layout {version}, this version has {LAYOUT}")
        types = []
        for text in stored:
            name, elements, period = text.split(":")
            types.append(Stored(name, int(elements), int(period)))
        return cls(key, int(width), int(size), int(expire), purge == "1", tuple(types))


class Layout:
    """Places of everything in the body of a table of that shape. `*_at`: bytes from the body's start."""

    def __init__(self, shape: TableShape) -> None:
        self.shape = shape
        self.stripes, self.quota = _stripes(shape.size)
        self.slots_per_stripe = self.quota + SPARE
        self.slots = self.stripes * self.slots_per_stripe + 1
        """One more than the highest slot: slot 0 is none."""
        self.cells_per_stripe = 1 << (2 * self.slots_per_stripe - 1).bit_length()
        self.blocks_per_stripe = -(-self.slots_per_stripe // BLOCK)
        # Rows: state, born, due, assigned words, key.
        self.assigned: dict[str, int] = {}
        self.cells: dict[str, int] = {}
        row, cell = ROW_WORDS, 0
        for one in shape.stored:
            if one.kind in (Kind.WORD, Kind.NAME):
                self.assigned[one.name] = row
                row += one.elements
            elif one.kind in (Kind.COUNT, Kind.RATE):
                self.cells[one.name] = cell
                cell += one.elements * (2 if one.kind is Kind.RATE else 1)
        self.key_words = -(-shape.width // 8)
        self.row_words = row + self.key_words
        self.key_offset = row * 8
        self.counted_words = cell
        self.held_words = 2 if any(one.kind is Kind.GAUGE for one in shape.stored) else 1
        at = HEADER_WORDS * 8
        self.stripes_at, at = at, _page(at + self.stripes * STRIPE_WORDS * 8)
        self.names_at, at = at, _page(at + NAMES * NAME_BYTES)
        self.directory_at, at = at, _page(at + self.stripes * self.cells_per_stripe * 8)
        self.bounds_at, at = at, _page(at + self.stripes * self.blocks_per_stripe * 8)
        self.ring_at, at = at, _page(at + self.stripes * self.slots_per_stripe * 8)
        self.changed_at, at = at, _page(at + self.slots)
        self.rows_at, at = at, _page(at + self.slots * self.row_words * 8)
        self.held_bytes = _page(self.slots * self.held_words * 8)
        self.counted_bytes = _page(self.slots * self.counted_words * 8)
        self.held_at, at = at, at + self.held_bytes * WRITERS
        self.counted_at, at = at, at + self.counted_bytes * WRITERS
        self.size = at
        """Bytes of the body. Most of it is never touched."""

    def bytes_per_entry(self, threads: int) -> int:
        """Memory that an entry costs while so many threads count (the base column included), shares of the directory
        and of free slots too, rounded up."""
        writers = threads + 1
        slot = 8 + 1 + self.row_words * 8 + writers * (self.held_words + self.counted_words) * 8
        whole = self.slots * slot + self.stripes * (self.cells_per_stripe + self.blocks_per_stripe) * 8
        return -(-whole // self.shape.size)


def _stripes(size: int) -> tuple[int, int]:
    """How many stripes, and entries of each. Where there are several, each may hold a little more than its part
    (four standard deviations), so that keys that the hash deals unevenly still all have room."""
    if size <= _SINGLE:
        return 1, size
    stripes = 1 << (size // _STRIPE - 1).bit_length()
    part = -(-size // stripes)
    return stripes, part + 4 * math.isqrt(part)


def _page(size: int) -> int:
    return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
