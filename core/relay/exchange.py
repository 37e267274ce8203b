"""One request and its response on their way through maniple: the phases, and the end with its counters and log line.

```
HEAD       -> RULES | REPLYING | FAILED
RULES      -> SENDING | CONNECTING | QUEUED | REPLYING | FAILED
QUEUED     -> SENDING | CONNECTING | RULES | REPLYING | FAILED
CONNECTING -> SENDING | RULES | REPLYING | FAILED
SENDING    -> RECEIVING | TUNNEL | REPLYING | FAILED
RECEIVING  -> DONE | REPLYING | FAILED
TUNNEL     -> DONE | FAILED
REPLYING   -> DONE
FAILED     -> DONE
DONE       -> RULES | HEAD
```

REPLYING: an answer of our own. FAILED: ended without a whole response. (A test holds figure and table together.)

Owns: the table of moves, and what happens once at the end of every exchange, whatever its course. Must not know: how
bytes are parsed or where connections come from.

Invariants: an exchange holds at most one slot of a server and at most one server connection; `end` runs exactly once.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import TYPE_CHECKING, Any, cast

from ..errors import ManipleError
from ..http.framing import ChunkedBody
from ..http.head import CHUNKED
from ..session import NOT_REACHED
from .ruled import RuledExchange

if TYPE_CHECKING:
    from ..balance.server import Server
    from ..config.model import Place
    from ..http.head import RequestHead, ResponseHead
    from .client import ClientConnection
    from .dial import Dial, TurnAround
    from .queueing import Wait
    from .route import Route
    from .tcp import TcpConnection
    from .upstream import ServerConnection

NOTHING: list[str | None] = []
"""The captures of an exchange that has none: nobody adds to it."""


class Phase(IntEnum):
    """Where an exchange stands."""

    HEAD = 0
    RULES = 1
    QUEUED = 2
    CONNECTING = 3
    SENDING = 4
    RECEIVING = 5
    TUNNEL = 6
    REPLYING = 7
    FAILED = 8
    DONE = 9


HEAD, RULES, QUEUED, CONNECTING, SENDING, RECEIVING, TUNNEL, REPLYING, FAILED, DONE = Phase

MOVES: dict[Phase, frozenset[Phase]] = {
    HEAD: frozenset({RULES, REPLYING, FAILED}),
    # To FAILED: a rule closes the connection, or the client leaves while rules wait.
    RULES: frozenset({QUEUED, CONNECTING, SENDING, REPLYING, FAILED}),
    # Back to RULES: chosen anew, as the server of the queue is not there any more, or an attempt to connect failed.
    QUEUED: frozenset({RULES, CONNECTING, SENDING, REPLYING, FAILED}),
    CONNECTING: frozenset({RULES, SENDING, REPLYING, FAILED}),
    SENDING: frozenset({RECEIVING, TUNNEL, REPLYING, FAILED}),
    # To REPLYING: the head came with the start of a body that makes no sense, and was held back.
    RECEIVING: frozenset({REPLYING, FAILED, DONE}),
    TUNNEL: frozenset({FAILED, DONE}),
    REPLYING: frozenset({DONE}),
    FAILED: frozenset({DONE}),
    # The object is used again for the next request of its thread, which skips HEAD if its head comes in one piece.
    DONE: frozenset({HEAD, RULES}),
}


class IllegalMove(ManipleError):
    """A phase that cannot follow: a bug in the relay."""


def advance(exchange: RelayExchange, phase: Phase) -> None:
    """Move on, by the table. The path of a request that waits for nothing writes `phase` directly, which saves 0.4 us a
    request; tests hold those writes against the table."""
    if phase not in MOVES[exchange.phase]:
        raise IllegalMove(f"{exchange.phase.name} -> {phase.name}")
    exchange.phase = phase


class RelayExchange(RuledExchange):
    """The facts of an exchange and what the relay needs to go on with it.

    A client connection keeps one for all its requests. Fields that an ordinary request does not touch have their
    defaults before it and after it, so that nothing need be set; whoever departs from the ordinary sets `dirty`, and
    `clean` restores them all afterwards (37 stores: 1 us hot, 5 us cold)."""

    __slots__ = (
        "answer",
        "avoid",
        "body_left",
        "chunks",
        "client",
        "counted_in",
        "counted_out",
        "dial",
        "head",
        "keep",
        "last_rule",
        "numbered",
        "pending",
        "phase",
        "request_done",
        "request_variables",
        "response_done",
        "response_variables",
        "reused",
        "server",
        "steps",
        "ticket",
        "tracked",
        "upstream",
        "variables",
    )

    phase: Phase
    client: ClientConnection
    """Or a TcpConnection, which has all that is asked of it before there is a response."""
    route: Route
    head: RequestHead | None
    server: Server | None
    """Whose slot is held."""
    upstream: ServerConnection | None
    reused: bool
    """The server connection came from the pool (T6)."""
    keep: bool
    """The client connection may persist, as far as is known."""
    dirty: bool
    body_left: int
    """Bytes of the request body still to come, where its length is known."""
    chunks: ChunkedBody | None
    request_done: bool
    """The whole request was read; the default, since most have no body."""
    response_done: bool
    """The whole response was handed on before the request was read whole."""
    pending: list[bytes] | None
    """Body bytes that came before there was a server connection; None once there is one."""
    avoid: Server | None
    ticket: Wait | None
    dial: Dial | TurnAround | None
    """The attempt to connect that is under way, or the pause before the next one."""
    counted_in: int
    counted_out: int
    """Bytes that were counted already while the exchange went on (traffic.transfer)."""
    # For rules: only touched in proxies that have some. `fresh` sets them when a request's rules begin, so that nothing
    # has to be restored when it ends.
    answer: ResponseHead | None
    """The response's head."""
    variables: dict[str, Any] | None
    """Of the scope `txn`: name -> (type, value); None while there is none."""
    request_variables: dict[str, Any] | None
    response_variables: dict[str, Any] | None
    numbered: bool
    """It has its number already, which rules asked for."""
    last_rule: Place | None
    """Of the rule that gave the last verdict."""
    tracked: Any
    """Entries of stick tables (rules/trackers); None while there are none, and when the exchange has ended."""
    steps: list[Iterator[Any]] | None
    """Rules that wait to go on."""

    def __init__(self, client: ClientConnection | TcpConnection) -> None:
        self.number = 0
        self.request_number = -1
        self.source_host = self.server_host = ""
        self.source_port = self.server_port = 0
        self.first_byte_date = 0.0
        self.addresses = self.tracked = None
        self.stores = ()
        self.serve(client)
        self.clean()
        self.fresh()

    def serve(self, client: ClientConnection | TcpConnection) -> None:
        """Belong to `client` from now on; all else has its defaults."""
        self.client = cast("ClientConnection", client)
        self.session = client
        self.route = client.frontend.route
        self.backend_name = client.frontend_name
        self.unique_id = None
        self.numbered = False
        # A log line may have left some.
        self.variables = self.request_variables = self.response_variables = None
        self.request_captures = self.response_captures = NOTHING
        self.request_cookie = self.response_cookie = ""
        self.persistence = 0
        self.cookie_state = b"--"

    def clean(self) -> None:
        """All defaults."""
        self.phase = DONE
        self.route = self.client.frontend.route
        self.head = None
        self.method = self.target = self.request_line = self.version = b""
        self.idle_since = self.first_byte_at = self.head_at = NOT_REACHED
        self.slot_at = self.connect_at = self.response_at = self.end_at = NOT_REACHED
        self.backend_name = self.client.frontend_name
        self.server_name = "<NOSRV>"
        self.retries = 0
        self.redispatched = False
        self.status = -1
        self.termination = b"--"
        self.cookie_state = b"--"
        self.bytes_to_client = self.bytes_from_client = 0
        self.counted_in = self.counted_out = 0
        self.server_queue = self.backend_queue = self.server_connections = 0
        self.server = self.avoid = None
        self.upstream = None
        self.reused = False
        self.keep = False
        self.body_left = 0
        self.chunks = None
        self.request_done = True
        self.response_done = False
        self.pending = None
        self.ticket = None
        self.dial = None
        self.unique_id = None
        self.numbered = False
        self.request_captures = self.response_captures = NOTHING
        self.request_cookie = self.response_cookie = ""
        # What a verdict has left, and what its answer: quiet ways (straight) do not look whether that is so.
        self.last_rule = None
        self.variables = self.request_variables = self.response_variables = None
        self.restore()
        self.dirty = False

    def fresh(self) -> None:
        """The rules of a new request begin: nothing is left of the last one's (0.3 us)."""
        self.route = self.client.frontend.route
        self.answer = None
        self.variables = self.request_variables = self.response_variables = None
        self.unique_id = None
        self.numbered = False
        self.last_rule = None
        self.steps = None
        self.fresh_plan()

    def body(self) -> bytes:
        """What is here of the request's body, without its framing."""
        pending = self.pending
        if not pending:
            return b""
        head = self.head
        if head is None or head.length != CHUNKED:
            return pending[0] if len(pending) == 1 else b"".join(pending)
        pieces: list[bytes] = []
        ChunkedBody(self.client.relay.limits).decode(b"".join(pending), 0, pieces)
        return b"".join(pieces)

    def now(self) -> float:
        """Milliseconds of the thread's clock."""
        return self.client.relay.now()

    def begin(self, now: float) -> None:
        """A request that is not ordinary, or not known to be, begins with its first byte at `now`."""
        self.clean()
        self.dirty = True
        self.phase = HEAD
        self.idle_since = self.client.idle_since
        self.first_byte_at = now

    def record(self) -> None:
        """Fill in the facts that only rules and logs read."""
        head = self.head
        client = self.client
        relay = client.relay
        self.idle_since = client.idle_since
        if head is not None:
            self.method = head.method
            self.target = head.target
            line = head.line
            self.request_line = line if len(line) < relay.uri_length else line[: relay.uri_length - 1]
        if not self.numbered:
            self.number = relay.recorded
            relay.recorded += 1
        server = self.server
        if server is not None:
            self.server_name = server.name
            # As HAProxy: without this one, which has ended.
            self.server_connections = server.served - 1
            self.server_host = server.spec.address.host
            self.server_port = server.spec.address.port_low
            address = server.spec.address
            self.server_host = address.host
            self.server_port = address.port_low
        elif not self.dirty:
            self.server_name = "<NOSRV>"
        backend = self.route.backend
        # What is no request never got as far as a backend.
        self.backend_name = backend.name if self.head_at >= 0.0 or head is not None else client.frontend_name
        self.first_byte_date = relay.date_of(self.first_byte_at)
        self.process_connections = relay.connections
        self.frontend_connections = client.frontend.connections
        self.backend_connections = backend.served if server is None else backend.served - 1

    def snapshot(self) -> None:
        """`record` for rules: the exchange goes on, and will be recorded again."""
        self.snapshot_at(self.client.relay.now())

    def snapshot_at(self, now: float) -> None:
        """The same, as if it ended at `now`."""
        self.end_at = now
        self.record()
        if self.server is not None:
            self.server_connections += 1
            self.backend_connections += 1
        self.numbered = True

    def __repr__(self) -> str:
        what = self.head.line if self.head is not None else b"-"
        return f"<exchange {self.request_number} {self.phase.name} {what!r} {self.server_name}>"
