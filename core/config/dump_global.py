"""The lines of the global section written back.

Owns: their order, and the text of each field. Must not know: how a line is read. Invariant: reading them gives the same
GlobalSpec.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..units import format_size, format_time
from . import status_codes
from .dump_line import line_of, log_line, table_file_line
from .global_spec import GlobalSpec, TuneSpec

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


def global_lines(spec: GlobalSpec) -> Iterator[str]:
    """Without the heading."""
    user = "uid" if spec.user is None else "user"
    group = "gid" if spec.group is None else "group"
    if spec.local_peer is not None:
        yield line_of("localpeer", spec.local_peer)
    for name in ("maxconn", "nbthread", user, group, "pidfile", "node", "chroot"):
        if (value := getattr(spec, name)) is not None:
            yield line_of(name, value)
    if spec.nbgroup is not None:
        yield line_of("nbgroup", spec.nbgroup)
    for name, lines in (
        ("thread-group", spec.thread_group_lines),
        ("cpu-map", spec.cpu_map),
        ("cpu-set", spec.cpu_set),
        ("cpu-policy", (spec.cpu_policy,) if spec.cpu_policy else ()),
        ("stats", spec.stats_lines),
    ):
        for words in lines:
            yield line_of(name, *words)
    for log in spec.logs:
        yield log_line(log)
    yield line_of("log-tag", spec.log_tag)
    if spec.log_send_hostname is not None:
        yield line_of("log-send-hostname", *([spec.log_send_hostname] if spec.log_send_hostname else []))
    if spec.daemon:
        yield "daemon"
    if spec.description is not None:
        yield line_of("description", spec.description)
    if spec.hard_stop_after is not None:
        yield line_of("hard-stop-after", format_time(spec.hard_stop_after))
    if spec.max_reloads is not None:
        yield line_of("mworker-max-reloads", spec.max_reloads)
    if spec.grace:
        yield line_of("grace", format_time(spec.grace))
    if spec.ulimit_n is not None:
        yield line_of("ulimit-n", spec.ulimit_n)
    if spec.table_file:
        yield table_file_line(spec)
    if spec.secret_file:
        yield line_of("secret-file", spec.secret_file)
    yield from status_codes.lines(spec)
    yield from (line_of(line.kind, *(word.text for word in line.words)) for line in spec.variables)
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
            yield line_of(name, value)
