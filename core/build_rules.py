"""The rules of a configuration, put into one thread's frontends and routes.

Owns: which passes each frontend and each way to a backend has (relay/passes runs them), which ways rules may choose,
and what rules need of the relay. Must not know: what an action does. Runs in `build`, when all proxies exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..pools.counters import BackendCounts, ServerCounts
from .balance.backend import Backend
from .config.model import BalanceSpec, Configuration, ProxySpec
from .config.rules import static_backend
from .errors import ConfigError
from .relay import binding, inspection, passes, responding
from .relay.relay import Relay
from .relay.route import Frontend, Route
from .resolver.opening import Unasked
from .rules.capture_slots import slots_of
from .rules.catalogue import Needs
from .rules.inspecting import CHANGING
from .rules.levels import Levels, rows_of
from .rules.pattern_files import PatternFiles
from .rules.private_tables import FEW, private_tables
from .rules.process_variables import evaluate
from .rules.proxy_rules import NO_RULES, Findings, ProxyRules, compile_proxy
from .rules.rule_sets import RuleSets
from .rules.ruleset import EMPTY, RuleSet
from .rules.site import LiveSite, trackers_of, userlists_of
from .rules.stick_rules import stores_of
from .rules.variables import Limits
from .rules.verdicts import Answer, Verdict, Wait

if TYPE_CHECKING:
    from ..pools.pulses import Pulse
    from ..pools.table import Table
    from .relay.route import Run


def bare_backend(proxy: ProxySpec) -> Backend:
    """A backend without servers that bears a frontend's name: where requests are before a backend is chosen (BK9)."""
    bare = ProxySpec(
        proxy.place,
        proxy.name,
        "backend",
        mode=proxy.mode,
        timeouts=proxy.timeouts,
        error_files=proxy.error_files,
        options=proxy.options,
        balance=BalanceSpec(),
    )
    return Backend(bare, BackendCounts(), lambda name: ServerCounts(), full=1)


def install(
    configuration: Configuration,
    frontends: Mapping[str, Frontend],
    backends: Mapping[str, Backend],
    relay: Relay,
    thread: int = 0,
    threads: int = 1,
    compiled: dict[tuple[str, bool], ProxyRules] | None = None,
    pulse: Pulse | None = None,
    tables: Mapping[str, Table] | None = None,
) -> LiveSite:
    """Compile all rules, and give each frontend and route its plan. `compiled`: filled with the rules of each proxy, by
    its name and whether it has a frontend; `pulse`: the thread's row, beside which the other threads' are. Raises
    ConfigError, the first one found."""
    files = PatternFiles(configuration.pattern_files)
    tune = configuration.globals.tune
    limits = Limits(tune.vars_global, tune.vars_proc, tune.vars_sess, tune.vars_txn, tune.vars_reqres)
    users = userlists_of(configuration)
    site = LiveSite(
        frontends,
        backends,
        relay,
        thread,
        threads,
        pattern_files=files,
        limits=limits,
        userlists=users,
        error_pages=configuration.error_pages,
        error_codes=configuration.globals.error_codes,
        failure_codes=configuration.globals.failure_codes,
    )
    if tables is None:
        tables = private_tables(configuration.tables, FEW)
    site.trackers = trackers_of(configuration, tables)
    # Where nobody listens nobody is asked.
    site.resolvers = relay.resolvers or dict.fromkeys(configuration.resolvers, Unasked())
    found = Findings()
    # Made when the configuration was examined, before the fork, so that all threads have the same.
    site.variables.update(configuration.variables or evaluate(configuration.globals.variables, site, found.errors))
    site.levels = Levels(rows_of(configuration), pulse, relay.now)
    sets = RuleSets(configuration.rule_sets, site, found.errors)
    compiled = {} if compiled is None else compiled
    for frontend in frontends.values():
        compiled[frontend.name, True] = compile_proxy(frontend.spec, site, sets, found)
    for backend in backends.values():
        if not backend.spec.has_frontend:
            compiled[backend.name, False] = compile_proxy(backend.spec, site, sets, found)
    if found.errors:
        raise first_of(found.errors)
    for backend in backends.values():
        binding.equip_backend(backend)
    for frontend in frontends.values():
        _equip(frontend, compiled, backends)
    return site


def first_of(errors: list[ConfigError]) -> ConfigError:
    """The one that stands first in the files."""
    return min(errors, key=lambda error: (error.file, error.line, error.column))


def _rules_of(backend: Backend, compiled: Mapping[tuple[str, bool], ProxyRules]) -> ProxyRules:
    spec = backend.spec
    return compiled.get((spec.name, spec.has_frontend), NO_RULES)


