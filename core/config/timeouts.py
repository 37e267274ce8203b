"""The `timeout` lines of proxies (manual 4.2 "timeout ...").

Owns: their names and sides. Must not know: which takes the place of another that is not set (resolve does). Times are
integer milliseconds; 0 means that there is no limit, as in HAProxy.
"""

from __future__ import annotations

from .drafts import ProxyDraft
from .keywords import ANY, BACK, FRONT, PROXY_KEYWORDS, Keyword, State
from .statement import Statement
from .values import Duration

TIMEOUTS = {
    "check": (BACK, "Time that a health check's answer may take.", "checks"),
    "client": (FRONT, "Inactivity of the client.", "relay"),
    "client-fin": (FRONT, "Inactivity of a client that has closed its sending side.", "relay"),
    "client-hs": (FRONT, "Time for the client's handshake.", "relay"),
    "connect": (BACK, "Time for connecting to a server.", "relay"),
    "http-keep-alive": (ANY, "Wait for the first byte of the next request.", "relay"),
    "http-request": (ANY, "Time for the whole head of a request.", "relay"),
    "queue": (BACK, "Wait for a free server.", "relay"),
    "server": (BACK, "Inactivity of the server.", "relay"),
    "server-fin": (BACK, "Inactivity of a server after one side has closed.", "relay"),
    "tarpit": (ANY, "Time that a tarpitted request is held.", "rules"),
    "tunnel": (BACK, "Inactivity after an upgrade, on both sides.", "relay"),
}
_LATER = ("check", "client-hs")


def _read(statement: Statement, draft: ProxyDraft) -> None:
    value = statement.value(0, Duration())
    if statement.name in draft.written:
        statement.warn(f"`{statement.name}` overwrites line {draft.written[statement.name].line}")
    draft.set("timeouts." + statement.name.removeprefix("timeout ").replace("-", "_"), value)


for _name, (_sections, _summary, _reader) in TIMEOUTS.items():
    _state = State.ACCEPTED if _name in _LATER else State.IN_FORCE
    PROXY_KEYWORDS.add(Keyword(f"timeout {_name}", _sections, "<time>", _summary, _reader, _read, state=_state))
