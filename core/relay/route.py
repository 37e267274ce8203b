"""What one thread knows of its frontends and of the ways from each to a backend: settings made ready for the hot path.

A `Route` is a pair (frontend, backend). All that depends on both sides (manual 4: the stronger close mode, whose error
pages, whose header name) is worked out once, here. Owns: these settings and the replies. Must not know: connections.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ..config.model import ErrorFileSpec, ProxySpec
from ..http.replies import EARLY_REPLIES, REPLIES
from .timers import NEVER
from .traffic import Traffic

if TYPE_CHECKING:
    from ...pools.counters import FrontendCounts
    from ..balance.backend import Backend
    from ..balance.server import Server
    from ..http.block import HeaderBlock
    from ..http.head import ResponseHead
    from ..report.access_log import AccessLog
    from ..report.captures import Captures
    from ..rules.capture_slots import Slot
    from ..rules.verdicts import Verdict
    from .exchange import RelayExchange
    from .relay import Relay
    from .straight import Way

    Run = Callable[[RelayExchange], Verdict | None]
    Closing = Callable[[RelayExchange, ResponseHead], ResponseHead]

LARGE = 16384
"""From this size on the body's first bytes are written apart from the head instead of being copied behind it."""

UNTRACKED, TRACKED, SHOWN = range(3)
"""Of a frontend: what it has to do with stick tables."""


class Reply:
    """An answer of maniple's own: each form that may be asked for, as whole bytes."""

    __slots__ = ("closing", "closing_head", "keeping", "keeping_head", "persistent", "render", "status")

    def __init__(self, status: int, raw: bytes, early: bool = False) -> None:
        """`raw`: a whole HTTP response. A `Connection` header in it is replaced by the one that the moment asks for; a
        reply that says `close` closes always (400 and 408 of the built-in ones), and so does one that does not say
        how long it is. An empty one (a file that is empty) sends nothing, and closes. `early`: to bytes that are no
        request; it is sent as it stands, and the connection closed."""
        self.render: Callable[[RelayExchange], bytes] | None = None
        """Makes the whole response anew for each exchange (`http-error` with formats); None: these bytes."""
        if not raw:
            self.status = status
            self.persistent = False
            self.keeping_head = self.closing_head = self.keeping = self.closing = b""
            return
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        kept = [line for line in lines if not line.lower().startswith(b"connection:")]
        self.status = status
        says_close = len(kept) != len(lines)
        self.persistent = not says_close and any(line.lower().startswith(b"content-length:") for line in lines)
        keeping = b"\r\n".join(kept) + b"\r\n"
        self.keeping_head = keeping + b"\r\n"
        closing = head + b"\r\n" if says_close or early else keeping + b"connection: close\r\n"
        self.closing_head = closing + b"\r\n"
        self.keeping = self.keeping_head + body
        self.closing = self.closing_head + body

    def with_line(self, line: bytes) -> Reply:
        """The same with a header line more (CR LF included)."""
        if not self.keeping:
            return self
        size = len(self.keeping_head)
        return Reply(self.status, self.keeping[: size - 2] + line + self.keeping[size - 2 :])


def make_replies(*layers: Mapping[int, ErrorFileSpec], early: bool = False) -> dict[int, Reply]:
    """The replies by status: the built-in ones under those of each layer in turn (frontend first, then backend, so that
    the backend's win: BF12). `early`: those to bytes that are no request."""
    replies = {status: Reply(status, raw, early) for status, raw in (EARLY_REPLIES if early else REPLIES).items()}
    for layer in layers:
        for status, spec in layer.items():
            replies[status] = Reply(status, _replacement(spec), early)
    return replies


def _replacement(spec: ErrorFileSpec) -> bytes:
    if spec.kind == "file":
        if not spec.content.strip():
            return b""
        return spec.content.replace(b"\r\n", b"\n").partition(b"\n\n")[0].replace(b"\n", b"\r\n") + _body(spec.content)
    reason = {"302": b"302 Found", "303": b"303 See Other"}[spec.kind]
    location = spec.value.encode()
    return b"HTTP/1.1 %b\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: %b\r\n\r\n" % (reason, location)


def _body(content: bytes) -> bytes:
    for blank in (b"\r\n\r\n", b"\n\n"):
        _, found, body = content.partition(blank)
        if found:
            return b"\r\n\r\n" + body
    return b"\r\n\r\n"


def milliseconds(value: int | None, *otherwise: int | None) -> float:
    """A timeout for arithmetic: the first one that is set, else never."""
    for candidate in (value, *otherwise):
        if candidate:
            return float(candidate)
    return NEVER


