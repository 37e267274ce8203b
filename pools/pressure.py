"""How scarce file descriptors are, for pools that may keep connections or not.

Owns: the steps and where they begin. Must not know: who counts descriptors, what a pool does about it.

HAProxy stops to keep idle connections at a quarter of its limit, which makes it dial for every request beside many idle
clients; we begin where it matters.
"""

from __future__ import annotations

AMPLE = 0
"""Fewer than LOW_RATIO of them are in use."""
LOW = 1
"""Between the two ratios: keep no second connection of a kind."""
SHORT = 2
"""At or above HIGH_RATIO: keep none."""

LOW_RATIO = 0.75
HIGH_RATIO = 0.9


def pressure_of(used: int, limit: int) -> int:
    """AMPLE, LOW or SHORT where `used` descriptors of at most `limit` are open; `limit` > 0."""
    ratio = used / limit
    return AMPLE if ratio < LOW_RATIO else LOW if ratio < HIGH_RATIO else SHORT
