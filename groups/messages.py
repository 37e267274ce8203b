"""What a supervisor and its groups say to each other: one message a packet of a SOCK_SEQPACKET pair.

Owns: the kinds and their encoding, sending and receiving without waiting. Must not know: what the receiver does.

Invariants: the kernel keeps packets whole, so there is no framing to get out of step with, and the death of one side is
the end of file of the other (provided nobody else holds its end: a forked group closes all ends but its own).
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from enum import IntEnum

MAX_TEXT = 32768
_HEAD = struct.Struct("!Bq")


class Kind(IntEnum):
    """`number` and `text` mean what the comment says; 0 and "" where it says nothing."""

    # From a group.
    BUILT = 1  # all threads have built their runtimes
    READY = 2  # all threads accept
    FAILED = 3  # text: why it cannot start; the group ends
    DRAINED = 4  # no connection is left; the group ends
    # From the supervisor.
    GO = 16  # begin to accept
    DRAIN = 17  # number: ms until connections are cut, -1 for never
    STOP = 18  # cut everything and end
    ADOPT = 19  # number: the group whose sockets to accept on
    UNADOPT = 20  # number: the group whose sockets to leave
    PAUSE = 21
    RESUME = 22
    REPORT = 23  # number: syslog severity; text: line for the loggers


@dataclass(frozen=True, slots=True)
class Message:
    kind: Kind
    number: int = 0
    text: str = ""

    def encode(self) -> bytes:
        return _HEAD.pack(self.kind, self.number) + self.text.encode("utf-8", "replace")[:MAX_TEXT]

    @classmethod
    def decode(cls, packet: bytes) -> Message:
        """Raises ValueError for what is no message."""
        if len(packet) < _HEAD.size:
            raise ValueError(f"a message of {len(packet)} bytes")
        kind, number = _HEAD.unpack_from(packet)
        return cls(Kind(kind), number, packet[_HEAD.size :].decode("utf-8", "replace"))


class Channel:
    """One end of the pair. Never blocks."""

    __slots__ = ("socket",)

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self.socket = end

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(one), cls(other)

    def fileno(self) -> int:
        return self.socket.fileno()

    def send(self, message: Message) -> bool:
        """False when the other side is gone, or has not read for so long that the kernel's queue is full."""
        try:
            self.socket.send(message.encode(), socket.MSG_NOSIGNAL)
        except OSError:
            return False
        return True

    def receive(self) -> Message | None:
        """The next message. Raises BlockingIOError when there is none yet; None: the other side is gone."""
        try:
            packet = self.socket.recv(_HEAD.size + MAX_TEXT)
        except ConnectionError:
            return None
        return Message.decode(packet) if packet else None

    def close(self) -> None:
        self.socket.close()
