"""What log lines need of one thread's frontends: compiled formats, captures, identifiers.

Owns: which of these are part of a frontend's passes (relay/passes). Must not know: what an expression means. Runs in
`build`, after the rules were installed. Invariant: a frontend that captures nothing, has no identifiers and no
expressions in its formats stays as it was: its requests cost nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence

from .config.model import Configuration
from .relay import passes
from .relay.route import Frontend
from .rules.captures import mistakes, request_capture, response_capture
from .rules.catalogue import Needs
from .rules.scope import Site
from .rules.site import site_of
from .rules.unique_ids import header_adder, unique_id_format


def install_logs(configuration: Configuration, frontends: Sequence[Frontend], site: Site) -> None:
    """Equip all frontends. Raises ConfigError, the first one found."""
    longest = configuration.globals.tune.cookielen
    for frontend in frontends:
        for line in frontend.spec.rules:
            for error in mistakes(line):
                raise error
        needs = Needs.NOTHING
        for log in (frontend.access_log, frontend.log_at_start):
            if log is not None:
                log.compile(site_of(site, frontend.name))
                needs |= log.needs
        made = unique_id_format(frontend.spec, site_of(site, frontend.name))
        if made is not None:
            frontend.unique_id = made.run
            needs |= made.needs
        _equip(frontend, needs, longest)


def _equip(frontend: Frontend, needs: Needs, longest: int) -> None:
    if needs & Needs.CONNECTION:
        frontend.wants_source = frontend.wants_packed = True
    capture = request_capture(frontend.spec, longest)
    adder = header_adder(frontend.spec)
    if capture is not None or frontend.unique_id is not None or needs & (Needs.RESPONSE | Needs.SERVER):
        _enter_passes(frontend)
    if capture is not None:
        frontend.plan = (capture, *frontend.plan)
    look = response_capture(frontend.spec, longest)
    for route in frontend.routes:
        if adder is not None:
            route.plan = (*route.plan[:-1], adder, passes.send)
        if look is not None:
            route.response_plan = (look, *route.response_plan)
        if look is not None or needs & Needs.RESPONSE or frontend.early_log is not None:
            # Every response is looked at.
            route.whole = -1


def _enter_passes(frontend: Frontend) -> None:
    """Requests of this frontend go through the passes, even without rules."""
    frontend.ordinary = False
    if not frontend.plan:
        frontend.plan = (passes.leave_frontend,)
