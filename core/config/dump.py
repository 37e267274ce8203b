"""A Configuration written back as HAProxy text, with everything in force spelt out. Defaults sections hold
only the rules that see ACLs of their own.

Owns: the text of each field. Must not know: how a line is read. Invariant: reading the text gives the same
configuration, places in the files aside. The dump of a configuration with host names holds their addresses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace

from ...pools.table_shape import ARRAYS
from ..units import format_size, format_time
from . import status_codes
from .global_spec import TuneSpec
from .lexer import quote_word
from .logs import FACILITIES, LEVELS, format_sample
from .model import (
    BindSpec,
    Configuration,
    ErrorFileSpec,
    ForwardForSpec,
    GlobalSpec,
    LogSpec,
    ProxySpec,
    RuleSpec,
    ServerSpec,
    SourceSpec,
    TableSpec,
    ThreadSet,
    Timeouts,
    UserlistSpec,
)
from .peers_spec import PeersSpec
from .resolver_spec import HOLDS, ResolversSpec
from .sticky_spec import NEVER, return_words
from .table_spec import FILE_INTERVAL
from .threads import format_threads

_CLOSE_OPTIONS = {"close": "httpclose", "server-close": "http-server-close"}
_TUNE = {
    "bufsize": "tune.bufsize",
    "maxrewrite": "tune.maxrewrite",
    "maxhdr": "tune.http.maxhdr",
    "maxaccept": "tune.maxaccept",
    "head_cache": "tune.http.head-cache",
    "rcvbuf_client": "tune.rcvbuf.client",
    "rcvbuf_server": "tune.rcvbuf.server",
    "sndbuf_client": "tune.sndbuf.client",
    "sndbuf_server": "tune.sndbuf.server",
    "idletimer": "tune.idletimer",
    "cookielen": "tune.http.cookielen",
    "stick_counters": "tune.stick-counters",
    **{f"vars_{scope}": f"tune.vars.{scope}-max-size" for scope in ("global", "proc", "sess", "txn", "reqres")},
    "logurilen": "tune.http.logurilen",
    "default_shards": "tune.listener.default-shards",
    "listener_balance": "tune.listener.balance",
    "watchdog_warn": "tune.watchdog.warn",
    "watchdog_kill": "tune.watchdog.kill",
}
_SIZES = ("bufsize", "maxrewrite", "rcvbuf_client", "rcvbuf_server", "sndbuf_client", "sndbuf_server")
_BIND_WORDS = ("name", "id", "maxconn", "backlog", "nice", "interface", "mss", "uid", "gid")
_BIND_FLAGS = ("tfo", "transparent", "defer_accept", "v4v6", "v6only")
_SERVER_NUMBERS = {
    "weight": "weight",
    "maxconn": "maxconn",
    "minconn": "minconn",
    "maxqueue": "maxqueue",
    "rise": "rise",
    "fall": "fall",
    "check_port": "port",
    "pool_max": "pool-max-conn",
    "pool_low": "pool-low-conn",
    "pool_min": "pool-min-conn",
    "pool_purge_batches": "pool-purge-batches",
    "max_reuse": "max-reuse",
    "error_limit": "error-limit",
}
_SERVER_TIMES = {
    "inter": "inter",
    "fastinter": "fastinter",
    "downinter": "downinter",
    "pool_purge_delay": "pool-purge-delay",
    "pool_half_life": "pool-half-life",
    "tcp_ut": "tcp-ut",
    "slowstart": "slowstart",
}
_SERVER_TEXTS = ("cookie", "check_addr", "on_error", "observe", "track")


def dump(configuration: Configuration) -> str:
    """The text; it ends with a line feed."""
    blocks = [("global", _globals(configuration.globals))]
    shared = _shared_rules(configuration)
    blocks += [(f"defaults {name}", map(_rule, rules)) for name, rules in shared.items()]
    if shared:
        # For all that do not say `from`.
        blocks.append(("defaults", iter(())))
    blocks += [(_heading(proxy), _proxy(proxy)) for proxy in configuration.proxies]
    blocks += [(f"{found.kind} {found.name}", map(_rule, found.rules)) for found in configuration.rule_sets.values()]
    blocks += [(f"peers {found.name}", _peers(found)) for found in configuration.peers.values()]
    blocks += [(f"resolvers {found.name}", _resolvers(found)) for found in configuration.resolvers.values()]
    blocks += [(f"http-errors {pages.name}", _error_files(pages.pages)) for pages in configuration.error_pages.values()]
    blocks += [(f"userlist {found.name}", _userlist(found)) for found in configuration.userlists.values()]
    return "\n".join(f"{head}\n" + "".join(f"    {line}\n" for line in lines) for head, lines in blocks)


def _userlist(userlist: UserlistSpec) -> Iterator[str]:
    for group in userlist.groups:
        yield _line("group", group)
    for user in userlist.users.values():
        words: list[str] = ["user", user.name]
        if user.password is not None:
            words += ("password" if user.hashed else "insecure-password", user.password)
        if user.groups:
            words += ("groups", ",".join(user.groups))
        yield _line(*words)


def _line(*words: object) -> str:
    return " ".join(quote_word(str(word)) for word in words)


def _table_file(spec: GlobalSpec | ProxySpec) -> str:
    interval = spec.table_file_interval
    return _line("table-file", spec.table_file, *(["interval", format_time(interval)] * (interval != FILE_INTERVAL)))


def _shared_rules(configuration: Configuration) -> dict[str, list[RuleSpec]]:
    """Lines of defaults sections, which see ACLs of their own, by the name of the section."""
    shared: dict[str, list[RuleSpec]] = {}
    for proxy in configuration.proxies:
        for scope in {rule.scope for rule in proxy.rules} - {""}:
            shared.setdefault(scope, [rule for rule in proxy.rules if rule.scope == scope])
    return shared


def _heading(proxy: ProxySpec) -> str:
    scope = next((rule.scope for rule in proxy.rules if rule.scope), "")
    return f"{proxy.kind} {proxy.name}{f' from {scope}' if scope else ''}"


def _rule(rule: RuleSpec) -> str:
    return f"{rule.kind} {_line(*(word.text for word in rule.words))}"


def _peers(spec: PeersSpec) -> Iterator[str]:
    if spec.bind is not None:
        yield _bind(spec.bind)
        yield _line("server", spec.local)
    for peer in spec.remotes:
        source = () if peer.source is None else ("source", _source(peer.source))
        tcp_ut = () if peer.tcp_ut is None else ("tcp-ut", format_time(peer.tcp_ut))
        yield _line("server", peer.name, peer.address, *source, *tcp_ut)
    for table in spec.tables:
        yield _line("table", table.name[len(spec.name) + 1 :], *table_words(replace(table, peers="")))
    yield from ["mode sum"] * spec.sums
    yield from ["disabled"] * spec.disabled


def _resolvers(spec: ResolversSpec) -> Iterator[str]:
    for server in spec.nameservers:
        host = f"[{server.host}]" if ":" in server.host else server.host
        yield _line("nameserver", server.name, f"{'tcp@' if server.stream else ''}{host}:{server.port}")
    yield _line("resolve_retries", spec.retries)
    yield _line("accepted_payload_size", spec.payload)
    yield _line("timeout", "resolve", format_time(spec.timeout_resolve))
    yield _line("timeout", "retry", format_time(spec.timeout_retry))
    for status in HOLDS:
        yield _line("hold", status, format_time(getattr(spec, f"hold_{status}")))


def _globals(spec: GlobalSpec) -> Iterator[str]:
    user = "uid" if spec.user is None else "user"
    group = "gid" if spec.group is None else "group"
    if spec.local_peer is not None:
        yield _line("localpeer", spec.local_peer)
    for name in ("maxconn", "nbthread", user, group, "pidfile", "node", "chroot"):
        if (value := getattr(spec, name)) is not None:
            yield _line(name, value)
    if spec.nbgroup is not None:
        yield _line("nbgroup", spec.nbgroup)
    for name, lines in (
        ("thread-group", spec.thread_group_lines),
        ("cpu-map", spec.cpu_map),
        ("cpu-set", spec.cpu_set),
        ("cpu-policy", (spec.cpu_policy,) if spec.cpu_policy else ()),
        ("stats", spec.stats_lines),
    ):
        for words in lines:
            yield _line(name, *words)
    for log in spec.logs:
        yield _log(log)
    yield _line("log-tag", spec.log_tag)
    if spec.log_send_hostname is not None:
        yield _line("log-send-hostname", *([spec.log_send_hostname] if spec.log_send_hostname else []))
    if spec.daemon:
        yield "daemon"
    if spec.description is not None:
        yield _line("description", spec.description)
    if spec.hard_stop_after is not None:
        yield _line("hard-stop-after", format_time(spec.hard_stop_after))
    if spec.max_reloads is not None:
        yield _line("mworker-max-reloads", spec.max_reloads)
    if spec.grace:
        yield _line("grace", format_time(spec.grace))
    if spec.ulimit_n is not None:
        yield _line("ulimit-n", spec.ulimit_n)
    if spec.table_file:
        yield _table_file(spec)
    if spec.secret_file:
        yield _line("secret-file", spec.secret_file)
    yield from status_codes.lines(spec)
    yield from (_line(line.kind, *(word.text for word in line.words)) for line in spec.variables)
    yield from _tune(spec.tune)


def _tune(spec: TuneSpec) -> Iterator[str]:
    default = TuneSpec()
    for field, name in _TUNE.items():
        value = getattr(spec, field)
        if value != getattr(default, field):
            if field in _SIZES:
                value = format_size(value)
            elif field == "default_shards" and value == "1":
                value = "by-process"
            yield _line(name, value)


def _log(spec: LogSpec) -> str:
    words: list[object] = [_log_target(spec)]
    if spec.length != 1024:
        words += ["len", spec.length]
    if spec.format:
        words += ["format", spec.format]
    if spec.sample_size:
        words += ["sample", format_sample(spec.sample, spec.sample_size)]
    words.append(FACILITIES[spec.facility])
    if (spec.level, spec.minlevel) != (7, 0):
        words.append(LEVELS[spec.level])
    if spec.minlevel:
        words.append(LEVELS[spec.minlevel])
    return _line("log", *words)


def _log_target(spec: LogSpec) -> str:
    if spec.target in ("stdout", "stderr"):
        return spec.target
    if spec.target in ("fd", "file"):
        return f"{spec.target}@{spec.address}"
    if spec.address.startswith("\0"):
        return f"abns@{spec.address[1:]}"
    return spec.address if spec.target == "udp" else f"unix@{spec.address}"


def _proxy(spec: ProxySpec) -> Iterator[str]:
    yield _line("mode", spec.mode)
    yield _line("id", spec.id)
    if spec.description is not None:
        yield _line("description", spec.description)
    if spec.disabled:
        yield "disabled"
    for bind in spec.binds:
        yield _bind(bind)
    for name in ("maxconn", "backlog", "fullconn"):
        if (value := getattr(spec, name)) is not None:
            yield _line(name, value)
    for log in spec.logs:
        yield _log(log)
    for name, text in (
        ("log-format", spec.log_format),
        ("error-log-format", spec.error_log_format),
        ("log-format-sd", spec.log_format_sd),
        ("log-tag", spec.log_tag),
        ("monitor-uri", spec.monitor_uri),
    ):
        if text is not None:
            yield _line(name, text)
    yield from _timeouts(spec.timeouts)
    yield from _options(spec)
    yield from _error_files(spec.error_files)
    if spec.default_backend is not None and (spec.kind, spec.default_backend) != ("listen", spec.name):
        yield _line("default_backend", spec.default_backend)
    for name, delay in (("request", spec.request_inspect_delay), ("response", spec.response_inspect_delay)):
        if delay is not None:
            yield _line(f"tcp-{name}", "inspect-delay", format_time(delay))
    if spec.table is not None:
        yield _line("stick-table", *table_words(spec.table))
    if spec.table_file:
        yield _table_file(spec)
    for rule in spec.rules:
        if not rule.scope:
            yield _rule(rule)
    if spec.has_backend:
        yield from _backend(spec)


def table_words(spec: TableSpec) -> Iterator[str]:
    """What follows `stick-table`, or the name in `table <name>`."""
    shape = spec.shape
    yield from ("type", shape.key)
    if shape.key in ("string", "binary"):
        yield from ("len", str(shape.width))
    yield from ("size", str(shape.size))
    if shape.expire:
        yield from ("expire", format_time(shape.expire))
    if not shape.purge:
        yield "nopurge"
    for one in shape.stored:
        elements = [str(one.elements)] * (one.name in ARRAYS)
        arguments = ",".join([*elements, *[format_time(one.period)] * bool(one.period)])
        yield from ("store", f"{one.name}({arguments})" if arguments else one.name)
    for name, value, default in (
        ("peers", spec.peers, ""),
        ("srvkey", spec.server_key, "name"),
        ("write-to", spec.write_to, ""),
        ("brates-factor", str(spec.bytes_factor), "1"),
    ):
        if value != default:
            yield from (name, value)
    if spec.receive_only:
        yield "recv-only"


def _timeouts(times: Timeouts) -> Iterator[str]:
    for field in fields(Timeouts):
        value = getattr(times, field.name)
        if value is not None:
            yield _line("timeout", field.name.replace("_", "-"), format_time(value))


def _options(spec: ProxySpec) -> Iterator[str]:
    for name in sorted(spec.options):
        yield _line("option", name)
    for name in sorted(spec.no_options):
        yield _line("no", "option", name)
    if spec.close_mode in _CLOSE_OPTIONS:
        yield _line("option", _CLOSE_OPTIONS[spec.close_mode])
    if spec.redispatch:
        yield _line("option", "redispatch", spec.redispatch)
    if spec.forwardfor is not None:
        yield _forwardfor(spec.forwardfor)


def _forwardfor(spec: ForwardForSpec) -> str:
    words = ["option", "forwardfor"]
    if spec.except_net is not None:
        words += ["except", spec.except_net]
    if spec.header_written:
        words += ["header", spec.header]
    if spec.if_none:
        words.append("if-none")
    return _line(*words)


def _error_files(replies: Mapping[int, ErrorFileSpec]) -> Iterator[str]:
    for status, reply in replies.items():
        yield _line("errorfile" if reply.kind == "file" else f"errorloc{reply.kind}", status, reply.value)


def _backend(spec: ProxySpec) -> Iterator[str]:
    draws = f"({spec.balance.arguments[0]})" if spec.balance.arguments else ""
    yield f"balance {spec.balance.algorithm}{draws}"
    yield _line("retries", spec.retries)
    yield _line("http-reuse", spec.http_reuse)
    if spec.source is not None:
        yield _line("source", _source(spec.source))
    if spec.cookie:
        yield _line("cookie", *spec.cookie.words)
    if spec.dynamic_cookie_key is not None:
        yield _line("dynamic-cookie-key", spec.dynamic_cookie_key)
    if spec.backup_backend:
        yield _line("backup-backend", spec.backup_backend)
    if spec.sticky is not None:
        yield _line("sticky", *spec.sticky.words)
    if spec.sticky_strict:
        yield _line("sticky-mode", "strict")
    if spec.sticky_return != NEVER:
        yield _line("sticky-return", *return_words(spec.sticky_return))
    for server in spec.servers:
        yield _server(server)


def _source(spec: SourceSpec) -> str:
    host = f"[{spec.host}]" if ":" in spec.host else spec.host
    if not spec.port_low:
        return host
    ports = str(spec.port_low) if spec.port_low == spec.port_high else f"{spec.port_low}-{spec.port_high}"
    return f"{host}:{ports}"


def _bind(spec: BindSpec) -> str:
    words: list[object] = ["bind", spec.text]
    for name in _BIND_WORDS:
        if (value := getattr(spec, name)) not in (None, 0 if name == "nice" else None):
            words += [name, value]
    words += [name.replace("_", "-") for name in _BIND_FLAGS if getattr(spec, name)]
    if spec.mode is not None:
        words += ["mode", f"{spec.mode:o}"]
    if spec.tcp_ut is not None:
        words += ["tcp-ut", format_time(spec.tcp_ut)]
    if spec.threads != ThreadSet():
        words += ["thread", format_threads(spec.threads)]
    if spec.shards is not None:
        words += ["shards", spec.shards]
    return _line(*words)


def _server(spec: ServerSpec) -> str:
    default = ServerSpec(spec.place, spec.name, spec.address)
    words: list[object] = ["server", spec.name, spec.address, "id", spec.id]
    for field, name in (*_SERVER_NUMBERS.items(), *_SERVER_TIMES.items(), *((name, name) for name in _SERVER_TEXTS)):
        value = getattr(spec, field)
        if value != getattr(default, field):
            word = {"check_addr": "addr", "on_error": "on-error"}.get(name, name)
            words += [word, format_time(value) if field in _SERVER_TIMES else value]
    if spec.source is not None:
        words += ["source", _source(spec.source)]
    words += [name for name in ("backup", "disabled", "check") if getattr(spec, name)]
    words += ["non-stick"] * (not spec.sticks)
    return _line(*words)
