"""What a steward does: the peers sections of one configuration, and what each shares.

Owns: the values, and which tables, names and numbers belong to a section. Must not know: processes.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ..core.config.model import Configuration
from ..core.config.peers_spec import PeersSpec
from ..pools.segment import Segment
from .privileges import Identity


@dataclass(frozen=True, slots=True)
class SharedSegment:
    """One table. `name`: as peers call it; `learns_open`: `recv-only`; `known`: it has what peers know."""

    name: str
    segment: Segment
    learns_open: bool = False
    known: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class SectionPlan:
    """One section. `writers`: in `mode sum` each peer's column of the tables, by its name."""

    spec: PeersSpec
    tables: tuple[SharedSegment, ...]
    sock: socket.socket | None
    writers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StewardPlan:
    """One process. `writer`: its own number in all tables."""

    sections: tuple[SectionPlan, ...]
    identity: Identity = field(default_factory=Identity)
    writer: int = field(default=0, compare=False)
    supervisor: int = field(default=0, compare=False)
    title: Callable[[], None] | None = field(default=None, compare=False)

    @property
    def segments(self) -> Iterator[Segment]:
        for section in self.sections:
            for table in section.tables:
                yield table.segment


def sections_in_use(configuration: Configuration) -> list[PeersSpec]:
    """Those that this proxy is a peer of."""
    return [spec for spec in configuration.peers.values() if spec.in_use]


def tables_of(spec: PeersSpec, configuration: Configuration, segments: Mapping[str, Segment]) -> list[SharedSegment]:
    """What the section shares."""
    return [
        SharedSegment(spec.name_on_the_wire(table.name), segments[table.name], table.receive_only)
        for table in configuration.tables.values()
        if table.peers == spec.name and table.name in segments
    ]
