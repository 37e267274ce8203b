"""Options of sockets that rules set: Netfilter's mark and the TOS byte (manual 4.4: set-fc-mark, set-bc-tos, ...).

Owns: both, on sockets that stand and on those that are not connected yet. Must not know: rules, connections. Invariant:
what the system refuses is left out, as in HAProxy (a mark needs CAP_NET_ADMIN).
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Protocol

SO_MARK = 36
"""Linux; the socket module names it from Python 3.13 on."""


class Settable(Protocol):
    """A socket, or what uvloop gives for one."""

    def setsockopt(self, level: int, name: int, value: int, /) -> None: ...


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """None: as it is."""

    mark: int | None = None
    tos: int | None = None

    def put_on(self, sock: Settable) -> None:
        if self.mark is not None:
            _set(sock, socket.SOL_SOCKET, SO_MARK, self.mark)
        if self.tos is not None:
            # A socket of IPv4 refuses the first one.
            _set(sock, socket.IPPROTO_IPV6, socket.IPV6_TCLASS, self.tos)
            _set(sock, socket.IPPROTO_IP, socket.IP_TOS, self.tos)


NO_OPTIONS = SocketOptions()


def _set(sock: Settable, level: int, name: int, value: int) -> None:
    try:
        sock.setsockopt(level, name, value)
    except OSError:
        return


async def connected_socket(
    loop: asyncio.AbstractEventLoop, options: SocketOptions, host: str, port: int, source: tuple[str, int] | None
) -> socket.socket:
    """A socket that has the options from its first packet on. Raises OSError."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        options.put_on(sock)
        if source is not None:
            sock.bind(source)
        await loop.sock_connect(sock, (host, port))
    except BaseException:
        sock.close()
        raise
    return sock
