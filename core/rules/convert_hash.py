"""Converters to hashes that tell values apart, not those that keep secrets (manual 7.3.1).

Owns: which hashes there are, their seeds and the avalanche. Must not know: the arithmetic (hashes, zlib, xxhash).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from . import hashes
from .catalogue import Call, Convert, converter
from .samples import BIN, INT, wrap

_SPREAD = "avalanche:integer?"


def _hashed(call: Call, function: Callable[[bytes], int]) -> Convert:
    if not call.values[0]:
        return function
    avalanche = hashes.avalanche
    return lambda value: avalanche(function(value))


@converter("crc32", BIN, INT, "CRC-32 (Ethernet, gzip)", arguments=_SPREAD)
def _crc32(call: Call) -> Convert:
    return _hashed(call, zlib.crc32)


@converter("crc32c", BIN, INT, "CRC-32 with Castagnoli's polynomial", arguments=_SPREAD)
def _crc32c(call: Call) -> Convert:
    return _hashed(call, hashes.crc32c)


@converter("djb2", BIN, INT, "The DJB2 hash", arguments=_SPREAD)
def _djb2(call: Call) -> Convert:
    return _hashed(call, hashes.djb2)


@converter("sdbm", BIN, INT, "The SDBM hash", arguments=_SPREAD)
def _sdbm(call: Call) -> Convert:
    return _hashed(call, hashes.sdbm)


@converter("wt6", BIN, INT, "The WT6 hash", arguments=_SPREAD)
def _wt6(call: Call) -> Convert:
    return _hashed(call, hashes.wt6)


# xxhash is imported by whoever uses it: it takes a millisecond.


@converter("xxh32", BIN, INT, "XXH32 with a seed", arguments="seed:integer?")
def _xxh32(call: Call) -> Convert:
    from xxhash import xxh32_intdigest

    seed = (call.values[0] or 0) & 0xFFFFFFFF
    return lambda value: xxh32_intdigest(value, seed)


@converter("xxh64", BIN, INT, "XXH64 with a seed, as a signed number", arguments="seed:integer?")
def _xxh64(call: Call) -> Convert:
    from xxhash import xxh64_intdigest

    seed = (call.values[0] or 0) & 0xFFFFFFFFFFFFFFFF
    return lambda value: wrap(xxh64_intdigest(value, seed))


@converter("xxh3", BIN, INT, "XXH3 of 64 bits with a seed, as a signed number", arguments="seed:integer?")
def _xxh3(call: Call) -> Convert:
    from xxhash import xxh3_64_intdigest

    seed = (call.values[0] or 0) & 0xFFFFFFFFFFFFFFFF
    return lambda value: wrap(xxh3_64_intdigest(value, seed))
