"""Leaving HTTP: when a 101 answers what was asked for.

Owns: the check of a 101 against its request, and the websocket handshake's key (S12, RFC 6455 4.2.2). Must not know:
tunnels.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1

from ..errors import ServerProtocolError
from .head import RequestHead, ResponseHead

_WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def websocket_accept(key: bytes) -> bytes:
    """What a server must answer to a Sec-WebSocket-Key."""
    return b64encode(sha1(key + _WEBSOCKET_GUID, usedforsecurity=False).digest())


def check_switch(request: RequestHead, response: ResponseHead) -> None:
    """May a 101 make a tunnel of this exchange? Raises ServerProtocolError if the request asked for no upgrade, or if
    the server accepts a websocket that it did not understand."""
    if not request.upgrade:
        raise ServerProtocolError("101 to a request without Upgrade")
    if b"websocket" in response.upgrade.lower():
        key = request.block.get(b"sec-websocket-key") or b""
        accept = response.block.get(b"sec-websocket-accept")
        if accept != websocket_accept(key):
            raise ServerProtocolError("websocket accepted with a wrong key")
