"""What an operator says about a server while it serves: ready, drain, maintenance, another weight.

Owns: the words (those of `set server` in HAProxy's management guide, chapter 9.3), what each does in one thread, and
which events are logged for it. Must not know: who asks, senders.

| state | new requests | persistent ones | connections that are there | those who wait for the server |
|---|---|---|---|---|
| ready | yes | yes | | are called |
| drain | no | yes | go on | go on waiting |
| maint | no | no | go on, idle ones of the pool are closed | go elsewhere |

`drain` ends a maintenance and `maint` a drain, as in HAProxy. Wording, severities and order of errors and events were
compared with HAProxy 2.6 and 3.0. One difference is meant: who waits for a server in maintenance goes elsewhere also
without `option redispatch`, since he would wait in vain.

Invariants: a word that is refused has changed nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..report import events
from ..report.syslog_header import NOTICE
from ..session import FORCED
from . import connect, queueing

if TYPE_CHECKING:
    from ..balance.backend import Backend
    from ..balance.server import Server
    from ..report.events import Event

STATES = ("ready", "drain", "maint")
MOST = 256
"""The greatest weight."""
_NUMBER = re.compile(r"\s*([+-]?[0-9]+)(.*)", re.ASCII | re.DOTALL)


def set_server(
    backends: Sequence[Backend], backend: str, server: str, state: str | None, weight: str | None
) -> tuple[Backend, list[Event]]:
    """Do it. Returns the backend, and what is to be logged there. Raises ValueError in HAProxy's words."""
    place = next((one for one in backends if one.name == backend), None)
    if place is None:
        raise ValueError("No such backend.")
    found = next((one for one in place.servers if one.name == server), None)
    if found is None:
        raise ValueError("No such server.")
    if state is not None and state not in STATES:
        raise ValueError("'set server <srv> state' expects 'ready', 'drain' and 'maint'.")
    number = None if weight is None else weight_of(place, found, weight)
    had = place.active_count + place.backup_count
    told: list[Event] = []
    if number is not None:
        place.set_weight(found, number)
    if state == "maint":
        told += _maintain(place, found)
    elif state == "drain":
        told += _drain(place, found)
    elif state == "ready":
        told += _make_ready(place, found)
    connect.call(place.resume(found), found)
    spare = place.spare
    if spare is not None and spare.candidates and not place.candidates:
        # Nobody is left whom they could wait for: on to the backup backend.
        for exchange in place.disperse():
            connect.move(exchange)
    if had and not place.active_count + place.backup_count:
        told.append(events.no_server(place.name, place.spec.kind))
    return place, told


def weight_of(backend: Backend, server: Server, text: str) -> int:
    """The weight that `text` asks for: a number from 0 to 256, or n% of the configured one. Raises ValueError."""
    if not text:
        raise ValueError("Require <weight> or <weight%>.")
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError("Empty weight string empty or preceded by garbage")
    number, rest = int(match[1]), match[2]
    configured = server.spec.weight
    if rest == "%":
        if number < 0:
            raise ValueError("Relative weight must be positive.")
        number = min(configured * number // 100, MOST)
    elif not 0 <= number <= MOST:
        raise ValueError("Absolute weight can only be between 0 and 256 inclusive.")
    elif rest:
        raise ValueError("Trailing garbage in weight string")
    if number and number != configured and not backend.algorithm.dynamic:
        raise ValueError("Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.")
    return number


def _maintain(backend: Backend, server: Server) -> list[Event]:
    if server.maintenance:
        return []
    drained = server.draining
    backend.set_maintenance(server, True)
    backend.set_draining(server, False)
    for connection in server.pool.drain():
        connection.owner = None
        connection.retire()
    # With `option persist` the server gets what persistence sends to it, down or not.
    leaving = [] if backend.persists else backend.evacuate(server)
    severity, text = events.server_down(
        backend.name,
        server.name,
        active=backend.active_count,
        backup=backend.backup_count,
        sessions=server.served,
        requeued=len(leaving),
        is_backup=server.backup,
        maintenance=True,
    )
    for exchange in leaving:
        if exchange.persistence & FORCED:
            queueing.stay(exchange, server)
        else:
            connect.move(exchange)
    # Nothing was balanced over it any more: HAProxy is less alarmed.
    return [(NOTICE if drained else severity, text)]


def _drain(backend: Backend, server: Server) -> list[Event]:
    if server.draining:
        return []
    backend.set_draining(server, True)
    if server.maintenance:
        backend.set_maintenance(server, False)
        return [
            events.server_left_maintenance(backend.name, server.name, "UP/DRAIN", is_backup=server.backup),
            events.server_remains_in_drain(backend.name, server.name, is_backup=server.backup),
        ]
    return [
        events.server_enters_drain(
            backend.name,
            server.name,
            active=backend.active_count,
            backup=backend.backup_count,
            queued=len(backend.waiting),
            is_backup=server.backup,
        )
    ]


def _make_ready(backend: Backend, server: Server) -> list[Event]:
    if server.maintenance:
        backend.set_maintenance(server, False)
        return [events.server_left_maintenance(backend.name, server.name, "UP/READY", is_backup=server.backup)]
    if server.draining:
        backend.set_draining(server, False)
        return [events.server_left_drain(backend.name, server.name, is_backup=server.backup)]
    return []
