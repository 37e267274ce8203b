"""What maniple says about itself: proxies that start and stop, servers up and down, connections refused.

Owns: the wording and severity of events, so near to HAProxy's that rules which watch its logs go on working (compared
with its own lines in the tests). Each function returns (severity, text). Must not know: senders, live servers; all
facts come as arguments.
"""

from __future__ import annotations

from ..rules.stamps import MILLISECONDS, local_date
from ..session import Session
from .syslog_header import ALERT, EMERG, NOTICE, WARNING

Event = tuple[int, str]


def proxy_started(name: str) -> Event:
    """A proxy listens."""
    return NOTICE, f"Proxy {name} started."


def proxy_stopping(kind: str, name: str, delay_ms: int = 0) -> Event:
    """A soft stop begins. `kind`: frontend, backend or listen (which is called proxy)."""
    return WARNING, f"Stopping {_kind(kind)} {name} in {delay_ms} ms."


def proxy_stopped(name: str, frontend_connections: int, backend_connections: int) -> Event:
    """A proxy has ended, with the connections that it ever had on both sides."""
    counts = f"FE: {frontend_connections}, BE: {backend_connections}"
    return WARNING, f"Proxy {name} stopped (cumulated conns: {counts})."


def frontend_paused(name: str) -> Event:
    """Its listeners accept no longer, but can again."""
    return WARNING, f"Paused frontend {name}."


def frontend_resumed(name: str) -> Event:
    """After a pause."""
    return WARNING, f"Resumed frontend {name}."


def server_down(
    backend: str,
    server: str,
    *,
    active: int,
    backup: int,
    sessions: int = 0,
    requeued: int = 0,
    queued: int = 0,
    reason: str = "",
    is_backup: bool = False,
    maintenance: bool = False,
) -> Event:
    """A server takes no traffic any more. `active` and `backup` servers are left in the backend; `sessions` still run
    on this one; `requeued` of its waiting requests went elsewhere and `queued` still wait. `reason`: what the check
    said."""
    what = "is going DOWN for maintenance" if maintenance else "is DOWN"
    left = f"{active} active and {backup} backup servers left.{_fallback(active, backup)}"
    work = f"{sessions} sessions active, {requeued} requeued, {queued} remaining in queue."
    return ALERT, f"{_server(backend, server, is_backup)} {what}{_because(reason)}. {left} {work}"


def server_up(
    backend: str,
    server: str,
    *,
    active: int,
    backup: int,
    requeued: int = 0,
    queued: int = 0,
    reason: str = "",
    is_backup: bool = False,
) -> Event:
    """A server takes traffic again: `requeued` requests that waited went to it, `queued` wait in the backend."""
    there = f"{active} active and {backup} backup servers online.{_fallback(active, backup)}"
    work = f"{requeued} sessions requeued, {queued} total in queue."
    return NOTICE, f"{_server(backend, server, is_backup)} is UP{_because(reason)}. {there} {work}"


def server_left_maintenance(backend: str, server: str, state: str = "UP", *, is_backup: bool = False) -> Event:
    """An operator ended the maintenance; `state` is what the server is now, e.g. UP, DOWN or UP/DRAIN."""
    return NOTICE, f"{_server(backend, server, is_backup)} is {state} (leaving forced maintenance)."


def server_enters_drain(
    backend: str,
    server: str,
    *,
    active: int,
    backup: int,
    requeued: int = 0,
    queued: int = 0,
    is_backup: bool = False,
) -> Event:
    """An operator lets a server finish what it has; figures as in `server_up`."""
    online = f"{active} active and {backup} backup servers online.{_fallback(active, backup)}"
    work = f"{requeued} sessions requeued, {queued} total in queue."
    return NOTICE, f"{_server(backend, server, is_backup)} enters drain state. {online} {work}"


def server_remains_in_drain(backend: str, server: str, *, is_backup: bool = False) -> Event:
    """It left maintenance for that."""
    return NOTICE, f"{_server(backend, server, is_backup)} remains in forced drain mode."


def server_left_drain(backend: str, server: str, state: str = "UP", *, is_backup: bool = False) -> Event:
    """An operator gives it new requests again."""
    return NOTICE, f"{_server(backend, server, is_backup)} is {state} (leaving forced drain)."


def no_server(backend: str, kind: str = "backend") -> Event:
    """A backend or listen section (`kind`) has lost its last usable server."""
    return EMERG, f"{_kind(kind)} {backend} has no server available!"


def check_result(
    backend: str,
    server: str,
    passed: bool,
    *,
    reason: str,
    duration_ms: int,
    health: int,
    goal: int,
    state: str,
    is_backup: bool = False,
    info: str = "",
) -> Event:
    """The result of a health check that changed something (`option log-health-checks`). `health` of `goal` checks in a
    row towards `state` (UP or DOWN)."""
    kind = "backup server" if is_backup else "server"
    verdict = "succeeded" if passed else "failed"
    detail = f', info: "{info}"' if info else ""
    progress = f"check duration: {duration_ms}ms, status: {health}/{goal} {state}"
    return NOTICE, f"Health check for {kind} {backend}/{server} {verdict}, reason: {reason}{detail}, {progress}."


def error_line(session: Session, message: str) -> str:
    """`ip:port [date] frontend/bind: message`, for a connection that failed before it carried a request (manual
    8.2.5)."""
    stamp = int(session.accept_date * 1000)
    date = f"{local_date(stamp // 1000)}.{MILLISECONDS[stamp % 1000]}"
    place = f"{session.frontend_name}/{session.listener_name}"
    return f"{session.client_host}:{session.client_port} [{date}] {place}: {message}"


def _kind(kind: str) -> str:
    return "proxy" if kind == "listen" else kind


def _server(backend: str, server: str, is_backup: bool) -> str:
    return f"{'Backup Server' if is_backup else 'Server'} {backend}/{server}"


def _because(reason: str) -> str:
    return f", reason: {reason}" if reason else ""


def _fallback(active: int, backup: int) -> str:
    return " Running on backup." if backup and not active else ""
