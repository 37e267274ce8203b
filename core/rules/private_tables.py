"""Stick tables of nobody else: for configurations that are only checked or explained, and for a thread that is alone.

Owns: how such tables are made. Must not know: the tables that groups share (groups/tables). They store what the
configuration says, so that everything compiles as it does where traffic is.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace

from ...pools.table import Table, create_table
from ..config.table_spec import TableSpec

FEW = 16
"""Entries of a table in which nothing is counted."""


def private_tables(specs: Mapping[str, TableSpec], most: int = 0) -> dict[str, Table]:
    """One table each, for one thread. `most`: entries at most; 0: as many as the configuration says. Raises OSError.
    They need no descriptors, and go with the last who holds them."""
    if not specs:
        return {}
    # Only who has tables pays for the import.
    from xxhash import xxh3_64_intdigest

    tables = {}
    for name, spec in specs.items():
        shape = replace(spec.shape, size=min(spec.shape.size, most)) if most else spec.shape
        tables[name] = Table(create_table(name, shape, secrets.randbits(64), private=True), 1, xxh3_64_intdigest)
    return tables
