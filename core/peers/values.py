"""What an entry of a shared table holds while it travels.

Owns: the types. Must not know: their encoding, how tables store them. Counts are integers from 0 on; a text is bytes;
arrays are tuples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias


class Rate(NamedTuple):
    """A rate of two periods: `age`, ms since the current one began, so that clocks need not agree; events in the
    `current` one and in the `previous`."""

    age: int
    current: int
    previous: int


Value: TypeAlias = int | Rate | bytes | tuple[int, ...] | tuple[Rate, ...] | None
"""None: no text (server_key of an entry without a server)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`expire`: ms left, None where that is not said. `values`: by data type."""

    key: bytes
    """In the order of the network, as long as the table's keys (integers: 4 bytes); texts without a zero at the end."""
    expire: int | None
    values: Mapping[str, Value]
