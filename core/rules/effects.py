"""What an action did, found by comparing what rules can change before it with what is there after it.

Owns: what is looked at: the heads, variables, addresses, captures and settings of an exchange. Must not know: actions,
so that those that are yet to be written are seen too. Slow; for explanations only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .explanation import Change, show_bytes
from .patterns import show_sample
from .samples import BIN, BOOL, Type
from .scope import Variables
from .table_keys import show_key

Snapshot = dict[tuple[str, str], tuple[str, ...]]
"""(subject, name) -> values."""

_LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_SETTINGS: Mapping[str, tuple[str, Callable[[Any], str | None]]] = {
    "priority class": ("priority_class", lambda value: str(value) if value else None),
    "priority offset": ("priority_offset", lambda value: f"{value} ms" if value else None),
    "log level": ("log_level", lambda value: None if value is None else "silent" if value < 0 else _LEVELS[value]),
    "strict-mode": ("lenient", lambda value: "off" if value else None),
    "use-server": ("wanted", lambda value: None if value is None else str(value.name)),
    "unique-id": ("unique_id", lambda value: None if value is None else show_bytes(value)),
}
"""Name -> attribute of the exchange, and how it is shown; None: as it was at the start."""
_OF_ROUTE = {"timeout server": "server_timeout", "timeout tunnel": "tunnel_timeout", "retries": "retries"}
NEVER = float("inf")


def take(x: Any, shared: Variables) -> Snapshot:
    """What is there now. `shared`: the variables of the process."""
    found: Snapshot = {}
    _heads(x, found)
    scopes = (
        ("proc", shared),
        ("sess", x.session.variables),
        ("txn", x.variables),
        ("req", x.request_variables),
        ("res", x.response_variables),
    )
    for scope, variables in scopes:
        for name, pair in (variables or {}).items():
            found["variable", f"{scope}.{name}"] = (show_pair(pair),)
    for bonds, key, *_ in getattr(x, "stores", ()):
        place = "setting", f"key in stick table {bonds.table.name}"
        found[place] = (*found.get(place, ()), show_bytes(show_key(bonds.table.shape, key)))
    session = x.session
    found["connection", "source"] = (_endpoint(session.client_host, session.client_port),)
    found["connection", "destination"] = (_endpoint(session.frontend_host, session.frontend_port),)
    _settings(x, found)
    return found


def _heads(x: Any, found: Snapshot) -> None:
    head, answer = x.head, x.answer
    if head is not None:
        found["request", "method"] = (show_bytes(head.method),)
        found["request", "target"] = (show_bytes(head.target),)
        _fields(head.block, "request header", found)
    if answer is not None:
        found["response", "status"] = (show_bytes(b"%d %b" % (answer.status, answer.reason)),)
        _fields(answer.block, "response header", found)


def _fields(block: Any, subject: str, found: Snapshot) -> None:
    for name, value in block.seen():
        key = subject, show_bytes(name)
        found[key] = (*found.get(key, ()), show_bytes(value))


def _settings(x: Any, found: Snapshot) -> None:
    for name, (attribute, show) in _SETTINGS.items():
        shown = show(getattr(x, attribute, None))
        if shown is not None:
            found["setting", name] = (shown,)
    for name, attribute in _OF_ROUTE.items():
        value = getattr(x.route, attribute, None)
        if value is not None and value != NEVER:
            found["setting", name] = (f"{value:.0f}" if name == "retries" else f"{value:.0f} ms",)
    for side in ("request", "response"):
        for slot, value in enumerate(getattr(x, f"{side}_captures", None) or ()):
            if value is not None:
                found["setting", f"capture of the {side}, id {slot}"] = (value,)
    for side in ("request", "response"):
        cookie = getattr(x, f"{side}_cookie", b"")
        if cookie:
            found["setting", f"captured cookie of the {side}"] = (show_bytes(cookie),)
    hints = getattr(x, "hints", None)
    if hints:
        found["setting", "early hints (103)"] = tuple(show_bytes(line.rstrip(b"\r\n")) for line in hints)
    # A rehearsal's transport keeps the options of its socket (rehearsal.still).
    transport = getattr(getattr(x, "client", None), "transport", None)
    for name, value in getattr(transport, "options", {}).items():
        found["connection", f"{name} of packets to the client"] = (value,)
    if x.upstream is not None and not x.upstream.keep:
        found["connection", "to the server"] = ("is closed after the response",)


def _endpoint(host: str, port: int) -> str:
    return "a unix socket" if host == "unix" else f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def show_pair(pair: tuple[Type, Any]) -> str:
    """A variable's content."""
    kind, value = pair
    if kind is BOOL:
        return "true" if value else "false"
    if kind is BIN:
        return f"0x{value.hex()}"
    return show_sample(kind, value)


def compare(before: Snapshot, after: Snapshot) -> list[Change]:
    """What differs, in the order in which it is looked at; what is new comes last."""
    names = [*before, *(key for key in after if key not in before)]
    return [
        Change(*key, list(before.get(key, ())), list(after.get(key, ())))
        for key in names
        if before.get(key, ()) != after.get(key, ())
    ]
