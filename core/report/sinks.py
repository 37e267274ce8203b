"""Where log messages end: a descriptor, a file, or a datagram socket. A sink never blocks and never raises.

Owns: descriptors and sockets of logs, what is pending on them, and the count of messages dropped. Must not know:
formats, severities, the event loop.

Invariants:
- A message is written whole or not at all. To pipes at most PIPE_BUF bytes go at a time: larger writes of several
  processes tear into each other (pipe(7)). A single message above that size goes alone.
- O_NONBLOCK is never set on an inherited descriptor: the flag belongs to the open file, so it would change the shell or
  the parent that shares it. A pipe or terminal is opened once more through /proc, which gives an open file of our own;
  where that is refused we ask poll before each write.
- What cannot be written stays pending up to KEPT bytes, then the newest is dropped and counted.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import stat

PIPE_BUF = select.PIPE_BUF
KEPT = 256 * 1024
"""Bytes that wait for a reader that is slow."""


class Sink:
    """Pending messages of one target. `append` to `pending` (whole messages with their line end), then `flush`."""

    __slots__ = ("dropped", "pending", "written")

    def __init__(self) -> None:
        self.pending: list[bytes] = []
        self.dropped = 0
        """Messages lost, ever."""
        self.written = 0
        """Messages handed to the kernel, ever."""

    def flush(self) -> bool:
        """Write what can be written now. True when messages are left that should be tried again soon."""
        raise NotImplementedError

    def close(self) -> None:
        """Give the target back; what is pending is lost."""

    def _drop(self, count: int) -> None:
        self.dropped += count

    def _keep(self, messages: list[bytes]) -> bool:
        """Messages go back to wait, as far as there is room."""
        room = KEPT
        kept = 0
        for message in messages:
            room -= len(message)
            if room < 0:
                break
            kept += 1
        self._drop(len(messages) - kept)
        self.pending[:] = messages[:kept]
        return kept > 0


class StreamSink(Sink):
    """A pipe, terminal, regular file or stream socket behind a descriptor that we inherited (`stdout`, `fd@7`)."""

    __slots__ = ("_ask", "_chunk", "_fd", "_own", "_socket")

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        mode = os.fstat(descriptor).st_mode
        self._fd = descriptor
        self._own = False
        self._ask = False
        self._chunk = PIPE_BUF
        self._socket: socket.socket | None = None
        if stat.S_ISSOCK(mode):
            # MSG_DONTWAIT is a flag of one call, so the shared open file stays as it is.
            self._socket = socket.socket(fileno=os.dup(descriptor))
        elif stat.S_ISFIFO(mode) or os.isatty(descriptor):
            try:
                flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
                self._fd = os.open(f"/proc/self/fd/{descriptor}", flags)
                self._own = True
            except OSError:
                self._ask = True
        elif stat.S_ISREG(mode):
            # One write is atomic among those who share the offset, however long it is.
            self._chunk = 65536

    def flush(self) -> bool:
        messages = self.pending
        at = 0
        while at < len(messages):
            end = at + 1
            size = len(messages[at])
            while end < len(messages) and size + len(messages[end]) <= self._chunk:
                size += len(messages[end])
                end += 1
            block = b"".join(messages[at:end])
            if self._ask and not _writable(self._fd):
                return self._keep(messages[at:])
            try:
                sent = self._write(block)
            except (BlockingIOError, InterruptedError):
                return self._keep(messages[at:])
            except OSError:
                # Nobody reads any more (EPIPE), or the disk is full: a log is no reason to stop serving.
                self._drop(len(messages) - at)
                messages.clear()
                return False
            if sent < size:
                # Only what is longer than PIPE_BUF, or goes to a stream socket or a full disk, can be cut. The rest
                # goes first the next time, so that no line is torn.
                end -= 1
                messages[end] = block[sent:]
            self.written += end - at
            at = end
        messages.clear()
        return False

    def _write(self, block: bytes) -> int:
        if self._socket is not None:
            return self._socket.send(block, socket.MSG_DONTWAIT)
        return os.write(self._fd, block)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        elif self._own:
            os.close(self._fd)


def _writable(descriptor: int) -> bool:
    """Whether PIPE_BUF bytes can be written without blocking."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(0))


class FileSink(Sink):
    """A regular file by its path, appended to; made if missing, opened anew when it was moved away (log rotation)."""

    __slots__ = ("_checked", "_fd", "_path", "_turn")

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._fd = -1
        self._turn = 0
        self._open()

    def _open(self) -> None:
        """Raises OSError."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._fd = os.open(self._path, flags, 0o640)

    def flush(self) -> bool:
        messages = self.pending
        if not messages:
            return False
        try:
            self._follow()
            # O_APPEND makes a write atomic among processes, whatever its length.
            block = b"".join(messages)
            if os.write(self._fd, block) == len(block):
                self.written += len(messages)
            else:
                self._drop(1)
        except OSError:
            self._drop(len(messages))
        messages.clear()
        return False

    def _follow(self) -> None:
        """Two stats a flush (3 us) are cheap beside a lost log."""
        try:
            named = os.stat(self._path)
            opened = os.fstat(self._fd)
            if (named.st_ino, named.st_dev) == (opened.st_ino, opened.st_dev):
                return
        except OSError:
            pass
        old = self._fd
        self._open()
        if old >= 0:
            os.close(old)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class DatagramSink(Sink):
    """A syslog server by UDP or by unix datagram; one message a datagram.

    The address goes with every datagram, so that a unix socket that was removed and made again is found at once, and a
    UDP server that was away for a while causes no error on the next message."""

    __slots__ = ("_address", "_socket")

    def __init__(self, family: int, address: str | tuple[str, int]) -> None:
        super().__init__()
        self._address = address
        self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)

    def flush(self) -> bool:
        messages = self.pending
        send, address = self._socket.sendto, self._address
        sent = 0
        try:
            for message in messages:
                send(message, address)
                sent += 1
        except OSError as error:
            self.written += sent
            left = messages[sent:]
            if error.errno in (errno.EAGAIN, errno.ENOBUFS):
                return self._keep(left)
            if error.errno == errno.EMSGSIZE:
                # This one never fits; the others may.
                self._drop(1)
                self.pending[:] = left[1:]
                return bool(self.pending)
            self._drop(len(left))
            messages.clear()
            return False
        self.written += sent
        messages.clear()
        return False

    def close(self) -> None:
        self._socket.close()
