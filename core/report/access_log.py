"""The traffic log of one frontend: one line for each exchange (or for each connection, in the default format).

Owns: which formats a frontend uses, with which severity, and the line of connections that never became an exchange.
Must not know: how lines leave (senders), when an exchange ends (the relay tells).

Rules that the relay applies, because only it knows the facts: `option dontlognull` leaves out exchanges on which the
client sent nothing; requests of `monitor-uri` are never logged; a pooled connection that failed before a byte of the
response leaves no line (T6); with `option logasap` write() is called when the response's head has been forwarded (mode
tcp: when the server connection stands), else at the end.

Rules applied here: traffic has level info; `option log-separate-errors` raises to err, and `option dontlog-normal`
leaves out all others than, exchanges with an error, a timeout, a retry, a redispatch or a 5xx (manual 8.3.3, 8.3.4).
`set-log-level` decides before both of them, but a normal exchange is left out all the same.

Invariant: `compile` is called before the first line; it is not part of making the log, since expressions can only be
compiled when all proxies exist.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import replace

from ..config.logs import JSON_LOG_FORMAT
from ..config.model import GlobalSpec, Place, ProxySpec
from ..errors import ConfigError
from ..rules.acl_set import AclSet
from ..rules.catalogue import Needs
from ..rules.scope import Site
from ..session import NOT_REACHED, Exchange, Session
from .events import error_line
from .json_log import make_json_line
from .log_format import Line, Surroundings, compile_format, needs_of, used_variables
from .senders import Sender, Senders, sent_host
from .syslog_header import ERR, INFO


class AccessLog:
    """`at_start`: the default format, of which connected() makes the lines and write() none."""

    __slots__ = (
        "_around",
        "_error_format",
        "_format",
        "_mode",
        "_normal",
        "_plain",
        "_proxy",
        "_sd_format",
        "_senders",
        "_separate",
        "_structured",
        "at_start",
        "early",
        "needs",
        "variables",
    )

    def __init__(self, proxy: ProxySpec, globals: GlobalSpec, senders: Senders) -> None:
        """Raises ConfigError for a format with a mistake, or a target that cannot be opened."""
        host = sent_host(globals)
        tag = proxy.log_tag or globals.log_tag
        structured = [] if proxy.log_format_sd is None else [one for one in proxy.logs if one.format == "rfc5424"]
        self._senders = tuple(senders.sender(spec, tag, host) for spec in proxy.logs if spec not in structured)
        self._structured = tuple(senders.sender(spec, tag, host, structured=True) for spec in structured)
        """Those that take structured data before the text."""
        self._mode = proxy.mode
        self._proxy = proxy
        options = proxy.options
        self.early = "logasap" in options
        self._around = Surroundings(self.early, host or socket.gethostname(), senders.pid)
        self.at_start = proxy.log_format is None
        self.variables = frozenset(name for kind in KINDS for name in _variables(proxy, kind))
        """Names in the formats: what costs something to find out (`si`, `bi`, ...) need only be found out for these."""
        self.needs = Needs.NOTHING
        """What the expressions in the formats need."""
        self._format: Line = _not_compiled
        self._error_format: Line | None = None
        self._sd_format: Line = _not_compiled
        self._separate = "log-separate-errors" in options
        self._normal = "dontlog-normal" not in options
        self._plain = self._normal and not self._separate
        """No option asks whether the exchange was normal."""

    def compile(self, site: Site) -> None:
        """Make the functions. Raises ConfigError, with its place."""
        proxy = self._proxy
        cookies = any(line.kind == "capture cookie" for line in proxy.rules)
        around = replace(self._around, site=site, cookies=cookies)
        self._format = compile_proxy_format(proxy, "log-format", around)
        self._sd_format = compile_proxy_format(proxy, "log-format-sd", around)
        self.needs = needs_of_formats(proxy, around)
        if proxy.error_log_format is not None:
            errors = replace(around, early=False, origin="sess_error")
            self._error_format = compile_proxy_format(proxy, "error-log-format", errors)

    @property
    def active(self) -> bool:
        """Whether there is anybody to write to."""
        return bool(self._senders or self._structured)

    def write(self, exchange: Exchange, level: int | None = None) -> None:
        """The line of an exchange; `level`: its severity, if a rule has set it."""
        severity = INFO
        if not self._plain and not is_normal(exchange):
            if self._separate:
                severity = ERR
        elif not self._normal:
            return
        if level is not None:
            severity = level
        line = self._format(exchange)
        for sender in self._senders:
            sender.append(severity, line)
        if self._structured:
            self._append_structured(severity, self._sd_format(exchange), line)

    def _append_structured(self, severity: int, data: bytes, line: bytes) -> None:
        for sender in self._structured:
            sender.append(severity, (data or b"-") + b" " + line)

    def connected(self, session: Session) -> None:
        """The line of the default format (manual 8.2.1). Mode tcp: at the accept; mode http: once for each request,
        when its head is complete, as HAProxy does (it makes the line when a stream begins)."""
        mode = "HTTP" if self._mode == "http" else "TCP"
        line = (
            f"Connect from {session.client_host}:{session.client_port}"
            f" to {session.frontend_host}:{session.frontend_port} ({session.frontend_name}/{mode})"
        ).encode()
        self._append_all(INFO, line)

    def refused(self, session: Session, message: str) -> None:
        """The line of a connection that failed before it could carry a request: a bad PROXY header, a failed handshake
        (manual 8.2.5)."""
        if self._error_format is None:
            line = error_line(session, message).encode()
        else:
            line = self._error_format(_nothing_of(session))
        self._append_all(ERR if self._separate else INFO, line)

    def _append_all(self, severity: int, line: bytes) -> None:
        senders: Sequence[Sender] = self._senders
        for sender in senders:
            sender.append(severity, line)
        if self._structured:
            self._append_structured(severity, b"-", line)


KINDS = ("log-format", "error-log-format", "log-format-sd")


def text_of(proxy: ProxySpec, kind: str) -> str:
    """The text of one of a proxy's formats, "" where there is none."""
    texts = {
        "log-format": proxy.log_format,
        "error-log-format": proxy.error_log_format,
        "log-format-sd": proxy.log_format_sd,
    }
    return texts[kind] or ""


