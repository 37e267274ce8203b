"""A configuration built as a thread builds it, but for listening, logging and dialling: the stage of a rehearsal.

Owns: which objects there are. Must not know: what is looked at when a request is played (play). Invariant: frontends,
routes, rules and plans are made by the very functions that make them in `build`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from ...pools.counters import BackendCounts, FrontendCounts, ServerCounts
from ..balance.backend import Backend
from ..build import equip
from ..build_rules import bare_backend
from ..config.model import Configuration, ProxySpec
from ..http.limits import Limits
from ..relay.relay import Relay
from ..relay.route import Frontend, Route
from ..rules.proxy_rules import FIELDS, ProxyRules
from ..rules.ruleset import RuleSet
from .still import StillPool, still

Known = dict[Callable[[Any], Any], tuple[str, str, RuleSet]]
"""What a plan runs -> the proxy (`frontend web`), the keyword of its lines, and their set."""

_KINDS = {field: kind for kind, field in FIELDS.items()}


class Stage:
    """`close` it. Raises ConfigError."""

    def __init__(self, configuration: Configuration) -> None:
        spec = configuration.globals
        tune = spec.tune
        self.configuration = configuration
        self.loop = asyncio.new_event_loop()
        try:
            self.relay = Relay(
                self.loop,
                Limits(max_head=tune.bufsize - tune.maxrewrite, max_headers=tune.maxhdr, cache_size=0),
                bufsize=tune.bufsize,
            )
            self.backends = {
                proxy.name: Backend(proxy, BackendCounts(), lambda name: ServerCounts(), full=1)
                for proxy in configuration.proxies
                if proxy.has_backend and not proxy.disabled
            }
            self.frontends = {
                proxy.name: self._frontend(proxy)
                for proxy in configuration.proxies
                if proxy.has_frontend and not proxy.disabled
            }
            self.compiled: dict[tuple[str, bool], ProxyRules] = {}
            self.site = equip(
                configuration, list(self.frontends.values()), self.backends, self.relay, compiled=self.compiled
            )
        except BaseException:
            self.loop.close()
            raise
        self.pools: dict[str, list[StillPool]] = {
            name: [still(server, self.relay) for server in backend.servers] for name, backend in self.backends.items()
        }

    def _frontend(self, proxy: ProxySpec) -> Frontend:
        frontend = Frontend(proxy, self.relay, FrontendCounts(), None)
        name = proxy.default_backend or (proxy.name if proxy.has_backend else "")
        backend = self.backends.get(name)
        frontend.route = Route(frontend, backend if backend is not None else bare_backend(proxy))
        return frontend

    def known(self) -> Known:
        """All rule sets that plans may run."""
        found: Known = {}
        for (name, front), rules in self.compiled.items():
            kind = self.frontends[name].spec.kind if front else self.backends[name].spec.kind
            for one in fields(rules):
                rule_set: RuleSet = getattr(rules, one.name)
                if rule_set.steps:
                    found[rule_set.run] = (f"{kind} {name}", _KINDS[one.name], rule_set)
        return found

    def close(self) -> None:
        self.loop.close()
