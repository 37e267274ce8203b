"""Messages: cases as data, split at every byte, round trips, damage, bounds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.core.peers.faults import MalformedFault, PeerFault, SizeFault
from maniple.core.peers.messages import (
    LARGEST,
    Ack,
    Complaint,
    Control,
    Definition,
    Foreign,
    Message,
    MessageReader,
    Switch,
    Update,
    encode_message,
)
from maniple.tests.core.peers.samples import RECORDED_DEFINITIONS, definitions

CASES: list[tuple[str, Message]] = [
    ("0000", Control.RESYNC_REQUEST),
    ("0001", Control.RESYNC_FINISHED),
    ("0002", Control.RESYNC_PARTIAL),
    ("0003", Control.RESYNC_CONFIRM),
    ("0004", Control.HEARTBEAT),
    ("0100", Complaint.PROTOCOL),
    ("0101", Complaint.SIZE),
    ("0a84050200000001", Ack(2, 1)),
    ("0a8406f001ffffffff", Ack(256, 0xFFFFFFFF)),
    ("0a830105", Switch(5)),
    ("0a800c000000010568656c6c6f0003", Update(1, None, b"\5hello\0\3")),
    ("0a81080568656c6c6f0003", Update(None, None, b"\5hello\0\3")),
    ("0a8514000000010000e5140361626303f0a6f7fe7e0000", Update(1, 58644, bytes.fromhex("0361626303f0a6f7fe7e0000"))),
    ("0a86060000e5140361", Update(None, 58644, b"\3a")),
    ("0009", Foreign(0, 9, b"")),
    ("0107", Foreign(1, 7, b"")),
    ("0a05", Foreign(10, 5, b"")),
    ("0a8f026162", Foreign(10, 143, b"ab")),
    ("4d8103616263", Foreign(77, 129, b"abc")),
    *((text, Definition(number, table, table.name)) for number, table, text in RECORDED_DEFINITIONS),
]


@pytest.mark.parametrize(("encoded", "message"), CASES, ids=[text[:16] for text, _ in CASES])
def test_cases_split_at_every_byte(encoded: str, message: Message) -> None:
    data = bytes.fromhex(encoded)
    assert encode_message(message) == data
    follower = b"\0\4"
    for cut in range(len(data) + 1):
        reader = MessageReader()
        found = [*reader.feed(data[:cut]), *reader.feed(data[cut:] + follower)]
        assert found == [message, Control.HEARTBEAT]


def test_a_stream_byte_by_byte() -> None:
    reader = MessageReader()
    data = b"".join(bytes.fromhex(text) for text, _ in CASES)
    found = [message for byte in data for message in reader.feed(bytes((byte,)))]
    assert found == [message for _, message in CASES]


messages = st.one_of(
    st.sampled_from(Control),
    st.sampled_from(Complaint),
    st.builds(Switch, st.integers(0, 1 << 40)),
    st.builds(Ack, st.integers(0, 1 << 40), st.integers(0, (1 << 32) - 1)),
    st.builds(
        Update,
        st.none() | st.integers(0, (1 << 32) - 1),
        st.none() | st.integers(0, (1 << 32) - 1),
        st.binary(max_size=300),
    ),
    st.builds(lambda number, table: Definition(number, table, table.name), st.integers(0, 1000), definitions()),
    st.builds(Foreign, st.integers(11, 254), st.integers(128, 255), st.binary(max_size=300)),
)


@settings(max_examples=60)
@given(st.lists(messages, max_size=6), st.data())
def test_round_trip_in_any_pieces(sent: list[Message], data: st.DataObject) -> None:
    stream = b"".join(map(encode_message, sent))
    reader, found, at = MessageReader(), list[Message](), 0
    while at < len(stream):
        step = data.draw(st.integers(1, len(stream)))
        found += reader.feed(stream[at : at + step])
        at += step
    assert found == sent


@given(st.binary(max_size=60))
def test_whatever_bytes(data: bytes) -> None:
    try:
        list(MessageReader().feed(data))
    except PeerFault:
        return


MALFORMED = [
    "0a8000",
    "0a8003000000",
    "0a8507" + "00" * 7,
    "0a8603000000",
    "0a8300",
    "0a83020505",
    "0a840405000000",
    "0a84060500000000" + "00",
    "0a8200",
    "ff05",
    "ff850161",
]


@pytest.mark.parametrize("encoded", MALFORMED)
def test_malformed(encoded: str) -> None:
    with pytest.raises(MalformedFault):
        list(MessageReader().feed(bytes.fromhex(encoded)))


def test_what_came_before_a_fault_is_told() -> None:
    found: list[Message] = []
    with pytest.raises(MalformedFault):
        found.extend(MessageReader().feed(b"\0\4\xff\5"))
    reader = MessageReader()
    stream = reader.feed(b"\0\4\xff\5")
    assert next(stream) is Control.HEARTBEAT


def test_sizes_have_a_bound() -> None:
    whole = encode_message(Foreign(77, 128, b"x" * LARGEST))
    assert list(MessageReader().feed(whole)) == [Foreign(77, 128, b"x" * LARGEST)]
    for data in (encode_message(Foreign(77, 128, b"x" * (LARGEST + 1)))[:8], b"\x4d\x80" + b"\xff" * 12):
        with pytest.raises(SizeFault):
            list(MessageReader().feed(data))


@pytest.mark.parametrize(
    "message", [Update(1 << 32, None, b""), Ack(1, -1), Foreign(77, 5, b"x"), Definition(1, None, "x"), Switch(-1)]
)
def test_what_cannot_be_said(message: Message) -> None:
    with pytest.raises(ValueError):
        encode_message(message)
