"""What rules do to an exchange besides editing its messages: addresses, timeouts, marks, captures.

Owns: these, and the state that the passes keep (passes). Must not know: rules. Invariants: nothing here is touched in
proxies without rules; what a rule of one request changes on its session is undone when the exchange ends (`restore`).
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..balance.cookie_dates import NO_DATES
from ..net.socket_options import NO_OPTIONS, SocketOptions
from ..rules.samples import unpack_ip
from ..session import Exchange, Session
from .holding import HeldResponse
from .timers import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..balance.server import Server
    from ..http.head import ResponseHead
    from ..rules.verdicts import Verdict
    from .client import ClientConnection
    from .route import Route


class RuledExchange(Exchange):
    """The part of an exchange that only rules touch."""

    __slots__ = (
        "addresses",
        "at",
        "challenged",
        "client_timeout",
        "cookie_dates",
        "dirty",
        "held",
        "hints",
        "inspect_until",
        "inspected",
        "lenient",
        "log_level",
        "mirrors",
        "plan",
        "priority_class",
        "priority_offset",
        "received",
        "received_from",
        "received_head",
        "route",
        "server_options",
        "stores",
        "suspended",
        "uncertain",
        "unsure",
        "variations",
        "visit",
        "wanted",
    )

    client: ClientConnection
    route: Route
    dirty: bool
    request_done: bool
    pending: list[bytes] | None
    addresses: tuple[Any, ...] | None
    """Of the session, as they were before a rule changed them for this request."""
    plan: tuple[Callable[[Any], Verdict | None], ...]
    """What is still to be run, from `at` on."""
    at: int
    challenged: bool
    """The client was asked for a password."""
    client_timeout: float
    """`set-timeout client`, ms; 0: the frontend's."""
    lenient: bool
    """`strict-mode off` in this pass."""
    log_level: int | None
    """`set-log-level`: a severity, -1 for no line."""
    hints: list[bytes] | None
    """Header lines of a 103 that is to be sent."""
    mirrors: list[Any] | None
    """Changes of the path that the response must not show (rules.mapping)."""
    suspended: Any
    """What wakes the rules up again."""
    wanted: Server | None
    """The server that `use-server` or a binder (binding) has chosen."""
    server_options: SocketOptions | None
    """`set-bc-mark`, `set-bc-tos`: what the socket to the server has, from before it is connected."""
    stores: tuple[Any, ...]
    """Keys for which a stick table is to learn the server (rules.stick_rules)."""
    visit: Any
    """sticky.Visit: the request as one of a sticky session; set by the plan of a backend that has sessions."""
    cookie_dates: tuple[int, int]
    """When the cookie says that the client was last and first seen (balance.persistence)."""
    priority_class: int
    priority_offset: int
    held: HeldResponse | None
    """The response, while rules hold it back or look into its body."""
    received_head: ResponseHead | None
    """Of a server's response, while its rules are run: as it came."""
    received: bytes
    """What has come of it; the body begins at `received_from`."""
    received_from: int
    inspect_until: float
    """When content rules stop waiting for bytes; 0 while they have not begun to, -1 when they have stopped."""
    inspected: Any
    """Has what a TCP server said (`buffer`) while rules look at it; None: nobody looks."""
    uncertain: int
    unsure: bool
    variations: dict[str, float] | None
    """Settings of the route that are this exchange's own: field -> value, from where it leaves for the server."""

    def restore(self) -> None:
        """What belongs to one request only is gone with it. Who sets one of these sets `dirty`, too."""
        self.log_level = None
        self.client_timeout = 0.0
        self.challenged = False
        self.priority_class = self.priority_offset = 0
        self.held = self.received_head = None
        self.received = b""
        self.received_from = 0
        self.inspect_until = 0.0
        self.inspected = None
        self.uncertain = 0
        self.unsure = False
        self.visit = None
        self.server_options = None
        self.variations = None
        addresses = self.addresses
        if addresses is not None:
            session = self.session
            session.source, session.source_port, session.destination, session.destination_port = addresses[:4]
            session.client_host, session.client_port, session.frontend_host, session.frontend_port = addresses[4:]
            self.client.forward_line = None
        self.addresses = None

    def fresh_plan(self) -> None:
        """Before the first rule."""
        self.plan = ()
        self.at = 0
        self.lenient = False
        self.hints = None
        self.mirrors = None
        self.suspended = None
        self.wanted = None
        self.persistence = 0
        self.cookie_dates = NO_DATES
        self.cookie_state = b"--"

    def readdress(self, field: str, address: bytes | None, port: int | None) -> None:
        """`set-src`, `set-dst` and their ports: from here on the session seems to have this address or port. Of a
        request: until it ends; of a connection (there is no request yet): for good."""
        session: Session = self.session
        head: Any = getattr(self, "head", None)
        if head is not None and self.addresses is None:
            self.dirty = True
            self.addresses = (
                session.source,
                session.source_port,
                session.destination,
                session.destination_port,
                session.client_host,
                session.client_port,
                session.frontend_host,
                session.frontend_port,
            )
        if address is not None:
            setattr(session, field, address)
        if port is not None:
            if not getattr(session, field):
                setattr(session, field, bytes(4))
            setattr(session, f"{field}_port", port)
        host = unpack_ip(getattr(session, field)).decode()
        if field == "source":
            session.client_host, session.client_port = host, session.source_port
            self.client.forward_line = None
        else:
            session.frontend_host, session.frontend_port = host, session.destination_port

    def set_timeout(self, which: str, milliseconds: int) -> None:
        """`set-timeout client|server|tunnel`: of this exchange."""
        if which == "client":
            self.dirty = True
            self.client_timeout = float(milliseconds)
            client = self.client
            if not self.request_done:
                # Its body is awaited already.
                client.relay.timers.arm(client, client.relay.now() + milliseconds)
            return
        field = "server_timeout" if which == "server" else "tunnel_timeout"
        self._vary(field, float(milliseconds))

    def set_retries(self, number: int) -> None:
        """`set-retries`: of this exchange."""
        self._vary_later("retries", number)

    def mark_server(self, mark: int) -> None:
        """`set-bc-mark`."""
        self._set_server_options(replace(self.server_options or NO_OPTIONS, mark=mark))

    def set_server_tos(self, tos: int) -> None:
        """`set-bc-tos`."""
        self._set_server_options(replace(self.server_options or NO_OPTIONS, tos=tos))

    def _set_server_options(self, options: SocketOptions) -> None:
        self.server_options = options
        # No connection that others have made will do.
        self._vary_later("pooled", False)

    def _vary_later(self, field: str, value: float) -> None:
        """A setting of the way to the server, whichever that will be: a rule of the frontend may not know it yet."""
        self.dirty = True
        if self.variations is None:
            self.variations = {}
        self.variations[field] = value

    def vary(self) -> None:
        """The exchange is on its way, and there are settings for it."""
        variations = self.variations
        assert variations is not None
        for field, value in variations.items():
            self._vary(field, value)

    def _vary(self, field: str, value: float) -> None:
        """Another way to the same backend, that differs in one setting."""
        route = self.route
        if getattr(route, field) == value:
            return
        variant = copy.copy(route)
        setattr(variant, field, value)
        variant.plain = False
        variant.varied = True
        backup = route.backup
        if backup is not None:
            # The request may go on there.
            variant.backup = backup = copy.copy(backup)
            setattr(backup, field, value)
            backup.plain = False
            backup.varied = True
        self.dirty = True
        self.route = variant

    def mark_client(self, mark: int) -> None:
        """`set-fc-mark`. Needs CAP_NET_ADMIN; without it nothing happens, as in HAProxy."""
        self._set_client_options(SocketOptions(mark=mark))

    def set_client_tos(self, tos: int) -> None:
        """`set-fc-tos`."""
        self._set_client_options(SocketOptions(tos=tos))

    def _set_client_options(self, options: SocketOptions) -> None:
        sock = self.client.transport.get_extra_info("socket")
        if sock is not None:
            options.put_on(sock)

    def capture(self, request: bool, slot: int, value: bytes) -> None:
        """Keep a value for the log, cut to the slot's length. A frontend without that slot keeps nothing."""
        frontend = self.client.frontend
        slots = frontend.request_slots if request else frontend.response_slots
        if slot >= len(slots):
            return
        captured = self.request_captures if request else self.response_captures
        if len(captured) != len(slots):
            captured = [None] * len(slots)
            if request:
                self.request_captures = captured
            else:
                self.response_captures = captured
        captured[slot] = value[: slots[slot].length].decode("latin-1")

    def has_body(self, least: int) -> bool:
        """Is all of the request's body here, or `least` bytes of it (0: no such limit), or as much as is kept?"""
        if self.request_done:
            return True
        have = sum(map(len, self.pending)) if self.pending else 0
        return (least > 0 and len(self.body()) >= least) or have >= self.client.relay.bufsize

    def hold(self) -> HeldResponse:
        """The response whose rules are run, with what is here of its body."""
        held = self.held
        if held is None:
            x: Any = self
            assert self.received_head is not None
            held = self.held = HeldResponse(x, self.received_head, self.received[self.received_from :])
        return held

    def has_response_body(self, least: int) -> bool:
        """As `has_body`, of the response."""
        return self.hold().has(least)

    def response_body(self) -> bytes:
        """What is here of the response's body, without its framing; nothing of answers of our own."""
        return b"" if self.received_head is None else self.hold().body()

    def body(self) -> bytes:
        """What is here of the request's body (exchange)."""
        raise NotImplementedError

    def request_payload(self) -> bytes | None:
        """What the client of a TCP frontend has sent, until it is sent on, as much as a head may be; None of HTTP."""
        client = self.client
        if client.frontend.spec.mode != "tcp":
            return None
        data = client.buffer
        most = client.relay.limits.max_head
        return data if len(data) <= most else data[:most]

    def response_payload(self) -> bytes | None:
        """What the server of a TCP frontend has sent, until it is sent on; None of HTTP."""
        inspected = self.inspected
        if inspected is not None:
            held: bytes = inspected.buffer[: self.client.relay.limits.max_head]
            return held
        return b"" if self.client.frontend.spec.mode == "tcp" else None

    def tarpit_delay(self) -> float:
        """`timeout tarpit` of the proxy whose rules are run, ms."""
        timeouts = self.client.frontend.spec.timeouts
        if self.route is not self.client.frontend.route:
            timeouts = self.route.spec.timeouts
        delay = timeouts.tarpit or timeouts.connect
        return float(delay) if delay else NEVER
