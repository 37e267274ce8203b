"""Fetches of how busy frontends, backends and servers are (manual 7.3.2, 7.3.3): over all threads of all groups.

Owns: these. Must not know: messages, where other threads' figures come from (levels: this thread's own part is exact,
that of the others up to a fifth of a second old). Which servers are usable is asked of this thread's own: all threads
are told the same. A fetch that may name a proxy means the exchange's own one when it names none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .catalogue import ANYWHERE, FRONT, RUNNING, Call, Fetch, Stage, fetch
from .levels import ACTIVE, QUEUED, REQUESTS, SESSIONS, Count, Levels
from .samples import BOOL, INT
from .scope import BackendFacts

WEIGHT_SCALE = 16
"""An effective weight counts sixteenths (balance)."""
ENTERED = Stage.BACK_CONTENT | Stage.BACK_REQUEST | Stage.USE_SERVER
"""The request has come to its backend, and is not counted there yet."""

Make = Callable[[Levels, Any], Count]


def usable_servers(backend: BackendFacts) -> int:
    """Servers that are balanced over: the active ones, else the backups in use."""
    return backend.active_count or len(backend.candidates)


# Servers.


def served(levels: Levels, server: Any) -> Count:
    """Requests that it has."""
    return levels.whole("server", _full_name(server), ACTIVE, lambda: server.served)


def waiting(levels: Levels, server: Any) -> Count:
    """Requests that wait for it."""
    return levels.whole("server", _full_name(server), QUEUED, lambda: len(server.waiting))


def _given(levels: Levels, server: Any) -> Count:
    return levels.rate("server", _full_name(server), SESSIONS, lambda: server.sessions)


def _full_name(server: Any) -> str:
    return f"{server.backend.name}/{server.name}"


def limit(server: Any) -> int:
    """Requests that all threads together give it at a time; 0: no limit."""
    spec = server.spec
    return spec.maxconn or spec.minconn  # type: ignore[no-any-return]


def _free_of_server(levels: Levels, server: Any) -> Count:
    most = limit(server)
    if not most:
        return lambda: -1
    busy = served(levels, server)
    return lambda: max(most - busy(), 0)


def _of_server(names: str, kind: Any, summary: str, make: Callable[[Levels, Any], Callable[[], Any]]) -> None:
    @fetch(names, kind, RUNNING, summary, arguments="server:server")
    def maker(call: Call) -> Fetch:
        backend, server = call.values[0]
        levels = call.site.levels
        if backend is not None:
            count = make(levels, server)
            return lambda x: count()
        known: dict[int, Callable[[], Any]] = {
            id(place): make(levels, one)
            for place in call.site.backends.values()
            for one in place.servers
            if one.name == server
        }

        def run(x: Any) -> Any:
            count = known.get(id(x.route.backend))
            return None if count is None else count()

        return run


_of_server("srv_conn", INT, "Requests that a server has now", served)
_of_server("srv_conn_free", INT, "Free slots of a server, -1: no limit", _free_of_server)
_of_server("srv_queue", INT, "Requests that wait for a server", waiting)
_of_server("srv_sess_rate", INT, "Requests that a server was given in the last second", _given)
_of_server("srv_is_up", BOOL, "Whether a server is up and not in maintenance", lambda _, server: lambda: server.usable)
_of_server("srv_weight", INT, "A server's effective weight", lambda _, server: lambda: server.eweight // WEIGHT_SCALE)
_of_server("srv_uweight", INT, "A server's weight", lambda _, server: lambda: server.weight)
_of_server("srv_iweight", INT, "A server's weight as configured", lambda _, server: lambda: server.spec.weight)


# Backends.


def _active(levels: Levels, backend: Any) -> Count:
    return levels.whole("backend", backend.name, ACTIVE, lambda: backend.served + backend.queued)


def _queued(levels: Levels, backend: Any) -> Count:
    return levels.whole("backend", backend.name, QUEUED, lambda: backend.queued)


def _came(levels: Levels, backend: Any) -> Count:
    return levels.rate("backend", backend.name, SESSIONS, lambda: backend.sessions)


def _average_queue(levels: Levels, backend: Any) -> Count:
    queued = _queued(levels, backend)

    def run() -> int:
        usable = usable_servers(backend)
        return -(-queued() // usable) if usable else queued() * 2

    return run


def _free_slots(levels: Levels, backend: Any) -> Count:
    """Requests that the servers would take now; -1 where one of them has no limit."""
    servers = [(server, limit(server), served(levels, server)) for server in backend.servers]

    def run() -> int:
        free = 0
        active = backend.active_count > 0
        for server, most, busy in servers:
            if server.usable and not (server.backup and active):
                if not most:
                    return -1
                free += max(most - busy(), 0)
        return free

    return run


def _free_slots_and_places(levels: Levels, backend: Any) -> Count:
    servers = [(server, limit(server), served(levels, server), waiting(levels, server)) for server in backend.servers]

    def run() -> int:
        free = 0
        for server, most, busy, queued in servers:
            if server.usable:
                longest = server.spec.maxqueue
                if not (most and longest):
                    return -1
                free += most - busy() + longest - queued()
        return free

    return run


def _of_backend(names: str, summary: str, make: Make, *, entering: bool = False) -> None:
    """`entering`: a request that is in its backend's rules counts, too."""

    @fetch(names, INT, RUNNING, summary, arguments="backend:backend?")
    def maker(call: Call) -> Fetch:
        backend = call.values[0]
        levels = call.site.levels
        more = entering and bool(call.stage & ENTERED)
        if backend is not None:
            count = make(levels, backend)
            if more:
                return lambda x: count() + (x.server is None and x.route.backend is backend)
            return lambda x: count()
        known = {id(one): make(levels, one) for one in call.site.backends.values()}

        def run(x: Any) -> int:
            backend = x.route.backend
            count = known.get(id(backend))
            if count is None:
                # What stands for a backend where none is chosen yet.
                return make(Levels(), backend)()
            return count() + (more and x.server is None)

        return run


