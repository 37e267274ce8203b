"""What makes two listening sockets the same one: the key that finds the socket of an address again at a reload.

Owns: the key of an address that is written, and that of a socket which another process opened. Must not know: bind
lines' other words (they are applied to the socket that is found), who listens.
"""

from __future__ import annotations

import contextlib
import functools
import os
import socket
from dataclasses import dataclass, replace

from ..core.config.model import Address, BindSpec
from .sockets import bound_interface, bound_path, host_of

_KINDS = {socket.AF_INET: "inet", socket.AF_INET6: "inet6"}


@dataclass(frozen=True, slots=True)
class AddressKey:
    """Equal for addresses that one set of sockets serves."""

    kind: str
    host: str
    """Numeric host in its shortest form; path, abstract name or descriptor."""
    port: int = 0
    interface: str = ""
    v6only: bool = False
    """Only of an IPv6 any-address, where it cannot be changed after the bind."""
    transparent: bool = False
    named: tuple[str, str, int] = ("", "", 0)
    """With port 0: frontend, text of the bind line, and which of those that agree so far."""

    @property
    def is_tcp(self) -> bool:
        return self.kind in ("inet", "inet6")


def written_key(address: Address, bind: BindSpec, frontend: str, occurrence: int) -> AddressKey:
    """Of an address with a single port. `occurrence` tells apart those with port 0 of a frontend and bind text."""
    if address.kind not in ("inet", "inet6"):
        return AddressKey(address.kind, address.host)
    host = _shortest(address.kind, host_of(address))
    any_v6 = host == "::"
    v6only = any_v6 and (not bind.v4v6 if bind.v4v6 or bind.v6only else _v6only_by_default())
    return AddressKey(
        address.kind,
        host,
        address.port_low,
        bind.interface or "",
        v6only,
        bind.transparent,
        ("", "", 0) if address.port_low else (frontend, bind.text, occurrence),
    )


def found_key(sock: socket.socket) -> AddressKey | None:
    """Of a socket that another process bound; None: no stream socket that could serve an address. Whether it is
    transparent is left out (`without_transparent`), since that can be set on it."""
    if sock.type != socket.SOCK_STREAM:
        return None
    name = sock.getsockname()
    if sock.family == socket.AF_UNIX:
        path = bound_path(sock)
        if path:
            return AddressKey("unix", path)
        return AddressKey("abns", os.fsdecode(name).strip("\0")) if name else None
    kind = _KINDS.get(sock.family)
    if kind is None:
        return None
    host = _shortest(kind, name[0])
    v6only = host == "::" and bool(sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
    return AddressKey(kind, host, name[1], bound_interface(sock), v6only)


def without_transparent(key: AddressKey) -> AddressKey:
    return replace(key, transparent=False)


def _shortest(kind: str, host: str) -> str:
    """One text for each address; what is no plain number (a scope) stays as it is."""
    with contextlib.suppress(OSError):
        family = socket.AF_INET6 if kind == "inet6" else socket.AF_INET
        return socket.inet_ntop(family, socket.inet_pton(family, host))
    return host


@functools.cache
def _v6only_by_default() -> bool:
    """net.ipv6.bindv6only."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            return bool(probe.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
    except OSError:
        return False
