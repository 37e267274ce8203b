"""The listening sockets of one thread: accepting, pausing while there is no room, and going on.

Theory. A connection that is accepted must be served; what cannot be served stays in the kernel's queue, where a client
merely waits. So accepting stops *before* a limit is exceeded, and a connection counts from the moment of its accept.
libuv's listener accepts in a loop and calls `connection_made` in between (measured: closing the server in there leaves
the rest in the queue), so that the connection that reaches the limit is the last one. Were the limit on descriptors
ever hit inside accept, libuv would accept and close every client, to have silence: `descriptor_limit` lies below it.

A listener accepts on a duplicate of the supervisor's socket. Closing the duplicate pauses; the queue belongs to the
socket, which stays open in the supervisor, and connections go on queueing there.

Owns: the duplicates. Must not know: what is done with a connection.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from .relay import Relay, nothing
from .route import Frontend

if TYPE_CHECKING:
    from .client import ClientConnection

Factory = Callable[[], asyncio.Protocol]


class Listener:
    """One listening socket of one frontend."""

    __slots__ = (
        "backlog",
        "connections",
        "factory",
        "frontend",
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
    ) -> None:
        """`maxconn`: most clients at a time; 0: no limit of its own."""
        self.relay = relay
        self.frontend = frontend
        self.sock = sock
        self.factory = factory
        self.backlog = backlog
        self.server: asyncio.Server | None = None
        self.starting: asyncio.Task[None] | None = None
        self.paused = False
        self.maxconn = maxconn
        self.connections = 0
        """Clients now; counted only where there is a limit."""

    def _noted(self) -> asyncio.Protocol:
        client = self.factory()
        self.relay.limited[cast("ClientConnection", client)] = self
        return client

    def start(self) -> None:
        """Accept from now on."""
        self.paused = False
        if self.server is None and self.starting is None:
            self.starting = self.relay.loop.create_task(self._start())

    async def _start(self) -> None:
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
        factory = self._noted if self.maxconn else self.factory
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

    __slots__ = ("_held", "_listeners", "_relay", "_shut")

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._listeners: list[Listener] = []
        self._held = False
        """Somebody asked for a pause (SIGTTOU)."""
        self._shut = False
        relay.full = self.full

    def add(self, listener: Listener) -> None:
        self._listeners.append(listener)
        if not self._shut and not self._held and self._has_room(listener):
            listener.start()
        else:
            listener.paused = True
            self._await_room()

    def remove(self, sock: socket.socket) -> None:
        """Forget the listeners on `sock` (an adopted one whose owner is back)."""
        for listener in [item for item in self._listeners if item.sock is sock]:
            listener.stop()
            self._listeners.remove(listener)

    def pause(self) -> None:
        """SIGTTOU: stop accepting until `resume`."""
        self._held = True
        for listener in self._listeners:
            listener.stop()

    def resume(self) -> None:
        self._held = False
        self.room()

    def shut(self) -> None:
        """Accept nothing any more: the thread drains or ends."""
        self._shut = True
        for listener in self._listeners:
            listener.stop()

    def full(self) -> None:
        """A limit is reached, or a listener could not start: pause whatever has no room."""
        for listener in self._listeners:
            if not listener.paused and not self._has_room(listener):
                listener.stop()
            if listener.paused:
                self._await_room()

    def _await_room(self) -> None:
        """Hear of connections that are closed. (Who shuts us listens to that himself.)"""
        if not self._shut:
            self._relay.room = self.room

    def room(self) -> None:
        """A connection was closed: go on accepting where there is room."""
        if self._shut or self._held:
            return
        waiting = False
        for listener in self._listeners:
            if listener.paused:
                if self._has_room(listener):
                    listener.start()
                else:
                    waiting = True
        if not waiting:
            self._relay.room = nothing

    def _has_room(self, listener: Listener) -> bool:
        relay = self._relay
        frontend = listener.frontend
        return (
            not 0 < listener.maxconn <= listener.connections
            and not 0 < frontend.maxconn <= frontend.connections
            and not 0 < relay.maxconn <= relay.connections
            and relay.descriptors < relay.descriptor_limit
        )
