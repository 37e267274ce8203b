"""The sockets of one address: those that are open already are dealt over the bind lines that name it, what is missing
is bound.

Theory. Mostly one line names an address, and wants a socket for each of its threads. All sockets of the address that
are open stay in service, also more than that; the kernel hashes over them. Where a further one cannot be bound (systemd
opened the first without ReusePort, or this process is not the user any more who did), the open ones serve all threads
of the line.

Owns: that decision. Must not know: the rest of the configuration, when sockets listen.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from ..core.config.model import Address
from . import sockets
from .listener import Line, Listener
from .shards import Owners, deal, split
from .stock import Stock

Failed = Callable[[Line, Exception], None]


def serve(lines: Sequence[Line], stock: Stock, numbers: Iterator[int], failed: Failed) -> set[int]:
    """Gives the `lines`, all of one address, their listeners. Returns the numbers of those that were made; also when
    some `failed`, so that the caller can close them."""
    if not lines[0].key.is_tcp:
        return _serve_single(lines, stock, numbers, failed)
    open_ones = stock.take(lines[0].key)
    wanted = [(line, owners) for line in lines for owners in line.shards]
    places = deal(
        [(listener.frontend, listener.owners) for listener in open_ones],
        [(line.frontend, owners) for line, owners in wanted],
    )
    given: list[list[Listener]] = [[] for _ in wanted]
    for listener, place in zip(open_ones, places, strict=True):
        line, owners = wanted[place]
        given[place].append(_passed_on(listener, line, owners))
    made: set[int] = set()
    # With port 0 the kernel chooses for the first socket, and the others join it.
    port = open_ones[0].address.port_low if open_ones else lines[0].key.port
    refused: dict[Line, Exception] = {}
    for (line, owners), members in zip(wanted, given, strict=True):
        if members or line in refused:
            continue
        address = replace(line.address, port_low=port, port_high=port)
        try:
            sock = sockets.bind_tcp(line.bind, address)
        except (OSError, ValueError) as error:
            refused[line] = error
            continue
        port = sock.getsockname()[1]
        address = replace(line.address, port_low=port, port_high=port)
        listener = Listener(next(numbers), line.frontend, line.bind_index, address, owners, sock, line.key)
        made.add(listener.number)
        members.append(listener)
    for (line, _), members in zip(wanted, given, strict=True):
        line.listeners += sorted(members, key=lambda one: one.number)
    for line, cause in refused.items():
        joins = bool(open_ones) and isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE
        if not joins or not line.listeners:
            failed(line, cause)
            continue
        runs = split(line.owners, str(len(line.listeners)))
        for number, listener in enumerate(line.listeners):
            listener.owners = runs[number % len(runs)]
    return made


def _serve_single(lines: Sequence[Line], stock: Stock, numbers: Iterator[int], failed: Failed) -> set[int]:
    """What cannot be multiplied: unix, abstract, a descriptor."""
    made: set[int] = set()
    open_ones = stock.take(lines[0].key)
    for line in lines:
        same = next((one for one in open_ones if one.frontend == line.frontend), open_ones[0] if open_ones else None)
        if same is not None:
            open_ones.remove(same)
            line.listeners.append(_passed_on(same, line, line.owners))
            continue
        try:
            sock = _open_single(line, line is not lines[0])
        except (OSError, ValueError) as error:
            failed(line, error)
            continue
        listener = Listener(next(numbers), line.frontend, line.bind_index, line.address, line.owners, sock, line.key)
        made.add(listener.number)
        line.listeners.append(listener)
    return made


def _open_single(line: Line, again: bool) -> socket.socket:
    if line.key.kind == "fd":
        return sockets.inherit(int(line.key.host))
    if again:
        raise OSError(errno.EADDRINUSE, "Address already in use")
    if line.key.kind == "unix":
        return sockets.bind_unix(line.key.host, line.bind, line.backlog)
    return sockets.bind_abstract(line.key.host)


def _passed_on(listener: Listener, line: Line, owners: Owners) -> Listener:
    """The same socket for this generation's line."""
    address = line.address
    if line.key.is_tcp:
        port = listener.address.port_low
        address = Address(address.kind, address.host, port, port)
    return replace(
        listener, frontend=line.frontend, bind_index=line.bind_index, address=address, owners=owners, key=line.key
    )
