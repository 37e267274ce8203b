"""A segment of shared memory: a memfd that is made before the fork, mapped by every process and read by whoever gets
its descriptor.

Owns: the header (magic, layout version, name, shape, size of the body) and the mapping. Must not know: what the body
holds. The shape is bytes that the body's owner chose; a reload keeps a segment whose name and shape are unchanged.

Invariants: the header never changes after `create`; the size is sealed, so no holder of the descriptor can make another
process fault by shrinking the file; the body starts on a page and is zero at first.

Layout, native byte order: magic 8 bytes, layout version u32, header size u32, body size u64, name length u32, shape
length u32, name (UTF-8), shape, zeros up to the page.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import struct

MAGIC = b"MANIPLE\x00"
LAYOUT_VERSION = 1
_HEADER = struct.Struct("=8sIIQII")
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


class SegmentError(ValueError):
    """The descriptor is not a segment that this version can read."""


class Segment:
    """One mapped segment. `body` is writable bytes shared with every other process that holds the same memfd."""

    __slots__ = ("body", "fd", "mapping", "name", "shape", "start")

    def __init__(self, fd: int, name: str, shape: bytes, mapping: mmap.mmap, start: int) -> None:
        self.fd = fd
        self.name = name
        self.shape = shape
        self.mapping = mapping
        """The whole file; the body begins at `start`. Slices of it are bytes."""
        self.start = start
        self.body = memoryview(mapping)[start:]

    @classmethod
    def create(cls, name: str, size: int, shape: bytes = b"") -> Segment:
        """A new segment with a body of `size` bytes (> 0), all zero. The descriptor is inherited by forked children and
        closed on exec. Raises OSError when the kernel has no memory or descriptor for it."""
        if size <= 0:
            raise ValueError(f"segment {name!r} needs a body, not {size} bytes")
        name_bytes = name.encode()
        used = _HEADER.size + len(name_bytes) + len(shape)
        start = -(-used // mmap.PAGESIZE) * mmap.PAGESIZE
        fd = os.memfd_create(f"maniple-{name}", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(fd, start + size)
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
            mapping = mmap.mmap(fd, start + size)
        except BaseException:
            os.close(fd)
            raise
        _HEADER.pack_into(mapping, 0, MAGIC, LAYOUT_VERSION, start, size, len(name_bytes), len(shape))
        mapping[_HEADER.size : used] = name_bytes + shape
        return cls(fd, name, shape, mapping, start)

    @classmethod
    def private(cls, name: str, size: int, shape: bytes = b"") -> Segment:
        """A segment of this process alone, which goes with the last who holds it: it has no descriptor (`fd` is -1)."""
        return cls(-1, name, shape, mmap.mmap(-1, size), 0)

    @classmethod
    def attach(cls, fd: int) -> Segment:
        """Maps an existing segment; `fd` belongs to the result from then on. Raises SegmentError (and leaves `fd` open)
        when it is not a segment, is of another layout version, or its size does not fit its header."""
        size = os.fstat(fd).st_size
        if size < mmap.PAGESIZE:
            raise SegmentError(f"{size} bytes are too few for a segment")
        mapping = mmap.mmap(fd, size)
        try:
            magic, version, start, body, name_length, shape_length = _HEADER.unpack_from(mapping, 0)
            if magic != MAGIC:
                raise SegmentError("no segment: wrong magic")
            if version != LAYOUT_VERSION:
                raise SegmentError(f"segment of layout {version}, this version reads {LAYOUT_VERSION}")
            name_end = _HEADER.size + name_length
            if start + body != size or start % mmap.PAGESIZE or name_end + shape_length > start:
                raise SegmentError("segment with sizes that contradict each other")
            try:
                name = mapping[_HEADER.size : name_end].decode()
            except UnicodeDecodeError as error:
                raise SegmentError("segment with a name that is not text") from error
            shape = mapping[name_end : name_end + shape_length]
        except BaseException:
            mapping.close()
            raise
        return cls(fd, name, shape, mapping, start)

    def close(self) -> None:
        """Gives the descriptor back, and the mapping unless somebody still holds a view of the body (then the mapping
        goes with the last view)."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
            self.body.release()
            with contextlib.suppress(BufferError):
                self.mapping.close()

    def __repr__(self) -> str:
        return f"<Segment {self.name} fd {self.fd}>"
