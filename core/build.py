"""From the configuration to one thread's running proxy: the only place that knows both.

Owns: which objects a configuration becomes and how limits are shared over threads. Must not know: processes. Runs after
the fork, once in each thread; everything that can be wrong with a configuration and is not found by the parser raises
ConfigError here.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..pools.columns import Column
from ..pools.counters import BackendCounts, FrontendCounts, ServerCounts
from ..pools.pulses import Pulse
from ..pools.slots import Shares, full_connections, share
from ..pools.table import Table
from .balance.backend import Backend
from .build_backups import install_backups, join_backups
from .build_errors import install_errors
from .build_levels import install_levels
from .build_logs import install_logs
from .build_rules import bare_backend, install
from .build_sticky import install_sticky
from .build_tracking import install_tracking
from .config.model import Configuration, ProxySpec
from .http.limits import Limits
from .relay.closing import shorten
from .relay.handing import Inboxes
from .relay.relay import Relay
from .relay.route import Frontend, Route
from .relay.straight import straight_way
from .report.access_log import AccessLog
from .report.captures import Captures
from .report.senders import Senders, sent_host
from .resolver.opening import open_resolvers
from .rules.private_tables import private_tables
from .rules.proxy_rules import ProxyRules
from .rules.site import LiveSite
from .runtime import Runtime

LOG_DELAY = 0.005
"""Seconds that a batch of log lines may wait: with the write it leaves within 10 ms."""
DESCRIPTOR_RESERVE = 32
"""Descriptors kept for listeners, logs, and whatever else a process opens."""


def build(
    configuration: Configuration,
    *,
    loop: asyncio.AbstractEventLoop,
    group: int = 1,
    thread: int = 1,
    columns: Column | None = None,
    part: int = 0,
    parts: int = 1,
    pid: int | None = None,
    shares: Shares | None = None,
    pulse: Pulse | None = None,
    inboxes: Inboxes | None = None,
    tables: Mapping[str, Table] | None = None,
) -> Runtime:
    """Make a thread's runtime. `part` of `parts` (from 0) is its place among all threads, for limits that are shared
    out; `pid` is what log headers show (the supervisor's); `shares` says it for the limits of frontends and bind lines,
    which not all threads need serve. `pulse`: the thread's row of the pulses; `inboxes`: the sending ends to the other
    threads, where clients may be handed over unless `tune.listener.balance` says
    hash or cpu (it may be filled later); `tables`: the stick tables as this thread uses them, None where
    it is alone. Raises ConfigError."""
    shares = shares or Shares(part, parts)
    spec = configuration.globals
    tune = spec.tune
    relay = Relay(
        loop,
        Limits(max_head=tune.bufsize - tune.maxrewrite, max_headers=tune.maxhdr, cache_size=tune.head_cache),
        bufsize=tune.bufsize,
    )
    relay.uri_length = tune.logurilen
    relay.resolvers = open_resolvers(configuration.resolvers, loop)
    relay.maxconn = share(spec.maxconn or 0, parts, part)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit != resource.RLIM_INFINITY:
        relay.descriptor_limit = max(limit - DESCRIPTOR_RESERVE - len(os.listdir("/proc/self/fd")), 4)

    def arm(flush: Callable[[], None]) -> None:
        loop.call_later(LOG_DELAY, flush)

    senders = Senders(arm, pid or os.getppid())
    backends = {proxy.name: _backend(proxy, configuration, part, parts) for proxy in _active(configuration, "backend")}
    frontends = [
        _frontend(proxy, configuration, relay, senders, backends, shares)
        for proxy in _active(configuration, "frontend")
    ]
    if thread > 1:
        # Thread 1 changes what all that run in this process have read (rules/pattern_files).
        own = {path: replace(file, entries=dict(file.entries)) for path, file in configuration.pattern_files.items()}
        configuration = replace(configuration, pattern_files=own)
    if tables is None:
        tables = private_tables(configuration.tables)
    site = equip(configuration, frontends, backends, relay, part, parts, pulse=pulse, tables=tables)
    for frontend in frontends:
        shorten(frontend)
        frontend.straight = straight_way(frontend)
    host = sent_host(spec)
    reporters = [senders.sender(line, spec.log_tag, host) for line in spec.logs]
    server_reporters = {
        proxy.name: [senders.sender(line, proxy.log_tag or spec.log_tag, host) for line in proxy.logs]
        for proxy in _active(configuration, "backend")
    }
    gc.collect()
    gc.freeze()
    # The path of a request makes no cycles; what makes them (connections) is rare and cut by hand.
    gc.set_threshold(50_000, 20, 50)
    return Runtime(
        relay,
        frontends,
        list(backends.values()),
        senders,
        reporters,
        columns,
        maxconn=spec.maxconn or 0,
        shares=shares,
        pulse=pulse,
        inboxes=inboxes if tune.listener_balance in (None, "least") else None,
        server_reporters=server_reporters,
        levels=site.levels,
        patterns=site.pattern_files,
        tables=tables.values(),
    )


def equip(
    configuration: Configuration,
    frontends: Sequence[Frontend],
    backends: Mapping[str, Backend],
    relay: Relay,
    part: int = 0,
    parts: int = 1,
    compiled: dict[tuple[str, bool], ProxyRules] | None = None,
    pulse: Pulse | None = None,
    tables: Mapping[str, Table] | None = None,
) -> LiveSite:
    """Give frontends and their routes all that rules, logs and errors say: also on the stage of a rehearsal.
    `compiled`, `pulse`, `tables`: as `build_rules.install`. Raises ConfigError."""
    named = {frontend.name: frontend for frontend in frontends}
    compiled = {} if compiled is None else compiled
    site = install(configuration, named, backends, relay, part, parts, compiled, pulse, tables)
    join_backups(backends)
    install_sticky(frontends, backends, site.trackers.tables, configuration.globals.secret, relay)
    install_backups(frontends)
    install_logs(configuration, frontends, site)
    install_errors(frontends, site)
    codes = configuration.globals
    install_tracking(frontends, compiled, site.trackers, codes.error_codes, codes.failure_codes)
    install_levels(site.levels, frontends, backends)
    return site


def _active(configuration: Configuration, side: str) -> list[ProxySpec]:
    return [
        proxy
        for proxy in configuration.proxies
        if not proxy.disabled and (proxy.has_backend if side == "backend" else proxy.has_frontend)
    ]


def _target(proxy: ProxySpec) -> str:
    """The name of the backend that a frontend's requests go to, "" where there is none. A frontend proper does not use
    a backend only because that bears the same name."""
    return proxy.default_backend or (proxy.name if proxy.has_backend else "")


def _backend(proxy: ProxySpec, configuration: Configuration, part: int, parts: int) -> Backend:
    full = proxy.fullconn
    if full is None:
        reaching = [other.maxconn or 0 for other in _active(configuration, "frontend") if proxy.name == _target(other)]
        full = full_connections(sum(reaching))
    return Backend(proxy, BackendCounts(), lambda name: ServerCounts(), full=full, parts=parts, part=part)


def _frontend(
    proxy: ProxySpec,
    configuration: Configuration,
    relay: Relay,
    senders: Senders,
    backends: dict[str, Backend],
    shares: Shares,
) -> Frontend:
    log = AccessLog(proxy, configuration.globals, senders) if proxy.logs else None
    frontend = Frontend(proxy, relay, FrontendCounts(), log)
    frontend.captures = Captures()
    frontend.maxconn = shares.of_frontend(proxy.name, proxy.maxconn or 0)
    backend = backends.get(_target(proxy))
    if backend is None:
        # No backend: one without servers, that bears the frontend's name in logs and answers 503 (BK9).
        backend = bare_backend(proxy)
    frontend.route = Route(frontend, backend)
    return frontend
