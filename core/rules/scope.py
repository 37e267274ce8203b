"""What rules see of the running proxy: the seam between this layer and the relay.

A *scope* is what every compiled expression, condition and action is called with: the exchange itself. The relay's
RelayExchange satisfies `Scope`, its client connection `ClientFacts`, balance's Backend and Server and the relay's
Frontend the facts of their names; nothing is wrapped, so an attribute costs one look-up (0.02 us). Rules of a
connection (`tcp-request connection` and `session`) are called with the exchange that the connection will use for its
first request; `head` is None then.

Facts of the process, of frontends, backends and servers do not change with the exchange: a fetch gets them from the
`Site` once, when it is compiled, and keeps them in its closure.

Must not know: who satisfies these. Invariant: attributes, no properties, on all that is asked per request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .samples import Type

if TYPE_CHECKING:
    from ..config.model import ProxySpec, ServerSpec
    from ..http.head import RequestHead, ResponseHead

Variables = dict[str, tuple[Type, Any]]
"""The variables of one scope (`sess`, `txn`, ...): name -> pair (type, value)."""


class FrontendFacts(Protocol):
    """A frontend. (relay.route.Frontend)"""

    spec: ProxySpec
    name: str
    connections: int
    sessions: int
    """Connections that no rule has refused, and requests, so far; only kept where a rate of them is asked for."""
    requests: int


class ServerFacts(Protocol):
    """A server. (balance.server.Server)"""

    spec: ServerSpec
    name: str
    backend: Any
    """BackendFacts."""
    sessions: int
    """Requests that it was given so far; only kept where their rate is asked for."""
    weight: int
    eweight: int
    """Effective weight, times 16."""
    maxconn: int
    maxqueue: int
    served: int
    usable: bool
    eligible: bool
    backup: bool
    waiting: Sequence[Any]
    chosen: int


class BackendFacts(Protocol):
    """A backend. (balance.backend.Backend)"""

    spec: ProxySpec
    name: str
    served: int
    queued: int
    sessions: int
    """Requests that came to it so far; only kept where their rate is asked for."""
    servers: Sequence[Any]
    candidates: Any
    """The servers that are balanced over now."""
    active_count: int
    backup_count: int


class RouteFacts(Protocol):
    """The way from a frontend to a backend. (relay.route.Route)"""

    backend: Any
    server_timeout: float
    tunnel_timeout: float


class ClientFacts(Protocol):
    """A client connection. (session.Session, extended by relay.client.ClientConnection)

    `source` and `destination` are packed addresses, b"" on a unix socket; they are filled in when the connection is
    made if the frontend asks (Frontend.wants_packed), which it does if an expression of its rules needs CONNECTION."""

    accept_at: float
    accept_date: float
    client_host: str
    client_port: int
    frontend_host: str
    frontend_port: int
    frontend_name: str
    listener_name: str
    number: int
    tls: bool
    source: bytes
    source_port: int
    destination: bytes
    destination_port: int
    variables: Variables | None
    """Of the scope `sess`; None while there is none."""
    tracked: Any
    """trackers.Tracked: entries of stick tables that the session tracks; None while there are none."""


class Scope(Protocol):
    """One exchange. (relay.exchange.RelayExchange)

    Fields of the second group are only looked at in proxies with rules, which set them at the start of a pass
    (`fresh`); requests without rules never touch them."""

    session: Any
    """ClientFacts."""
    route: Any
    """RouteFacts."""
    server: Any
    """ServerFacts, None while none is chosen."""
    upstream: Any
    """The server connection, None while there is none."""
    head: RequestHead | None
    request_number: int
    method: bytes
    status: int
    termination: bytes
    """`--` as long as nothing is wrong (manual 8.5)."""
    retries: int
    redispatched: bool
    first_byte_at: float
    first_byte_date: float
    head_at: float
    slot_at: float
    connect_at: float
    response_at: float
    idle_since: float
    bytes_from_client: int
    bytes_to_client: int
    request_captures: list[str | None]
    response_captures: list[str | None]

    answer: ResponseHead | None
    """The response's head; None before it is there."""
    tracked: Any
    """trackers.Tracked: entries of stick tables that the exchange tracks; None while there are none."""
    variables: Variables | None
    """Of the scope `txn`; None while there is none."""
    request_variables: Variables | None
    response_variables: Variables | None
    priority_class: int
    priority_offset: int
    unique_id: bytes | None
    last_rule: Any
    """Place of the rule that gave the last verdict, or None."""

    uncertain: int
    """Bits of catalogue.Needs: what may still change while content rules are run. 0: nothing."""
    unsure: bool
    """Set by fetches of bytes whose answer may change with the next ones."""

    def body(self) -> bytes:
        """What there is of the request's body, without its framing."""

    def response_body(self) -> bytes:
        """The same of the response that a server has sent."""

    def has_response_body(self, least: int) -> bool:
        """Is all of it here, or `least` bytes of it (0: no such limit), or as much as is kept?"""

    def request_payload(self) -> bytes | None:
        """What the client of a TCP stream has sent and was not sent on; None of HTTP."""

    def response_payload(self) -> bytes | None:
        """What its server has sent and was not sent on; None of HTTP."""

    def now(self) -> float:
        """Milliseconds of the thread's clock."""

    def capture(self, request: bool, slot: int, value: bytes) -> None:
        """Keep a value in a slot of the request's captures, or of the response's, cut to the slot's length."""


class ResolverFacts(Protocol):
    """A section `resolvers`. (resolver.resolver.Resolver)"""

    def known(self, name: bytes, family: Any) -> bytes | None:
        """The packed address of a name (in lower case), if it need not be asked for."""

    def ask(self, name: bytes, family: Any) -> Any:
        """resolver.flight.Flight, or None: it cannot be asked for."""


class ProcessFacts(Protocol):
    """The thread and its process. (relay.relay.Relay)"""

    connections: int
    draining: bool
    date: Callable[[], float]
    """Seconds since the epoch."""
    clock: Callable[[], float]
    """Seconds of the monotonic clock."""


class Site(Protocol):
    """Where expressions are compiled for: one thread of a running proxy, or a mere configuration that is checked."""

    frontends: Mapping[str, FrontendFacts]
    backends: Mapping[str, BackendFacts]
    process: ProcessFacts
    thread: int
    """From 0, in the whole."""
    threads: int
    variables: Variables
    """Of the scope `proc`. Each thread has its own: threads share nothing on the path of a request."""
    environment: Mapping[str, str]
    levels: Any
    """levels.Levels."""
    limits: Any
    """variables.Limits."""
    pattern_files: Any
    """pattern_files.PatternFiles."""
    error_pages: Mapping[str, Any]
    """config.model.ErrorPagesSpec by name."""
    userlists: Mapping[str, Any]
    """userlists.Userlist by name."""
    trackers: Any
    """trackers.Trackers: of the stick tables."""
    error_codes: frozenset[int]
    """Statuses that stick tables count as errors of clients."""
    failure_codes: frozenset[int]
    """And as failures of servers."""
    proxy: str
    """The name of the proxy whose rules are compiled, "" where they are nobody's own."""
    resolvers: Mapping[str, Any]
    """ResolverFacts by name."""