_of_backend("nbsrv", "Usable servers of a backend", lambda _, backend: lambda: usable_servers(backend))
_of_backend("queue", "Requests that wait for a server of a backend", _queued)
_of_backend("avg_queue", "The same, divided by its servers", _average_queue)
_of_backend("be_conn", "Requests that a backend has now", _active, entering=True)
_of_backend("be_conn_free", "Free slots of a backend's servers, -1: no limit", _free_slots)
_of_backend("connslots", "The same and the free places in their queues", _free_slots_and_places)
_of_backend("be_sess_rate", "Requests that came to a backend in the last second", _came)


# Frontends, and the process.


def _of_frontend(names: str, stages: Stage, summary: str, make: Make, arguments: str = "frontend:frontend?") -> None:
    @fetch(names, INT, stages, summary, arguments=arguments)
    def maker(call: Call) -> Fetch:
        frontend = call.values[0] if call.values else None
        levels = call.site.levels
        if frontend is not None:
            count = make(levels, frontend)
            return lambda x: count()
        known = {name: make(levels, one) for name, one in call.site.frontends.items()}
        return lambda x: known[x.session.frontend_name]()


def _connections(levels: Levels, frontend: Any) -> Count:
    return levels.whole("frontend", frontend.name, ACTIVE, lambda: frontend.connections)


_of_frontend("fe_conn", RUNNING, "Connections of a frontend now", _connections)
_of_frontend("dst_conn", FRONT, "Connections of the frontend now: of all its listeners", _connections, "")
_of_frontend(
    "fe_sess_rate",
    RUNNING,
    "Connections to a frontend in the last second that its connection rules let in",
    lambda levels, frontend: levels.rate("frontend", frontend.name, SESSIONS, lambda: frontend.sessions),
)
_of_frontend(
    "fe_req_rate",
    RUNNING,
    "Requests that a frontend had in the last second",
    lambda levels, frontend: levels.rate("frontend", frontend.name, REQUESTS, lambda: frontend.requests),
)


@fetch("act_conn", INT, ANYWHERE, "Client connections of all threads now")
def _act_conn(call: Call) -> Fetch:
    count = call.site.levels.connections(call.site.process)
    return lambda x: count()
