"""What a `stick-table` line says, or a `table` line of a peers section (manual 4.2, 11.1).

Owns: the value. Must not know: how it is read (tables), where the table lives (pools/table).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...pools.table_shape import TableShape

if TYPE_CHECKING:
    from .model import Place

FILE_INTERVAL = 60_000
"""ms from one writing of a `table-file` to the next, where its line says nothing."""


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One table. `name`: the proxy's, or `section/table` of a peers section."""

    name: str
    place: Place
    shape: TableShape
    peers: str = ""
    """The peers section that it is shared with."""
    peers_place: Place | None = field(default=None, compare=False)
    """Where that is written."""
    server_key: str = "name"
    """What `server_key` holds of a server: its name, or its addr."""
    write_to: str = ""
    """The table that changes are written to besides: kept, not in force."""
    receive_only: bool = False
    """`recv-only`: it never has figures of its own, so that all that peers say is learned, `conn_cur` too."""
    bytes_factor: int = 1
    """`brates-factor`: bytes in a unit of the rates of bytes. Ours do not overflow: figures are the same."""
    file: str = ""
    """Ours: `table-file`, where its entries are kept over restarts."""
    file_interval: int = FILE_INTERVAL
    """Ours, `table-file ... interval`: ms from one writing to the next."""
