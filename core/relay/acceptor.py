"""The listening sockets of one thread: accepting, pausing while there is no room, and going on.

Theory. A connection that is accepted must be served; what cannot be served stays in the kernel's queue, where a client
merely waits. So accepting stops *before* a limit is exceeded, and a connection counts from the moment of its accept.
libuv's listener accepts in a loop and calls `connection_made` in between (measured: closing the server in there leaves
the rest in the queue), so that the connection that reaches the limit is the last one. Were the limit on descriptors
ever hit inside accept, libuv would accept and close every client, to have silence: `descriptor_limit` lies below it.

A listener accepts on a duplicate of the supervisor's socket. Closing the duplicate pauses; the queue belongs to the
socket, which stays open in the supervisor, and connections go on queueing there.

The thread's row of the pulses says whether a client could be handed to it: only while no listener is paused, so that a
thread which is full for one frontend gets nothing for another either. That errs on the side of those who wait.

Owns: the duplicates. Must not know: what is done with a connection.
"""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, cast

from ...pools.pulses import ACCEPTING
from ..net.unix_facts import unix_facts
from .relay import Relay, nothing
from .route import Frontend

if TYPE_CHECKING:
    from .client import ClientConnection

Factory = Callable[[], asyncio.Protocol]


def same(factory: Factory) -> Factory:
    """No gate: whom a listener accepts it keeps."""
    return factory


class Listener:
    """One listening socket of one frontend."""

    __slots__ = (
        "backlog",
        "connections",
        "factory",
        "frontend",
        "gate",
        "maxconn",
        "paused",
        "relay",
        "server",
        "sock",
        "starting",
    )

    def __init__(
        self,
        relay: Relay,
        frontend: Frontend,
        sock: socket.socket,
        factory: Factory,
        backlog: int,
        maxconn: int = 0,
        gate: Callable[[Factory], Factory] = same,
    ) -> None:
        """`maxconn`: most clients at a time; 0: no limit of its own. `gate` (relay/handing) makes of the factory one
        that may hand an accepted client to another thread."""
        self.relay = relay
        self.frontend = frontend
        self.sock = sock
        self.factory = factory
        self.backlog = backlog
        self.gate = gate
        self.server: asyncio.Server | None = None
        self.starting: asyncio.Task[None] | None = None
        self.paused = False
        self.maxconn = maxconn
        self.connections = 0
        """Clients now; counted only where there is a limit."""

    def make(self) -> asyncio.Protocol:
        """The protocol of a client that is this listener's, whoever has accepted it."""
        client = self.factory()
        if self.maxconn:
            self.relay.limited[cast("ClientConnection", client)] = self
        return client

    def start(self) -> None:
        """Accept from now on."""
        self.paused = False
        if self.server is None and self.starting is None:
            self.starting = self.relay.loop.create_task(self._start())

    async def _start(self) -> None:
        if self.paused:
            # Stopped before it began: its socket may be closed by now.
            self.starting = None
            return
        try:
            duplicate = self.sock.dup()
        except OSError as error:
            # No descriptor for the duplicate itself: try again when one is free.
            self.paused = True
            self.starting = None
            self.relay.failed(error)
            self.relay.full()
            return
        if "clitcpka" in self.frontend.spec.options:
            # Connections inherit it from the socket that they are accepted on.
            duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        factory = self.gate(self.make if self.maxconn else self.factory)
        server = await self.relay.loop.create_server(factory, sock=duplicate, backlog=self.backlog)
        self.starting = None
        if self.paused:
            server.close()
        else:
            self.server = server

    def stop(self) -> None:
        """Accept no more, at once."""
        self.paused = True
        if self.server is not None:
            self.server.close()
            self.server = None


