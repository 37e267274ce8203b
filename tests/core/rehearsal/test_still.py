from __future__ import annotations

import socket

import pytest
from maniple.core.rehearsal.still import SO_MARK, StillTransport


def test_what_is_written_is_kept() -> None:
    transport = StillTransport(("192.0.2.1", 1), ("192.0.2.2", 2))
    transport.write(b"a")
    transport.writelines([b"b", memoryview(b"c")])
    assert b"".join(transport.written) == b"abc"
    assert transport.get_write_buffer_size() == 0 and not transport.is_closing()
    assert transport.get_extra_info("peername") == ("192.0.2.1", 1)
    assert transport.get_extra_info("cipher", "none") == "none"


def test_ends() -> None:
    closed, aborted, half = (StillTransport(None, None) for _ in range(3))
    closed.close()
    aborted.abort()
    half.write_eof()
    assert closed.is_closing() and not closed.aborted
    assert aborted.is_closing() and aborted.aborted
    assert half.is_closing()


@pytest.mark.parametrize(
    ("peer", "family"),
    [(("192.0.2.1", 1), socket.AF_INET), (("2001:db8::1", 1), socket.AF_INET6), (None, socket.AF_UNIX)],
)
def test_the_socket_keeps_options_and_knows_nothing(peer: tuple[str, int] | None, family: int) -> None:
    transport = StillTransport(peer, peer)
    sock = transport.get_extra_info("socket")
    assert sock.family == family and sock.fileno() == -1
    sock.setsockopt(socket.SOL_SOCKET, SO_MARK, 16)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"")
    assert transport.options == {"mark": "0x10"}
    with pytest.raises(OSError, match="no connection"):
        sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 100)
