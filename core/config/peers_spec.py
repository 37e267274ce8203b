"""A section `peers NAME` as data (manual 3.5).

Owns: its fields. Must not know: how it is read (peers), who talks to whom (core/peers).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..addresses import Address
from .table_spec import TableSpec

if TYPE_CHECKING:
    from .model import BindSpec, Place, SourceSpec


@dataclass(frozen=True, slots=True)
class PeerSpec:
    """Another proxy, or this one."""

    place: Place
    name: str
    address: Address | None
    """Where it is dialled; None: only of this one, which a `bind` line listens for."""
    source: SourceSpec | None = None
    tcp_ut: int | None = None
    """TCP user timeout towards it, ms."""


@dataclass(frozen=True, slots=True)
class PeersSpec:
    """One section."""

    place: Place
    name: str
    local: str
    """The name of this proxy; one of the section's peers."""
    bind: BindSpec | None
    """Where other peers dial us; None: this proxy is none of the peers, and nothing is shared."""
    remotes: tuple[PeerSpec, ...] = ()
    """The others, in the order of the lines."""
    tables: tuple[TableSpec, ...] = ()
    """Those of `table` lines: named `section/table` here, and `/table` where they travel."""
    disabled: bool = False
    sums: bool = False
    """What the peers count is added up (`mode sum`); else the last one to tell it is right."""

    @property
    def in_use(self) -> bool:
        """Whether tables are shared at all."""
        return self.bind is not None and not self.disabled

    def name_on_the_wire(self, table: str) -> str:
        """What peers call a table of that name."""
        return table[len(self.name) :] if table.startswith(f"{self.name}/") else table
