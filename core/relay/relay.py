"""What all connections of one thread share: clock, deadlines, reader, limits, and the list of who is connected.

Owns: these, and the count of descriptors. Must not know: configuration files, processes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...pools.counters import ProcessCounts
from ...pools.pulses import TAKEN
from ..http.head import HeadReader, Limits
from .timers import Timers

if TYPE_CHECKING:
    from .acceptor import Listener
    from .client import ClientConnection
    from .exchange import RelayExchange
    from .tcp import TcpConnection
    from .tunnel import Tunnel


class Relay:
    """One thread's relay."""

    __slots__ = (
        "_lenient",
        "bufsize",
        "clients",
        "clock",
        "connections",
        "counts",
        "date",
        "descriptor_limit",
        "descriptors",
        "draining",
        "full",
        "limited",
        "limits",
        "live",
        "loop",
        "maxconn",
        "reader",
        "recorded",
        "resolvers",
        "room",
        "sessions",
        "spare",
        "tell",
        "timers",
        "tunnels",
        "uri_length",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        limits: Limits,
        *,
        bufsize: int = 16384,
        date: Callable[[], float] = time.time,
    ) -> None:
        self.loop = loop
        self.clock = loop.time
        self.date = date
        self.limits = limits
        self.reader = HeadReader(limits)
        self.bufsize = bufsize
        self._lenient: dict[tuple[bool, bool], HeadReader] = {}
        self.counts = ProcessCounts()
        self.timers = Timers(loop, self.failed)
        self.clients: set[ClientConnection | TcpConnection] = set()
        self.tunnels: set[Tunnel] = set()
        self.limited: dict[ClientConnection | TcpConnection, Listener] = {}
        """Clients of listeners with a limit of their own (`maxconn` of a bind line)."""
        self.connections = 0
        self.live: memoryview[int] | list[int] = [0] * TAKEN
        """The thread's row of the pulses, once it has one."""
        self.sessions = 0
        self.recorded = 0
        """Exchanges whose facts were recorded: `%rt`."""
        self.resolvers: Mapping[str, Any] = {}
        """Sections `resolvers` by name (core/resolver)."""
        self.uri_length = 1024
        """`tune.http.logurilen`."""
        self.spare: list[RelayExchange] = []
        """Exchanges without a client, with all defaults."""
        self.maxconn = 0
        """Client connections of this thread; 0: no limit."""
        self.descriptors = 0
        """Connections on either side that hold a descriptor."""
        self.descriptor_limit = 1 << 30
        self.draining = False
        self.full: Callable[[], None] = nothing
        """Called when no further client may be accepted."""
        self.tell: Callable[[str, int, str], None] = unheard
        """(backend, severity, text): a message about a backend for its logs."""
        self.room: Callable[[], None] = nothing
        """Called when a connection was closed while accepting is paused."""

    def reader_for(self, unsafe_request: bool, unsafe_response: bool) -> HeadReader:
        """The reader for proxies with these `option accept-unsafe-violations-in-http-*`; nearly always the one and
        only."""
        if not (unsafe_request or unsafe_response):
            return self.reader
        key = (unsafe_request, unsafe_response)
        reader = self._lenient.get(key)
        if reader is None:
            limits = replace(self.limits, accept_unsafe_request=unsafe_request, accept_unsafe_response=unsafe_response)
            reader = self._lenient[key] = HeadReader(limits)
        return reader

    def failed(self, error: Exception) -> None:
        """A fault of our own, in a place where it must not stop others."""
        self.loop.call_exception_handler({"message": "fault in the relay", "exception": error})

    def now(self) -> float:
        """Milliseconds of the thread's monotonic clock."""
        return self.clock() * 1000.0

    def date_of(self, at: float) -> float:
        """The date (seconds since the epoch) of a moment of the thread's clock (ms). Two looks at clocks a request are
        saved this way: only log lines need dates."""
        return self.date() - self.clock() + at / 1000.0


def unheard(backend: str, severity: int, text: str) -> None:
    """Where there are no logs."""


def nothing() -> None:
    """What is called while nobody waits for room."""
