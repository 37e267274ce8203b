"""Listening sockets passed between processes as HAProxy does it: `_getsocks` on a stats socket with `expose-fd
listeners` (management guide, 3 `-x`), in both directions.

Theory. HAProxy 2.6 and 3.0 were observed: the client sends `_getsocks` and a line feed. The server answers with the
number of sockets, then with messages of at most 252 descriptors. The bytes beside them say for each descriptor: length
and name of its network namespace, length and name of its interface (a byte for each length), and a word of options,
which is 0. The client acknowledges each message with a word, the number that it had before. Words are 32 bits in the
machine's order. The sockets are shared from then on: both processes could accept on them, until the old one lets go.

Owns: this exchange, with limits of time in both directions. Must not know: what the sockets are used for.
"""

from __future__ import annotations

import array
import contextlib
import os
import socket
import struct
import time
from collections.abc import Sequence

from ..core.errors import ManipleError
from .listener import Listener
from .sockets import ListeningSocket, bound_interface

QUESTION = b"_getsocks\n"
BATCH = 252
"""Most descriptors of one message."""
PATIENCE = 2.0
"""Seconds for the whole exchange."""
_MOST_DESCRIPTORS = 253
"""SCM_MAX_FD: of one message, from whomever."""
_MOST_BYTES = _MOST_DESCRIPTORS * 520
_MOST_SOCKETS = 1_000_000
_WORD = struct.Struct("=i")


class InheritanceError(ManipleError):
    """The old process does not give us its sockets."""


def ask_for_sockets(path: str, patience: float = PATIENCE) -> list[socket.socket]:
    """The listening sockets of the process whose stats socket is at `path`. Raises InheritanceError with HAProxy's
    words; then nothing stays open."""
    deadline = time.monotonic() + patience
    found: list[socket.socket] = []
    with contextlib.ExitStack() as undo, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        undo.callback(_close, found)
        try:
            connection.settimeout(patience)
            connection.connect(path)
        except (OSError, ValueError) as error:
            raise InheritanceError(f"Failed to connect to the old process socket '{path}'") from error
        try:
            connection.sendall(QUESTION)
            count = _read_word(connection, deadline)
        except (OSError, EOFError) as error:
            raise InheritanceError("Failed to get the number of sockets to be transferred !") from error
        if not 0 <= count <= _MOST_SOCKETS:
            raise InheritanceError(f"Got a bad number of sockets ({count})")
        received = 0
        foreign: list[socket.socket] = []
        undo.callback(_close, foreign)
        try:
            while received < count:
                socks, names = _read_batch(connection, deadline)
                for sock, namespace in zip(socks, names, strict=True):
                    # What is bound in another network namespace serves none of our addresses.
                    (foreign if namespace else found).append(sock)
                with contextlib.suppress(BrokenPipeError):  # HAProxy does not wait for the last one
                    connection.sendall(_WORD.pack(received))
                received += len(socks)
        except (OSError, EOFError, ValueError) as error:
            raise InheritanceError("Unexpected error while transferring sockets") from error
        undo.pop_all()
        _close(foreign)
    return found


def send_sockets(connection: socket.socket, listeners: Sequence[Listener], patience: float = PATIENCE) -> bool:
    """Answers `_getsocks` that was read from `connection`. True: all were sent, and somebody else accepts on them now,
    so that we do not refuse anybody there any more. The connection stays open; blocks for `patience` at most."""
    deadline = time.monotonic() + patience
    try:
        _limit(connection, deadline)
        connection.sendall(_WORD.pack(len(listeners)))
        for start in range(0, len(listeners), BATCH):
            batch = listeners[start : start + BATCH]
            content = b"".join(_describe(listener.sock) for listener in batch)
            _limit(connection, deadline)
            descriptors = array.array("i", [listener.sock.fileno() for listener in batch])
            sent = connection.sendmsg([content], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
            if sent < len(content):  # an empty send to a client that has taken all and gone would fail
                connection.sendall(content[sent:])
            _read_word(connection, deadline)
    except EOFError:
        # All were received: a client in a hurry does not acknowledge the last message.
        if start + BATCH < len(listeners):
            return False
    except OSError:
        return False
    for listener in listeners:
        if isinstance(listener.sock, ListeningSocket):
            listener.sock.foreign = True
    return True


def _describe(sock: socket.socket) -> bytes:
    interface = b"" if sock.family == socket.AF_UNIX else bound_interface(sock).encode()
    return b"\0" + bytes((len(interface),)) + interface + _WORD.pack(0)


def _read_batch(connection: socket.socket, deadline: float) -> tuple[list[socket.socket], list[bytes]]:
    """The sockets of a message and the names of their namespaces. ValueError when it is not as it should be."""
    _limit(connection, deadline)
    room = socket.CMSG_LEN(_MOST_DESCRIPTORS * 4)
    content, ancillary, flags, _ = connection.recvmsg(_MOST_BYTES, room, socket.MSG_CMSG_CLOEXEC)
    descriptors = array.array("i")
    for level, kind, body in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(body[: len(body) - len(body) % descriptors.itemsize])
    socks: list[socket.socket] = []
    try:
        while descriptors:
            socks.append(ListeningSocket(fileno=descriptors[0]))
            descriptors.pop(0)
        if flags & socket.MSG_CTRUNC:
            raise ValueError("too many descriptors")
        if not socks:
            raise EOFError
        # The kernel may hand out a long message in pieces; the descriptors come with the first.
        names = _namespaces(content, len(socks))
        while names is None:
            _limit(connection, deadline)
            more = connection.recv(_MOST_BYTES)
            if not more or len(content) > _MOST_BYTES:
                raise EOFError
            content += more
            names = _namespaces(content, len(socks))
    except BaseException:
        _close(socks)
        for number in descriptors:
            os.close(number)
        raise
    return socks, names


def _namespaces(content: bytes, count: int) -> list[bytes] | None:
    """The names of `count` entries; None: there are bytes to come. ValueError: there are too many."""
    names = []
    position = 0
    for _ in range(count):
        if position >= len(content):
            return None
        length = content[position]
        names.append(content[position + 1 : position + 1 + length])
        position += 1 + length
        if position >= len(content):
            return None
        position += 1 + content[position] + _WORD.size
    if position > len(content):
        return None
    if position < len(content):
        raise ValueError("bytes that belong to no socket")
    return names


def _read_word(connection: socket.socket, deadline: float) -> int:
    received = b""
    while len(received) < _WORD.size:
        _limit(connection, deadline)
        more = connection.recv(_WORD.size - len(received))
        if not more:
            raise EOFError
        received += more
    return int(_WORD.unpack(received)[0])


def _limit(connection: socket.socket, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    connection.settimeout(left)


def _close(socks: Sequence[socket.socket]) -> None:
    for sock in socks:
        sock.close()
