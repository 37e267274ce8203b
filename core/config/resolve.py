"""What needs the whole configuration: references, ids, defaults that come from elsewhere, and the warnings about them.

Owns: HAProxy's rules between sections (reference 3.1, manual 4). Must not know: the syntax of lines. Invariants: works
on drafts of which some lines were in error, and then only adds complaints; a proxy comes out with fields of its own
sides only, so that equal behaviour is equal data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from .borrowing import borrow
from .diagnostics import Diagnostics
from .drafts import GlobalDraft, ProxyDraft, RuleSetDraft, ServerDraft
from .error_pages import settle_errors
from .keywords import OPTIONS
from .logs import NAMED_FORMATS
from .model import (
    Configuration,
    ErrorFileSpec,
    ErrorPagesSpec,
    GlobalSpec,
    LogSpec,
    Place,
    ProxySpec,
    ServerSpec,
    Timeouts,
)
from .rules import check_sharing, own_rules, rule_sets, static_backend
from .stick import store_servers
from .sticky import check_sticky, sticky_tables
from .suggest import section
from .table_spec import TableSpec
from .tables import check_tables, tables_of
from .thread_groups import group_sizes
from .threads import resolve_threads
from .tracked_health import check_tracking

_FRONT_ONLY = ("default_backend", "maxconn", "backlog", "monitor_uri", "error_log_format", "log_format_sd")
_BACK_ONLY = (
    "balance",
    "fullconn",
    "retries",
    "redispatch",
    "http_reuse",
    "source",
    "cookie",
    "response_inspect_delay",
    "backup_backend",
    "sticky",
    "sticky_strict",
    "sticky_return",
)
_STAND_INS = (
    ("http_keep_alive", "http_request"),
    ("queue", "connect"),
    ("tarpit", "connect"),
    ("client_hs", "client"),
)
"""A timeout that is not set and the one whose value it takes."""
_FRONT_TIMEOUTS = ("client", "client_fin", "client_hs")
_BACK_TIMEOUTS = ("check", "connect", "queue", "server", "server_fin", "tunnel")


def resolve(
    globals_draft: GlobalDraft,
    drafts: Sequence[ProxyDraft],
    diagnostics: Diagnostics,
    sets: Sequence[RuleSetDraft] = (),
    pages: Mapping[str, ErrorPagesSpec] | None = None,
    tables: Sequence[TableSpec] = (),
) -> Configuration:
    """The configuration of the drafts; what is wrong between sections goes to `diagnostics`."""
    spec = _resolve_globals(globals_draft, diagnostics)
    for draft in drafts:
        settle_errors(draft, pages or {}, diagnostics)
    borrow(drafts, diagnostics)
    proxy_ids = _numbered([(draft.spec.id, draft.written.get("id")) for draft in drafts])
    _refuse_equal_ids(drafts, diagnostics)
    proxies = tuple(
        _resolve_proxy(draft, number, spec, diagnostics) for draft, number in zip(drafts, proxy_ids, strict=True)
    )
    proxies = _with_fullconn(proxies)
    _check_backends(drafts, diagnostics)
    check_tracking(drafts, diagnostics)
    check_sharing(drafts, diagnostics)
    check_sticky(drafts, spec.secret, diagnostics)
    named = rule_sets(sets, diagnostics)
    for draft in drafts:
        _check_threads(draft, spec, diagnostics)
    if not diagnostics.errors:  # a line in error may say what seems to be missing
        for draft in drafts:
            _warn(draft, diagnostics)
    tables = [*tables, *sticky_tables(proxies)]
    found = store_servers(proxies, tables_of(proxies, tables, spec.table_file, spec.table_file_interval))
    configuration = Configuration(spec, proxies, named, tables=found)
    check_tables(configuration, diagnostics)
    return configuration


def _resolve_globals(draft: GlobalDraft, diagnostics: Diagnostics) -> GlobalSpec:
    spec, written = draft.spec, draft.written
    tune = spec.tune
    if tune.maxrewrite >= tune.bufsize / 2:
        if "tune.maxrewrite" in written:
            message = f"tune.maxrewrite ({tune.maxrewrite}) is lowered to half of tune.bufsize ({tune.bufsize})"
            diagnostics.warning(written["tune.maxrewrite"], message)
        spec = replace(spec, tune=replace(tune, maxrewrite=tune.bufsize // 2))
    try:
        written_sizes(spec)
    except ValueError as error:
        names = ("nbgroup", "thread-groups", "thread-group", "nbthread")
        place = next((written[name] for name in names if name in written), Place("", 0, 0))
        diagnostics.error(place, str(error), hint="each group needs a thread, and may have 64")
    return spec


def written_sizes(spec: GlobalSpec) -> tuple[int, ...] | None:
    """Threads of each group where the configuration alone says so; None where the machine decides. ValueError for
    numbers that contradict each other. Without nbgroup all threads count as one group, as in HAProxy."""
    if spec.thread_group_lines or (spec.nbgroup is not None and spec.nbthread is not None):
        return group_sizes(spec.nbgroup, spec.nbthread, spec.thread_group_lines)
    return None if spec.nbthread is None else (spec.nbthread,)


def _numbered(written: Sequence[tuple[int, Place | None]]) -> list[int]:
    """The written number of each, or the first one from 1 on that nobody has. 0 means not written."""
    used = {number for number, _ in written}
    result: list[int] = []
    free = 1
    for number, _ in written:
        if number == 0:
            while free in used:
                free += 1
            number = free
            used.add(number)
        result.append(number)
    return result


def _refuse_equal_ids(drafts: Sequence[ProxyDraft], diagnostics: Diagnostics) -> None:
    seen: dict[int, ProxyDraft] = {}
    for draft in drafts:
        number = draft.spec.id
        if number and seen.setdefault(number, draft) is not draft:
            message = f"{draft.label} has the same id {number} as {_at(seen[number])}"
            place = draft.written.get("id", draft.spec.place)
            diagnostics.error(place, message, str(number), "without `id` a proxy gets a number of its own")


def _at(draft: ProxyDraft) -> str:
    return f"{draft.label} ({draft.spec.place.file}:{draft.spec.place.line})"


def _resolve_proxy(draft: ProxyDraft, number: int, spec: GlobalSpec, diagnostics: Diagnostics) -> ProxySpec:
    proxy = _own_side(draft.spec)
    fallback = proxy.name if proxy.kind == "listen" and proxy.default_backend is None else proxy.default_backend
    return replace(
        proxy,
        id=number,
        binds=tuple(draft.binds),
        servers=_servers(draft, diagnostics),
        default_backend=fallback,
        maxconn=(proxy.maxconn or spec.maxconn) if proxy.has_frontend else None,
        timeouts=_timeouts(proxy),
        options=_options(proxy, proxy.options),
        no_options=_options(proxy, proxy.no_options),
        logs=_logs(draft.logs, spec.logs),
        log_format=_log_format(draft) if proxy.has_frontend else None,
        error_files=_error_files(draft, spec, diagnostics),
        rules=own_rules(draft),
    )


def _with_fullconn(proxies: tuple[ProxySpec, ...]) -> tuple[ProxySpec, ...]:
    """A backend's fullconn is a tenth of the maxconn of the frontends that reach it; None where one of these is not
    known before the limits of the process are."""
    reached: dict[str, list[int | None]] = {}
    for proxy in proxies:
        if proxy.has_frontend and not proxy.disabled:
            named = {static_backend(rule) for rule in proxy.rules} | {proxy.default_backend or ""}
            for name in named - {""}:
                reached.setdefault(name, []).append(proxy.maxconn)
    result = []
    for proxy in proxies:
        limits = [limit for limit in reached.get(proxy.name, ()) if limit is not None]
        if proxy.has_backend and proxy.fullconn is None and len(limits) == len(reached.get(proxy.name, ())):
            proxy = replace(proxy, fullconn=max(1, (sum(limits) + 9) // 10))
        result.append(proxy)
    return tuple(result)


def _own_side(spec: ProxySpec) -> ProxySpec:
    """Without what the defaults said for the side that the proxy does not have."""
    empty = ProxySpec(spec.place, spec.name, spec.kind)
    names: tuple[str, ...] = ()
    if not spec.has_frontend:
        names = _FRONT_ONLY
    elif not spec.has_backend:
        names = _BACK_ONLY
    return replace(spec, **{name: getattr(empty, name) for name in names})


def _timeouts(spec: ProxySpec) -> Timeouts:
    """The timeouts of the proxy's sides, 0 (no limit) as None, and those filled in that take another's value.

    That `timeout client` also bounds the wait for a head is no value to fill in: it counts anew with each byte, where
    `timeout http-request` bounds the whole head."""
    times = {field.name: getattr(spec.timeouts, field.name) or None for field in fields(Timeouts)}
    for name, source in _STAND_INS:
        times[name] = times[name] or times[source]
    for name in () if spec.has_frontend else _FRONT_TIMEOUTS:
        times[name] = None
    for name in () if spec.has_backend else _BACK_TIMEOUTS:
        times[name] = None
    return Timeouts(**times)


def _options(spec: ProxySpec, names: frozenset[str]) -> frozenset[str]:
    """Those of the options that the proxy's sides have."""
    return frozenset(name for name in names if spec.kind in OPTIONS[name].sections)


