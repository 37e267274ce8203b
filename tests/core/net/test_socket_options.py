"""The TOS byte and the mark: on sockets that stand, and from the first packet on."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing

import pytest
from maniple.core.net.socket_options import NO_OPTIONS, SO_MARK, SocketOptions, connected_socket

SAVE_SYN, SAVED_SYN = 27, 28
"""TCP_SAVE_SYN and TCP_SAVED_SYN of Linux: the headers of the packet that began a connection."""


class Refusing:
    """A socket that takes nothing."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int, int]] = []

    def setsockopt(self, level: int, name: int, value: int, /) -> None:
        self.asked.append((level, name, value))
        raise PermissionError


def test_what_is_refused_is_left_out() -> None:
    sock = Refusing()
    NO_OPTIONS.put_on(sock)
    assert sock.asked == []
    SocketOptions(mark=7, tos=0x10).put_on(sock)
    assert sock.asked == [
        (socket.SOL_SOCKET, SO_MARK, 7),
        (socket.IPPROTO_IPV6, socket.IPV6_TCLASS, 0x10),
        (socket.IPPROTO_IP, socket.IP_TOS, 0x10),
    ]


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_both_families(family: socket.AddressFamily) -> None:
    with socket.socket(family) as sock:
        SocketOptions(tos=0x20).put_on(sock)
        if family == socket.AF_INET:
            assert sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 0x20
        else:
            assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS) == 0x20


@pytest.mark.parametrize("source", [None, ("127.0.0.3", 0)])
def test_the_first_packet_has_them(source: tuple[str, int] | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.IPPROTO_TCP, SAVE_SYN, 1)
        port = listening.getsockname()[1]

        async def connect() -> socket.socket:
            loop = asyncio.get_running_loop()
            return await connected_socket(loop, SocketOptions(tos=0x48), "127.0.0.1", port, source)

        with closing(asyncio.run(connect())) as sock:
            accepted, peer = listening.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, SAVED_SYN, 256)[1] == 0x48
            assert source is None or peer[0] == source[0]
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_refusal_closes_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    async def connect() -> None:
        await connected_socket(asyncio.get_running_loop(), NO_OPTIONS, "127.0.0.1", port, None)

    with pytest.raises(ConnectionRefusedError):
        asyncio.run(connect())
