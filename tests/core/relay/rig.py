"""A frontend and its backend on a fake loop, and what all tests of the relay demand at their end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

from maniple.core.balance.backend import Backend
from maniple.core.balance.server import Server
from maniple.core.config.model import Address, Place, ProxySpec, ServerSpec, Timeouts
from maniple.core.http.limits import Limits
from maniple.core.relay.client import ClientConnection
from maniple.core.relay.exchange import MOVES, Phase, RelayExchange
from maniple.core.relay.relay import Relay
from maniple.core.relay.route import Frontend, Route
from maniple.core.relay.tcp import TcpConnection
from maniple.core.relay.upstream import ServerConnection
from maniple.core.rules.catalogue import Needs
from maniple.pools.counters import BackendCounts, FrontendCounts, ServerCounts
from maniple.tests.core.relay.fakes import FakeDial, FakeLoop, FakeTransport

PLACE = Place("test.cfg", 1)
DATE = 1_700_000_000.0
TIMEOUTS = Timeouts(client=30_000, server=20_000, connect=4_000, http_request=10_000, http_keep_alive=15_000)
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
GET_SENT = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
OK_SENT = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
POST = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
POST_SENT = b"POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello"
_PHASE: Any = RelayExchange.__dict__["phase"]


class CheckedExchange(RelayExchange):
    """An exchange of which every move is held against the table."""

    __slots__ = ()
    moves: ClassVar[set[tuple[Phase, Phase]]] = set()
    """All moves since the start of the test."""

    def _get_phase(self) -> Phase:
        return cast(Phase, _PHASE.__get__(self))

    def _set_phase(self, phase: Phase) -> None:
        try:
            before: Phase = _PHASE.__get__(self)
        except AttributeError:
            before = phase
        if before != phase:
            self.moves.add((before, phase))
        _PHASE.__set__(self, phase)

    phase = property(_get_phase, _set_phase)


def illegal_moves() -> set[str]:
    """Those that were made and are not in the table."""
    return {f"{one.name} -> {other.name}" for one, other in CheckedExchange.moves if other not in MOVES[one]}


@dataclass(frozen=True, slots=True)
class Line:
    """What a log line would be made of."""

    status: int
    termination: str
    server: str
    backend: str
    request: bytes
    retries: int
    redispatched: bool
    queues: tuple[int, int]
    times: tuple[int, int, int, int, int]
    """TR, Tw, Tc, Tr, Ta in ms, -1 where not reached."""
    bytes_in: int
    bytes_out: int


class FakeLog:
    """An AccessLog that keeps facts."""

    needs = Needs.NOTHING
    at_start = False
    early = False
    variables: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.starts = 0

    def connected(self, session: object) -> None:
        self.starts += 1

    def write(self, exchange: RelayExchange, level: int | None = None) -> None:
        def between(start: float, end: float) -> int:
            return round(end - start) if start >= 0.0 and end >= 0.0 else -1

        self.lines.append(
            Line(
                exchange.status,
                exchange.termination.decode(),
                exchange.server_name,
                exchange.backend_name,
                exchange.request_line,
                exchange.retries,
                exchange.redispatched,
                (exchange.server_queue, exchange.backend_queue),
                (
                    between(exchange.first_byte_at, exchange.head_at),
                    between(exchange.head_at, exchange.slot_at),
                    between(exchange.slot_at, exchange.connect_at),
                    between(exchange.connect_at, exchange.response_at),
                    between(exchange.first_byte_at, exchange.end_at),
                ),
                exchange.bytes_from_client,
                exchange.bytes_to_client,
            )
        )


def server_spec(name: str, **words: Any) -> ServerSpec:
    words = {"address": Address("inet", "127.0.0.1", 8001, 8001), "pool_purge_delay": 5000, **words}
    return ServerSpec(PLACE, name, **words)


class Rig:
    """`servers`: their number; `server`: words of each server line; all else: words of the proxy."""

    def __init__(self, servers: int = 1, server: dict[str, Any] | None = None, **words: Any) -> None:
        self.loop = FakeLoop()
        self.relay = Relay(
            self.loop.as_loop,
            Limits(max_head=15360, max_headers=101, cache_size=64),
            date=lambda: DATE + self.loop.now,
        )
        lines = tuple(server_spec(f"s{number + 1}", **(server or {})) for number in range(servers))
        words = {"mode": "http", "timeouts": TIMEOUTS, "servers": lines, "http_reuse": "always", **words}
        self.spec = ProxySpec(PLACE, "px", "listen", **words)
        self.log = FakeLog()
        self.frontend = Frontend(self.spec, self.relay, FrontendCounts(), cast(Any, self.log))
        self.backend = Backend(self.spec, BackendCounts(), lambda name: ServerCounts(), full=10)
        self.route = self.frontend.route = Route(self.frontend, self.backend)
        self.clients: list[FakeTransport] = []

    # The cast.

    def client(self) -> FakeTransport:
        """A client that connects, of the frontend's mode."""
        kind = ClientConnection if self.spec.mode == "http" else TcpConnection
        connection = kind(self.frontend, "1")
        transport = FakeTransport(self.loop, connection)
        self.clients.append(transport)
        connection.connection_made(transport)
        transport.reading = True
        self.loop.run()
        return transport

    def ask(self, *pieces: bytes) -> FakeTransport:
        """A client that sends this, and the loop runs until all is quiet."""
        client = self.client()
        self.send(client, *(pieces or (GET,)))
        return client

    def send(self, transport: FakeTransport, *pieces: bytes) -> None:
        transport.feed(*pieces)
        self.loop.run()

    def shut(self, transport: FakeTransport) -> None:
        transport.feed_eof()
        self.loop.run()

    def lose(self, transport: FakeTransport, error: Exception | None = None) -> None:
        transport.lose(error)
        self.loop.run()

    @property
    def dials(self) -> list[FakeDial]:
        return self.loop.dials

    def upstream(self, number: int = -1) -> FakeTransport:
        """The server's end of a connection, the latest by default."""
        transport = self.dials[number].transport
        assert transport is not None
        return transport

    def accept(self, number: int = -1) -> FakeTransport:
        """Let an attempt to connect that waits succeed."""
        transport = self.dials[number].accept()
        self.loop.run()
        return transport

    def refuse(self, number: int = -1, error: OSError | None = None) -> None:
        self.dials[number].refuse(error)
        self.loop.run()

    def lines(self) -> list[tuple[int, str]]:
        """Status and termination of each line so far."""
        return [(line.status, line.termination) for line in self.log.lines]

    @property
    def server(self) -> Server:
        return self.backend.servers[0]

    @property
    def idle(self) -> int:
        return sum(server.pool.idle_count + server.pool.safe_count for server in self.backend.servers)

    # The end.

    def assert_quiet(self) -> None:
        """No exchange is under way: no slot, queue place or server connection is held."""
        assert self.loop.faults == []
        assert self.backend.served == self.backend.queued == len(self.backend.waiting) == 0
        for server in self.backend.servers:
            assert (server.name, server.served, len(server.waiting), server.pool.used_count) == (server.name, 0, 0, 0)
        assert not self.relay.tunnels

    def close(self) -> None:
        """Everybody leaves; then all books are at zero."""
        for client in self.clients:
            if not client.lost:
                client.held = False
                client.lose()
        self.loop.answer = FakeDial.refuse
        self.loop.run()
        for dial in self.dials:
            if not dial.outcome.done():
                dial.refuse()
        self.loop.run()
        self.assert_quiet()
        for server in self.backend.servers:
            for connection in server.pool.drain():
                connection.retire()
        self.loop.run()
        relay = self.relay
        assert (relay.connections, relay.descriptors, len(relay.clients)) == (0, 0, 0)
        assert self.frontend.connections == 0
        assert len(relay.timers) == 0, "something is still in the timers"
        for dial in self.dials:
            assert dial.transport is None or dial.transport.lost, "a server connection was left open"
        for server in self.backend.servers:
            assert server.pool.total_count == 0
            assert server.served == 0


def connection_of(transport: FakeTransport) -> ServerConnection:
    assert isinstance(transport.protocol, ServerConnection)
    return transport.protocol


def client_of(transport: FakeTransport) -> ClientConnection:
    assert isinstance(transport.protocol, ClientConnection)
    return transport.protocol


def serve(rig: Rig, client: FakeTransport) -> tuple[bytes, bytes]:
    """What the server got and the client gets for it."""
    server = rig.upstream()
    got = server.take()
    rig.send(server, OK)
    return got, client.take()
