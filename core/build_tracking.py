"""Where sessions and requests are told to the entries of stick tables that they track (relay/tracking).

Owns: which steps of which passes do that. Must not know: tables. Runs in `build`, when all rules are
compiled; a frontend whose exchanges meet no rule that tracks stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .config.global_spec import ERROR_CODES, FAILURE_CODES
from .relay import inspection, passes, tracking
from .relay.judging import counting
from .relay.route import SHOWN, TRACKED, Frontend, Route
from .rules.catalogue import Needs
from .rules.proxy_rules import NO_RULES, ProxyRules
from .rules.ruleset import RuleSet
from .rules.trackers import Trackers

if TYPE_CHECKING:
    from .relay.route import Run

Compiled = Mapping[tuple[str, bool], ProxyRules]
"""The rules of each proxy, by its name and whether it has a frontend."""


def install_tracking(
    frontends: Sequence[Frontend],
    compiled: Compiled,
    trackers: Trackers,
    errors: frozenset[int] = ERROR_CODES,
    failures: frozenset[int] = FAILURE_CODES,
) -> None:
    """Equip all frontends. `errors`, `failures`: the statuses that count as such."""
    hears = any(tracker.hears_responses for tracker in trackers.all())
    heard = counting(errors, failures) if hears else None
    for frontend in frontends:
        own = compiled.get((frontend.name, True), NO_RULES)
        rules = [own, *(_rules_of(route, compiled) for route in frontend.routes)]
        if any(one.needs & Needs.TRACKING for one in rules):
            _equip(frontend, own, compiled, heard)


def _rules_of(route: Route, compiled: Compiled) -> ProxyRules:
    spec = route.backend.spec
    return compiled.get((spec.name, spec.has_frontend), NO_RULES)


def _tracks(rules: RuleSet) -> bool:
    return bool(rules.needs & Needs.TRACKING)


def _equip(frontend: Frontend, own: ProxyRules, compiled: Compiled, heard: Run | None) -> None:
    logs = (frontend.access_log, frontend.early_log)
    shown = any(log is not None and log.needs & Needs.TABLES for log in logs)
    frontend.tracking = SHOWN if shown else TRACKED
    early = _tracks(own.connection) or _tracks(own.session)
    if early:
        frontend.early = (*frontend.early, tracking.count_session)
    if frontend.spec.mode != "http":
        return
    if early or _tracks(own.content):
        if frontend.plan:
            frontend.plan = _behind(frontend.plan, own.content, tracking.count_request)
        else:
            watched = (passes.monitor,) if frontend.monitor_uri else ()
            frontend.plan = (tracking.count_request, *watched, passes.leave_frontend)
            frontend.ordinary = False
    for route in frontend.routes:
        theirs = _rules_of(route, compiled)
        if _tracks(theirs.content) and route.backend.spec is not frontend.spec:
            route.plan = _behind(route.plan, theirs.content, tracking.count_in_backend)
        if heard is not None:
            route.response_plan = (heard, *route.response_plan)
            route.whole = -1


def _behind(plan: tuple[Run, ...], content: RuleSet, step: Run) -> tuple[Run, ...]:
    """The plan with a step behind its content rules, or in front where there are none."""
    at = 0
    if content.steps and content.run in plan:
        at = plan.index(content.run) + 1
        if plan[at] is inspection.settle:
            at += 1
    return (*plan[:at], step, *plan[at:])
