"""When a 101 may make a tunnel."""

from __future__ import annotations

import pytest
from maniple.core.errors import ServerProtocolError
from maniple.core.http.head import HeadReader, Limits, RequestHead, ResponseHead
from maniple.core.http.upgrade import check_switch, websocket_accept

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
READER = HeadReader(Limits())


def request(upgrade: bytes) -> RequestHead:
    lines = b"Connection: upgrade\r\nUpgrade: %b\r\nSec-WebSocket-Key: %b\r\n" % (upgrade, KEY) if upgrade else b""
    return READER.read_request(b"GET / HTTP/1.1\r\nHost: a\r\n%b\r\n" % lines)


def response(upgrade: bytes, accept: bytes) -> ResponseHead:
    lines = b"Connection: upgrade\r\nUpgrade: %b\r\n%b" % (upgrade, accept)
    return READER.read_response(b"HTTP/1.1 101 Switching Protocols\r\n%b\r\n" % lines, b"GET")


def test_accept_of_the_rfc() -> None:
    assert websocket_accept(KEY) == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_websocket() -> None:
    accept = b"Sec-WebSocket-Accept: %b\r\n" % websocket_accept(KEY)
    check_switch(request(b"websocket"), response(b"WebSocket", accept))


def test_other_protocol() -> None:
    check_switch(request(b"foo"), response(b"foo", b""))


@pytest.mark.parametrize("accept", [b"", b"Sec-WebSocket-Accept: x\r\n"])
def test_websocket_with_a_wrong_key(accept: bytes) -> None:
    with pytest.raises(ServerProtocolError):
        check_switch(request(b"websocket"), response(b"websocket", accept))


def test_not_asked_for() -> None:
    with pytest.raises(ServerProtocolError):
        check_switch(request(b""), response(b"foo", b""))
