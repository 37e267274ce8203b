"""What a supervisor and its groups say to each other: one message a packet of a SOCK_SEQPACKET pair, with descriptors
beside it where sockets are handed out.

Owns: the kinds and their encoding, sending and receiving without waiting. Must not know: what the receiver does.

Invariants: the kernel keeps packets whole, so there is no framing to get out of step with, and the death of one side is
the end of file of the other (provided nobody else holds its end: a forked group closes all ends but its own). Messages
arrive in the order in which they were sent; what does not fit into the kernel's queue waits in ours, its descriptors
duplicated, so that their owner may close them meanwhile.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import struct
from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

MAX_TEXT = 32768
"""Bytes that travel in the packet itself; a longer text goes beside it, as a memfd."""
MAX_DESCRIPTORS = 128
"""Of one message; the kernel takes 253."""
PROTOCOL = 3
"""Counts changes of this file's meaning: a supervisor with new code finds groups of the old one (upgrade)."""
_HEAD = struct.Struct("!BBqI")
_BESIDE_SIZE = socket.CMSG_SPACE((MAX_DESCRIPTORS + 1) * array("i").itemsize)
_BESIDE = 1
"""Flag: the last descriptor holds the text."""
_LONGEST = 10_000
"""Messages that may wait for a receiver; one that lets so many wait is as good as gone."""
_FULL = frozenset((errno.EAGAIN, errno.ENOBUFS, errno.ETOOMANYREFS))
"""Errors of a send that pass when the receiver reads."""


class Kind(IntEnum):
    """`number` and `text` mean what the comment says; 0 and "" where it says nothing."""

    # From a group.
    BUILT = 1  # all threads have built their runtimes
    READY = 2  # all threads accept
    FAILED = 3  # text: why it cannot start; the group ends
    DRAINED = 4  # no connection is left; the group ends
    BORN = 5  # the process runs; what it has to build may take long
    DONE = 6  # the message with this ticket was carried out; text: what was wrong with it, or the answer to ASK
    CHANGED = 7  # number: thread; content: what its rules changed in maps and ACLs (rules/pattern_changes)
    LEARNED = 8  # of a steward; text: the peers section whose tables know now what peers know
    # From the supervisor.
    GO = 16  # begin to accept
    DRAIN = 17  # number: ms until connections are cut, -1 for never; content: listeners to empty before
    STOP = 18  # cut everything and end
    LISTEN = 19  # content: [[listener, [threads that accept on it], bind index, frontend], …], a descriptor for each
    LEAVE = 20  # content: [listeners that nobody of the group shall accept on any more]
    PAUSE = 21
    RESUME = 22
    REPORT = 23  # number: syslog severity; text: line for the loggers
    SERVER = 24  # content: [[backend, server, state or null, weight or null], …]
    DEAL = 25  # content: the group's part of limits (groups/dealing)
    PEERS = 26  # content: [[frontend, bind index, [pulse rows of the threads that accept there]], …]
    INBOX = 27  # number: pulse row of the thread whose inbox the descriptor sends to; without descriptor: it is gone
    PIN = 28  # content: the CPUs of each thread
    PATTERNS = 29  # content: [[pid, thread, changes], …] in their order; pid 0: an operator's
    ASK = 30  # content: a question about what only a group knows, its subject first; DONE has the answer


@dataclass(frozen=True, slots=True)
class Message:
    """`ticket` is not 0 where the receiver shall answer with DONE and the same ticket. `content` is a value in JSON,
    kept in `text`."""

    kind: Kind
    number: int = 0
    text: str = ""
    ticket: int = 0

    @classmethod
    def of(cls, kind: Kind, content: Any, *, number: int = 0, ticket: int = 0) -> Message:
        return cls(kind, number, json.dumps(content, separators=(",", ":")), ticket)

    @property
    def content(self) -> Any:
        return json.loads(self.text)


class Channel:
    """One end of the pair. Never blocks."""

    __slots__ = ("_outgoing", "received", "socket")

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self.socket = end
        self._outgoing: deque[tuple[bytes, list[int]]] = deque()
        self.received: list[int] = []
        """Descriptors that came with the last message; whoever reads it owns them."""

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(one), cls(other)

    def fileno(self) -> int:
        return self.socket.fileno()

    @property
    def pending(self) -> bool:
        """Something waits for `flush`, which is worth calling when the socket is writable."""
        return bool(self._outgoing)

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> bool:
        """Sends, or keeps it for `flush`. False when the other side is gone or does not read, or there is no descriptor
        for what has to wait."""
        text = message.text.encode("utf-8", "replace")
        if len(text) <= MAX_TEXT:
            return self._send(_HEAD.pack(message.kind, 0, message.number, message.ticket) + text, descriptors)
        try:
            beside = os.memfd_create("message", os.MFD_CLOEXEC)
        except OSError:
            return False
        try:
            with open(beside, "wb", closefd=False) as file:
                file.write(text)
            head = _HEAD.pack(message.kind, _BESIDE, message.number, message.ticket)
            return self._send(head, [*descriptors, beside])
        finally:
            os.close(beside)

    def _send(self, packet: bytes, descriptors: Sequence[int]) -> bool:
        if not self._outgoing:
            try:
                self._put(packet, descriptors)
                return True
            except OSError as error:
                if error.errno not in _FULL:
                    return False
        if len(self._outgoing) >= _LONGEST:
            return False
        copies: list[int] = []
        try:
            copies.extend(os.dup(descriptor) for descriptor in descriptors)
        except OSError:
            _close_all(copies)
            return False
        self._outgoing.append((packet, copies))
        return True

    def flush(self) -> bool:
        """Sends what waits, as far as it goes. False when the other side is gone."""
        while self._outgoing:
            packet, descriptors = self._outgoing[0]
            try:
                self._put(packet, descriptors)
            except OSError as error:
                return error.errno in _FULL
            self._outgoing.popleft()
            _close_all(descriptors)
        return True

    def _put(self, packet: bytes, descriptors: Sequence[int]) -> None:
        if descriptors:
            beside = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", descriptors))
            self.socket.sendmsg([packet], [beside], socket.MSG_NOSIGNAL)
        else:
            self.socket.send(packet, socket.MSG_NOSIGNAL)

    def receive(self) -> Message | None:
        """The next message; its descriptors are in `received` then. Raises BlockingIOError when there is none yet;
        ValueError for what is no message. None: the other side is gone."""
        try:
            # Not socket.recv_fds: it forgets the flag (Python 3.11), and what we get would be every child's.
            packet, beside, _, _ = self.socket.recvmsg(_HEAD.size + MAX_TEXT, _BESIDE_SIZE, socket.MSG_CMSG_CLOEXEC)
        except ConnectionError:
            return None
        descriptors = array("i")
        for level, kind, raw in beside:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptors.frombytes(raw[: len(raw) - len(raw) % descriptors.itemsize])
        self.received = descriptors.tolist()
        if not packet:
            return None
        if len(packet) < _HEAD.size:
            raise ValueError(f"a message of {len(packet)} bytes")
        kind, flags, number, ticket = _HEAD.unpack_from(packet)
        text = packet[_HEAD.size :]
        if flags & _BESIDE:
            with open(self.received.pop(), "rb") as file:
                file.seek(0)
                text = file.read()
        return Message(Kind(kind), number, text.decode("utf-8", "replace"), ticket)

    def close(self) -> None:
        self.socket.close()
        while self._outgoing:
            _close_all(self._outgoing.popleft()[1])


def _close_all(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)
