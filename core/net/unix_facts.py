"""What the kernel knows of a unix socket: the file that it is bound to, and how many clients wait in its queue.

Theory. `getsockname` tells the name that a socket was bound by, which a rename does not change, and `fstat` knows
nothing of the file. The kernel's sock_diag answers both (sock_diag(7), unix_diag): file number and queue of the socket
with a given inode. Where that is not there (no netlink in a sandbox), nothing is known, and callers must do without.

Owns: that question. Must not know: listeners.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
from dataclasses import dataclass

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST = 1
_SHOW_FILE, _SHOW_QUEUE = 0x02, 0x10
_FILE, _QUEUE = 1, 4
"""Kinds of attributes: UNIX_DIAG_VFS, UNIX_DIAG_RQLEN."""
_HEADER = struct.Struct("=IHHII")
_QUESTION = struct.Struct("=BBHIIIII")
_ANSWER = 16
"""Bytes of struct unix_diag_msg, before the attributes."""
_PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class UnixFacts:
    """Of one socket; -1 is unknown, or that there is none."""

    file: int = -1
    """Number of the file that it is bound to; its lowest 32 bits."""
    queue: int = -1
    """Connections that nobody has accepted yet."""


def unix_facts(sock: socket.socket) -> UnixFacts:
    """What is known of it. Never raises."""
    with contextlib.suppress(OSError, struct.error):
        inode = os.fstat(sock.fileno()).st_ino
        question = _QUESTION.pack(
            socket.AF_UNIX, 0, 0, 0xFFFFFFFF, inode & 0xFFFFFFFF, _SHOW_FILE | _SHOW_QUEUE, 0xFFFFFFFF, 0xFFFFFFFF
        )
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as netlink:
            netlink.settimeout(_PATIENCE)
            netlink.send(_HEADER.pack(_HEADER.size + len(question), _SOCK_DIAG_BY_FAMILY, _REQUEST, 1, 0) + question)
            return _read(netlink.recv(8192))
    return UnixFacts()


def leads_to(path: str, sock: socket.socket) -> bool:
    """Whether the socket file at `path` is this socket's. Where the kernel does not tell, any socket file is."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    number = unix_facts(sock).file
    return stat.S_ISSOCK(found.st_mode) and number in (-1, found.st_ino & 0xFFFFFFFF)


def _read(answer: bytes) -> UnixFacts:
    length, kind, _, _, _ = _HEADER.unpack_from(answer)
    if kind != _SOCK_DIAG_BY_FAMILY:
        return UnixFacts()
    file = queue = -1
    position = _HEADER.size + _ANSWER
    while position + 4 <= length:
        size, attribute = struct.unpack_from("=HH", answer, position)
        if attribute == _FILE:
            (file,) = struct.unpack_from("=I", answer, position + 4)
        elif attribute == _QUEUE:
            (queue,) = struct.unpack_from("=I", answer, position + 4)
        position += max(4, (size + 3) & ~3)
    return UnixFacts(file, queue)