def compile_proxy_format(proxy: ProxySpec, kind: str, around: Surroundings) -> Line:
    """The function for one of a proxy's formats. A ConfigError has its place in the line."""
    text = text_of(proxy, kind)
    if text == JSON_LOG_FORMAT:
        return make_json_line(around.hostname)
    place = proxy.format_places.get(kind)
    try:
        around = _with_acls(proxy, text, around)
        return compile_format(text, proxy.mode, around, place.column if place is not None else 1)
    except ConfigError as error:
        raise _placed(error, proxy, place) from None


def needs_of_formats(proxy: ProxySpec, around: Surroundings) -> Needs:
    """What the expressions in a proxy's formats of traffic need."""
    needs = Needs.NOTHING
    for kind in ("log-format", "log-format-sd"):
        text = text_of(proxy, kind)
        if text != JSON_LOG_FORMAT:
            needs |= needs_of(text, proxy.mode, _with_acls(proxy, text, around))
    return needs


def _with_acls(proxy: ProxySpec, text: str, around: Surroundings) -> Surroundings:
    """With the proxy's ACLs, which the fetch `acl` asks for: all of them, since formats are read after the section."""
    if "acl(" not in text or around.site is None:
        return around
    return replace(around, site=AclSet([line for line in proxy.rules if not line.scope], around.site).site)


def _variables(proxy: ProxySpec, kind: str) -> frozenset[str]:
    text = text_of(proxy, kind)
    if text == JSON_LOG_FORMAT:
        return frozenset()
    place = proxy.format_places.get(kind)
    try:
        return used_variables(text, place.column if place is not None else 1)
    except ConfigError as error:
        raise _placed(error, proxy, place) from None


def _placed(error: ConfigError, proxy: ProxySpec, place: Place | None) -> ConfigError:
    """With its place: the column is the right one already, unless the text was not written (a named format)."""
    if not error.file:
        error.file, error.line = (place or proxy.place).file, (place or proxy.place).line
        if place is None:
            error.column = proxy.place.column
    return error


def _not_compiled(exchange: Exchange) -> bytes:
    raise RuntimeError("the formats of this log are not compiled")


def _nothing_of(session: Session) -> Exchange:
    """The exchange of a connection that never carried one: no phase was reached, nothing counted."""
    exchange = Exchange()
    exchange.session = session
    exchange.backend_name = session.frontend_name
    exchange.server_name = "<NOSRV>"
    exchange.method = exchange.target = exchange.version = exchange.request_line = b""
    exchange.unique_id = b""
    exchange.request_cookie = exchange.response_cookie = ""
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
