"""The sockets that are open already when a generation opens its own: found by the address that they are bound to.

Owns: which of them serves an address. Must not know: who accepts on them.
"""

from __future__ import annotations

import os
import socket
from collections import defaultdict
from collections.abc import Iterator, Sequence

from ..core.config.model import Address
from ..core.net.unix_facts import leads_to
from .address_key import AddressKey, found_key, without_transparent
from .listener import Listener


class Stock:
    """Sockets by their keys: listeners of the generation before, and where it has none, what another process opened."""

    __slots__ = ("_activated", "_kept", "_numbers", "found")

    def __init__(
        self,
        kept: Sequence[Listener],
        activated: Sequence[socket.socket],
        numbers: Iterator[int],
    ) -> None:
        self._kept: dict[AddressKey | None, list[Listener]] = defaultdict(list)
        self._numbers = numbers
        self._activated: dict[AddressKey | None, list[socket.socket]] = defaultdict(list)
        self.found: set[int] = set()
        """Numbers given to sockets that another process opened."""
        for listener in kept:
            self._kept[listener.key].append(listener)
        seen = set()
        for sock in activated:
            # Two descriptors of one socket are one socket.
            inode = os.fstat(sock.fileno()).st_ino
            self._activated[None if inode in seen else found_key(sock)].append(sock)
            seen.add(inode)

    def take(self, key: AddressKey) -> list[Listener]:
        """All sockets of the address; each can be taken once."""
        listeners = self._kept.pop(key, [])
        if key.kind == "unix":
            # Somebody removed or replaced the file: nobody finds this socket any more.
            listeners = [listener for listener in listeners if leads_to(key.host, listener.sock)]
        if listeners:
            return listeners
        found = self._activated.pop(without_transparent(key), [])
        if key.kind == "unix":
            self._activated[None] += [sock for sock in found if not leads_to(key.host, sock)]
            found = [sock for sock in found if leads_to(key.host, sock)]
        return [self._number(key, sock) for sock in found]

    def close_rest(self) -> None:
        """Closes our hold of what another process opened and nobody took: connections would wait there in vain."""
        for socks in self._activated.values():
            for sock in socks:
                sock.close()
        self._activated.clear()

    def _number(self, key: AddressKey, sock: socket.socket) -> Listener:
        sock.setblocking(False)
        listener = Listener(
            next(self._numbers),
            "",
            0,
            Address(key.kind, key.host, key.port, key.port),
            (),
            sock,
            key,
        )
        self.found.add(listener.number)
        return listener