def _logs(lines: Iterable[LogSpec | None], of_global: Sequence[LogSpec]) -> tuple[LogSpec, ...]:
    logs: list[LogSpec] = []
    for line in lines:
        logs.extend(of_global if line is None else (line,))
    return tuple(logs)


def _log_format(draft: ProxyDraft) -> str | None:
    """The text of the access log's format; an HTTP format in mode tcp falls back to the TCP one."""
    if draft.log_format is None:
        return None
    name, text = draft.log_format
    if name == "text":
        return text
    if draft.spec.mode == "tcp" and name.startswith("httplog"):
        name = "tcplog"
    return NAMED_FORMATS[name]


def _error_files(draft: ProxyDraft, spec: GlobalSpec, diagnostics: Diagnostics) -> dict[int, ErrorFileSpec]:
    for status, reply in draft.spec.error_files.items():
        if len(reply.content) > spec.tune.bufsize:
            place = draft.written.get("errorfile", draft.spec.place)
            message = (
                f"the reply of `errorfile {status}` has {len(reply.content)} bytes, tune.bufsize is {spec.tune.bufsize}"
            )
            diagnostics.error(place, message, hint="a reply must fit one buffer")
    return dict(sorted(draft.spec.error_files.items()))


# servers


def _servers(draft: ProxyDraft, diagnostics: Diagnostics) -> tuple[ServerSpec, ...]:
    if draft.kind == "frontend":
        return ()
    numbers = _numbered([(server.spec.id, None) for server in draft.servers])
    names: dict[str, ServerSpec] = {}
    ids: dict[int, ServerSpec] = {}
    result: list[ServerSpec] = []
    for server, number in zip(draft.servers, numbers, strict=True):
        spec = _server(draft, server, number)
        other = names.setdefault(spec.name, spec)
        if other is not spec:
            message = f"{draft.label} already has a server '{spec.name}' (line {other.place.line})"
            diagnostics.error(spec.place, message, spec.name, "servers of a backend have different names")
        other = ids.setdefault(number, spec)
        if other is not spec:
            diagnostics.error(
                spec.place,
                f"id {number} is already that of server '{other.name}'",
                spec.name,
                "without `id` a server gets a number of its own",
            )
        result.append(spec)
    return tuple(result)


