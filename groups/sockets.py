"""One listening socket: bound with the options of its bind line (manual 5.1), made to listen, found in another's name.

Owns: the system calls and what an address's socket is called. Must not know: how many sockets an address has, nor whose
they are. Invariant: a TCP socket is bound here and listens later (`listen`), so what is given up has taken no
connection; a unix socket listens under a name of our own and is renamed into place (`publish`), so nobody ever finds
one that refuses. Everything raises OSError.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
import stat

from ..core.config.model import Address, BindSpec, ProxySpec
from ..core.net.unix_facts import leads_to

DEFAULT_BACKLOG = 1024
"""Where neither the bind line nor the proxy nor global says maxconn (manual 4.2 `backlog`)."""
_ABSTRACT_LENGTH = 107
"""Bytes of an abstract name after its NUL: `abns@` names are padded to the whole address (manual 11.1.1)."""
_TEMPORARY = re.compile(r"\.[0-9]+\.(?:tmp|bak)$", re.ASCII)
"""What HAProxy and we bind a unix socket by before the rename; `getsockname` tells this name for ever."""
_IPV6_TRANSPARENT, _IP_TRANSPARENT = 75, 19
"""Not in the socket module."""
_INTERFACE_LENGTH = 16


class ListeningSocket(socket.socket):
    """A listening socket, and whether it is ours alone."""

    __slots__ = ("foreign",)

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:
        super().__init__(family, type, proto, fileno)
        self.foreign = False
        """Another process goes on to use it: systemd, who gave us `fd@`, who took it by `_getsocks`. So it is not
        refused, shut down or unlinked; only our hold of it may end."""


def is_foreign(sock: socket.socket) -> bool:
    return isinstance(sock, ListeningSocket) and sock.foreign


def default_backlog(bind: BindSpec, proxy: ProxySpec, maxconn: int | None) -> int:
    """Length of the kernel's queue, in connections."""
    return bind.backlog or proxy.backlog or bind.maxconn or proxy.maxconn or maxconn or DEFAULT_BACKLOG


def address_text(address: Address) -> str:
    """The address as notices show it: 127.0.0.1:80, [::1]:80, /run/x.sock, abns@name, fd@3."""
    if address.kind in ("unix", "abns", "fd"):
        return address.host if address.kind == "unix" else f"{address.kind}@{address.host}"
    host = host_of(address)
    return f"[{host}]:{address.port_low}" if ":" in host else f"{host}:{address.port_low}"


def host_of(address: Address) -> str:
    """What a TCP socket is bound to: a numeric host."""
    if address.host in ("", "*"):
        return "::" if address.kind == "inet6" else "0.0.0.0"
    return address.host


def bind_tcp(bind: BindSpec, address: Address) -> ListeningSocket:
    """Bound, not listening yet: one of a set of SO_REUSEPORT sockets, whose other members must be of the same user."""
    family = socket.AF_INET6 if address.kind == "inet6" else socket.AF_INET
    sock = ListeningSocket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6 and (bind.v4v6 or bind.v6only):
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not bind.v4v6))
        if bind.transparent:
            set_transparent(sock)
        if bind.interface:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, bind.interface.encode() + b"\0")
        set_options(sock, bind, only_written=True)
        sock.bind((host_of(address), address.port_low))
    except BaseException:
        sock.close()
        raise
    return sock


def set_transparent(sock: socket.socket) -> None:
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_TRANSPARENT, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, _IP_TRANSPARENT, 1)


def set_options(sock: socket.socket, bind: BindSpec, *, only_written: bool) -> None:
    """What can be set at any time. Unless `only_written` the rest goes back to the kernel's defaults: a kept socket may
    have had it."""
    for option, value in (
        (socket.TCP_MAXSEG, bind.mss or 0),
        (socket.TCP_USER_TIMEOUT, bind.tcp_ut or 0),
        (socket.TCP_DEFER_ACCEPT, int(bind.defer_accept)),
    ):
        if value or not only_written:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def listen(sock: socket.socket, bind: BindSpec, backlog: int) -> None:
    """Listens, with another `backlog` if it does already."""
    sock.listen(backlog)
    if sock.family != socket.AF_UNIX:
        # Needs the queue's length, hence after listen; a kernel without it only serves plain handshakes.
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, backlog if bind.tfo else 0)


def bind_unix(path: str, bind: BindSpec, backlog: int) -> ListeningSocket:
    """Listening under the temporary name of `path`. What is no socket must not be replaced."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise OSError(errno.EADDRINUSE, "a file of another kind is there")
    temporary = f"{path}.{os.getpid()}.tmp"
    sock = ListeningSocket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        sock.bind(temporary)
        set_permissions(temporary, bind)
        sock.listen(backlog)
    except BaseException as error:
        sock.close()
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.errno is None:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG)) from error
        raise
    return sock


def set_permissions(path: str, bind: BindSpec) -> None:
    """Those that are written; others stay as they are."""
    if bind.mode is not None:
        os.chmod(path, bind.mode)
    if bind.uid is not None or bind.gid is not None:
        os.chown(path, -1 if bind.uid is None else bind.uid, -1 if bind.gid is None else bind.gid)


def publish(path: str, sock: socket.socket) -> None:
    """Puts the socket of `bind_unix` in its place; one that a dead process left is replaced."""
    os.rename(sock.getsockname(), path)


def unpublish(path: str, sock: socket.socket) -> None:
    """Takes the names of a unix socket away, before or after `publish`; those of another socket stay."""
    for name in (path, sock.getsockname()):
        if leads_to(name, sock):
            with contextlib.suppress(OSError):
                os.unlink(name)


def bind_abstract(name: str) -> ListeningSocket:
    """Bound, not listening yet."""
    raw = name.encode()
    if len(raw) > _ABSTRACT_LENGTH:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    sock = ListeningSocket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.bind(b"\0" + raw.ljust(_ABSTRACT_LENGTH, b"\0"))
    except BaseException:
        sock.close()
        raise
    return sock


def inherit(fd: int) -> ListeningSocket:
    """A duplicate of a descriptor that our parent opened and bound: two bind lines may name the same, and Python's
    socket objects close what they hold."""
    if not stat.S_ISSOCK(os.fstat(fd).st_mode):
        raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK))
    sock = ListeningSocket(fileno=os.dup(fd))
    sock.foreign = True
    try:
        if sock.type != socket.SOCK_STREAM:
            raise OSError(errno.EPROTOTYPE, os.strerror(errno.EPROTOTYPE))
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def is_listening(sock: socket.socket) -> bool:
    return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def bound_path(sock: socket.socket) -> str:
    """The path that a unix socket is served by; "" for an abstract or nameless one."""
    name = sock.getsockname()
    if isinstance(name, bytes):
        return "" if name.startswith(b"\0") else _TEMPORARY.sub("", os.fsdecode(name))
    return _TEMPORARY.sub("", str(name))


def bound_interface(sock: socket.socket) -> str:
    """The network interface that it is bound to, or ""."""
    try:
        name = sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, _INTERFACE_LENGTH)
    except OSError:
        return ""
    return name.rstrip(b"\0").decode()
