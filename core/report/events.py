"""What maniple says about itself: start and stop of proxies, servers up and down, connections refused.

Owns: the wording and severity of events, near enough to HAProxy's that rules which watch its logs go on working. Each
function returns (severity, text). Must not know: senders, live servers; all facts come as arguments.
"""

from __future__ import annotations

from ..session import Session
from .stamps import MILLISECONDS, local_date
from .syslog_header import ALERT, EMERG, NOTICE, WARNING

Event = tuple[int, str]


def proxy_started(name: str) -> Event:
    """A proxy listens."""
    return NOTICE, f"Proxy {name} started."


def proxy_stopping(kind: str, name: str, delay_ms: int = 0) -> Event:
    """A soft stop begins. `kind`: frontend, backend, listen (called proxy)."""
    what = "proxy" if kind == "listen" else kind
    return WARNING, f"Stopping {what} {name} in {delay_ms} ms."


def proxy_stopped(name: str, frontend_connections: int, backend_connections: int) -> Event:
    """A proxy has ended, with the connections that it ever had on both sides."""
    return (
        WARNING,
        f"Proxy {name} stopped (cumulated conns: FE: {frontend_connections}, BE: {backend_connections}).",
    )


def proxy_paused(name: str) -> Event:
    return WARNING, f"Paused frontend {name}."


def proxy_resumed(name: str) -> Event:
    return WARNING, f"Resumed frontend {name}."


def server_changed(
    backend: str,
    server: str,
    state: str,
    *,
    reason: str = "",
    active: int = 0,
    backup: int = 0,
    sessions: int = 0,
    requeued: int = 0,
    is_backup: bool = False,
) -> Event:
    """A server went `state`: UP or DOWN. `active` and `backup` are the servers left (or now there), `sessions` those on
    this server, `requeued` the requests that were waiting for it."""
    kind = "Backup Server" if is_backup else "Server"
    because = f", reason: {reason}" if reason else ""
    left = " left" if state == "DOWN" else ""
    only_backups = " Running on backup." if not active and backup else ""
    text = (
        f"{kind} {backend}/{server} is {state}{because}. {active} active and {backup} backup servers"
        f"{left or ' online'}.{only_backups} {sessions} sessions {'active' if left else 'requeued'},"
        f" {requeued} {'requeued, 0 remaining in queue' if left else 'total in queue'}."
    )
    return (ALERT if state == "DOWN" else NOTICE), text


def no_server(backend: str) -> Event:
    """A backend has lost its last usable server."""
    return EMERG, f"backend {backend} has no server available!"


def error_line(session: Session, message: str) -> str:
    """`ip:port [date] frontend/bind: message` (manual 8.2.5)."""
    stamp = int(session.accept_date * 1000)
    return (
        f"{session.client_host}:{session.client_port} [{local_date(stamp // 1000)}.{MILLISECONDS[stamp % 1000]}]"
        f" {session.frontend_name}/{session.listener_name}: {message}"
    )
