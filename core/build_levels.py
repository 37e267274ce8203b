"""Counting of what rates are made of, put only where some expression asks for them (rules/levels).

Owns: where sessions and requests are counted. Must not know: who asks. Runs in `build`, when all expressions are
compiled: what nobody asks for stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .balance.backend import Backend
from .relay import passes
from .relay.route import Frontend
from .rules.levels import REQUESTS, SESSIONS, Levels

if TYPE_CHECKING:
    from .http.head import RequestHead
    from .relay.exchange import RelayExchange


def install_levels(levels: Levels, frontends: Sequence[Frontend], backends: Mapping[str, Backend]) -> None:
    """Have counted what `levels` asks for."""
    counted = levels.counted
    for frontend in frontends:
        if ("frontend", frontend.name, SESSIONS) in counted:
            _count_connections(frontend)
        if ("frontend", frontend.name, REQUESTS) in counted:
            _count_requests(frontend)
    for backend in backends.values():
        if ("backend", backend.name, SESSIONS) in counted:
            _count_arrivals(backend, frontends)
        if any(("server", f"{backend.name}/{server.name}", SESSIONS) in counted for server in backend.servers):
            backend.count_sessions()


def _count_connections(frontend: Frontend) -> None:
    """As the last of the rules for connections: those that are refused do not count, and none sees itself."""

    def count(exchange: Any) -> None:
        frontend.sessions += 1

    frontend.early = (*frontend.early, count)


def _count_requests(frontend: Frontend) -> None:
    """Where heads are read: what is no valid request is counted, too."""
    read = frontend.read_request

    def counting(raw: bytes) -> RequestHead:
        frontend.requests += 1
        return read(raw)

    frontend.read_request = counting


def _count_arrivals(backend: Backend, frontends: Sequence[Frontend]) -> None:
    """At the beginning of what the backend runs for a request: its own rules see it."""

    def count(exchange: RelayExchange) -> None:
        backend.sessions += 1

    for frontend in frontends:
        for route in frontend.routes:
            if route.backend is backend:
                route.plan = (count, *(route.plan or (passes.send,)))
                if not frontend.plan:
                    watched = (passes.monitor,) if frontend.monitor_uri and frontend.spec.mode == "http" else ()
                    frontend.plan = (*watched, passes.leave_frontend)
                    frontend.ordinary = False
