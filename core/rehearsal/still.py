"""Connections that go nowhere: what the relay writes is kept, and nothing ever comes but what is put in.

Owns: the transport, its socket, and the pool that has a connection at once. Must not know: rules, explanations.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from ..relay.upstream import ServerConnection

if TYPE_CHECKING:
    from ..balance.server import Server
    from ..relay.relay import Relay

Endpoint = tuple[str, int]

SO_MARK = 36
_OPTIONS = {
    (socket.SOL_SOCKET, SO_MARK): "mark",
    (socket.IPPROTO_IP, socket.IP_TOS): "TOS",
    (socket.IPPROTO_IPV6, socket.IPV6_TCLASS): "TOS",
}


class StillSocket:
    """A socket of which the options that rules set are kept. The kernel knows nothing of it."""

    def __init__(self, family: int, options: dict[str, str]) -> None:
        self.family = family
        self._options = options

    def setsockopt(self, level: int, name: int, value: Any) -> None:
        known = _OPTIONS.get((level, name))
        if known is not None:
            self._options[known] = f"0x{value:x}"

    def getsockopt(self, level: int, name: int, size: int = 0) -> bytes:
        raise OSError("there is no connection")

    def fileno(self) -> int:
        return -1


class StillTransport(asyncio.Transport):
    """`peer` and `here`: the addresses of both ends, None for a unix socket."""

    def __init__(self, peer: Endpoint | None, here: Endpoint | None) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False
        self.aborted = False
        self.options: dict[str, str] = {}
        """What was set on its socket."""
        family = socket.AF_UNIX if peer is None else socket.AF_INET6 if ":" in peer[0] else socket.AF_INET
        facts = {"peername": peer or "", "sockname": here or "", "socket": StillSocket(family, self.options)}
        self._facts: dict[str, Any] = facts

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._facts.get(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.written += [bytes(piece) for piece in list_of_data]

    def get_write_buffer_size(self) -> int:
        return 0

    def write_eof(self) -> None:
        self.closed = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """Nothing comes."""

    def resume_reading(self) -> None:
        """Nothing comes."""


class StillPool:
    """In the place of a server's pool: every request finds a connection."""

    strategy = "always"

    def __init__(self, relay: Relay, server: Server) -> None:
        self._relay = relay
        self._server = server
        self.taken: list[ServerConnection] = []

    def take(self, first: bool, owner: object) -> ServerConnection:
        address = self._server.spec.address
        peer = None if address.kind in ("unix", "abns", "fd") else (address.host, address.port)
        connection = ServerConnection(self._relay, self._server)
        connection.connection_made(StillTransport(peer, None))
        self.taken.append(connection)
        return connection

    def give(self, connection: ServerConnection, safe: bool) -> bool:
        return True

    def reserve(self, connection: ServerConnection, owner: object) -> bool:
        return False

    def released(self) -> None:
        """Nobody counts."""

    def discard(self, connection: ServerConnection) -> None:
        """Nobody keeps any."""


def still(server: Server, relay: Relay) -> StillPool:
    """Give a server such a pool."""
    pool = StillPool(relay, server)
    server.pool = cast(Any, pool)
    return pool
