"""The lines of a frontend, backend or listen section written back.

Owns: their order, and the text of each field. Must not know: how a line is read, the section's heading. Invariant:
reading them gives the same ProxySpec, but for rules that see ACLs of a defaults section.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from ..units import format_time
from .dump_line import error_lines, line_of, log_line, rule_line, table_file_line, table_words
from .dump_socket import bind_line, server_line, source_text
from .model import ForwardForSpec, ProxySpec, Timeouts
from .sticky_spec import NEVER, return_words

_CLOSE_OPTIONS = {"close": "httpclose", "server-close": "http-server-close"}


def proxy_lines(spec: ProxySpec) -> Iterator[str]:
    """Without the heading."""
    yield line_of("mode", spec.mode)
    yield line_of("id", spec.id)
    if spec.description is not None:
        yield line_of("description", spec.description)
    if spec.disabled:
        yield "disabled"
    for bind in spec.binds:
        yield bind_line(bind)
    for name in ("maxconn", "backlog", "fullconn"):
        if (value := getattr(spec, name)) is not None:
            yield line_of(name, value)
    for log in spec.logs:
        yield log_line(log)
    for name, text in (
        ("log-format", spec.log_format),
        ("error-log-format", spec.error_log_format),
        ("log-format-sd", spec.log_format_sd),
        ("log-tag", spec.log_tag),
        ("monitor-uri", spec.monitor_uri),
    ):
        if text is not None:
            yield line_of(name, text)
    yield from _timeouts(spec.timeouts)
    yield from _options(spec)
    yield from error_lines(spec.error_files)
    if spec.default_backend is not None and (spec.kind, spec.default_backend) != ("listen", spec.name):
        yield line_of("default_backend", spec.default_backend)
    for name, delay in (("request", spec.request_inspect_delay), ("response", spec.response_inspect_delay)):
        if delay is not None:
            yield line_of(f"tcp-{name}", "inspect-delay", format_time(delay))
    if spec.table is not None:
        yield line_of("stick-table", *table_words(spec.table))
    if spec.table_file:
        yield table_file_line(spec)
    for rule in spec.rules:
        if not rule.scope:
            yield rule_line(rule)
    if spec.has_backend:
        yield from _backend(spec)


def _timeouts(times: Timeouts) -> Iterator[str]:
    for field in fields(Timeouts):
        value = getattr(times, field.name)
        if value is not None:
            yield line_of("timeout", field.name.replace("_", "-"), format_time(value))


def _options(spec: ProxySpec) -> Iterator[str]:
    for name in sorted(spec.options):
        yield line_of("option", name)
    for name in sorted(spec.no_options):
        yield line_of("no", "option", name)
    if spec.close_mode in _CLOSE_OPTIONS:
        yield line_of("option", _CLOSE_OPTIONS[spec.close_mode])
    if spec.redispatch:
        yield line_of("option", "redispatch", spec.redispatch)
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
    return line_of(*words)


def _backend(spec: ProxySpec) -> Iterator[str]:
    draws = f"({spec.balance.arguments[0]})" if spec.balance.arguments else ""
    yield f"balance {spec.balance.algorithm}{draws}"
    yield line_of("retries", spec.retries)
    yield line_of("http-reuse", spec.http_reuse)
    if spec.source is not None:
        yield line_of("source", source_text(spec.source))
    if spec.cookie:
        yield line_of("cookie", *spec.cookie.words)
    if spec.dynamic_cookie_key is not None:
        yield line_of("dynamic-cookie-key", spec.dynamic_cookie_key)
    if spec.backup_backend:
        yield line_of("backup-backend", spec.backup_backend)
    if spec.sticky is not None:
        yield line_of("sticky", *spec.sticky.words)
    if spec.sticky_strict:
        yield line_of("sticky-mode", "strict")
    if spec.sticky_return != NEVER:
        yield line_of("sticky-return", *return_words(spec.sticky_return))
    for server in spec.servers:
        yield server_line(server)
