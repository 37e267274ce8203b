from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.groups.messages import MAX_DESCRIPTORS, MAX_TEXT, Channel, Kind, Message

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@pytest.fixture
def pair() -> Iterator[tuple[Channel, Channel]]:
    one, other = Channel.pair()
    yield one, other
    one.close()
    other.close()


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@settings(deadline=None)
@given(
    st.sampled_from(Kind), st.integers(-(1 << 63), (1 << 63) - 1), st.text(max_size=200), st.integers(0, (1 << 32) - 1)
)
def test_messages_read_back(kind: Kind, number: int, text: str, ticket: int) -> None:
    one, other = Channel.pair()
    assert one.send(Message(kind, number, text, ticket))
    assert other.receive() == Message(kind, number, text.encode("utf-8", "replace").decode(), ticket)
    one.close()
    other.close()


@settings(deadline=None)
@given(JSON)
def test_content_reads_back(content: Any) -> None:
    assert Message.of(Kind.SERVER, content, number=7) == Message(Kind.SERVER, 7, Message.of(Kind.SERVER, content).text)
    assert Message.of(Kind.SERVER, content).content == content


def test_kinds_have_different_numbers() -> None:
    assert len(Kind.__members__) == len(set(Kind))


@pytest.mark.parametrize(
    "packet", [b"\x01", b"\x01" + bytes(12), b"\xff" + bytes(13)], ids=["a byte", "too short", "no kind"]
)
def test_what_is_no_message_is_refused(pair: tuple[Channel, Channel], packet: bytes) -> None:
    pair[0].socket.send(packet)
    with pytest.raises(ValueError, match=r"a message of|is not a valid Kind"):
        pair[1].receive()


def test_a_channel_keeps_messages_whole_and_in_order(pair: tuple[Channel, Channel]) -> None:
    one, other = pair
    for number in range(10):
        assert one.send(Message(Kind.REPORT, number, "x" * number * 1000))
    for number in range(10):
        assert other.receive() == Message(Kind.REPORT, number, "x" * number * 1000)
    with pytest.raises(BlockingIOError):
        other.receive()
    one.close()
    assert other.receive() is None
    assert not other.send(Message(Kind.STOP))


@pytest.mark.parametrize("length", [MAX_TEXT - 1, MAX_TEXT, MAX_TEXT + 1, 3_000_000])
def test_a_text_of_any_length_arrives(pair: tuple[Channel, Channel], length: int) -> None:
    before = descriptors()
    text = ("äöü" + "x" * length)[: length - 3]
    assert len(text.encode()) == length
    assert pair[0].send(Message(Kind.FAILED, text=text))
    assert pair[1].receive() == Message(Kind.FAILED, text=text)
    assert pair[1].received == []
    assert descriptors() == before


@pytest.mark.parametrize("text", ["short", "x" * (MAX_TEXT + 1)])
def test_descriptors_travel_beside_a_message(pair: tuple[Channel, Channel], text: str) -> None:
    readers, writers = zip(*(os.pipe() for _ in range(MAX_DESCRIPTORS)), strict=True)
    assert pair[0].send(Message(Kind.LISTEN, text=text), writers)
    for writer in writers:
        os.close(writer)
    assert pair[0].send(Message(Kind.GO))
    assert pair[1].receive() == Message(Kind.LISTEN, text=text)
    received = pair[1].received
    assert len(received) == MAX_DESCRIPTORS
    for number, (reader, descriptor) in enumerate(zip(readers, received, strict=True)):
        assert not os.get_inheritable(descriptor)
        os.write(descriptor, b"%d" % number)
        assert os.read(reader, 10) == b"%d" % number
        os.close(reader)
        os.close(descriptor)
    assert pair[1].receive() == Message(Kind.GO)
    assert pair[1].received == []


