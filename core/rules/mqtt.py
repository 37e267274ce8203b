"""The first packets of MQTT, CONNECT and CONNACK (MQTT 3.1, 3.1.1 and 5.0; sections 3.1 and 3.2 of both standards).

Owns: reading them, with the names that HAProxy's manual has for their fields. Must not know: converters. Invariants: a
packet that is cut off has no fields yet (`Unfinished`); one that breaks a rule of the standard has none at all
(`Broken`); nothing is read beyond it.
"""

from __future__ import annotations

from collections.abc import Mapping

CONNECT, CONNACK = 1, 2

Field = str | int
"""A field's name, or a property's number."""
Value = bytes | int


class Unfinished(Exception):
    """More bytes may make it a packet."""


class Broken(Exception):
    """It is no such packet, whatever follows."""


_BYTE, _TWO, _FOUR, _TEXT, _PAIR = range(5)
_WILL: Mapping[int, int] = {1: _BYTE, 2: _FOUR, 3: _TEXT, 8: _TEXT, 9: _TEXT, 24: _FOUR, 38: _PAIR}
PROPERTIES: Mapping[int, Mapping[int, int]] = {
    CONNECT: {
        **dict.fromkeys((23, 25), _BYTE),
        **dict.fromkeys((33, 34), _TWO),
        **dict.fromkeys((17, 39), _FOUR),
        **dict.fromkeys((21, 22), _TEXT),
        38: _PAIR,
    },
    CONNACK: {
        **dict.fromkeys((36, 37, 40, 41, 42), _BYTE),
        **dict.fromkeys((19, 33, 34), _TWO),
        **dict.fromkeys((17, 39), _FOUR),
        **dict.fromkeys((18, 21, 22, 26, 28, 31), _TEXT),
        38: _PAIR,
    },
}
"""Packet -> number of a property that may stand there -> its kind."""
USER_PROPERTY = 38
"""May stand there more than once, and has no value of its own."""
NAMES: Mapping[int, tuple[str, ...]] = {
    CONNECT: (
        *("flags", "protocol_name", "protocol_version", "client_identifier", "will_topic", "will_payload"),
        *("username", "password", "keepalive"),
    ),
    CONNACK: ("flags", "protocol_version", "reason_code"),
}
NUMBERS: Mapping[int, frozenset[int]] = {
    CONNECT: frozenset({*PROPERTIES[CONNECT], *_WILL} - {USER_PROPERTY}),
    CONNACK: frozenset({*PROPERTIES[CONNACK]} - {USER_PROPERTY}),
}
"""Packet -> the properties that have a value."""
_YES_OR_NO = frozenset((1, 23, 25, 36, 37, 40, 41, 42))
"""Properties that are 0 or 1 and nothing else."""
_NOT_ZERO = frozenset((33, 39))
_METHOD, _AUTHENTICATION = 21, 22
"""The second one needs the first."""


class _Reader:
    """Goes over the bytes of a packet."""

    __slots__ = ("at", "end", "message")

    def __init__(self, message: bytes, at: int, end: int) -> None:
        self.message = message
        self.at = at
        self.end = end

    def take(self, size: int) -> bytes:
        start = self.at
        if start + size > self.end:
            raise Broken
        self.at = start + size
        return self.message[start : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def text(self) -> bytes:
        return self.take(self.number(2))

    def variable(self) -> int:
        value = shift = 0
        while shift < 28:
            byte = self.number(1)
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
        raise Broken


def _packet(message: bytes) -> tuple[int, _Reader]:
    """The kind of the first packet, and a reader of what is behind its fixed header."""
    if not message:
        raise Unfinished
    kind = message[0] >> 4
    if kind not in (CONNECT, CONNACK) or message[0] & 15:
        raise Broken
    size = 0
    for index in range(1, 5):
        if index == len(message):
            raise Unfinished
        byte = message[index]
        size |= (byte & 127) << 7 * (index - 1)
        if byte < 128:
            if len(message) < index + 1 + size:
                raise Unfinished
            return kind, _Reader(message, index + 1, index + 1 + size)
    raise Broken


def _read_properties(reader: _Reader, kinds: Mapping[int, int], into: dict[Field, Value]) -> None:
    size = reader.variable()
    inner = _Reader(reader.message, reader.at, reader.at + size)
    reader.take(size)
    seen: set[int] = set()
    while inner.at < inner.end:
        # A variable number, but none is above 127.
        number = inner.number(1)
        kind = kinds.get(number)
        if kind is None or (number in seen and number != USER_PROPERTY):
            raise Broken
        seen.add(number)
        if kind == _PAIR:
            inner.text()
            inner.text()
        elif kind == _TEXT:
            into[number] = inner.text()
        else:
            value = inner.number({_BYTE: 1, _TWO: 2, _FOUR: 4}[kind])
            if (number in _YES_OR_NO and value > 1) or (number in _NOT_ZERO and not value):
                raise Broken
            into[number] = value
    if _AUTHENTICATION in seen and _METHOD not in seen:
        raise Broken


def _connect(reader: _Reader) -> dict[Field, Value]:
    name = reader.text()
    version = reader.number(1)
    if (name, version) not in ((b"MQIsdp", 3), (b"MQTT", 4), (b"MQTT", 5)):
        raise Broken
    flags = reader.number(1)
    will, quality, retained = flags & 4, flags >> 3 & 3, flags & 32
    if flags & 1 or quality == 3 or (not will and (quality or retained)):
        raise Broken
    # From 5.0 on there may be a password without a name.
    if version < 5 and flags & 64 and not flags & 128:
        raise Broken
    fields: dict[Field, Value] = {"flags": flags, "protocol_name": name, "protocol_version": version}
    fields["keepalive"] = reader.number(2)
    if version == 5:
        _read_properties(reader, PROPERTIES[CONNECT], fields)
    fields["client_identifier"] = reader.text()
    if will:
        if version == 5:
            _read_properties(reader, _WILL, fields)
        fields["will_topic"] = reader.text()
        fields["will_payload"] = reader.text()
    if flags & 128:
        fields["username"] = reader.text()
    if flags & 64:
        fields["password"] = reader.text()
    return fields


def _connack(reader: _Reader) -> dict[Field, Value]:
    fields: dict[Field, Value] = {"flags": reader.number(1), "reason_code": reader.number(1)}
    if fields["flags"] not in (0, 1):
        raise Broken
    # It does not say the version: older ones have nothing behind the code.
    if reader.at == reader.end:
        fields["protocol_version"] = 4
        return fields
    fields["protocol_version"] = 5
    _read_properties(reader, PROPERTIES[CONNACK], fields)
    return fields


def read_packet(message: bytes) -> tuple[int, dict[Field, Value]]:
    """The kind of the packet that a message begins with, and its fields. Raises Unfinished, Broken."""
    kind, reader = _packet(message)
    fields = _connect(reader) if kind == CONNECT else _connack(reader)
    if reader.at != reader.end:
        raise Broken
    return kind, fields
