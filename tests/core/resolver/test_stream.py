"""Messages over TCP, in whatever pieces they come."""

from __future__ import annotations

import socket

import pytest
from maniple.core.resolver.stream import Stream
from maniple.tests.core.resolver.conftest import Loop

PACKET = b"question"


class Told:
    def __init__(self, wanted: bytes = b"good") -> None:
        self.wanted = wanted
        self.packets: list[bytes] = []
        self.failures = 0

    def received(self, packet: bytes) -> bool:
        self.packets.append(packet)
        return packet == self.wanted

    def failed(self) -> None:
        self.failures += 1


def framed(*packets: bytes) -> bytes:
    return b"".join(len(one).to_bytes(2, "big") + one for one in packets)


def connected(turning: Loop, told: Told) -> tuple[Stream, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        stream = Stream(turning.loop, server.getsockname(), PACKET, told.received, told.failed)
        peer, _ = server.accept()
    got = bytearray()
    peer.setblocking(False)

    def read() -> bool:
        try:
            got.extend(peer.recv(100))
        except BlockingIOError:
            return False
        return bytes(got) == framed(PACKET)

    turning.until(read)
    return stream, peer


@pytest.mark.parametrize("size", [1, 3, 100])
def test_the_answer_in_pieces(turning: Loop, size: int) -> None:
    told = Told()
    _, peer = connected(turning, told)
    whole = framed(b"", b"bad", b"good", b"late")
    for start in range(0, len(whole), size):
        if told.packets[-1:] == [b"good"]:
            break
        seen = len(told.packets)
        peer.send(whole[start : start + size])
        end = turning.loop.time() + 0.003
        turning.until(lambda: len(told.packets) > seen or turning.loop.time() > end)  # noqa: B023
    turning.until(lambda: told.packets[-1:] == [b"good"])
    assert told.packets == [b"", b"bad", b"good"] and not told.failures
    peer.close()


@pytest.mark.parametrize("sent", [b"", b"\0", framed(b"bad"), b"\0\5good"])
def test_an_end_before_the_answer(turning: Loop, sent: bytes) -> None:
    told = Told()
    stream, peer = connected(turning, told)
    peer.send(sent) if sent else None
    peer.close()
    turning.until(lambda: told.failures)
    stream.close()
    assert told.failures == 1


def test_nobody_listens(turning: Loop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = probe.getsockname()
    told = Told()
    try:
        Stream(turning.loop, address, PACKET, told.received, told.failed)
    except ConnectionRefusedError:
        return
    turning.until(lambda: told.failures)
    assert told.failures == 1


def test_closed_streams_tell_nothing(turning: Loop) -> None:
    told = Told()
    stream, peer = connected(turning, told)
    stream.close()
    stream.close()
    with peer:
        peer.settimeout(5)
        assert peer.recv(1) == b""
    assert not told.packets and not told.failures
