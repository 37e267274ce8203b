"""Tables for tests: small ones in segments of their own, with the hash that the product uses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from maniple.pools.segment import Segment
from maniple.pools.table import Table, create_table
from maniple.pools.table_shape import Stored, TableShape
from xxhash import xxh3_64_intdigest

SEED = 0x5EED


def make_shape(size: int = 10, expire: int = 1000, purge: bool = True, *stored: Stored, width: int = 4) -> TableShape:
    return TableShape("binary", width, size, expire, purge, stored or (Stored("gpc0"), Stored("gpt0")))


@contextmanager
def opened(shape: TableShape, *writers: int) -> Iterator[list[Table]]:
    """One new table, as the threads of those writers see it."""
    segment = create_table("t", shape, SEED)
    tables = [open_again(segment, writer) for writer in writers or (1,)]
    try:
        yield tables
    finally:
        for table in tables:
            table.close()
            if table.segment is not segment:
                table.segment.close()
        segment.close()


def open_again(segment: Segment, writer: int) -> Table:
    """The table as another process maps it."""
    return Table(Segment.attach(os.dup(segment.fd)), writer, xxh3_64_intdigest)


def key(number: int, width: int = 4) -> bytes:
    return number.to_bytes(width, "big")


def entries(table: Table) -> set[bytes]:
    return {table.key(slot) for slot in table.slots()}
