"""CONNECT and CONNACK: packets made and read, cut anywhere, and anything (cases: protocols.txt, beside HAProxy)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.rules.mqtt import CONNACK, CONNECT, NAMES, NUMBERS, PROPERTIES, Broken, Unfinished, read_packet


def text(content: bytes) -> bytes:
    return len(content).to_bytes(2, "big") + content


def packet(kind: int, content: bytes) -> bytes:
    size, rest = b"", len(content)
    while rest > 127:
        size += bytes((rest & 127 | 128,))
        rest >>= 7
    return bytes((kind << 4,)) + size + bytes((rest,)) + content


TEXT = st.binary(max_size=90)


@given(st.sampled_from((4, 5)), TEXT, st.none() | st.tuples(TEXT, TEXT), st.none() | TEXT, st.none() | TEXT)
def test_connect(
    version: int, client: bytes, will: tuple[bytes, bytes] | None, user: bytes | None, word: bytes | None
) -> None:
    if version == 4 and user is None:
        word = None
    none = b"\0" if version == 5 else b""
    flags = (will is not None) * 0x2C | (user is not None) * 128 | (word is not None) * 64
    content = text(b"MQTT") + bytes((version, flags)) + b"\x01\x02" + none + text(client)
    expected: dict[str, object] = {
        "flags": flags,
        "protocol_name": b"MQTT",
        "protocol_version": version,
        "keepalive": 258,
        "client_identifier": client,
    }
    if will is not None:
        content += none + text(will[0]) + text(will[1])
        expected |= {"will_topic": will[0], "will_payload": will[1]}
    if user is not None:
        content += text(user)
        expected["username"] = user
    if word is not None:
        content += text(word)
        expected["password"] = word
    made = packet(CONNECT, content)
    assert read_packet(made) == read_packet(made + b"more") == (CONNECT, expected)
    assert set(expected) <= set(NAMES[CONNECT])
    for size in range(0, len(made), 7):
        with pytest.raises(Unfinished):
            read_packet(made[:size])
    with pytest.raises(Broken):
        read_packet(packet(CONNECT, content + b"x"))
    with pytest.raises(Broken):
        read_packet(packet(CONNECT, content[:-1]))


def test_connack() -> None:
    assert read_packet(packet(CONNACK, b"\x01\x00"))[1] == {"flags": 1, "reason_code": 0, "protocol_version": 4}
    fields = {"flags": 0, "reason_code": 135, "protocol_version": 5, 31: b"why"}
    assert read_packet(packet(CONNACK, b"\x00\x87\x06\x1f" + text(b"why"))) == (CONNACK, fields)


SIZES = {0: 1, 1: 2, 2: 4}


@pytest.mark.parametrize("kind", [CONNECT, CONNACK])
def test_each_property(kind: int) -> None:
    for number, form in PROPERTIES[kind].items():
        content = (1).to_bytes(SIZES[form], "big") if form in SIZES else text(b"v") * (2 if form == 4 else 1)
        listed = bytes((number,)) + content
        if number == 22:
            # Data of an authentication without its method are none.
            listed += bytes((21,)) + text(b"m")
        head = text(b"MQTT") + b"\x05\x02\0\0" if kind == CONNECT else b"\0\0"
        tail = text(b"c") if kind == CONNECT else b""
        found = read_packet(packet(kind, head + bytes((len(listed),)) + listed + tail))[1]
        assert found.get(number) == (None if form == 4 else 1 if form in SIZES else b"v")
        assert (number in NUMBERS[kind]) is (form != 4)
        with pytest.raises(Broken):
            read_packet(packet(kind, head + bytes((len(listed),)) + listed[:-1] + tail))


@given(st.binary(max_size=60))
def test_anything_may_come(message: bytes) -> None:
    for begin in (b"", b"\x10\x20", b"\x10\x12" + text(b"MQTT") + b"\x05", b"\x20\x08\0\0"):
        with contextlib.suppress(Unfinished, Broken):
            read_packet(begin + message)
