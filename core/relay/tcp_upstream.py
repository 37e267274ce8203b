"""A connection to a server of a TCP backend, from its dial to the tunnel that takes its place.

Such a server may speak first, or close, before the tunnel stands: what it says then is kept, not taken for bytes that
nobody asked for.

Owns: that short time. Must not know: HTTP, pools.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .upstream import ServerConnection

if TYPE_CHECKING:
    from ..balance.server import Server
    from .relay import Relay


class TcpServerConnection(ServerConnection):
    """`buffer`: what the server has said; `eof`: it will say no more."""

    __slots__ = ("eof",)

    pooled = False

    def __init__(self, relay: Relay, server: Server) -> None:
        super().__init__(relay, server)
        self.eof = False

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        # uvloop begins to read after connection_made, so that there is nothing to pause before the first bytes.
        self.transport.pause_reading()

    def eof_received(self) -> bool:
        self.eof = True
        return True
