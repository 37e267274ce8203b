"""Locks between processes that the kernel frees when their holder dies: open-file-description locks on bytes of a
file.

Owns: how such a lock is taken. Must not know: what is locked.

Two descriptors that were inherited from one `open` share their locks and so exclude nobody: each thread opens the file
anew, through its /proc entry, before it may be shut into a chroot. Measured: lock and unlock 1.2 us together.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct

_GET, _SET, _SET_WAIT = 36, 37, 38
"""F_OFD_GETLK, F_OFD_SETLK and F_OFD_SETLKW, which fcntl has no names for (Linux, all architectures)."""
_FLOCK = struct.Struct("hhqqi4x")


class ByteLocks:
    """Exclusive locks on bytes 0 .. count - 1 of one file, for one thread. Not for two threads: between them its locks
    do not exclude."""

    __slots__ = ("_free", "_take", "fd")

    def __init__(self, fd: int, count: int) -> None:
        """Opens the file of `fd` anew; `fd` stays the caller's. Raises OSError."""
        self.fd = os.open(f"/proc/self/fd/{fd}", os.O_RDWR | os.O_CLOEXEC)
        self._take = tuple(_FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0) for byte in range(count))
        self._free = tuple(_FLOCK.pack(fcntl.F_UNLCK, os.SEEK_SET, byte, 1, 0) for byte in range(count))

    def take(self, byte: int) -> None:
        """Waits until the byte is this thread's."""
        fcntl.fcntl(self.fd, _SET_WAIT, self._take[byte])

    def try_take(self, byte: int) -> bool:
        """Takes the byte if nobody has it."""
        try:
            fcntl.fcntl(self.fd, _SET, self._take[byte])
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return False
            raise
        return True

    def free(self, byte: int) -> None:
        fcntl.fcntl(self.fd, _SET, self._free[byte])

    def close(self) -> None:
        """Frees all that is taken."""
        if self.fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self.fd)
            self.fd = -1


class NoLocks:
    """The same for a thread that is alone: nobody is excluded."""

    __slots__ = ()

    def take(self, byte: int) -> None:
        """It is this thread's."""

    def try_take(self, byte: int) -> bool:
        return True

    def free(self, byte: int) -> None:
        """Nobody waits."""

    def close(self) -> None:
        """There is nothing to give back."""
