"""The listening sockets: made by the supervisor before the fork, inherited by every group.

Owns: binding, the socket options of bind lines (manual 5.1), one SO_REUSEPORT socket for each thread that a TCP bind
line names, one shared socket for what cannot be multiplied (unix, abstract, inherited). Must not know: who accepts.

Invariants: a socket lives as long as its address is served, because closing one of several reuseport sockets resets the
connections in its queue; groups accept on duplicates. All errors are reported, not the first; after an error nothing
stays open.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from ..core.config.model import Address, BindSpec, Configuration, ProxySpec
from ..core.config.threads import expand
from ..core.errors import ConfigError
from .placement import Placement

DEFAULT_BACKLOG = 1024
"""Where neither the bind line nor the proxy nor global says maxconn (manual 4.2 `backlog`)."""
_ABSTRACT_LENGTH = 107
"""Bytes of an abstract name after its NUL: `abns@` names are padded to the whole address (manual 11.1.1)."""


@dataclass(frozen=True, slots=True, eq=False)
class Listener:
    """One listening socket and for whom it is. `group` and `thread` (local, from 1) are 0 for a shared one."""

    frontend: str
    bind_index: int
    address: Address
    """As bound: with the port that the kernel chose."""
    group: int
    thread: int
    sock: socket.socket

    def is_for(self, group: int, thread: int) -> bool:
        return self.group == 0 or (self.group == group and self.thread == thread)


def default_backlog(bind: BindSpec, proxy: ProxySpec, maxconn: int | None) -> int:
    """Length of the kernel's queue, in connections."""
    return bind.backlog or proxy.backlog or bind.maxconn or proxy.maxconn or maxconn or DEFAULT_BACKLOG


def open_listeners(configuration: Configuration, placement: Placement) -> tuple[list[Listener], list[ConfigError]]:
    """Binds everything that the configuration names. With errors the list is empty, and nothing is left open."""
    listeners: list[Listener] = []
    errors: list[ConfigError] = []
    for proxy in configuration.proxies:
        if proxy.disabled:
            continue
        for index, bind in enumerate(proxy.binds):
            backlog = default_backlog(bind, proxy, configuration.globals.maxconn)
            for address in _single_ports(bind.addresses):
                try:
                    listeners.extend(_open_address(proxy.name, index, bind, address, backlog, placement))
                except (OSError, ValueError) as error:
                    errors.append(_error(proxy.name, bind, address, error))
    if errors:
        close_listeners(listeners)
        listeners = []
    return listeners, errors


def close_listeners(listeners: list[Listener]) -> None:
    """Closes this process's hold of the sockets. An inherited descriptor is closed too: it was given to us."""
    for listener in listeners:
        listener.sock.close()


def address_text(address: Address) -> str:
    """The address as notices show it: 127.0.0.1:80, [::1]:80, /run/x.sock, abns@name, fd@3."""
    if address.kind in ("unix", "abns", "fd"):
        return address.host if address.kind == "unix" else f"{address.kind}@{address.host}"
    host = _host(address)
    return f"[{host}]:{address.port_low}" if ":" in host else f"{host}:{address.port_low}"


def _host(address: Address) -> str:
    if address.host in ("", "*"):
        return "::" if address.kind == "inet6" else "0.0.0.0"
    return address.host


def _single_ports(addresses: tuple[Address, ...]) -> Iterator[Address]:
    """Each port of a range as an address of its own."""
    for address in addresses:
        if address.kind not in ("inet", "inet6"):
            yield address
            continue
        for port in range(address.port_low, max(address.port_low, address.port_high) + 1):
            yield Address(address.kind, address.host, port, port)


