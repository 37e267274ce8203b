"""A listening socket, for whom it is, and the bind line that it serves.

Owns: both values. Must not know: other sockets, generations.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

from ..core.config.model import Address, BindSpec
from ..core.errors import ConfigError
from .address_key import AddressKey
from .shards import Owners
from .sockets import address_text


@dataclass(slots=True, eq=False)
class Listener:
    """One listening socket. A later generation has a Listener of its own for the same socket and number."""

    number: int
    """Its name for the supervisor's whole life."""
    frontend: str
    bind_index: int
    address: Address
    """As bound: with the port that the kernel chose."""
    owners: Owners
    """(group, local thread) pairs that accept on it; (): all threads that there are."""
    sock: socket.socket
    key: AddressKey | None = None


@dataclass(slots=True, eq=False)
class Line:
    """One address, with a single port, of a bind line, and the sockets that it gets."""

    frontend: str
    bind_index: int
    bind: BindSpec
    address: Address
    backlog: int
    owners: Owners
    shards: tuple[Owners, ...]
    """Owners of the sockets that it wants."""
    key: AddressKey
    listeners: list[Listener] = field(default_factory=list)


def bind_error(frontend: str, bind: BindSpec, address: Address, error: Exception, verb: str = "bind") -> ConfigError:
    """HAProxy's words, so that alert rules match: `Binding [file:line] for frontend x: cannot bind …`."""
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return ConfigError(
        f"Binding [{bind.place.file}:{bind.place.line}] for frontend {frontend}: "
        f"cannot {verb} socket ({why}) for [{address_text(address)}]",
        file=bind.place.file,
        line=bind.place.line,
        column=bind.place.column,
        word=bind.text,
    )
