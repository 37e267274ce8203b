"""Servers that follow the health of others: `track` (manual 5.2).

Owns: that what is followed is there, is checked, and does not lead back. Must not know: checks.
"""

from __future__ import annotations

from collections.abc import Sequence

from .diagnostics import Diagnostics
from .drafts import ProxyDraft, ServerDraft
from .suggest import offer

_TRACKED = "a server is named as <server> in the same backend, or as <backend>/<server>"


def check_tracking(drafts: Sequence[ProxyDraft], diagnostics: Diagnostics) -> None:
    """`track` names a server that is checked, or tracks one that is, without going round."""
    servers = {
        (draft.spec.name, server.spec.name): server
        for draft in drafts
        for server in draft.servers
        if draft.kind != "frontend"
    }
    for draft in drafts:
        for server in draft.servers:
            if server.spec.track is not None and not draft.spec.disabled:
                _follow(draft.spec.name, server, servers, diagnostics)


def _follow(
    home: str, server: ServerDraft, servers: dict[tuple[str, str], ServerDraft], diagnostics: Diagnostics
) -> None:
    spec = server.spec
    if spec.check:
        diagnostics.error(
            spec.place,
            f"server '{spec.name}' cannot be checked and track another",
            spec.name,
            "take `check` or `track` away",
        )
        return
    seen: set[tuple[str, str]] = {(home, spec.name)}
    here, at = home, server
    while at.spec.track is not None:
        backend, slash, name = at.spec.track.rpartition("/")
        key = (backend if slash else here, name)
        if key not in servers:
            message = f"server '{spec.name}' tracks '{at.spec.track}': there is no such server"
            names = [
                theirs if place == here else f"{place}/{theirs}"
                for place, theirs in servers
                if (place, theirs) != (home, spec.name)
            ]
            diagnostics.error(spec.place, message, spec.name, offer(at.spec.track, names, "servers") or _TRACKED)
            return
        if key in seen:
            diagnostics.error(
                spec.place,
                f"server '{spec.name}' tracks itself in a circle",
                spec.name,
                "one of them has `check` instead of `track`",
            )
            return
        seen.add(key)
        here, at = key[0], servers[key]
    if not at.spec.check:
        message = f"server '{spec.name}' tracks '{spec.track}', which is not checked"
        diagnostics.error(spec.place, message, spec.name, f"write `check` on the line of '{at.spec.name}'")
