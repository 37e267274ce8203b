"""Writing to a connection's descriptor directly.

Theory. uvloop's `write` notes the bytes, and writes at the end of the loop's turn: right for many small writes, but a
proxy makes one write for each message, and pays for the note. Writing at once saves 1 us of 17 a proxied request
(measured with a bare byte pump, two writes), and the bytes leave some microseconds earlier. What the kernel does not
take goes the transport's way, and so does everything while bytes of ours are still waiting there.

A descriptor's number is used again after it was closed, so a stale one would send bytes to a stranger. uvloop closes
the descriptor after it has called `connection_lost`, whatever ended the connection (close, abort, an error; a test
holds it to that), so the number is valid until then, and owners forget it in `connection_lost`.

Owns: this one write, and the question what there is to read. Must not know: what is written.
"""

from __future__ import annotations

import array
import asyncio
import fcntl
import os
import termios


def write_now(descriptor: int, transport: asyncio.Transport, data: bytes) -> None:
    """Write `data` to a plain (not TLS) connection, in order with what its transport still has to write. `descriptor`:
    its number, -1 if it is not known. Errors are the transport's to find."""
    if descriptor < 0 or transport.get_write_buffer_size():
        transport.write(data)
        return
    try:
        sent = os.write(descriptor, data)
    except OSError:
        sent = 0
    if sent != len(data):
        transport.write(data[sent:])


def write_pair_now(descriptor: int, transport: asyncio.Transport, first: bytes, second: memoryview) -> None:
    """The same for two pieces that stand apart in memory, as one write: in two, the first would be a packet of its own
    (64 KiB responses: 8 us of 62)."""
    if descriptor < 0 or transport.get_write_buffer_size():
        transport.writelines((first, second))
        return
    try:
        sent = os.writev(descriptor, (first, second))
    except OSError:
        sent = 0
    if sent < len(first):
        transport.write(first[sent:])
        sent = len(first)
    if sent - len(first) < len(second):
        transport.write(second[sent - len(first) :])


def unread(descriptor: int) -> int:
    """Bytes that the kernel holds for us to read; 0 for a descriptor that is none (any more)."""
    size = array.array("i", (0,))
    if descriptor >= 0:
        try:
            fcntl.ioctl(descriptor, termios.FIONREAD, size)
        except OSError:
            return 0
    return size[0]
