"""A line as it may be written, for each keyword: the hint where nothing better can be said.

Owns: the examples. Must not know: what is wrong with the line that was written. Invariant: every example is a line that
maniple takes (held by a test over all keywords). Most follow from the shape of the arguments; the others are written
here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .keywords import Keyword, Table

_PRIVATE = "deny if { path_beg /private }"
_LOG = "127.0.0.1:514 local0"
_KEY = "src table by_address"
_TABLE = "type ip size 100k expire 30m store http_req_rate(10s)"

WRITTEN: Mapping[str, Mapping[str, str]] = {
    "global": {
        "description": "edge proxy",
        "group": "nogroup",
        "user": "nobody",
        "log": _LOG,
        "stats socket": "/run/maniple.sock mode 660 level admin",
        "cpu-map": "auto:1/1-4 0-3",
        "cpu-policy": "performance",
        "cpu-set": "drop-cpu 0",
        "thread-group": "1 1-4",
        "setenv": "STAGE production",
        "set-var": "proc.stage str(production)",
        "set-var-fmt": 'proc.started "%[date]"',
        "presetenv": "STAGE production",
        "unsetenv": "STAGE",
        "resetenv": "HOME PATH",
        "tune.listener.default-shards": "by-thread",
        "nbthread": "4",
        "nbgroup": "4",
        "thread-groups": "4",
        "grace": "10s",
        "uid": "1000",
        "gid": "1000",
        "localpeer": "lb1",
        "node": "lb1",
        "tune.stick-counters": "5",
        "tune.maxrewrite": "1k",
    },
    "proxies": {
        "acl": "static path_beg /static",
        "http-request": _PRIVATE,
        "http-response": "set-header X-Frame-Options DENY",
        "http-after-response": "set-header X-Frame-Options DENY",
        "tcp-request connection": "reject if { src 192.0.2.0/24 }",
        "tcp-request session": "reject if { src 192.0.2.0/24 }",
        "tcp-request content": "reject if { src 192.0.2.0/24 }",
        "tcp-response content": "accept",
        "use_backend": "app if { path_beg /app }",
        "use-server": "s1 if { path_beg /admin }",
        "force-persist": "if { src 192.0.2.0/24 }",
        "ignore-persist": "if { path_beg /static }",
        "stick match": _KEY,
        "stick on": _KEY,
        "stick store-request": _KEY,
        "stick store-response": "res.cook(SID) table by_session",
        "redirect": "prefix https://example.org if { path / }",
        "http-error": "status 503 content-type text/plain string busy",
        "monitor fail": "if { nbsrv(app) lt 1 }",
        "capture request header": "User-Agent len 64",
        "capture response header": "Content-Type len 64",
        "capture cookie": "SID len 32",
        "declare capture": "request len 64",
        "unique-id-format": '"%{+X}o %ci:%cp_%pid:%rt"',
        "unique-id-header": "X-Request-ID",
        "use_filters_from": "web",
        "use_backend_from": "app",
        "bind": ":8080",
        "cookie": "SRV insert indirect nocache",
        "server": "s1 127.0.0.1:8000",
        "default-server": "maxconn 100",
        "server-template": "app 1-4 127.0.0.1:8000",
        "balance": "leastconn",
        "description": "the shop",
        "errorfile": "503 /etc/maniple/503.http",
        "errorfiles": "pages 503",
        "errorloc": "503 https://example.org/busy",
        "errorloc302": "503 https://example.org/busy",
        "errorloc303": "503 https://example.org/busy",
        "source": "127.0.0.1",
        "log": _LOG,
        "log-format": '"%ci:%cp %ST %HM %HU"',
        "error-log-format": '"%ci:%cp %ST %HM %HU"',
        "log-format-sd": '"[maniple@1 client=%ci]"',
        "stick-table": _TABLE,
        "sticky": "cookie SRV",
        "sticky-return": "idle 5m",
        "retries": "3",
        "default_backend": "app",
        "backup-backend": "app",
        "monitor-uri": "/health",
        "mode": "http",
        "http-reuse": "safe",
    },
    "rule sets": {
        "acl": "static path_beg /static",
        "http-request": _PRIVATE,
        "http-response": "set-header X-Frame-Options DENY",
        "use_backend": "app if { path_beg /app }",
    },
    "options": {
        "forwardfor": "header X-Client if-none",
        "httplog": "",
        "tcplog": "",
        "redispatch": "3",
    },
    "bind lines": {
        "mode": "660",
        "user": "nobody",
        "group": "nogroup",
        "shards": "by-thread",
        "thread": "1/1-4",
        "interface": "eth0",
        "mss": "1400",
        "name": "public",
        "nice": "10",
        "uid": "1000",
        "gid": "1000",
    },
    "server lines": {
        "port": "8080",
        "addr": "127.0.0.1",
        "track": "app/s1",
        "source": "127.0.0.1",
        "cookie": "s1",
        "rise": "2",
        "fall": "3",
        "max-reuse": "100",
        "observe": "layer7",
    },
    "peers": {
        "peer": "lb1 192.0.2.1:10000",
        "server": "lb1 192.0.2.1:10000",
        "default-server": "tcp-ut 30s",
        "bind": "192.0.2.1:10000",
        "default-bind": "tcp-ut 30s",
        "table": f"by_address {_TABLE}",
        "log": _LOG,
    },
    "resolvers": {
        "nameserver": "dns1 192.0.2.53:53",
        "resolve_retries": "3",
        "accepted_payload_size": "4096",
    },
    "userlists": {
        "group": "staff users ann,bob",
        "user": "ann insecure-password secret",
    },
    "error pages": {"errorfile": "503 /etc/maniple/503.http"},
}
"""Title of a table -> keyword -> its arguments, where the shape does not tell."""

_SAMPLES = {
    "time": "30s",
    "number": "100",
    "size": "16k",
    "name": "lb1",
    "path": "/var/lib/maniple/file",
    "directory": "/var/empty",
    "tag": "maniple",
    "key": "secret",
    "range": "500-599",
}
_RANGE = re.compile(r"<(-?[0-9]+)\.\.(-?[0-9]+)?>")
_CHOICE = re.compile(r"\{([^|}]*)\|[^}]*\}")


def arguments_of(table: Table[Any], keyword: Keyword[Any]) -> str:
    """The example's arguments; "" for a keyword without any."""
    written = WRITTEN.get(table.title, {}).get(keyword.name)
    if written is not None:
        return written
    words = []
    for word in re.sub(r"\s*\[[^\]]*\]|\.\.\.$", "", keyword.shape).split():
        limits, choice = _RANGE.fullmatch(word), _CHOICE.fullmatch(word)
        if limits is not None:
            words.append(_within(int(limits[1]), int(limits[2]) if limits[2] else None))
        else:
            words.append(choice[1] if choice is not None else _SAMPLES.get(word.strip("<>"), word))
    return " ".join(words)


def such_as(table: Table[Any], keyword: Keyword[Any]) -> str:
    """The hint: `such as` and a whole line, or a whole word of one."""
    prefix = "option " if table.title == "options" else ""
    return f"such as `{f'{prefix}{keyword.name} {arguments_of(table, keyword)}'.rstrip()}`"


def _within(low: int, high: int | None) -> str:
    """A number between the limits: 100, or the nearest to it."""
    return str(max(low, 100 if high is None else min(high, 100)))