def test_what_a_receiver_does_not_read_waits_in_order_with_its_descriptors(pair: tuple[Channel, Channel]) -> None:
    one, other = pair
    before = descriptors()
    count = 0
    reader, writer = os.pipe()
    while not one.pending:
        assert one.send(Message(Kind.REPORT, count, "x" * 1000))
        count += 1
        assert count < 10_000
    for _ in range(5):
        assert one.send(Message(Kind.LISTEN, count), (writer,))
        count += 1
    assert one.send(Message(Kind.FAILED, count, "y" * (MAX_TEXT + 1)))
    count += 1
    # The copies are the channel's: their owner may close its own.
    os.close(writer)
    assert one.flush()
    assert one.pending
    heard: list[int] = []
    while len(heard) < count:
        message = other.receive()
        assert message is not None
        heard.append(message.number)
        if message.kind == Kind.LISTEN:
            (descriptor,) = other.received
            os.write(descriptor, b"x")
            os.close(descriptor)
        assert one.flush()
    assert heard == list(range(count))
    assert not one.pending
    assert os.read(reader, 100) == b"xxxxx"
    assert os.read(reader, 100) == b""
    os.close(reader)
    assert descriptors() == before


def test_a_receiver_that_never_reads_is_given_up(pair: tuple[Channel, Channel]) -> None:
    sent = 0
    while pair[0].send(Message(Kind.REPORT, text="x")):
        sent += 1
        assert sent < 100_000
    assert sent >= 10_000


def test_what_waits_for_a_receiver_that_dies_is_closed() -> None:
    one, other = Channel.pair()
    reader, writer = os.pipe()
    while not one.pending:
        assert one.send(Message(Kind.LISTEN, text="x" * 1000), (writer,))
    other.close()
    assert not one.flush()
    assert not one.send(Message(Kind.STOP)) or one.pending
    one.close()
    os.close(writer)
    # Nobody else can write to it: its copies are gone, the one in the kernel's queue included.
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_a_message_that_cannot_be_kept_is_refused(
    pair: tuple[Channel, Channel], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(24, "Too many open files")

    while not pair[0].pending:
        assert pair[0].send(Message(Kind.REPORT, text="x" * 1000))
    monkeypatch.setattr(os, "dup", refuse)
    monkeypatch.setattr(os, "memfd_create", refuse)
    assert not pair[0].send(Message(Kind.LISTEN), (0,))
    assert not pair[0].send(Message(Kind.FAILED, text="x" * (MAX_TEXT + 1)))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 80_000)), max_size=60), st.randoms(use_true_random=False))
def test_whoever_reads_and_flushes_when(wanted: list[tuple[int, int]], random: Any) -> None:
    """Sends, flushes and reads in any order: nothing is lost, doubled or overtaken."""
    one, other = Channel.pair()
    one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 100_000)
    heard: list[tuple[int, int, int]] = []

    def hear() -> bool:
        try:
            message = other.receive()
        except BlockingIOError:
            return False
        assert message is not None
        heard.append((message.number, len(message.text), len(other.received)))
        for descriptor in other.received:
            os.close(descriptor)
        return True

    with closing(one), closing(other):
        for number, (count, length) in enumerate(wanted):
            assert one.send(Message(Kind.LISTEN, number, "x" * length), (0,) * count)
            for _ in range(random.randint(0, 2)):
                random.choice((hear, one.flush))()
        while len(heard) < len(wanted):
            assert one.flush()
            while hear():
                pass
    assert heard == [(number, length, count) for number, (count, length) in enumerate(wanted)]


def test_the_death_of_the_other_side_is_an_end_of_file() -> None:
    one, other = Channel.pair()
    pid = os.fork()
    if not pid:
        one.close()
        os._exit(0 if other.fileno() >= 0 else 1)
    other.close()
    os.waitpid(pid, 0)
    assert one.receive() is None
    one.close()


def test_a_reset_is_an_end_too(pair: tuple[Channel, Channel]) -> None:
    """The other side closed with our messages unread."""
    pair[0].send(Message(Kind.GO))
    pair[1].close()
    assert pair[0].receive() is None


def test_the_head_has_no_padding() -> None:
    """Two programs of different versions read it (upgrade)."""
    one, other = Channel.pair()
    one.send(Message(Kind.DRAIN, -1, "t", 5))
    assert other.socket.recv(100) == struct.pack("!BBqI", Kind.DRAIN, 0, -1, 5) + b"t"
    one.close()
    other.close()
