from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.groups.messages import MAX_TEXT, Channel, Kind, Message


@given(st.sampled_from(Kind), st.integers(-(1 << 63), (1 << 63) - 1), st.text(max_size=200))
def test_messages_read_back(kind: Kind, number: int, text: str) -> None:
    message = Message(kind, number, text)
    assert Message.decode(message.encode()) == Message(kind, number, text.encode("utf-8", "replace").decode())


def test_kinds_have_different_numbers() -> None:
    assert len(Kind.__members__) == len(set(Kind))


@pytest.mark.parametrize("packet", [b"", b"\x01", b"\xff" + bytes(8)])
def test_what_is_no_message_is_refused(packet: bytes) -> None:
    with pytest.raises(ValueError, match=r"message of|is not a valid Kind"):
        Message.decode(packet)


def test_a_channel_keeps_messages_whole_and_in_order() -> None:
    one, other = Channel.pair()
    for number in range(10):
        assert one.send(Message(Kind.ADOPT, number))
    assert one.send(Message(Kind.FAILED, text="x" * (MAX_TEXT + 10)))
    assert [other.receive() for _ in range(10)] == [Message(Kind.ADOPT, number) for number in range(10)]
    assert other.receive() == Message(Kind.FAILED, text="x" * MAX_TEXT)
    with pytest.raises(BlockingIOError):
        other.receive()
    one.close()
    assert other.receive() is None
    assert not other.send(Message(Kind.STOP))
    other.close()


def test_a_reader_that_never_reads_does_not_block_the_sender() -> None:
    one, other = Channel.pair()
    sent = 0
    while one.send(Message(Kind.REPORT, text="x" * 1000)):
        sent += 1
        assert sent < 100_000
    one.close()
    other.close()


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
