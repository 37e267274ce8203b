"""Stick tables in a file: what `table-file` keeps over restarts.

Owns: the format, and how entries become lines and entries again. Must not know: when files are written.

A file is a line that says what it is, and a block for each table: a line with the checksum of what stands behind it in
that line, then JSON (the table's name, its type of keys, what it stores, the date in ms since the epoch, the number of
entries, length and checksum of the lines that follow); then a line of JSON for each entry: key as hexadecimal digits,
ms until it expired (null: never), a list of values for each data type. The last line is `end`.

Invariants: only regular files are read, and only they are replaced (a path may be a device's by mistake), each as a
whole or not at all; nobody else may read a new one, for keys may be sessions'. A block is read only when its checksums
are right, so nothing is half read; blocks before a damaged one are whole. What a table stores today and did not store
then begins at zero; `conn_cur` is not kept, for connections are not.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ..core.errors import ManipleError
from ..pools.table import Table
from ..pools.table_shape import FOREVER, Kind, Stored

MAGIC = b"maniple table-file 1\n"
_END = b"end\n"
_NOT_KEPT = (Kind.GAUGE,)


class TableFileError(ManipleError):
    """A file, or a part of it, cannot be read."""


@dataclass(frozen=True, slots=True)
class Block:
    """One table as a file has it."""

    name: str
    key: str
    width: int
    stored: tuple[Stored, ...]
    date: int
    """When it was written, ms since the epoch."""
    entries: tuple[tuple[bytes, int | None, tuple[tuple[Any, ...], ...]], ...]
    """Key, ms until it expires (None: never), for each of `stored` its elements."""


def dump(table: Table, now: int, date: int) -> Block:
    """What is in the table now. Entries that come or go meanwhile may be in it or not. `now`: ms of the tables' clock,
    `date`: the same moment, ms since the epoch."""
    kept = tuple(one for one in table.shape.stored if one.kind not in _NOT_KEPT)
    cells = [[table.cell(one.name, element) for element in range(one.elements)] for one in kept]
    names = [one.kind is Kind.NAME for one in kept]
    entries = []
    for found in table.slots():
        key = table.key(found)
        slot = table.hold(key, now)
        if not slot:
            continue
        try:
            left = table.remaining(slot, now)
            values = tuple(
                tuple(
                    table.names.text(cell.value(slot, now)).decode("latin-1") if name else cell.value(slot, now)
                    for cell in row
                    if cell is not None
                )
                for row, name in zip(cells, names, strict=True)
            )
        finally:
            table.release(slot)
        entries.append((key, None if left >= FOREVER // 2 else left, values))
    return Block(table.name, table.shape.key, table.shape.width, kept, date, tuple(entries))


def load(table: Table, block: Block, now: int, date: int) -> int:
    """Puts the block's entries into the table, but for those that have expired since and those that it knows already;
    how many. Raises TableFileError when its keys are of another type."""
    shape = table.shape
    if (block.key, block.width) != (shape.key, shape.width):
        raise TableFileError(f"its keys are {block.key} of {block.width} bytes, not {shape.key} of {shape.width}")
    passed = max(0, date - block.date)
    columns = [
        (place, one)
        for place, one in enumerate(block.stored)
        if any(one.name == ours.name and one.period == ours.period for ours in shape.stored)
    ]
    loaded = 0
    for key, left, values in block.entries:
        if left is not None and left <= passed:
            continue
        known = table.hold(key, now)
        if known:
            table.release(known)
            continue
        slot = table.track(key, now)
        if not slot:
            break
        try:
            if left is not None:
                table.date(slot, min(now + left - passed, now + table.expire))
            for place, one in columns:
                _restore(table, slot, one, values[place], passed, now)
        finally:
            table.release(slot)
        loaded += 1
    return loaded


def _restore(table: Table, slot: int, stored: Stored, values: tuple[Any, ...], passed: int, now: int) -> None:
    for element, value in enumerate(values):
        cell = table.cell(stored.name, element)
        if cell is None:
            break
        if stored.kind is Kind.NAME:
            value = table.names.number(value.encode("latin-1"))
        elif stored.kind is Kind.RATE:
            # Its events grow old while nobody runs.
            value = value * max(0, stored.period - passed) // stored.period
        if value:
            cell.set(slot, value, now)


def write_file(path: str, blocks: Iterable[Block]) -> None:
    """Replaces the file, whose mode stays. Raises OSError, and then the one before is as it was."""
    target = Path(path)
    draft = target.with_name(f".{target.name}.new")
    mode = _mode(path)
    try:
        # Where others can write to the folder they may have put a link there.
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(MAGIC)
            for block in blocks:
                body = b"".join(
                    orjson.dumps([key.hex(), left, values], option=orjson.OPT_APPEND_NEWLINE)
                    for key, left, values in block.entries
                )
                head = orjson.dumps(
                    {
                        "table": block.name,
                        "key": block.key,
                        "width": block.width,
                        "stored": [[one.name, one.elements, one.period] for one in block.stored],
                        "date": block.date,
                        "entries": len(block.entries),
                        "bytes": len(body),
                        "crc": zlib.crc32(body),
                    }
                )
                file.write(b"%08x %b\n" % (zlib.crc32(head), head))
                file.write(body)
            file.write(_END)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise
    with contextlib.suppress(OSError):
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _mode(path: str) -> int:
    """The permissions of the file, or of one that is made. Raises OSError for what is no file."""
    try:
        found = os.stat(path).st_mode
    except FileNotFoundError:
        return 0o600
    if not stat.S_ISREG(found):
        code = errno.EISDIR if stat.S_ISDIR(found) else errno.EINVAL
        raise OSError(code, os.strerror(code))
    return stat.S_IMODE(found)


def read_file(path: str) -> tuple[list[Block], str]:
    """The blocks that are whole, up to the first one that is not; what is wrong with that, "" if nothing is. Raises
    OSError."""
    _mode(path)
    content = Path(path).read_bytes()
    blocks: list[Block] = []
    try:
        blocks.extend(_read(content))
    except TableFileError as error:
        return blocks, str(error)
    return blocks, ""


def _read(content: bytes) -> Iterator[Block]:
    """As many as are whole (a list that is extended has them all when the error comes)."""
    if not content.startswith(MAGIC):
        raise TableFileError("it is no table-file of this version")
    at = len(MAGIC)
    while content[at:] != _END:
        end = content.find(b"\n", at)
        crc, _, head = content[at : max(end, at)].partition(b" ")
        if end < 0 or crc != b"%08x" % zlib.crc32(head):
            raise TableFileError(f"damaged at byte {at}")
        said = orjson.loads(head)
        at = end + 1 + said["bytes"]
        body = content[end + 1 : at]
        if len(body) < said["bytes"] or zlib.crc32(body) != said["crc"]:
            raise TableFileError(f"the entries of table {said['table']} are damaged")
        entries = []
        for line in body.splitlines():
            key, left, values = orjson.loads(line)
            entries.append((bytes.fromhex(key), left, tuple(map(tuple, values))))
        stored = tuple(Stored(*one) for one in said["stored"])
        yield Block(said["table"], said["key"], said["width"], stored, said["date"], tuple(entries))