class Acceptor:
    """All listeners of a thread, and the limits that pause them."""

    __slots__ = ("_held", "_left", "_listeners", "_relay", "_shut")

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._listeners: list[Listener] = []
        self._held = False
        """Somebody asked for a pause (SIGTTOU)."""
        self._shut = False
        self._left: Callable[[], None] | None = None
        """Who hears of every connection that is closed, once the thread drains."""
        relay.full = self.full

    def add(self, listener: Listener) -> None:
        self._listeners.append(listener)
        if not self._shut and not self._held and self._has_room(listener):
            listener.start()
        else:
            listener.paused = True
            self._await_room()
        self._tell()

    def remove(self, sock: socket.socket) -> None:
        """Forget the listeners on `sock` (an adopted one whose owner is back)."""
        for listener in [item for item in self._listeners if item.sock is sock]:
            listener.stop()
            self._listeners.remove(listener)
        self._tell()

    def pause(self) -> None:
        """SIGTTOU: stop accepting until `resume`."""
        self._held = True
        for listener in self._listeners:
            listener.stop()
        self._tell()

    def resume(self) -> None:
        self._held = False
        self.room()
        self._tell()

    def linger(self, lingering: Collection[socket.socket], left: Callable[[], None]) -> None:
        """The thread drains: let go of all sockets but the `lingering` ones, on which it accepts as before until
        `let_go`. `left` is called from now on whenever a connection was closed."""
        self._held = False
        kept = {id(sock) for sock in lingering}
        for listener in self._listeners[:]:
            if id(listener.sock) not in kept:
                listener.stop()
                self._listeners.remove(listener)
        self.room()
        self._left = left
        self._relay.room = self.room
        self._tell()

    @property
    def lingers(self) -> bool:
        """Whether there are sockets to accept on."""
        return bool(self._listeners)

    def let_go(self) -> None:
        """Give up those listeners in whose queue nobody waits, and close their sockets, so that whoever comes is
        refused and not left waiting. Between two turns of the loop a queue is empty unless
        accepting is paused, so the caller lets some time pass in which handshakes end."""
        ready = waiting_sockets([listener.sock for listener in self._listeners])
        for listener in self._listeners[:]:
            if id(listener.sock) not in ready:
                listener.stop()
                self._listeners.remove(listener)
                listener.sock.close()

    def shut(self) -> None:
        """Accept nothing any more: the thread ends."""
        self._shut = True
        for listener in self._listeners:
            listener.stop()
        self._tell()

    def full(self) -> None:
        """A limit is reached, or a listener could not start: pause whatever has no room."""
        for listener in self._listeners:
            if not listener.paused and not self._has_room(listener):
                listener.stop()
            if listener.paused:
                self._await_room()
        self._tell()

    def listener(self, factory: Factory) -> Listener | None:
        """One that makes its clients with this factory, if there is any."""
        for listener in self._listeners:
            if listener.factory is factory:
                return listener
        return None

    def limit(self, factory: Factory, maxconn: int) -> None:
        """Another limit for the listeners of this factory. (Between none and some it cannot change.)"""
        for listener in self._listeners:
            if listener.factory is factory:
                listener.maxconn = maxconn

    def _await_room(self) -> None:
        """Hear of connections that are closed. (Who shuts us listens to that himself.)"""
        if not self._shut:
            self._relay.room = self.room

    def room(self) -> None:
        """A connection was closed: go on accepting where there is room."""
        if not (self._shut or self._held):
            waiting = started = False
            for listener in self._listeners:
                if listener.paused:
                    if self._has_room(listener):
                        listener.start()
                        started = True
                    else:
                        waiting = True
            if started:
                self._tell()
            if not waiting and self._left is None:
                self._relay.room = nothing
        if self._left is not None:
            self._left()

    def _tell(self) -> None:
        """Let the other threads know."""
        able = self._left is None and not self._shut and not self._held and bool(self._listeners)
        self._relay.live[ACCEPTING] = int(able and not any(listener.paused for listener in self._listeners))

    def _has_room(self, listener: Listener) -> bool:
        relay = self._relay
        frontend = listener.frontend
        return (
            not 0 < listener.maxconn <= listener.connections
            and not 0 < frontend.maxconn <= frontend.connections
            and not 0 < relay.maxconn <= relay.connections
            and relay.descriptors < relay.descriptor_limit
        )


def waiting_sockets(sockets: Collection[socket.socket]) -> set[int]:
    """The ids of those listening sockets in whose queue somebody waits: the kernel says that they can be read. Closed
    ones are not among them."""
    poll = select.poll()
    found = {}
    for sock in sockets:
        if sock.fileno() >= 0:
            found[sock.fileno()] = sock
            poll.register(sock, select.POLLIN | select.POLLRDHUP)
    return {
        id(found[descriptor])
        for descriptor, event in poll.poll(0)
        # A unix socket that refuses (it is shut down for reading) can be read in any case: its queue has to be asked
        # for. Where the kernel does not tell, the time that the caller lets pass has to do.
        if event & select.POLLIN and (not event & select.POLLRDHUP or unix_facts(found[descriptor]).queue > 0)
    }