def _server(draft: ProxyDraft, server: ServerDraft, number: int) -> ServerSpec:
    """With the pool figures of the backend where the server says nothing, and minconn and maxconn made consistent."""
    pools: dict[str, Any] = {name: value for name, value in draft.pools.items() if name not in server.written}
    spec = replace(server.spec, id=number, **pools)
    if spec.minconn > spec.maxconn:
        spec = replace(spec, maxconn=spec.minconn)  # as HAProxy: also where both were written
    elif spec.maxconn and not spec.minconn:
        spec = replace(spec, minconn=spec.maxconn)
    return spec


# between proxies


def _check_backends(drafts: Sequence[ProxyDraft], diagnostics: Diagnostics) -> None:
    backends = {draft.spec.name: draft for draft in drafts if draft.kind in ("backend", "listen")}
    for draft in drafts:
        name = draft.spec.default_backend
        if name is None or draft.kind == "backend" or draft.spec.disabled:
            continue
        place = draft.written.get("default_backend", draft.spec.place)
        target = backends.get(name)
        if target is None:
            diagnostics.error(
                place, f"{draft.label}: there is no backend '{name}'", name, section("backend", name, backends)
            )
        elif draft.spec.mode == "http" and target.spec.mode == "tcp":
            message = f"{draft.label} has mode http and its backend {_at(target)} mode tcp"
            diagnostics.error(place, message, name, "set `mode http` in both, or in a defaults section")
        elif draft.spec.mode != target.spec.mode and (target.rules or target.spec.cookie):
            # HAProxy makes HTTP of the stream then.
            message = f"{draft.label} has mode tcp: what backend {_at(target)} does with HTTP is not done for it"
            diagnostics.warning(place, message, name, "set `mode http` in both, or in a defaults section")


