"""The control socket: where the supervisor is told what to do while it serves.

Owns: the listening sockets of the runtime commands (our own in the runtime directory, `stats socket` lines, -S), who
may connect, how many. Must not know: what commands do (commands.py), what is said on a connection (conversation.py),
the supervisor beyond Steering.

Invariants: no event loop of its own and no waiting: everything hangs in the supervisor's selector, whose key.data is
called without arguments; the supervisor calls `expire` when `due` has come. A path is in service at one moment with the
old socket, at the next with the new one (rename), and is removed at the end only if it is still ours.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import socket
import struct
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from ..core.addresses import Address
from ..core.config.control import read_master
from ..core.config.global_spec import ControlSpec
from ..core.config.model import GlobalSpec, Place
from .conversation import MASTER, Conversation
from .steering import Answer, Steering

__all__ = ["Answer", "Control", "Endpoint", "Steering", "endpoints"]

OWN = "maniple"
STATS = ""
OWN_PATIENCE = 30.0
OWN_CONNECTIONS = 32
_BACKLOG = 64
_TEMPORARY = re.compile(r"\.\d+\.tmp$")
_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place to listen on. `name` is shown before the prompt's `>`; `private`: only for this user and root, whatever
    the file system would allow; `patience` in seconds."""

    spec: ControlSpec
    name: str = STATS
    private: bool = False
    patience: float = 10.0
    connections: int = 10

    @property
    def key(self) -> str:
        return str(self.spec.address)


def endpoints(spec: GlobalSpec, masters: Sequence[str] = (), own: str | None = None) -> list[Endpoint]:
    """Everything to listen on: the path of our own, those of -S, and the `stats socket` lines. Raises ValueError for an
    argument of -S that cannot be read."""
    found = []
    if own is not None:
        control = ControlSpec(Place("", 0), Address("unix", own), mode=0o600, level="admin", expose_listeners=True)
        found.append(Endpoint(control, OWN, True, OWN_PATIENCE, OWN_CONNECTIONS))
    patience = spec.control_timeout / 1000
    found.extend(Endpoint(read_master(text), MASTER, False, patience, spec.control_maxconn) for text in masters)
    for control in spec.controls:
        private = control.address.kind == "abns"  # a name without permissions
        found.append(Endpoint(control, STATS, private, patience, spec.control_maxconn))
    return found


