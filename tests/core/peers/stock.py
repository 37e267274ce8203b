"""Stick tables in shared memory, as their writers and as peers see them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from maniple.core.peers.stored import StoredTable
from maniple.pools.table import Table
from maniple.pools.table_arrays import share
from maniple.pools.table_shape import Stored, TableShape
from maniple.tests.pools.tables import open_again, opened

PERIOD = 10_000
SHAPE = TableShape(
    "string",
    8,
    100,
    60_000,
    True,
    (
        Stored("gpc0"),
        Stored("conn_cur"),
        Stored("http_req_rate", 1, PERIOD),
        Stored("gpt", 2),
        Stored("gpc", 2),
        Stored("server_key"),
        Stored("server_id"),
    ),
)
PEER_WRITER = 3


@contextmanager
def machine(shape: TableShape = SHAPE) -> Iterator[tuple[Table, StoredTable]]:
    """A thread of ours that counts, and the table as it is shared; peers have PEER_WRITER."""
    with opened(shape, PEER_WRITER) as (first,):
        share(first.segment, True)
        thread, steward = open_again(first.segment, 1), open_again(first.segment, 2)
        try:
            yield thread, StoredTable(steward, "t", others=(PEER_WRITER,))
        finally:
            for table in (thread, steward):
                table.close()
                table.segment.close()


def count(table: Table, key: bytes, now: int, number: int = 1, name: str = "gpc0") -> None:
    """As rules do."""
    slot = table.track(key.ljust(8, b"\0"), now)
    cell = table.cell(name)
    assert cell is not None
    cell.add(slot, number, now)  # type: ignore[union-attr]
    table.mark(slot)
    table.release(slot)


def value(table: Table, key: bytes, now: int, name: str = "gpc0", element: int = 0) -> int:
    slot = table.hold(key.ljust(8, b"\0"), now)
    cell = table.cell(name, element)
    assert slot and cell is not None
    try:
        return cell.value(slot, now)
    finally:
        table.release(slot)