class Frontend:
    """The client side of a proxy in one thread."""

    __slots__ = (
        "access_log",
        "captures",
        "client_timeout",
        "close",
        "connections",
        "counts",
        "default_route",
        "early",
        "early_log",
        "early_replies",
        "ignore_null",
        "ignore_probes",
        "keep_alive_last",
        "keep_alive_timeout",
        "log_at_start",
        "maxconn",
        "monitor_fails",
        "monitor_uri",
        "name",
        "ordinary",
        "plan",
        "read_request",
        "records_source",
        "relay",
        "replies",
        "request_slots",
        "request_timeout",
        "requests",
        "response_slots",
        "route",
        "route_to",
        "routes",
        "sessions",
        "spec",
        "straight",
        "tracking",
        "unique_id",
        "wants_packed",
        "wants_source",
    )

    route: Route
    """Where requests begin. Without rules: the way to the default backend, or where there is none, to one without
    servers that bears the frontend's name. With rules: to that one, until a backend is chosen."""
    default_route: Route
    """The way to the default backend, as above."""

    def __init__(self, spec: ProxySpec, relay: Relay, counts: FrontendCounts, access_log: AccessLog | None) -> None:
        timeouts = spec.timeouts
        self.spec = spec
        self.relay = relay
        self.name = spec.name
        self.counts = counts
        # In the default format the line is written when a request begins, in all others when it ends.
        at_start = access_log is not None and access_log.at_start
        self.access_log = None if at_start else access_log
        self.log_at_start = access_log if at_start else None
        self.early_log = access_log if access_log is not None and access_log.early and not at_start else None
        """`option logasap`: the line is written when the response's head is here, or a TCP server is connected."""
        self.routes: list[Route] = []
        self.captures: Captures | None = None
        self.connections = 0
        self.sessions = self.requests = 0
        """Connections that no rule has refused, and requests; only kept where somebody asks (build_levels)."""
        self.maxconn = spec.maxconn or 0
        self.client_timeout = milliseconds(timeouts.client)
        self.request_timeout = milliseconds(timeouts.http_request, timeouts.client)
        self.keep_alive_timeout = milliseconds(timeouts.http_keep_alive, timeouts.http_request, timeouts.client)
        finite = [item for item in (self.client_timeout, self.request_timeout) if item != NEVER]
        self.keep_alive_last = self.keep_alive_timeout >= max(finite, default=0.0)
        """No other deadline of a client connection is later than that of keep-alive: one that is filed need not be
        filed anew (timers)."""
        self.close = spec.close_mode == "close"
        self.ignore_null = "dontlognull" in spec.options or "http-ignore-probes" in spec.options
        self.ignore_probes = "http-ignore-probes" in spec.options
        unsafe = "accept-unsafe-violations-in-http-request" in spec.options
        self.read_request = relay.reader_for(unsafe, False).read_request
        self.monitor_uri = spec.monitor_uri.encode() if spec.monitor_uri else b""
        self.replies = make_replies(spec.error_files)
        self.early_replies = make_replies(spec.error_files, early=True)
        self.ordinary = not self.monitor_uri and self.log_at_start is None and not self.close
        """Nothing but a request's head decides what is done with it."""
        self.records_source = access_log is not None and not access_log.variables.isdisjoint(("bi", "bp"))
        """The log shows from which address of ours the server was connected to."""
        self.wants_source = access_log is not None or spec.forwardfor is not None
        self.unique_id: Callable[[RelayExchange], bytes] | None = None
        """Makes the identifier of an exchange (`unique-id-format`)."""
        self.wants_packed = False
        """Rules look at the client's addresses (and `wants_source` is set)."""
        # For rules (build_rules fills these in; see passes).
        self.early: tuple[Run, ...] = ()
        """What is run before the first byte: tcp-request connection, session. Empty without such rules."""
        self.plan: tuple[Run, ...] = ()
        """What is run for a request. Empty where there are no rules, also none of a backend."""
        self.tracking = UNTRACKED
        """Do rules that its exchanges may meet track entries of stick tables, and do log lines show them?"""
        self.straight: Way | None = None
        """What is done with an ordinary request where there is a plan (straight); None: the plan, in any case."""
        self.route_to: dict[bytes, Route] = {}
        """By the backend's name: the ways that rules may choose."""
        self.monitor_fails: Run = _nothing
        self.request_slots: tuple[Slot, ...] = ()
        self.response_slots: tuple[Slot, ...] = ()


def _nothing(exchange: RelayExchange) -> None:
    """No rule."""


