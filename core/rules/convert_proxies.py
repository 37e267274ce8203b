"""Converters of names of backends and servers to what is known of them now (manual 7.3.1).

Owns: the look-up of names that are known at run time only. Must not know: how servers are chosen.
"""

from __future__ import annotations

from typing import Any

from .catalogue import BACK, Call, Convert, Scoped, converter
from .fetch_load import waiting
from .samples import INT, STR


@converter("nbsrv", STR, INT, "The number of usable servers in the backend of this name")
def _nbsrv(call: Call) -> Convert:
    backends = call.site.backends

    def run(value: bytes) -> int | None:
        backend: Any = backends.get(value.decode("utf-8", "surrogateescape"))
        return None if backend is None else sum([server.usable for server in backend.servers])

    return run


@converter("srv_queue", STR, INT, "Requests that wait for the server of this name: server, or backend/server")
def _srv_queue(call: Call) -> Scoped:
    backends = call.site.backends
    levels = call.site.levels
    known = {
        (id(backend), server.name): waiting(levels, server)
        for backend in backends.values()
        for server in backend.servers
    }
    # Before a backend is chosen a server's name alone says nothing.
    inside = bool(call.stage & BACK)

    def run(x: Any, value: bytes) -> int | None:
        place, slash, name = value.decode("utf-8", "surrogateescape").rpartition("/")
        backend: Any = None
        if slash:
            backend = backends.get(place)
        elif inside and x.route is not None:
            backend = x.route.backend
        count = known.get((id(backend), name))
        return None if count is None else count()

    return Scoped(run)
