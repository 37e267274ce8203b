"""Live figures of all groups: what the counter segment sums to.

Owns: which rows a configuration has, and reading them by name. Must not know: who shows them, rates.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import cast

from ..core.config.model import Configuration
from ..pools.columns import Columns, Shape
from ..pools.counters import BackendCounts, Counts, FrontendCounts, ListenerCounts, ProcessCounts, ServerCounts
from ..pools.segment import Segment


def shape_of(configuration: Configuration) -> Shape:
    """The rows: the process, then each proxy's in the order of the file: frontend, listeners (`name/1` the first bind
    line), servers, backend."""
    rows = [("process", "")]
    for proxy in configuration.proxies:
        if proxy.has_frontend:
            rows.append(("frontend", proxy.name))
            rows.extend(("listener", f"{proxy.name}/{number}") for number in range(1, len(proxy.binds) + 1))
        if proxy.has_backend:
            rows.extend(("server", f"{proxy.name}/{server.name}") for server in proxy.servers)
            rows.append(("backend", proxy.name))
    return Shape(rows)


class Figures:
    """Sums over all threads of a generation, and of those that drain beside it; read anew at each call (about 10 us a
    row and thread). Unknown names: KeyError."""

    __slots__ = ("_columns", "_others")

    def __init__(self, columns: Columns, others: Sequence[Columns] = ()) -> None:
        """`others` counts where it has a row of the same name."""
        self._columns = columns
        self._others = others

    @classmethod
    def attach(cls, segment: Segment) -> Figures:
        """Of a segment that another process made. ValueError when it is another version's."""
        return cls(Columns.attach(segment.body, Shape.decode(segment.shape)))

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """(kind, name) of every row."""
        return self._columns.shape.rows

    def row(self, kind: str, name: str) -> Counts:
        counts = self._columns.sum(self._columns.shape.row(kind, name))
        for other in self._others:
            with contextlib.suppress(KeyError):
                counts.add(other.sum(other.shape.row(kind, name)))
        return counts

    def process(self) -> ProcessCounts:
        return cast(ProcessCounts, self.row("process", ""))

    def frontend(self, name: str) -> FrontendCounts:
        return cast(FrontendCounts, self.row("frontend", name))

    def listener(self, frontend: str, number: int) -> ListenerCounts:
        return cast(ListenerCounts, self.row("listener", f"{frontend}/{number}"))

    def backend(self, name: str) -> BackendCounts:
        return cast(BackendCounts, self.row("backend", name))

    def server(self, backend: str, name: str) -> ServerCounts:
        return cast(ServerCounts, self.row("server", f"{backend}/{name}"))
