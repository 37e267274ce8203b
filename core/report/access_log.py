"""The traffic log of one frontend: one line for each exchange (or for each connection, in the default format).

Owns: which format a frontend uses, with which severity, and the line of connections that never became an exchange. Must
not know: how lines leave (senders), when an exchange ends (the relay tells).

Rules that the relay applies, because only it knows the facts: `option dontlognull` leaves out exchanges on which the
client sent nothing; requests of `monitor-uri` are never logged; a pooled connection that failed before a byte of the
response leaves no line (T6); with `option logasap` write() is called when the response's head has been forwarded (mode
tcp: when the server connection stands), else at the end.

Rules applied here: traffic has level info; `option log-separate-errors` raises to err, and `option dontlog-normal`
leaves out all others than, exchanges with an error, a timeout, a retry, a redispatch or a 5xx (manual 8.3.3, 8.3.4).
"""

from __future__ import annotations

import socket

from ..config.model import GlobalSpec, ProxySpec
from ..session import NOT_REACHED, Exchange, Session
from .events import error_line
from .log_format import Surroundings, compile_format, used_variables
from .senders import Senders, sent_host
from .syslog_header import ERR, INFO


class AccessLog:
    """`at_start`: the default format, of which connected() makes the lines and write() none."""

    __slots__ = (
        "_error_format",
        "_format",
        "_mode",
        "_normal",
        "_plain",
        "_senders",
        "_separate",
        "at_start",
        "variables",
    )

    def __init__(self, proxy: ProxySpec, globals: GlobalSpec, senders: Senders) -> None:
        """Raises ConfigError for a format with a mistake, or a target that cannot be opened."""
        host = sent_host(globals)
        tag = proxy.log_tag or globals.log_tag
        self._senders = tuple(senders.sender(spec, tag, host) for spec in proxy.logs)
        self._mode = proxy.mode
        options = proxy.options
        around = Surroundings("logasap" in options, host or socket.gethostname(), senders.pid)
        self.at_start = proxy.log_format is None
        self.variables = used_variables(proxy.log_format or "")
        """Names in the format: what costs something to find out (`si`, `bi`, ...) need only be found out for these."""
        self._format = compile_format(proxy.log_format or "", proxy.mode, around)
        self._error_format = None
        if proxy.error_log_format is not None:
            self._error_format = compile_format(proxy.error_log_format, proxy.mode, around)
        self._separate = "log-separate-errors" in options
        self._normal = "dontlog-normal" not in options
        self._plain = self._normal and not self._separate
        """No option asks whether the exchange was normal."""

    @property
    def active(self) -> bool:
        """Whether there is anybody to write to."""
        return bool(self._senders)

    def write(self, exchange: Exchange) -> None:
        """The line of an exchange."""
        severity = INFO
        if not self._plain and not is_normal(exchange):
            if self._separate:
                severity = ERR
        elif not self._normal:
            return
        line = self._format(exchange)
        for sender in self._senders:
            sender.append(severity, line)

    def connected(self, session: Session) -> None:
        """The line of the default format (manual 8.2.1). Mode tcp: at the accept; mode http: once for each request,
        when its head is complete, as HAProxy does (it makes the line when a stream begins)."""
        mode = "HTTP" if self._mode == "http" else "TCP"
        line = (
            f"Connect from {session.client_host}:{session.client_port}"
            f" to {session.frontend_host}:{session.frontend_port} ({session.frontend_name}/{mode})"
        ).encode()
        for sender in self._senders:
            sender.append(INFO, line)

    def refused(self, session: Session, message: str) -> None:
        """The line of a connection that failed before it could carry a request: a bad PROXY header, a failed handshake
        (manual 8.2.5)."""
        if self._error_format is None:
            line = error_line(session, message).encode()
        else:
            line = self._error_format(_nothing_of(session))
        for sender in self._senders:
            sender.append(ERR if self._separate else INFO, line)


def _nothing_of(session: Session) -> Exchange:
    """The exchange of a connection that never carried one: no phase was reached, nothing counted."""
    exchange = Exchange()
    exchange.session = session
    exchange.backend_name = session.frontend_name
    exchange.server_name = "<NOSRV>"
    exchange.method = exchange.target = exchange.version = exchange.request_line = b""
    exchange.source_host = exchange.server_host = ""
    exchange.termination = exchange.cookie_state = b"--"
    exchange.redispatched = False
    exchange.request_captures = []
    exchange.response_captures = []
    exchange.first_byte_date = 0.0
    for moment in ("first_byte_at", "head_at", "slot_at", "connect_at", "response_at"):
        setattr(exchange, moment, NOT_REACHED)
    exchange.idle_since = exchange.end_at = session.accept_at
    for count in Exchange.__slots__:
        if not hasattr(exchange, count):
            setattr(exchange, count, 0)
    return exchange


def is_normal(exchange: Exchange) -> bool:
    """No error, timeout, retry, redispatch or 5xx (manual 8.3.3)."""
    return (
        exchange.termination == b"--"
        and not exchange.retries
        and not exchange.redispatched
        and not 500 <= exchange.status < 600
    )