def _open_address(
    frontend: str, index: int, bind: BindSpec, address: Address, backlog: int, placement: Placement
) -> list[Listener]:
    """All sockets of one address; those already open are closed when one fails."""
    if address.kind == "fd":
        return [Listener(frontend, index, address, 0, 0, _inherited(int(address.host), backlog))]
    if address.kind == "unix":
        return [Listener(frontend, index, address, 0, 0, _unix(address.host, bind, backlog))]
    if address.kind == "abns":
        return [Listener(frontend, index, address, 0, 0, _abstract(address.host, backlog))]
    made: list[Listener] = []
    try:
        for group, thread in expand(bind.threads, [place.threads for place in placement.groups]):
            sock = _tcp(bind, address, backlog)
            # With port 0 the kernel chooses for the first socket, and the others join it.
            port = sock.getsockname()[1]
            address = Address(address.kind, address.host, port, port)
            made.append(Listener(frontend, index, address, group, thread, sock))
    except BaseException:
        close_listeners(made)
        raise
    return made


def _tcp(bind: BindSpec, address: Address, backlog: int) -> socket.socket:
    family = socket.AF_INET6 if address.kind == "inet6" else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6 and (bind.v4v6 or bind.v6only):
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not bind.v4v6))
        if bind.transparent:
            level, option = (41, 75) if family == socket.AF_INET6 else (socket.SOL_IP, 19)
            sock.setsockopt(level, option, 1)  # IPV6_TRANSPARENT, IP_TRANSPARENT: not in the socket module
        if bind.interface:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, bind.interface.encode() + b"\0")
        if bind.mss:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, bind.mss)
        if bind.tcp_ut:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, bind.tcp_ut)
        if bind.defer_accept:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)
        sock.bind((_host(address), address.port_low))
        sock.listen(backlog)
        if bind.tfo:
            # Needs the queue's length, hence after listen; a kernel without it only serves plain handshakes.
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, backlog)
    except BaseException:
        sock.close()
        raise
    return sock


def _unix(path: str, bind: BindSpec, backlog: int) -> socket.socket:
    """Bound under a name of our own and renamed onto `path` when it listens, so that a socket which a dead process
    left is replaced and nobody ever finds one that refuses. What is no socket is not replaced."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise OSError(errno.EADDRINUSE, "a file of another kind is there")
    temporary = f"{path}.{os.getpid()}.tmp"
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        sock.bind(temporary)
        if bind.mode is not None:
            os.chmod(temporary, bind.mode)
        if bind.uid is not None or bind.gid is not None:
            os.chown(temporary, -1 if bind.uid is None else bind.uid, -1 if bind.gid is None else bind.gid)
        sock.listen(backlog)
        os.rename(temporary, path)
    except BaseException as error:
        sock.close()
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.errno is None:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG)) from error
        raise
    return sock


def _abstract(name: str, backlog: int) -> socket.socket:
    raw = name.encode()
    if len(raw) > _ABSTRACT_LENGTH:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.bind(b"\0" + raw.ljust(_ABSTRACT_LENGTH, b"\0"))
        sock.listen(backlog)
    except BaseException:
        sock.close()
        raise
    return sock


def _inherited(fd: int, backlog: int) -> socket.socket:
    """A descriptor that our parent opened, bound and perhaps made listen. Accepted on as it is."""
    if not stat.S_ISSOCK(os.fstat(fd).st_mode):
        raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK))
    # A duplicate: two bind lines may name the same descriptor, and Python's socket objects close what they hold.
    sock = socket.socket(fileno=os.dup(fd))
    try:
        if sock.type != socket.SOCK_STREAM:
            raise OSError(errno.EPROTOTYPE, os.strerror(errno.EPROTOTYPE))
        sock.setblocking(False)
        if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            sock.listen(backlog)
    except BaseException:
        sock.close()
        raise
    return sock


def _error(frontend: str, bind: BindSpec, address: Address, error: Exception) -> ConfigError:
    """HAProxy's words, so that alert rules match: `Binding [file:line] for frontend x: cannot bind …`."""
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return ConfigError(
        f"Binding [{bind.place.file}:{bind.place.line}] for frontend {frontend}: "
        f"cannot bind socket ({why}) for [{address_text(address)}]",
        file=bind.place.file,
        line=bind.place.line,
        column=bind.place.column,
        word=bind.text,
    )