class Control:
    """All control sockets of a supervisor."""

    def __init__(
        self, steering: Steering, selector: selectors.BaseSelector, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._steering = steering
        self._selector = selector
        self._clock = clock
        self._doors: list[_Door] = []
        self._inherited: dict[str, socket.socket] = {}
        self._conversations: dict[Conversation, _Door | None] = {}
        self._resumed: set[socket.socket] = set()

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """Those that listen: what an upgrade hands to the next program, which calls `adopt` with each."""
        return tuple(door.socket for door in self._doors)

    @property
    def due(self) -> float | None:
        """When `expire` is to be called next."""
        return min((talk.due for talk in self._conversations if talk.due is not None), default=None)

    def expire(self, now: float) -> None:
        """Ends the conversations whose client was waited for too long."""
        for conversation in list(self._conversations):
            conversation.expire(now)

    def adopt(self, sock: socket.socket) -> None:
        """A listening socket of the program that was here before: the next `open` uses it where the address agrees."""
        self._inherited[str(_address_of(sock))] = sock

    def keep_adopted(self) -> None:
        """Serves the adopted sockets although nobody says on what terms: this user and root may do all."""
        spec = ControlSpec(Place("", 0), Address("unix", ""), level="admin", expose_listeners=True)
        addresses = [_address_of(sock) for sock in self._inherited.values()]
        self.open([Endpoint(replace(spec, address=address), OWN, True, OWN_PATIENCE) for address in addresses])

    def open(self, wanted: Sequence[Endpoint]) -> list[str]:
        """Listens on these and no others; those that are there already stay as they are, new permissions and levels
        excepted. Adopted sockets that nobody wants are closed. Returns what went wrong: then the others are open all
        the same (one of them may be the only way to be told of a better configuration), and none is closed."""
        errors: list[str] = []
        kept = {door.endpoint.key: door for door in self._doors}
        new: list[_Door] = []
        for endpoint in {one.key: one for one in wanted if one.key not in kept}.values():
            try:
                inherited = self._inherited.pop(endpoint.key, None)
                new.append(_Door(endpoint, inherited if inherited is not None else _listen(endpoint)))
            except OSError as error:
                errors.append(f"cannot listen for commands on {endpoint.key} ({error.strerror})")
        for endpoint in wanted:
            if endpoint.key in kept:
                kept[endpoint.key].change(endpoint)
        if not errors:
            self._close_unwanted({endpoint.key for endpoint in wanted})
        self._doors += new
        for door in self._doors:
            self._watch(door)
        return errors

    def _close_unwanted(self, keys: Collection[str]) -> None:
        for sock in self._inherited.values():
            sock.close()
        self._inherited.clear()
        for door in self._doors:
            if door.endpoint.key not in keys:
                self._shut(door)
                door.close(remove=True)
        self._doors = [door for door in self._doors if door.endpoint.key in keys]

    def forget(self) -> None:
        """In a forked group: closes what is the supervisor's. The selector is left alone; the paths stay."""
        for conversation in self._conversations:
            conversation.forget()
        for connection in self._resumed:
            connection.close()
        for door in self._doors:
            door.close(remove=False)

    def close(self, *, remove: bool = True) -> None:
        """Ends everything. Without `remove` the paths stay."""
        for conversation in list(self._conversations):
            conversation.close()
        for door in self._doors:
            self._shut(door)
            door.close(remove)
        self._doors.clear()

    def resume(self, connection: socket.socket) -> Answer:
        """The answer that the program before us was asked for (Answer.hand_over). It begins with Success=0 or 1."""
        connection.setblocking(False)
        self._resumed.add(connection)

        def ended(lines: list[str], ok: bool) -> None:
            self._resumed.discard(connection)
            text = "".join(f"{line}\n" for line in (f"Success={int(ok)}", "--", *lines)) + "\n"
            with contextlib.suppress(OSError):
                connection.send(text.encode("utf-8", "replace"), socket.MSG_NOSIGNAL)
            connection.close()

        return Answer(ended)

    # Clients.

    def _accept(self, door: _Door) -> None:
        try:
            connection, _ = door.socket.accept()
        except OSError:
            return  # gone again, or no descriptor left: the next turn will tell
        if door.endpoint.private and not _is_ours(connection):
            connection.close()
            return
        spec = door.endpoint.spec
        conversation = Conversation(
            connection,
            self._steering,
            self._selector,
            level=spec.level,
            expose=spec.expose_listeners,
            prompt=door.endpoint.name,
            patience=door.endpoint.patience,
            clock=self._clock,
            gone=self._gone,
        )
        self._conversations[conversation] = door
        door.talks += 1
        self._watch(door)

    def _gone(self, conversation: Conversation) -> None:
        door = self._conversations.pop(conversation, None)
        if door is not None:
            door.talks -= 1
            if door in self._doors:
                self._watch(door)

    def _watch(self, door: _Door) -> None:
        """Accepts as long as there are not too many: those beyond wait in the kernel's queue."""
        wanted = door.talks < door.endpoint.connections
        if wanted and not door.watched:
            self._selector.register(door.socket, selectors.EVENT_READ, lambda: self._accept(door))
        elif not wanted and door.watched:
            self._selector.unregister(door.socket)
        door.watched = wanted

    def _shut(self, door: _Door) -> None:
        if door.watched:
            door.watched = False
            self._selector.unregister(door.socket)


class _Door:
    """One listening socket, and the file that it has in the file system."""

    __slots__ = ("_file", "endpoint", "socket", "talks", "watched")

    def __init__(self, endpoint: Endpoint, sock: socket.socket) -> None:
        self.endpoint = endpoint
        self.socket = sock
        self.talks = 0
        self.watched = False
        self._file = _identity(endpoint)

    def change(self, endpoint: Endpoint) -> None:
        if self.endpoint.spec != replace(endpoint.spec, place=self.endpoint.spec.place):
            with contextlib.suppress(OSError):
                _permit(endpoint.spec.address.host, endpoint.spec)
        self.endpoint = endpoint

    def close(self, remove: bool) -> None:
        self.socket.close()
        # Another program may have put its own in the place meanwhile.
        if remove and self._file is not None and self._file == _identity(self.endpoint):
            with contextlib.suppress(OSError):
                os.unlink(self.endpoint.spec.address.host)


def _identity(endpoint: Endpoint) -> tuple[int, int] | None:
    if endpoint.spec.address.kind != "unix":
        return None
    try:
        found = os.lstat(endpoint.spec.address.host)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _listen(endpoint: Endpoint) -> socket.socket:
    """Raises OSError."""
    address = endpoint.spec.address
    if address.kind == "fd":
        sock = socket.socket(fileno=os.dup(int(address.host)))
    elif address.kind in ("unix", "abns"):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    else:
        sock = socket.socket(socket.AF_INET6 if address.kind == "inet6" else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if address.kind == "unix":
            _bind_path(sock, endpoint.spec)
        elif address.kind == "abns":
            sock.bind("\0" + address.host)
        elif address.kind != "fd":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Beside the process that we take over from, as HAProxy does.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sock.bind((address.host or ("::" if address.kind == "inet6" else "0.0.0.0"), address.port))
        if address.kind != "unix":
            sock.listen(_BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def _bind_path(sock: socket.socket, spec: ControlSpec) -> None:
    """Bound and listening under another name with its permissions set, then renamed: nobody meets a socket that does
    not answer, or that is open to all for a moment."""
    path = spec.address.host
    temporary = f"{path}.{os.getpid()}.tmp"
    if len(os.fsencode(temporary)) > 107:
        temporary = path  # no room for a second name
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    before = os.umask(0o177)
    try:
        sock.bind(temporary)
    finally:
        os.umask(before)
    try:
        _permit(temporary, spec, 0o777 & ~before)
        sock.listen(_BACKLOG)
        if temporary != path:
            os.rename(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def _permit(path: str, spec: ControlSpec, mode: int | None = None) -> None:
    """Owner and permissions; `mode` is what holds where none is written."""
    if spec.uid is not None or spec.gid is not None:
        os.chown(path, -1 if spec.uid is None else spec.uid, -1 if spec.gid is None else spec.gid)
    wanted = mode if spec.mode is None else spec.mode
    if wanted is not None:
        os.chmod(path, wanted)


def _address_of(sock: socket.socket) -> Address:
    """Of the endpoint that the socket was made for."""
    name = sock.getsockname()
    if sock.family == socket.AF_UNIX:
        if isinstance(name, bytes):
            return Address("abns", name[1:].decode("utf-8", "surrogateescape"))
        return Address("unix", _TEMPORARY.sub("", name))
    kind = "inet6" if sock.family == socket.AF_INET6 else "inet"
    return Address(kind, name[0], name[1], name[1])


def _is_ours(connection: socket.socket) -> bool:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return _CREDENTIALS.unpack(credentials)[1] in (0, os.geteuid())
