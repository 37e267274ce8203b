"""Stick tables over the supervisor's life: which segments there are, who uses them, and who writes where.

Owns: making a configuration's tables, keeping those whose name and shape agree over reloads, the writers' numbers.
Must not know: what is stored in them, configuration files, when generations come and go.

Invariants: a table's segment is open as long as a generation uses it. A writer's number (a column of every table, see
pools/table_shape) belongs to one thread of all generations; when that thread's process is dead its column holds nothing
any more before another may have it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping

from ..core.config.model import Configuration
from ..core.config.table_spec import TableSpec
from ..pools.segment import Segment
from ..pools.table import Table, create_table
from ..pools.table_arrays import highest_writer, vacate
from ..pools.table_shape import WRITERS, TableShape
from .shared import Slots


def open_table(segment: Segment, writer: int) -> Table:
    """The table as that writer uses it; writer 0 is the supervisor. Raises OSError, or ValueError when it is none."""
    # Only who has tables pays for the import.
    from xxhash import xxh3_64_intdigest

    return Table(segment, writer, xxh3_64_intdigest)


class Tables:
    """All tables and their writers."""

    def __init__(self) -> None:
        self.fill: Callable[[TableSpec, Segment, Segment | None], None] | None = None
        """Called for each table that is made, with the one of its name before, which had another shape."""
        self.others: frozenset[int] = frozenset()
        """Writers' numbers of other machines, whose counts are in our tables (groups/stewardship)."""
        self._users: dict[Segment, int] = {}
        self._writers = Slots()

    def open(self, configuration: Configuration, kept: Mapping[str, Segment]) -> dict[str, Segment]:
        """The tables of that configuration by name: those of `kept` that it has too, and new ones. One more user has
        them. Raises OSError, and then no new one is open."""
        opened: dict[str, Segment] = {}
        try:
            for name, spec in configuration.tables.items():
                segment = before = kept.get(name)
                if segment is None or segment.shape != spec.shape.encode():
                    segment = create_table(name, spec.shape, secrets.randbits(64))
                opened[name] = segment
                self._users[segment] = self._users.get(segment, 0) + 1
                if segment is not before and self.fill is not None:
                    self.fill(spec, segment, before)
        except OSError:
            self.close(opened)
            raise
        return opened

    def adopt(self, descriptors: Iterable[int], writers: Iterable[int]) -> dict[str, Segment]:
        """The tables that another program had opened for a generation, by name, and who writes to them (upgrade): but
        for those that this version lays out otherwise; they go with the groups that use them."""
        adopted = {}
        known = {segment.fd: segment for segment in self._users}
        for descriptor in descriptors:
            try:
                segment = known.get(descriptor) or Segment.attach(descriptor)
                TableShape.decode(segment.shape)
            except ValueError:
                continue
            adopted[segment.name] = segment
            self._users[segment] = self._users.get(segment, 0) + 1
        self._writers.claim(writer - 1 for writer in writers)
        return adopted

    def close(self, tables: Mapping[str, Segment]) -> None:
        """A user less."""
        for segment in tables.values():
            self._users[segment] -= 1
            if not self._users[segment]:
                del self._users[segment]
                segment.close()

    def engage(self, count: int) -> tuple[int, ...]:
        """Numbers for so many writers. Raises ValueError when there are not so many left."""
        return tuple(slot + 1 for slot in self._writers.take(count))

    def engage_new(self, count: int) -> tuple[int, ...]:
        """The same, of numbers that nobody has had: their columns are empty in all tables."""
        used = max((highest_writer(segment) for segment in self._users), default=0)
        first = max(self._writers.highest, used)
        if first + count > WRITERS - 1:
            raise ValueError(f"no more than {WRITERS - 1} writers can be there")
        self._writers.claim(range(first, first + count))
        return tuple(range(first + 1, first + count + 1))

    def claim(self, writers: Iterable[int]) -> None:
        """These are taken already (upgrade)."""
        self._writers.claim(writer - 1 for writer in writers)

    def forget(self, writers: Iterable[int]) -> None:
        """Those numbers are free, and what they have counted is nothing any more."""
        numbers = tuple(writers)
        for segment in self._users:
            for writer in numbers:
                vacate(segment, writer, counts=True)
        self.dismiss(numbers)

    def vacate(self, tables: Mapping[str, Segment], writers: Iterable[int]) -> None:
        """The process of those writers is dead: what it held and had open in its tables is no more. Its numbers are
        its successor's."""
        for writer in writers:
            for segment in tables.values():
                vacate(segment, writer)

    def dismiss(self, writers: Iterable[int]) -> None:
        """Those numbers are free: no successor comes."""
        self._writers.free(writer - 1 for writer in writers)
