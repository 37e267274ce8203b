"""`bind` and `server` lines written back: where it listens and where it connects to.

Owns: the text of their words. Must not know: the sections in which they stand. Invariant: each reads back as what it
was made of.
"""

from __future__ import annotations

from ..units import format_time
from .dump_line import line_of
from .model import BindSpec, ServerSpec, SourceSpec, ThreadSet
from .threads import format_threads

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


def bind_line(spec: BindSpec) -> str:
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
    return line_of(*words)


def server_line(spec: ServerSpec) -> str:
    default = ServerSpec(spec.place, spec.name, spec.address)
    words: list[object] = ["server", spec.name, spec.address, "id", spec.id]
    for field, name in (*_SERVER_NUMBERS.items(), *_SERVER_TIMES.items(), *((name, name) for name in _SERVER_TEXTS)):
        value = getattr(spec, field)
        if value != getattr(default, field):
            word = {"check_addr": "addr", "on_error": "on-error"}.get(name, name)
            words += [word, format_time(value) if field in _SERVER_TIMES else value]
    if spec.source is not None:
        words += ["source", source_text(spec.source)]
    words += [name for name in ("backup", "disabled", "check") if getattr(spec, name)]
    words += ["non-stick"] * (not spec.sticks)
    return line_of(*words)


def source_text(spec: SourceSpec) -> str:
    """An address with its port or ports, as after `source`."""
    host = f"[{spec.host}]" if ":" in spec.host else spec.host
    if not spec.port_low:
        return host
    ports = str(spec.port_low) if spec.port_low == spec.port_high else f"{spec.port_low}-{spec.port_high}"
    return f"{host}:{ports}"