class Route:
    """The way from one frontend to one backend."""

    __slots__ = (
        "abort_on_close",
        "after_plan",
        "backend",
        "backup",
        "client_fin",
        "close_server",
        "closing",
        "connect_timeout",
        "forward_except",
        "forward_if_none",
        "forward_name",
        "frontend",
        "own_traffic",
        "plain",
        "plan",
        "pooled",
        "queue_timeout",
        "read_response",
        "redispatch",
        "replies",
        "response_plan",
        "retries",
        "server_fin",
        "server_timeout",
        "spec",
        "spills_full",
        "tcp_keepalive",
        "traffic",
        "tunnel_timeout",
        "varied",
        "whole",
    )

    def __init__(self, frontend: Frontend, backend: Backend) -> None:
        spec = backend.spec
        timeouts = spec.timeouts
        mine = frontend.spec
        self.frontend = frontend
        self.backend = backend
        self.spec = spec
        self.pooled = mine.mode == "http"
        """Connections may come from the pool; those of TCP are used once."""
        self.connect_timeout = milliseconds(timeouts.connect)
        self.server_timeout = milliseconds(timeouts.server)
        self.queue_timeout = milliseconds(timeouts.queue, timeouts.connect)
        self.tunnel_timeout = milliseconds(timeouts.tunnel)
        self.client_fin = milliseconds(mine.timeouts.client_fin)
        self.server_fin = milliseconds(timeouts.server_fin)
        unsafe = "accept-unsafe-violations-in-http-response" in spec.options
        self.read_response = frontend.relay.reader_for(False, unsafe).read_response
        self.retries = spec.retries
        self.redispatch = spec.redispatch
        self.close_server = spec.close_mode != "keep-alive" or mine.close_mode == "server-close"
        self.abort_on_close = "abortonclose" in spec.options or "abortonclose" in mine.options
        self.replies = make_replies(mine.error_files, spec.error_files)
        self.tcp_keepalive = "srvtcpka" in spec.options or "tcpka" in spec.options
        # `option forwardfor`: either side may ask for it, the backend's header name wins, and it is left out for a
        # request that has the header already only if every side that asks says if-none (reference 3.2).
        asked = [item for item in (spec.forwardfor, mine.forwardfor) if item is not None]
        self.forward_name = asked[0].header.lower().encode() if asked else b""
        self.forward_if_none = bool(asked) and all(item.if_none for item in asked)
        self.forward_except = [ipaddress.ip_network(item.except_net, strict=False) for item in asked if item.except_net]
        if asked or any(server.floating for server in backend.servers):
            frontend.wants_source = True
        frontend.routes.append(self)
        self.plain = not (asked or self.close_server or frontend.records_source)
        """A request goes on as it came, without a line of ours."""
        self.traffic = tuple(Traffic() for _ in backend.servers)
        self.own_traffic = Traffic()
        """Of requests that no server had."""
        # For rules (build_rules fills these in; see passes).
        self.plan: tuple[Run, ...] = ()
        """What the backend runs for a request."""
        self.response_plan: tuple[Run, ...] = ()
        self.after_plan: tuple[Run, ...] = ()
        """What is run for a response, and for every one that leaves."""
        self.whole = LARGE
        """A response whose body is shorter, and here, is handed on at once. -1: none is, as rules look at all."""
        self.closing: Closing | None = None
        """What is done with the head of one that is handed on at once (closing): it gives the head that goes on."""
        self.varied = False
        """A rule has changed a setting, for one exchange."""
        self.backup: Route | None = None
        """`backup-backend` (build_backups): the way to it, with this one's rules over responses. It has none itself."""
        self.spills_full = False
        """It is taken, too, when all servers are full."""

    def forward_line(self, host: str) -> bytes:
        """The header line that tells the server of the client at `host`; b"" where an `except` covers it, or where it
        has no address (HAProxy 3.0)."""
        if host == "unix":
            return b""
        if self.forward_except:
            address = ipaddress.ip_address(host)
            if any(address in network for network in self.forward_except):
                return b""
        return b"%b: %b\r\n" % (self.forward_name, host.encode())

    def has_forward(self, block: HeaderBlock) -> bool:
        """Whether the request has the header already."""
        return any(name == self.forward_name for name, _ in block.fields)

    def source_of(self, server: Server) -> tuple[str, int] | None:
        """The local address to connect from: the server line's `source`, else the backend's."""
        source = server.spec.source or self.spec.source
        if source is None:
            return None
        if source.port_high > source.port_low:
            return source.host, random.randint(source.port_low, source.port_high)
        return source.host, source.port_low

    def keep_alive_probes(self, transport: asyncio.Transport) -> None:
        """`option srvtcpka`."""
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
