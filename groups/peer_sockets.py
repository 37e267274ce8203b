"""The listening sockets of peers sections: opened before anything is given up, and kept over reloads and upgrades.

Owns: which section's socket is which. Must not know: who accepts. One address, one socket: a section listens on one
address. The steward makes it listen; while there is none, whoever dials waits in its queue.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from ..core.config.peers_spec import PeersSpec
from .address_key import AddressKey, written_key
from .foundation import FoundationError
from .listener import bind_error
from .sockets import ListeningSocket, bind_abstract, bind_tcp, bind_unix, inherit, publish, unpublish

BACKLOG = 100


class PeerSockets:
    """All that are open, by address."""

    def __init__(self) -> None:
        self._open: dict[AddressKey, socket.socket] = {}

    def open(self, specs: Iterable[PeersSpec]) -> None:
        """Those of these sections, as far as they are missing. Raises FoundationError, and then none is new."""
        made: list[AddressKey] = []
        lines: list[str] = []
        for spec in specs:
            key = _key(spec)
            if key is None or key in self._open:
                continue
            assert spec.bind is not None
            try:
                self._open[key] = _bind(spec)
                made.append(key)
            except (OSError, ValueError) as error:
                lines.append(bind_error(f"peers {spec.name}", spec.bind, spec.bind.addresses[0], error).message)
        if lines:
            for key in made:
                self._drop(key)
            raise FoundationError(*lines)

    def keep(self, specs: Iterable[PeersSpec]) -> None:
        """Closes those of no such section."""
        wanted = {_key(spec) for spec in specs}
        for key in [one for one in self._open if one not in wanted]:
            self._drop(key)

    def of(self, spec: PeersSpec) -> socket.socket | None:
        """The one that the section's peers dial."""
        key = _key(spec)
        return None if key is None else self._open.get(key)

    def forget(self) -> None:
        """In a forked process: they are not ours; their names stay."""
        for sock in self._open.values():
            sock.close()

    def close(self) -> None:
        for key in list(self._open):
            self._drop(key)

    def write(self) -> list[dict[str, Any]]:
        """As JSON can say it (groups/handover)."""
        return [{"key": asdict(key), "socket": sock.fileno()} for key, sock in self._open.items()]

    def read(self, found: Sequence[dict[str, Any]]) -> None:
        """The inverse."""
        for one in found:
            key = AddressKey(**{**one["key"], "named": tuple(one["key"]["named"])})
            self._open[key] = ListeningSocket(fileno=one["socket"])

    def _drop(self, key: AddressKey) -> None:
        sock = self._open.pop(key)
        if key.kind == "unix":
            unpublish(key.host, sock)
        sock.close()


def _key(spec: PeersSpec) -> AddressKey | None:
    return None if spec.bind is None else written_key(spec.bind.addresses[0], spec.bind, spec.name, 0)


def _bind(spec: PeersSpec) -> socket.socket:
    bind = spec.bind
    assert bind is not None
    address = bind.addresses[0]
    if address.kind == "unix":
        sock = bind_unix(address.host, bind, BACKLOG)
        publish(address.host, sock)
        return sock
    if address.kind == "abns":
        return bind_abstract(address.host)
    if address.kind == "fd":
        return inherit(int(address.host))
    return bind_tcp(bind, address)
