"""The running proxy of one thread: what a group asks of it, and its slow pulse.

Owns: the start and the end of the thread's traffic, publication of its counters, eviction of idle server connections.
Must not know: processes, configuration files.

Invariants: used in the OS thread of its loop only. After `drain` or `abort` nothing is accepted any more.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..pools.columns import Column
from ..pools.counters import Counts
from ..pools.pressure import pressure_of
from ..pools.pulses import Pulse
from ..pools.slots import Shares, share
from ..pools.table import Table
from .config.model import ProxySpec
from .relay import connect
from .relay.acceptor import Acceptor, Factory, Listener, same
from .relay.client import ClientConnection
from .relay.draining import Draining
from .relay.handing import Hander, Inbox, Inboxes
from .relay.operating import set_server
from .relay.sweeper import Sweeper
from .relay.tcp import TcpConnection
from .relay.traffic import Traffic, sum_responses, sum_times
from .rules.pattern_journal import DELAY, Journal, take
from .rules.pattern_requests import answer

if TYPE_CHECKING:
    from .balance.backend import Backend
    from .balance.server import Server
    from .relay.relay import Relay
    from .relay.route import Frontend
    from .report.senders import Sender, Senders
    from .rules.levels import Levels
    from .rules.pattern_changes import Change
    from .rules.pattern_files import PatternFiles

PULSE = 0.2
"""Seconds between two publications of the counters and looks at the pools."""


class Runtime:
    """One thread's frontends and backends in service."""

    def __init__(
        self,
        relay: Relay,
        frontends: Sequence[Frontend],
        backends: Sequence[Backend],
        senders: Senders,
        reporters: Sequence[Sender],
        column: Column | None,
        *,
        maxconn: int = 0,
        shares: Shares | None = None,
        pulse: Pulse | None = None,
        inboxes: Inboxes | None = None,
        server_reporters: Mapping[str, Sequence[Sender]] | None = None,
        levels: Levels | None = None,
        patterns: PatternFiles | None = None,
        tables: Collection[Table] = (),
    ) -> None:
        """`reporters`: where messages about the process itself go, `server_reporters`: those about the servers of a
        backend; `maxconn`: the process's, for queues' lengths; `shares`: this thread's part of the limits of bind
        lines; `pulse`: its row; `inboxes`: where clients are handed to, None where they are not; `levels`: what
        expressions ask of all threads; `patterns`: the files that rules look into; `tables`: stick
        tables, from which it removes what has expired."""
        self.relay = relay
        self.frontends = {frontend.name: frontend for frontend in frontends}
        self.backends = tuple(backends)
        self.acceptor = Acceptor(relay)
        self._senders = senders
        self._reporters = reporters
        self._server_reporters = server_reporters or {}
        relay.tell = self.tell
        self._column = column
        self._rows: list[tuple[int, Counts]] = self._find_rows(column) if column is not None else []
        self._maxconn = maxconn
        self._shares = shares or Shares()
        self._draining: Draining | None = None
        self._factories: dict[tuple[str, int], Factory] = {}
        self._inbox: Inbox | None = None
        self._hander: Hander | None = None
        self._pulse_row = pulse
        self._patterns = patterns
        self._sweeper = Sweeper(relay, tables) if tables else None
        self._levels = levels if levels is not None and not levels.idle else None
        if pulse is not None:
            pulse.begin(os.getpid(), int(relay.now()))
            relay.live = pulse.words
            if inboxes is not None:
                self._hander = Hander(relay, pulse, inboxes)
        self._pulse: asyncio.TimerHandle = relay.loop.call_later(PULSE, self._beat)

    def _find_rows(self, column: Column) -> list[tuple[int, Counts]]:
        row = column.shape.row
        rows: list[tuple[int, Counts]] = [(row("process"), self.relay.counts)]
        rows.extend((row("frontend", item.name), item.counts) for item in self.frontends.values())
        for backend in self.backends:
            rows.append((row("backend", backend.name), backend.counts))
            rows.extend((row("server", f"{backend.name}/{server.name}"), server.counts) for server in backend.servers)
        return rows

    @property
    def connection_count(self) -> int:
        """Client connections now."""
        return self.relay.connections

    # What the group asks for.

    def listen(self, frontend_name: str, bind_index: int, sock: socket.socket) -> None:
        """Accept on a listening socket; it stays the caller's."""
        frontend = self.frontends[frontend_name]
        bind = frontend.spec.binds[bind_index]
        factory = self._factory(frontend_name, bind_index)
        assert factory is not None
        maxconn = self._shares.of_bind(frontend_name, bind_index, bind.maxconn or 0)
        backlog = backlog_of(frontend.spec, bind_index, self._maxconn)
        gate = partial(self._hander.gate, frontend_name, bind_index) if self._hander is not None else same
        self.acceptor.add(Listener(self.relay, frontend, sock, factory, backlog, maxconn, gate))

    def unlisten(self, sock: socket.socket) -> None:
        """Accept on `sock` no longer."""
        self.acceptor.remove(sock)

    def pause(self) -> None:
        """Stop accepting; connections go on."""
        self.acceptor.pause()

    def resume(self) -> None:
        """Accept again."""
        self.acceptor.resume()

    def set_peers(self, frontend_name: str, bind_index: int, numbers: Sequence[int]) -> None:
        """The threads (numbers of the whole; this one may be among them) that accept for the bind line: with
        `tune.listener.balance least` a client may be handed to one of them. At any time; nobody at first."""
        if self._hander is not None:
            self._hander.set_peers(frontend_name, bind_index, numbers)

    def take_inbox(self, sock: socket.socket) -> None:
        """Serve the clients that other threads hand over, as if this one had accepted them. `sock`: the reading end of
        the thread's inbox (relay/handing); it stays the caller's."""
        if self._pulse_row is not None:
            self._inbox = Inbox(self.relay, self._pulse_row, sock, self._make_client)

    def _make_client(self, frontend_name: str, bind_index: int) -> asyncio.Protocol | None:
        factory = self._factory(frontend_name, bind_index)
        if factory is None:
            return None
        listener = self.acceptor.listener(factory)
        return listener.make() if listener is not None else factory()

    def _factory(self, frontend_name: str, bind_index: int) -> Factory | None:
        """What makes the protocol of a bind line's clients: one for each."""
        key = (frontend_name, bind_index)
        factory = self._factories.get(key)
        if factory is None:
            frontend = self.frontends.get(frontend_name)
            if frontend is None or bind_index >= len(frontend.spec.binds):
                return None
            name = frontend.spec.binds[bind_index].name or str(bind_index + 1)
            factory = self._factories[key] = _maker(frontend, name)
        return factory

    def deal(self, part: int, parts: int, shares: Shares) -> None:
        """Limits are shared out anew: this thread is `part` (from 0) of `parts`, and `shares` as `build` got it. Who
        waits is called where a limit has grown; where one has shrunk below what is served, nobody is sent away."""
        self._shares = shares
        self.relay.maxconn = share(self._maxconn, parts, part)
        for frontend in self.frontends.values():
            frontend.maxconn = shares.of_frontend(frontend.name, frontend.spec.maxconn or 0)
        for (frontend_name, bind_index), factory in self._factories.items():
            limit = self.frontends[frontend_name].spec.binds[bind_index].maxconn or 0
            self.acceptor.limit(factory, shares.of_bind(frontend_name, bind_index, limit))
        self.acceptor.full()
        self.relay.room()
        for backend in self.backends:
            for exchange, server in backend.deal(part, parts):
                connect.called(exchange, server)

    def set_server(
        self, backend: str, server: str, state: str | None = None, weight: str | None = None, *, quiet: bool = False
    ) -> None:
        """An operator's word. `state`: ready, drain or maint; `weight`: 0..256, or n% of the configured one; None: as
        it is. Raises ValueError, worded as HAProxy does, and nothing is changed. `quiet`: another thread logs it."""
        place, told = set_server(self.backends, backend, server, state, weight)
        if not quiet:
            for severity, text in told:
                self.tell(place.name, severity, text)

    def watch_patterns(self, send: Callable[[list[Change]], None]) -> None:
        """Have what rules change in maps and ACLs told to `send`, in batches."""
        if self._patterns is not None:
            loop = self.relay.loop
            self._patterns.journal = Journal(self._patterns, lambda flush: loop.call_later(DELAY, flush), send)

    def change_patterns(self, changes: Sequence[Change], *, own: bool | None) -> None:
        """Maps and ACLs change. `own`: this thread's rules have made these changes (True), other threads' have (False),
        an operator wants them (None), and then ValueError says why they cannot be, and nothing has changed."""
        if self._patterns is not None:
            take(self._patterns, changes, own)

    def ask(self, question: Sequence[Any]) -> str:
        """Answers what only a thread knows: `question` begins with its subject. Raises ValueError."""
        if question[0] != "patterns" or self._patterns is None:
            raise ValueError(f"nothing is known about {question[0]}")
        return answer(self._patterns, question[1:])

    def drain(
        self, deadline_ms: int | None, done: Callable[[], None], lingering: Collection[socket.socket] = ()
    ) -> None:
        """Soft stop: accept nothing more but what is in the queues of the `lingering` sockets (as `listen` got them; no
        new connection arrives there), close clients that are idle for a second, let the others finish their exchange;
        `done` is called when none is left, and at the latest after `deadline_ms`, when the rest is cut off."""
        if self._draining is None:
            self._draining = Draining(self.relay, self.acceptor, self._inbox, self.abort, done)
            self._draining.start(deadline_ms, lingering)

    def abort(self) -> None:
        """Hard stop: cut everything off."""
        relay = self.relay
        relay.draining = True
        if self._draining is not None:
            self._draining.stop()
        if self._inbox is not None:
            self._inbox.close()
        self.acceptor.shut()
        for tunnel in list(relay.tunnels):
            tunnel.close(b"K-")
        for client in list(relay.clients):
            client.transport.abort()
        for backend in self.backends:
            for server in backend.servers:
                for connection in server.pool.drain():
                    connection.retire()
        for resolver in relay.resolvers.values():
            resolver.close()
        relay.timers.stop()
        self._pulse.cancel()
        if self._sweeper is not None:
            self._sweeper.stop()
        self.publish()
        self._senders.close()

    def report(self, severity: int, message: str) -> None:
        """Write a message about the process to its logs."""
        text = message.encode("utf-8", "replace")
        for reporter in self._reporters:
            reporter.append(severity, text)

    def tell(self, backend: str, severity: int, message: str) -> None:
        """Write a message about a backend, or its servers, to the backend's logs."""
        text = message.encode("utf-8", "replace")
        for reporter in self._server_reporters.get(backend, ()):
            reporter.append(severity, text)

    # The pulse.

    def _beat(self) -> None:
        """Timers come before sockets in a turn of the loop, so a thread under full load beats on time too."""
        relay = self.relay
        now = int(relay.now())
        if self._pulse_row is not None:
            self._pulse_row.beat(now)
        if self._hander is not None:
            self._hander.beat()
        # First of all: a fault below must not look as if the loop did not turn.
        self._pulse = relay.loop.call_later(PULSE, self._beat)
        if self._levels is not None:
            self._levels.beat()
        if self._sweeper is not None:
            self._sweeper.beat(now)
        self._evict(now)
        self.publish()

    def _evict(self, now: int) -> None:
        pressure = pressure_of(self.relay.descriptors, self.relay.descriptor_limit)
        for backend in self.backends:
            for server in backend.servers:
                if server.pool.pressure != pressure:
                    server.pool.set_pressure(pressure)
                for connection in server.pool.evict(now):
                    connection.retire()

    def publish(self) -> None:
        """Copy all counters into the thread's column of the segment."""
        column = self._column
        if column is None:
            return
        relay = self.relay
        relay.counts.curr_conns = relay.connections
        relay.counts.dropped_logs = self._senders.dropped
        for frontend in self.frontends.values():
            frontend.counts.scur = frontend.connections
        self._sum_up()
        relay.counts.cum_req = sum(frontend.counts.req_tot for frontend in self.frontends.values())
        relay.counts.total_bytes_out = sum(frontend.counts.bout for frontend in self.frontends.values())
        for backend in self.backends:
            backend.refresh_counts()
            backend.counts.scur = backend.served + backend.queued
        for row, counts in self._rows:
            column.publish(row, counts)

    def _sum_up(self) -> None:
        """Rows out of what was counted per frontend and server."""
        relay = self.relay
        for tunnel in relay.tunnels:
            tunnel.transfer()
        # By object: a frontend without a backend has one of its own, whose name may be another's.
        to_backend: dict[Backend, list[Traffic]] = {}
        to_server: dict[Server, list[Traffic]] = {}
        for frontend in self.frontends.values():
            of_frontend = []
            for route in frontend.routes:
                parts = [*route.traffic, route.own_traffic]
                of_frontend += parts
                to_backend.setdefault(route.backend, []).extend(parts)
                for server, part in zip(route.backend.servers, route.traffic, strict=True):
                    to_server.setdefault(server, []).append(part)
            sum_responses(frontend.counts, of_frontend)
        for backend in self.backends:
            parts = to_backend.get(backend, [])
            sum_responses(backend.counts, parts)
            sum_times(backend.counts, parts)
            backend.counts.stot = backend.counts.req_tot
            for server in backend.servers:
                parts = to_server.get(server, [])
                sum_responses(server.counts, parts)
                sum_times(server.counts, parts)
                server.counts.stot = server.counts.req_tot


def backlog_of(spec: ProxySpec, bind_index: int, maxconn: int = 0) -> int:
    """The length of the kernel's queue, which asyncio sets anew: the same as when the supervisor bound the socket."""
    bind = spec.binds[bind_index]
    return bind.backlog or spec.backlog or bind.maxconn or spec.maxconn or maxconn or 1024


def _maker(frontend: Frontend, name: str) -> Factory:
    kind = ClientConnection if frontend.spec.mode == "http" else TcpConnection

    def accepted() -> asyncio.Protocol:
        return kind(frontend, name)

    return accepted