def _equip(
    frontend: Frontend, compiled: Mapping[tuple[str, bool], ProxyRules], backends: Mapping[str, Backend]
) -> None:
    own = compiled[frontend.name, True]
    spec = frontend.spec
    default = frontend.default_route = frontend.route
    routes: dict[str, Route] = {}
    if backends.get(default.backend.name) is default.backend:
        # The backend that bears the frontend's name because there is none cannot be chosen.
        routes[default.backend.name] = default
    for name in _reachable(spec, own, backends):
        if name not in routes:
            routes[name] = Route(frontend, backends[name])
    frontend.route_to = {name.encode(): route for name, route in routes.items()}
    ways = {default, *routes.values()}
    needs = own.needs
    for route in ways:
        needs |= _rules_of(route.backend, compiled).needs if route.backend.spec is not spec else Needs.NOTHING
        _equip_route(route, own, compiled)
    if own.session.steps:
        # The second place is that of sessions (counters).
        frontend.early = (own.connection.run, own.session.run)
    else:
        frontend.early = _present(own.connection.run, own.connection)
    before, behind = _frontend_plan(frontend, own)
    if default.backend.shows_cookie and default.backend.spec is spec and (before or behind):
        before = (binding.show, *before)
    ruled = bool(before or behind or own.monitor.steps or own.after.steps)
    if ruled or any(route.plan for route in ways):
        watched = (passes.monitor,) if frontend.monitor_uri and spec.mode == "http" else ()
        frontend.plan = (*before, *watched, *behind, passes.leave_frontend)
        frontend.ordinary = False
    if ruled and default.backend.spec is not spec and spec.name != default.backend.name:
        frontend.route = Route(frontend, bare_backend(spec))
        frontend.route.after_plan = _present(own.after.run, own.after)
    if needs & Needs.CONNECTION:
        frontend.wants_source = frontend.wants_packed = True
    frontend.monitor_fails = own.monitor.run
    frontend.request_slots = slots_of(spec, request=True)
    frontend.response_slots = slots_of(spec, request=False)


def _present(run: Run, rules: RuleSet) -> tuple[Run, ...]:
    return (run,) if rules.steps else ()


def _reachable(spec: ProxySpec, own: ProxyRules, backends: Mapping[str, Backend]) -> list[str]:
    """The backends that rules may choose: those that are named, or all of the frontend's mode where a request tells."""
    static = [name for line in spec.rules if (name := static_backend(line)) in backends]
    lines = [line for line in spec.rules if line.kind == "use_backend"]
    elsewhere = any(word.text == "use_backend" or word.text == "jump" for line in spec.rules for word in line.words)
    if elsewhere or len(static) < len(lines):
        return [name for name, backend in backends.items() if backend.spec.mode == spec.mode]
    return static


def _frontend_plan(frontend: Frontend, own: ProxyRules) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """What a frontend runs before and behind `monitor-uri`."""
    spec = frontend.spec
    before: tuple[Run, ...] = ()
    if own.content.steps:
        before = _content(spec, own.content, spec.mode == "tcp")
    elif spec.mode == "tcp" and own.backends.needs & Needs.HEAD:
        before = (inspection.look,)
    behind = _buffering(spec, frontend.request_timeout)
    behind += _present(own.request.run, own.request)
    behind += _present(own.redirects.run, own.redirects)
    behind += _present(own.backends.run, own.backends)
    return before, behind


def _buffering(spec: ProxySpec, timeout: float) -> tuple[Run, ...]:
    """`option http-buffer-request`: as `http-request wait-for-body` before all other rules."""
    if spec.mode != "http" or "http-buffer-request" not in spec.options:
        return ()
    late = Answer(None, 408, page=True, termination=b"cR")
    wait = Wait(None, lambda x: bool(x.has_body(0)), lambda x: timeout, late, body=True)

    def buffer(x: Any) -> Verdict | None:
        return None if x.has_body(0) else wait

    return (buffer,)


def _content(spec: ProxySpec, rules: RuleSet, tcp: bool) -> tuple[Run, ...]:
    """`tcp-request content`, with what makes it wait if it may have to."""
    if not rules.steps:
        return ()
    http = tcp and bool(rules.needs & Needs.HEAD)
    delay = spec.request_inspect_delay
    if delay and rules.needs & CHANGING:
        return inspection.Inspection(float(delay), tcp, http), rules.run, inspection.settle
    return (inspection.look, rules.run) if http else (rules.run,)


def _equip_route(route: Route, own: ProxyRules, compiled: Mapping[tuple[str, bool], ProxyRules]) -> None:
    same = route.backend.spec is route.frontend.spec
    theirs = own if same else _rules_of(route.backend, compiled)
    tcp = route.frontend.spec.mode == "tcp"
    if tcp:
        # Also where the backend's mode is http: there is no HTTP to look at.
        theirs = replace(theirs, request=EMPTY, redirects=EMPTY, response=EMPTY, after=EMPTY)
    plan: tuple[Run, ...] = _present(theirs.persist.run, theirs.persist)
    if not same:
        plan += _content(route.spec, theirs.content, tcp)
        if route.pooled:
            plan += _buffering(route.spec, route.frontend.request_timeout)
        plan += _present(theirs.request.run, theirs.request)
        plan += _present(theirs.redirects.run, theirs.redirects)
    plan += _present(theirs.servers.run, theirs.servers)
    backend = route.backend
    if backend.binders and not tcp:
        if plan and backend.shows_cookie:
            plan = (binding.show, *plan)
        plan += (binding.bind,)
    elif route.frontend.spec.cookie is not None and not same:
        plan = (binding.hide, *plan)
    if theirs.stick.steps:
        if route.spec.mode == "tcp" and theirs.stick.needs & Needs.HEAD:
            plan += (inspection.look,)
        plan += (theirs.stick.run,)
    if plan:
        route.plan = (*plan, passes.send)
    response = _present(theirs.response_content.run, theirs.response_content)
    response += stores_of(theirs.stick, theirs.stick_response)
    response += _present(theirs.response.run, theirs.response)
    if (own.request.needs | theirs.request.needs) & Needs.RESPONSE:
        # Of requests only `map-uri` asks for that.
        response += (responding.mirror,)
    after = _present(theirs.after.run, theirs.after)
    if not same:
        response += _present(own.response.run, own.response)
        after += _present(own.after.run, own.after)
    if not tcp:
        response += backend.closers
    route.response_plan = response
    route.after_plan = after
    if response or after:
        route.whole = -1
