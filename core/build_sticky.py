"""Where sticky sessions come in: which backends have them, and which steps of which plans they are.

Owns: that, and which servers a session may be on. Must not know: what is done with sessions (relay/sticky). Runs in
`build`, when the plans of all ways are made and the ways to backups are not yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .balance.pins import Choice, number_of
from .config.sticky import FULL
from .errors import ConfigError
from .relay import passes
from .relay.route import Frontend, Route

if TYPE_CHECKING:
    from ..pools.table import Table
    from .balance.backend import Backend
    from .relay.relay import Relay
    from .relay.sticky import Sticky


def install_sticky(
    frontends: Sequence[Frontend],
    backends: Mapping[str, Backend],
    tables: Mapping[str, Table],
    secret: bytes,
    relay: Relay,
) -> None:
    """Equip all ways to backends with a `sticky` line. `secret`: of `secret-file`, b"" without one. Raises
    ConfigError."""
    sticky = {}
    for name, backend in backends.items():
        if backend.spec.sticky is not None:
            sticky[name] = _make(backend, backends, tables, secret, relay)
    for frontend in frontends:
        for route in tuple(frontend.routes):
            found = sticky.get(route.backend.name)
            if found is not None and backends[route.backend.name] is route.backend:
                _equip(frontend, route, found)


def _make(
    main: Backend, backends: Mapping[str, Backend], tables: Mapping[str, Table], secret: bytes, relay: Relay
) -> Sticky:
    # Only who has sessions pays for the imports.
    from .balance.pin_table import PinTable
    from .balance.sticky_cookie import Signer, hint_of
    from .relay.challenge import Challenge
    from .relay.sticky import Sticky

    spec = main.spec.sticky
    assert spec is not None
    members = {server: hint_of(backend.name, server.name) for backend in _own(main) for server in backend.servers}
    numbers = {server: number_of(f"{server.backend.name}/{server.name}") for server in members}
    _refuse_equal_numbers(backends, main)
    sharing = [one for one in backends.values() if one.spec.sticky is not None and one.spec.sticky.table == spec.table]
    everybody = {backend.name: backend for one in sharing for backend in _own(one)}
    table = PinTable(tables[spec.table])
    signer = Signer(spec.name.encode("utf-8", "surrogateescape"), secret or table.secret, spec.lifetime // 1000)
    spare = () if main.spare is None else main.spare.servers
    return Sticky(
        spec,
        main,
        Choice(
            number_of(main.name),
            {numbers[server]: server for server in main.servers},
            {numbers[server]: server for server in spare},
            main.spec.sticky_strict,
            main.spec.sticky_return,
        ),
        table,
        signer,
        Challenge(spec, signer, tables[spec.misses]) if spec.enforce else None,
        relay,
        on_full=FULL in main.spec.options,
        numbers=numbers,
        hints={numbers[server]: hint for server, hint in members.items()},
        known=[hint_of(one.name, server.name) for one in everybody.values() for server in one.servers],
    )


def _own(backend: Backend) -> list[Backend]:
    """It and its backup."""
    return [backend] if backend.spare is None else [backend, backend.spare]


def _refuse_equal_numbers(backends: Mapping[str, Backend], main: Backend) -> None:
    """Two servers of one number: a chance of one in a million for a hundred servers, but then it must be told."""
    seen: dict[int, str] = {}
    names = [f"{backend.name}/{server.name}" for backend in backends.values() for server in backend.servers]
    for name in (*backends, *names):
        other = seen.setdefault(number_of(name), name)
        if other != name:
            place = main.spec.place
            message = f"sticky sessions cannot tell '{name}' from '{other}': rename one of them"
            raise ConfigError(message, file=place.file, line=place.line, column=place.column, word=name)


def _equip(frontend: Frontend, route: Route, sticky: Sticky) -> None:
    *plan, last = route.plan or (passes.send,)
    route.plan = (*plan, sticky.bind, last)
    route.response_plan = (*route.response_plan, sticky.close)
    route.whole = -1
    spec = route.backend.spec.sticky
    assert spec is not None
    if spec.enforce or spec.bind_ip:
        frontend.wants_source = frontend.wants_packed = True
    if not frontend.plan:
        watched = (passes.monitor,) if frontend.monitor_uri else ()
        frontend.plan = (*watched, passes.leave_frontend)
        frontend.ordinary = False
