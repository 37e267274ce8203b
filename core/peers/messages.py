"""The messages of an established conversation, and where one ends in a stream.

Owns: classes and types of messages and their frames. Must not know: what follows from a message, keys and values.

A message is its class and its type, a byte each; types from 128 on have a body, whose length stands in front.

    class 0, control    0 resync request, 1 resync finished, 2 resync partial, 3 resync confirm, 4 heartbeat
    class 1, error      0 protocol, 1 size
    class 10, table     128 update, 129 the same with the next number, 130 definition, 131 switch, 132 ack,
                        133 and 134: as 128 and 129 with the time that the entry has left

Classes and types that are not known are passed over (Foreign), as HAProxy does; class 255 is reserved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from .faults import MalformedFault, SizeFault
from .integers import decode_integer, encode_integer, read_integer
from .tables import TableDefinition, decode_definition

CONTROL: Final = 0
ERROR: Final = 1
TABLE: Final = 10
UPDATE, NEXT_UPDATE, DEFINITION, SWITCH, ACK, TIMED_UPDATE, NEXT_TIMED_UPDATE = range(128, 135)
LARGEST: Final = 65536
"""Bytes of a body that is taken. HAProxy's own must fit its buffer (tune.bufsize, 16 KiB)."""


class Control(IntEnum):
    """Messages of class 0."""

    RESYNC_REQUEST = 0
    RESYNC_FINISHED = 1
    RESYNC_PARTIAL = 2
    RESYNC_CONFIRM = 3
    HEARTBEAT = 4


class Complaint(IntEnum):
    """Messages of class 1: the sender ends the connection."""

    PROTOCOL = 0
    SIZE = 1


@dataclass(frozen=True, slots=True)
class Definition:
    """The updates that follow are of this table. `table` None: its keys are of an unknown type."""

    number: int
    table: TableDefinition | None
    name: str


@dataclass(frozen=True, slots=True)
class Switch:
    """The updates that follow are of the table that the sender has defined with this number."""

    number: int


@dataclass(frozen=True, slots=True)
class Ack:
    """What came up to `update` (32 bits) of the table that the *receiver* of this calls `number` is in force."""

    number: int
    update: int


@dataclass(frozen=True, slots=True)
class Update:
    """An entry. `update`: its number (32 bits), None: one more than that before; `expire`: ms, None: the table's."""

    update: int | None
    expire: int | None
    body: bytes
    """Key and values (entries)."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A message that is not known."""

    group: int
    kind: int
    body: bytes


Message: TypeAlias = Control | Complaint | Definition | Switch | Ack | Update | Foreign


def encode_message(message: Message) -> bytes:
    """The bytes of a message; ValueError when a number is out of its range."""
    if isinstance(message, Control):
        return bytes((CONTROL, message))
    if isinstance(message, Complaint):
        return bytes((ERROR, message))
    if isinstance(message, Update):
        kind = UPDATE if message.update is not None else NEXT_UPDATE
        head = b"" if message.update is None else _encode_word(message.update)
        if message.expire is not None:
            kind += TIMED_UPDATE - UPDATE
            head += _encode_word(message.expire)
        return _frame(TABLE, kind, head + message.body)
    if isinstance(message, Definition):
        if message.table is None:
            raise ValueError("a definition without its table")
        return _frame(TABLE, DEFINITION, message.table.encode(message.number))
    if isinstance(message, Switch):
        return _frame(TABLE, SWITCH, encode_integer(message.number))
    if isinstance(message, Ack):
        return _frame(TABLE, ACK, encode_integer(message.number) + _encode_word(message.update))
    return _frame(message.group, message.kind, message.body)


def _frame(group: int, kind: int, body: bytes) -> bytes:
    if kind < 128:
        if body:
            raise ValueError(f"messages of type {kind} have no body")
        return bytes((group, kind))
    return bytes((group, kind)) + encode_integer(len(body)) + body


def _encode_word(value: int) -> bytes:
    if not 0 <= value < 1 << 32:
        raise ValueError(f"{value} is not a number of 32 bits")
    return value.to_bytes(4, "big")


def decode_message(group: int, kind: int, body: bytes) -> Message:
    """The message of a frame. MalformedFault and SizeFault."""
    if group == CONTROL and kind <= Control.HEARTBEAT:
        return Control(kind)
    if group == ERROR and kind <= Complaint.SIZE:
        return Complaint(kind)
    if group == TABLE and kind in (UPDATE, NEXT_UPDATE, TIMED_UPDATE, NEXT_TIMED_UPDATE):
        return _decode_update(kind, body)
    if group == TABLE and kind == DEFINITION:
        return Definition(*decode_definition(body))
    if group == TABLE and kind == SWITCH:
        number, at = decode_integer(body)
        _expect_end(body, at)
        return Switch(number)
    if group == TABLE and kind == ACK:
        number, at = decode_integer(body)
        _expect_end(body, at + 4)
        return Ack(number, int.from_bytes(body[at:], "big"))
    if group == 255:
        raise MalformedFault("a message of the reserved class")
    return Foreign(group, kind, body)


def _decode_update(kind: int, body: bytes) -> Update:
    at = 0
    update = expire = None
    if kind in (UPDATE, TIMED_UPDATE):
        update, at = int.from_bytes(body[:4], "big"), 4
    if kind >= TIMED_UPDATE:
        expire = int.from_bytes(body[at : at + 4], "big")
        at += 4
    if len(body) < at:
        raise MalformedFault("an update is cut short")
    return Update(update, expire, body[at:])


def _expect_end(body: bytes, at: int) -> None:
    if at != len(body):
        raise MalformedFault(f"a message of {len(body)} bytes where {at} are due")


class MessageReader:
    """A stream cut into messages."""

    __slots__ = ("_bytes", "_largest")

    def __init__(self, largest: int = LARGEST) -> None:
        self._bytes = bytearray()
        self._largest = largest

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are whole with `data`. MalformedFault and SizeFault; nothing may be fed after one."""
        held = self._bytes
        held += data
        at = 0
        try:
            while len(held) - at >= 2:
                group, kind = held[at], held[at + 1]
                body, after = b"", at + 2
                if kind >= 128:
                    size, start = read_integer(held, at + 2)
                    if start < 0:
                        return
                    if size > self._largest:
                        raise SizeFault(f"a message of {size} bytes")
                    after = start + size
                    if after > len(held):
                        return
                    body = bytes(held[start:after])
                at = after
                yield decode_message(group, kind, body)
        finally:
            del held[:at]
