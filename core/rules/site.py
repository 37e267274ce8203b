"""Sites: what rules are compiled for. A live one is made by each thread's build; a checked one of a configuration
alone, for `maniple check` and `maniple explain`.

Owns: both, and the facts that stand for running objects where nothing runs. Must not know: the relay, balance.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from ...pools.table import Table
from ..config.global_spec import ERROR_CODES, FAILURE_CODES
from ..config.model import Configuration, ErrorPagesSpec, ProxySpec, ServerSpec
from ..resolver.opening import Unasked
from .levels import Levels
from .pattern_files import PatternFiles
from .private_tables import FEW, private_tables
from .scope import FrontendFacts, Site, Variables
from .trackers import Trackers
from .userlists import Userlist
from .variables import Limits


@dataclass(slots=True)
class LiveSite:
    """One thread of a running proxy."""

    frontends: Mapping[str, FrontendFacts]
    backends: Mapping[str, Any]
    """scope.BackendFacts."""
    process: Any
    """scope.ProcessFacts."""
    thread: int = 0
    threads: int = 1
    variables: Variables = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    limits: Limits = field(default_factory=Limits)
    levels: Levels = field(default_factory=Levels)
    pattern_files: PatternFiles = field(default_factory=PatternFiles)
    userlists: Mapping[str, Userlist] = field(default_factory=dict)
    trackers: Trackers = field(default_factory=Trackers)
    proxy: str = ""
    """Whose rules are compiled, see `site_of`; "" where they are nobody's own."""
    resolvers: Mapping[str, Any] = field(default_factory=dict)
    """scope.ResolverFacts."""
    error_pages: Mapping[str, ErrorPagesSpec] = field(default_factory=dict)
    error_codes: frozenset[int] = ERROR_CODES
    failure_codes: frozenset[int] = FAILURE_CODES


@dataclass(slots=True)
class CheckedFrontend:
    """A frontend of a configuration."""

    spec: ProxySpec
    name: str
    connections: int = 0
    sessions: int = 0
    requests: int = 0


@dataclass(slots=True)
class CheckedServer:
    """A server line: up unless it is disabled, and idle."""

    spec: ServerSpec
    name: str
    weight: int
    eweight: int
    maxconn: int
    maxqueue: int
    usable: bool
    eligible: bool
    backup: bool
    served: int = 0
    waiting: Sequence[Any] = ()
    chosen: int = 0
    sessions: int = 0
    backend: Any = field(default=None, repr=False, compare=False)
    """Its CheckedBackend."""


@dataclass(slots=True)
class CheckedBackend:
    """A backend of a configuration."""

    spec: ProxySpec
    name: str
    servers: Sequence[CheckedServer]
    candidates: Sequence[CheckedServer]
    active_count: int
    backup_count: int
    served: int = 0
    queued: int = 0
    sessions: int = 0


@dataclass(slots=True)
class CheckedProcess:
    """A process without connections."""

    connections: int = 0
    draining: bool = False
    date: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic


def _server(spec: ServerSpec) -> CheckedServer:
    usable = not spec.disabled
    return CheckedServer(
        spec,
        spec.name,
        spec.weight,
        spec.weight * 16,
        spec.maxconn,
        spec.maxqueue,
        usable,
        usable and spec.weight > 0,
        spec.backup,
    )


def _backend(spec: ProxySpec) -> CheckedBackend:
    servers = [_server(one) for one in spec.servers]
    eligible = [one for one in servers if one.eligible]
    active = [one for one in eligible if not one.backup]
    backups = [one for one in eligible if one.backup]
    backend = CheckedBackend(spec, spec.name, servers, active or backups, len(active), len(backups))
    for one in servers:
        one.backend = backend
    return backend


def userlists_of(configuration: Configuration) -> dict[str, Userlist]:
    """The userlists of a configuration, for one thread."""
    return {name: Userlist(spec) for name, spec in configuration.userlists.items()}


class SiteOfProxy:
    """A site as one proxy's rules see it: they may leave out the name of the proxy's table."""

    def __init__(self, site: Site, proxy: str) -> None:
        self.proxy = proxy
        self._site = site

    def __getattr__(self, name: str) -> Any:
        return getattr(self._site, name)


def site_of(site: Site, proxy: str) -> Site:
    """The site for the rules of that proxy."""
    return cast("Site", SiteOfProxy(site, proxy))


def trackers_of(configuration: Configuration, tables: Mapping[str, Table]) -> Trackers:
    """The trackers of a configuration's tables, for one thread."""
    by_address = frozenset(name for name, spec in configuration.tables.items() if spec.server_key == "addr")
    return Trackers(tables, configuration.globals.tune.stick_counters, by_address)


def checked_site(configuration: Configuration, environment: Mapping[str, str] | None = None) -> LiveSite:
    """The site of a configuration that does not run."""
    return LiveSite(
        {spec.name: CheckedFrontend(spec, spec.name) for spec in configuration.proxies if spec.has_frontend},
        {spec.name: _backend(spec) for spec in configuration.proxies if spec.has_backend},
        CheckedProcess(),
        environment=os.environ if environment is None else environment,
        pattern_files=PatternFiles(configuration.pattern_files),
        userlists=userlists_of(configuration),
        trackers=trackers_of(configuration, private_tables(configuration.tables, FEW)),
        resolvers=dict.fromkeys(configuration.resolvers, Unasked()),
        error_pages=configuration.error_pages,
    )