def _check_threads(draft: ProxyDraft, spec: GlobalSpec, diagnostics: Diagnostics) -> None:
    """Thread sets that cannot be met, where the configuration says how many threads and groups there are."""
    try:
        sizes = written_sizes(spec)
    except ValueError:  # told already
        return
    if sizes is None:
        return
    groups_written = spec.nbgroup is not None or bool(spec.thread_group_lines)
    for bind in draft.binds:
        if not groups_written and any(one.group not in (None, 1) for one in bind.threads.ranges):
            continue  # which groups there are is known where the process runs
        try:
            resolve_threads(bind.threads, sizes, groups_written)
        except ValueError as error:
            hint = "such as `thread 1/1-4`: group 1, its threads 1 to 4"
            diagnostics.error(bind.place, f"`bind {bind.text}`: {error}", bind.text, hint)


# warnings


def _warn(draft: ProxyDraft, diagnostics: Diagnostics) -> None:
    spec = draft.spec
    if spec.disabled:
        return

    def warn(message: str, hint: str = "") -> None:
        diagnostics.warning(spec.place, f"{draft.label} {message}", spec.name, hint)

    if draft.kind != "backend" and not draft.binds:
        warn("has no `bind` line", "a proxy without one is a backend")
    missing = _missing_timeouts(draft)
    if missing:
        names = ", ".join(f"`timeout {name}`" for name in missing)
        hint = f"such as `timeout {missing[0]} 30s`, in it or in a defaults section"
        warn(f"lacks {names}: connections that hang are never ended", hint)
    if spec.mode == "tcp":
        _warn_about_tcp(draft, diagnostics)
    if draft.kind != "backend" and draft.log_format is not None and not draft.logs:
        warn("has a log format and no `log` line", "such as `log stdout format raw local0`")
    if draft.kind == "listen" and spec.default_backend not in (None, spec.name) and draft.servers:
        warn(f"has servers that its default_backend '{spec.default_backend}' hides")


def _missing_timeouts(draft: ProxyDraft) -> list[str]:
    times = draft.spec.timeouts
    missing = []
    if draft.kind != "backend" and not times.client:
        missing.append("client")
    if draft.kind != "frontend" and draft.servers:
        missing += ["connect"] * (not times.connect) + ["server"] * (not times.server)
    return missing


HTTP_HINT = "write `mode http` in it, or in its defaults section"


def _warn_about_tcp(draft: ProxyDraft, diagnostics: Diagnostics) -> None:
    """What only mode http gives a meaning to, and mode tcp ignores."""
    spec = draft.spec
    ignored = sorted(
        f"option {name}"
        for name in spec.options
        if name in OPTIONS and OPTIONS[name].http_only and spec.kind in OPTIONS[name].sections
    )
    ignored += ["option forwardfor"] * (spec.forwardfor is not None)
    ignored += ["monitor-uri"] * (spec.monitor_uri is not None and draft.kind != "backend")
    ignored += ["cookie"] * (bool(spec.cookie) and draft.kind != "frontend")
    for name in ignored:
        place = draft.written.get(name, spec.place)
        message = f"`{name}` is ignored in {draft.label}: it needs mode http"
        diagnostics.warning(place, message, name.split()[-1], HTTP_HINT)
    if draft.kind != "backend" and draft.log_format is not None and draft.log_format[0].startswith("httplog"):
        place = draft.written.get("log format", spec.place)
        message = f"`option httplog` in {draft.label} needs mode http: the format of `option tcplog` is used"
        diagnostics.warning(place, message)
