"""Fetches of what frontends, backends, servers and listeners are called, and how they are set (manual 7.3.2, 7.3.3).

Owns: these. Must not know: messages, how busy anybody is (fetch_load).
"""

from __future__ import annotations

from typing import Any

from .catalogue import BACK, FRONT, SERVER_SIDE, Call, Fetch, Needs, fetch, plain_fetch
from .samples import INT, STR


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
