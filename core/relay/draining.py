"""A thread's soft stop: the queues of sockets that nobody else will accept on, the idle clients, the end.

Theory. A client that keeps its connection may send a request at any moment; if we close in that moment, the request is
lost. So a connection is closed when it has been idle for a second (a client that sends one after the other is not), and
before only after a response that says so. A connection of which nothing has come yet is idle since its accept.

A *lingering* socket gets no new connections any more (the supervisor has seen to that) but has clients in its queue.
They are accepted and served as before, so also by and by where a limit pauses accepting. A handshake that is under way
ends within `QUIET`, and then an empty queue stays empty.

Owns: when what is given up. Must not know: how a client is closed, processes.

Invariants: `done` is called once: when no client, no lingering socket and nothing in the inbox is left, or after the
deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from socket import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .acceptor import Acceptor
    from .handing import Inbox
    from .relay import Relay

QUIET = 0.2
"""Seconds that handshakes, and clients on their way from other threads, have to arrive."""
LOOK = 0.05
"""Seconds between two looks at who has become idle; more where there are many clients."""
AT_EASE = 50_000
"""Clients looked at in a second, at most: some 1 % of a CPU."""


class Draining:
    """The soft stop of one thread, which begins when this is made."""

    __slots__ = ("_acceptor", "_deadline", "_done", "_end", "_inbox", "_relay", "_since", "_timer", "_wait")

    def __init__(
        self,
        relay: Relay,
        acceptor: Acceptor,
        inbox: Inbox | None,
        end: Callable[[], None],
        done: Callable[[], None],
    ) -> None:
        """`end` closes what is left in the thread, and is called before `done`."""
        self._relay = relay
        self._acceptor = acceptor
        self._inbox = inbox
        self._end = end
        self._done: Callable[[], None] | None = done
        self._deadline: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._since = relay.clock()
        self._wait = 0.0

    def start(self, deadline_ms: int | None, lingering: Collection[socket]) -> None:
        """`done` is not called before this returns."""
        relay = self._relay
        relay.draining = True
        if lingering or self._inbox is not None:
            self._wait = QUIET
        self._acceptor.linger(lingering, self.left)
        if deadline_ms is not None:
            self._deadline = relay.loop.call_later(deadline_ms / 1000.0, self._deadline_passed)
        relay.loop.call_soon(self._look)

    def left(self) -> None:
        """A connection was closed."""
        if not self._relay.clients and self._is_over():
            self._finish()

    def stop(self) -> None:
        """No more of this: the thread is cut off."""
        self._done = None
        for timer in (self._deadline, self._timer):
            if timer is not None:
                timer.cancel()
        self._deadline = self._timer = None

    def _look(self) -> None:
        if self._done is None:
            return
        relay = self._relay
        if self._acceptor.lingers and relay.clock() - self._since >= self._wait:
            self._acceptor.let_go()
        now = relay.now()
        for client in list(relay.clients):
            client.drain(now)
        if not relay.clients and self._is_over():
            self._finish()
        else:
            self._timer = relay.loop.call_later(max(LOOK, len(relay.clients) / AT_EASE), self._look)

    def _is_over(self) -> bool:
        """Nobody can come any more."""
        if self._done is None or self._acceptor.lingers or self._relay.clock() - self._since < self._wait:
            return False
        inbox = self._inbox
        if inbox is not None:
            # Somebody may have been handed to us before our row said that we drain.
            inbox.read()
            return not inbox.arriving
        return True

    def _finish(self) -> None:
        done = self._done
        assert done is not None
        self.stop()
        self._end()
        done()

    def _deadline_passed(self) -> None:
        self._deadline = None
        relay = self._relay
        self._wait = 0.0
        self._inbox = None
        self._acceptor.linger((), self.left)
        for tunnel in list(relay.tunnels):
            tunnel.close(b"K-")
        for client in list(relay.clients):
            client.transport.abort()
        if not relay.clients:
            relay.loop.call_soon(self._look)
