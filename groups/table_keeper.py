"""Keeps stick tables over restarts: reads them when they are made, has them written from time to time and at the end.

Owns: which file holds which tables, the process that writes them. Must not know: the file's format (table_file), when
generations come and go.

Writing takes 10 us an entry, too long for the supervisor's loop: a forked process does it while the groups go on, with
a writer's number of its own. Reading is done by the supervisor before the first group is forked, 30 us an entry, so
that no client is sent anywhere by an empty table. At the end, when nobody counts any more, the supervisor writes by
itself.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from functools import partial

from ..core.config.table_spec import TableSpec
from ..pools.segment import Segment
from .lone_process import fork_alone
from .notices import Notices
from .table_file import Block, TableFileError, dump, load, read_file, write_file
from .tables import Tables, open_table
from .timetable import Timetable

BUSY = 1.0
"""Seconds that a file waits whose turn has come while another one is written."""
CARRIED = 100_000
"""Entries that a table whose shape has changed takes over from the one before; the supervisor does nothing else for 3 s
meanwhile."""
Files = dict[str, dict[str, Segment]]
"""By path: the tables that it holds, by name."""


class TableKeeper:
    """All files of all tables."""

    def __init__(self, tables: Tables, notices: Notices, timetable: Timetable) -> None:
        self._tables = tables
        self._notices = notices
        self._timetable = timetable
        self._files: Files = {}
        self._intervals: dict[str, float] = {}
        """By path: seconds from one writing to the next."""
        self._read: dict[str, dict[str, Block]] = {}
        """What files hold that were read; forgotten when all tables are made."""
        self._pid = 0
        """Of the process that writes; 0: nobody does."""
        self._writer = 0
        self._writing: Files = {}

    def fill(self, spec: TableSpec, segment: Segment, before: Segment | None) -> None:
        """A table was made: it takes over what the one of that name held `before`, which had another shape, or what its
        file holds."""
        try:
            if before is not None:
                self._carry_over(segment, before)
            elif spec.file:
                block = self._blocks(spec.file).get(spec.name)
                if block is not None:
                    self._load(segment, block)
        except TableFileError as error:
            self._notices.warning(f"stick table '{spec.name}' begins empty: {error}.")

    def set(self, specs: Mapping[str, TableSpec], tables: Mapping[str, Segment]) -> None:
        """These tables are in service."""
        self._read.clear()
        self._files = {}
        before, self._intervals = self._intervals, {}
        for name, spec in specs.items():
            if spec.file:
                self._files.setdefault(spec.file, {})[name] = tables[name]
                interval = spec.file_interval / 1000
                self._intervals[spec.file] = min(interval, self._intervals.get(spec.file, interval))
        for path in before.keys() - self._files.keys():
            self._timetable.forget(("table-file", path))
        for path, interval in self._intervals.items():
            if before.get(path) != interval:
                self._appoint(path, interval)

    def child_ended(self) -> None:
        """Some child may be dead."""
        if not self._pid:
            return
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid:
            self._ended(status)

    def stop(self) -> None:
        """Nobody writes any more; what is half written is nothing."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            self._ended(os.waitpid(self._pid, 0)[1], told=False)

    def finish(self) -> None:
        """The groups have ended: writes what is there now."""
        self.stop()
        for path, tables in self._files.items():
            self._timetable.forget(("table-file", path))
            try:
                _write(path, tables, 0, self._tables.others)
            except OSError as error:
                self._notices.alert(f"table-file {path} cannot be written ({error.strerror}).")
        self._files, self._intervals = {}, {}

    def _appoint(self, path: str, delay: float) -> None:
        self._timetable.at(("table-file", path), time.monotonic() + delay, partial(self._save, path))

    def _save(self, path: str) -> None:
        if self._pid:
            self._appoint(path, BUSY)
            return
        self._appoint(path, self._intervals[path])
        tables = self._files[path]
        descriptors = [segment.fd for segment in tables.values()]
        try:
            (self._writer,) = self._tables.engage(1)
        except ValueError as error:
            self._notices.warning(f"table-file: nobody can write it now ({error}).")
            return
        try:
            work = partial(_write_alone, path, tables, self._writer, self._tables.others)
            self._pid = fork_alone(work, descriptors)
        except OSError as error:
            self._tables.dismiss((self._writer,))
            self._notices.warning(f"table-file: nobody can write it now ({error.strerror}).")
        else:
            self._writing = {path: tables}

    def _ended(self, status: int, *, told: bool = True) -> None:
        for tables in self._writing.values():
            # A reload may have closed some meanwhile.
            self._tables.vacate({name: one for name, one in tables.items() if one.fd >= 0}, (self._writer,))
        self._tables.dismiss((self._writer,))
        self._pid = 0
        if status and told:
            code = os.waitstatus_to_exitcode(status)
            why = os.strerror(code) if code > 0 else f"signal {-code}"
            self._notices.alert(f"table-file {', '.join(self._writing)} cannot be written ({why}).")
        self._writing = {}

    def _blocks(self, path: str) -> dict[str, Block]:
        if path not in self._read:
            try:
                blocks, complaint = read_file(path)
            except FileNotFoundError:
                blocks, complaint = [], ""
            except OSError as error:
                blocks, complaint = [], error.strerror or str(error)
            if complaint and not os.path.isfile(path):
                self._notices.warning(f"table-file {path} cannot be read ({complaint}).")
            elif complaint:
                # It would be overwritten by the next one.
                kept = f"{path}.damaged"
                with contextlib.suppress(OSError):
                    os.replace(path, kept)
                self._notices.warning(
                    f"table-file {path}: {complaint}; what it holds from there on is skipped, it is kept as {kept}."
                )
            self._read[path] = {block.name: block for block in blocks}
        return self._read[path]

    def _load(self, segment: Segment, block: Block) -> None:
        table = open_table(segment, 0)
        try:
            load(table, block, _now(), _date())
        finally:
            table.close()

    def _carry_over(self, segment: Segment, before: Segment) -> None:
        table = open_table(before, 0)
        table.arrays.leave_out(self._tables.others)
        try:
            if len(table) > CARRIED:
                raise TableFileError(f"its shape has changed, and {len(table)} entries are too many to take over")
            block = dump(table, _now(), _date())
        finally:
            table.close()
        self._load(segment, block)


def _write_alone(path: str, tables: Mapping[str, Segment], writer: int, others: frozenset[int]) -> int:
    """In the process that writes: its exit code."""
    try:
        _write(path, tables, writer, others)
    except OSError as error:
        return error.errno or 1
    return 0


def _write(path: str, tables: Mapping[str, Segment], writer: int, others: frozenset[int]) -> None:
    """`others`: columns of other machines, who tell their figures again when they are asked."""
    blocks = []
    for segment in tables.values():
        table = open_table(segment, writer)
        table.arrays.leave_out(others)
        try:
            blocks.append(dump(table, _now(), _date()))
        finally:
            table.close()
    write_file(path, blocks)


def _now() -> int:
    return time.monotonic_ns() // 1_000_000


def _date() -> int:
    return time.time_ns() // 1_000_000
