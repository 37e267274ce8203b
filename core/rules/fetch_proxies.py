"""Fetches of frontends, backends and servers: how busy they are, what they are called (manual 7.3.2, 7.3.3).

Owns: these. Must not know: messages. Figures are those of the thread that serves the exchange: threads share nothing on
the path of a request. A fetch that may name a backend means the exchange's own one when it names none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .catalogue import BACK, FRONT, RUNNING, SERVER_SIDE, Call, Fetch, Needs, fetch, plain_fetch
from .samples import BOOL, INT, STR
from .scope import BackendFacts, ServerFacts

WEIGHT_SCALE = 16
"""An effective weight counts sixteenths (balance)."""


def _of_backend(names: str, summary: str, figure: Callable[[Any], Any]) -> None:
    @fetch(names, INT, RUNNING, summary, arguments="backend:backend?")
    def make(call: Call) -> Fetch:
        backend = call.values[0]
        if backend is not None:
            return lambda x: figure(backend)
        return lambda x: figure(x.route.backend)


def usable_servers(backend: BackendFacts) -> int:
    """Servers that are balanced over: the active ones, else the backups in use."""
    return backend.active_count or len(backend.candidates)


def average_queue(backend: BackendFacts) -> int:
    usable = usable_servers(backend)
    return -(-backend.queued // usable) if usable else backend.queued * 2


def free_slots(backend: BackendFacts) -> int:
    """Requests that the servers would take now; -1 where one of them has no limit."""
    free = 0
    active = backend.active_count > 0
    for server in backend.servers:
        if server.usable and not (server.backup and active):
            if not server.maxconn:
                return -1
            free += max(server.maxconn - server.served, 0)
    return free


def free_slots_and_places(backend: BackendFacts) -> int:
    free = 0
    for server in backend.servers:
        if server.usable:
            if not (server.maxconn and server.maxqueue):
                return -1
            free += server.maxconn - server.served + server.maxqueue - len(server.waiting)
    return free


_of_backend("nbsrv", "Usable servers of a backend", usable_servers)
_of_backend("queue", "Requests that wait for a server of a backend", lambda backend: backend.queued)
_of_backend("avg_queue", "The same, divided by its servers", average_queue)
_of_backend("be_conn", "Requests that a backend has now", lambda backend: backend.served + backend.queued)
_of_backend("be_conn_free", "Free slots of a backend's servers, -1: no limit", free_slots)
_of_backend("connslots", "The same and the free places in their queues", free_slots_and_places)


def _of_server(names: str, kind: Any, summary: str, figure: Callable[[Any], Any]) -> None:
    @fetch(names, kind, RUNNING, summary, arguments="server:server")
    def make(call: Call) -> Fetch:
        backend, server = call.values[0]
        if backend is not None:
            return lambda x: figure(server)

        def run(x: Any) -> Any:
            for found in x.route.backend.servers:
                if found.name == server:
                    return figure(found)
            return None

        return run


def free_of_server(server: ServerFacts) -> int:
    return max(server.maxconn - server.served, 0) if server.maxconn else -1


_of_server("srv_conn", INT, "Requests that a server has now", lambda server: server.served)
_of_server("srv_conn_free", INT, "Free slots of a server, -1: no limit", free_of_server)
_of_server("srv_is_up", BOOL, "Whether a server is up and not in maintenance", lambda server: server.usable)
_of_server("srv_queue", INT, "Requests that wait for a server", lambda server: len(server.waiting))
_of_server("srv_weight", INT, "A server's effective weight", lambda server: server.eweight // WEIGHT_SCALE)
_of_server("srv_uweight", INT, "A server's weight", lambda server: server.weight)
_of_server("srv_iweight", INT, "A server's weight as configured", lambda server: server.spec.weight)


@fetch("fe_conn", INT, RUNNING, "Connections of a frontend now", arguments="frontend:frontend?")
def _fe_conn(call: Call) -> Fetch:
    frontend = call.values[0]
    if frontend is not None:
        return lambda x: frontend.connections
    frontends = call.site.frontends
    return lambda x: frontends[x.session.frontend_name].connections


@fetch("fe_id", INT, FRONT, "The frontend's number")
def _fe_id(call: Call) -> Fetch:
    known = {name: frontend.spec.id for name, frontend in call.site.frontends.items()}
    return lambda x: known.get(x.session.frontend_name)


@plain_fetch("be_id", INT, BACK, "The backend's number")
def be_id(x: Any) -> Any:
    return x.route.backend.spec.id


@plain_fetch("fe_name", STR, FRONT, "The frontend's name")
def fe_name(x: Any) -> Any:
    return x.session.frontend_name.encode()


@plain_fetch("be_name", STR, BACK, "The backend's name")
def be_name(x: Any) -> Any:
    return x.route.backend.name.encode()


@fetch("fe_defbe", STR, FRONT, "The frontend's default backend")
def _fe_defbe(call: Call) -> Fetch:
    known = {
        name: frontend.spec.default_backend.encode()
        for name, frontend in call.site.frontends.items()
        if frontend.spec.default_backend
    }
    return lambda x: known.get(x.session.frontend_name)


@fetch("fe_client_timeout", INT, FRONT, "The frontend's timeout client, in ms")
def _fe_client_timeout(call: Call) -> Fetch:
    known = {name: frontend.spec.timeouts.client or 0 for name, frontend in call.site.frontends.items()}
    return lambda x: known.get(x.session.frontend_name)


@plain_fetch("be_server_timeout", INT, BACK, "The backend's timeout server, in ms")
def be_server_timeout(x: Any) -> Any:
    return x.route.backend.spec.timeouts.server or 0


@plain_fetch("be_tunnel_timeout", INT, BACK, "The backend's timeout tunnel, in ms")
def be_tunnel_timeout(x: Any) -> Any:
    return x.route.backend.spec.timeouts.tunnel or 0


def _listeners(site: Any) -> dict[tuple[str, str], tuple[int, bytes | None]]:
    """(frontend, listener as sessions show it) -> its number and its name."""
    known = {}
    for name, frontend in site.frontends.items():
        for number, bind in enumerate(frontend.spec.binds, 1):
            known[name, bind.name or str(number)] = (bind.id or number, bind.name.encode() if bind.name else None)
    return known


@fetch("so_id", INT, FRONT, "The number of the bind line")
def _so_id(call: Call) -> Fetch:
    known = _listeners(call.site)
    return lambda x: known.get((x.session.frontend_name, x.session.listener_name), (None, None))[0]


@fetch("so_name", STR, FRONT, "The name of the bind line")
def _so_name(call: Call) -> Fetch:
    known = _listeners(call.site)
    return lambda x: known.get((x.session.frontend_name, x.session.listener_name), (None, None))[1]


@plain_fetch("srv_id", INT, SERVER_SIDE, "The number of the server that has the request", needs=Needs.NOTHING)
def srv_id(x: Any) -> Any:
    server = x.server
    return None if server is None else server.spec.id


@plain_fetch("srv_name", STR, SERVER_SIDE, "The name of the server that has the request", needs=Needs.NOTHING)
def srv_name(x: Any) -> Any:
    server = x.server
    return None if server is None else server.name.encode()
