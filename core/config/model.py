"""The configuration as plain data: what the parser makes, and all that the rest of maniple knows about a file.

Frozen dataclasses, picklable, no behaviour but derived values. Times are integer milliseconds, sizes are bytes, None
means "not written" (the default is applied by `resolve`, which is the only reader that may see None where a default
exists). Must not know: sockets, asyncio, the running proxy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..addresses import Address as Address
from .cookie_spec import CookieSpec
from .global_spec import GlobalSpec as GlobalSpec
from .peers_spec import PeersSpec
from .resolver_spec import ResolversSpec
from .sticky_spec import NEVER, StickySpec
from .table_spec import FILE_INTERVAL
from .table_spec import TableSpec as TableSpec


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written. `line` and `column` count from 1; `file` is "<command line>" for flags."""

    file: str
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class ThreadRange:
    """Threads `first`, `first + step`, ... up to `last`; `last` 0 is the last thread there is.

    `group` None: numbers count through the whole process (`thread 45`); 0: local numbers, in each group (`all/2`);
    else local numbers of that group (`1/2-4`)."""

    group: int | None = None
    first: int = 1
    last: int = 0
    step: int = 1


@dataclass(frozen=True, slots=True)
class ThreadSet:
    """The `thread` word of a bind line: the union of the ranges; () is every thread of every group. `config.threads`
    reads, prints and expands it."""

    ranges: tuple[ThreadRange, ...] = ()


@dataclass(frozen=True, slots=True)
class BindSpec:
    """One bind line (or one address of it): chapter 5.1 of the manual."""

    place: Place
    text: str
    """The address word as written: names the listener's sockets over reloads."""
    addresses: tuple[Address, ...]
    name: str | None = None
    id: int | None = None
    maxconn: int | None = None
    backlog: int | None = None
    threads: ThreadSet = ThreadSet()
    shards: str | None = None
    """by-thread, by-group or a number; None: not written, `tune.listener.default-shards` says it."""
    nice: int = 0
    interface: str | None = None
    mss: int | None = None
    tcp_ut: int | None = None
    tfo: bool = False
    transparent: bool = False
    defer_accept: bool = False
    v4v6: bool = False
    v6only: bool = False
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """`source <addr>[:<low>[-<high>]]` of a server or backend."""

    host: str
    port_low: int = 0
    port_high: int = 0


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """One server line (chapter 5.2) with default-server already applied."""

    place: Place
    name: str
    address: Address
    id: int = 0
    """The numeric id (puid): as written, or the first free number from 1 on."""
    weight: int = 1
    backup: bool = False
    disabled: bool = False
    maxconn: int = 0
    """Concurrent requests; 0: no limit."""
    minconn: int = 0
    maxqueue: int = 0
    cookie: str | None = None
    sticks: bool = True
    """May `stick` rules keep it in their tables?"""
    check: bool = False
    inter: int = 2000
    fastinter: int | None = None
    downinter: int | None = None
    rise: int = 2
    fall: int = 3
    check_port: int | None = None
    check_addr: str | None = None
    source: SourceSpec | None = None
    pool_max: int = -1
    """Idle connections kept per group: -1 unlimited, 0 none (CR5)."""
    pool_low: int = 0
    pool_min: int = 0
    pool_purge_delay: int = 5000
    pool_half_life: int | None = None
    pool_purge_batches: int | None = None
    max_reuse: int = -1
    """Requests after the first that one connection may carry: -1 unlimited."""
    tcp_ut: int | None = None
    slowstart: int = 0
    on_error: str = "fail-check"
    error_limit: int = 10
    observe: str | None = None
    track: str | None = None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Milliseconds; None: not set (infinite, or inherited from another timeout as reference 3.1 says)."""

    client: int | None = None
    server: int | None = None
    connect: int | None = None
    http_request: int | None = None
    http_keep_alive: int | None = None
    queue: int | None = None
    tarpit: int | None = None
    tunnel: int | None = None
    client_fin: int | None = None
    server_fin: int | None = None
    client_hs: int | None = None
    check: int | None = None


@dataclass(frozen=True, slots=True)
class BalanceSpec:
    """`balance <algorithm> [arguments]`."""

    algorithm: str = "roundrobin"
    arguments: tuple[str, ...] = ()
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class ForwardForSpec:
    """`option forwardfor [except net] [header name] [if-none]`."""

    header: str = "X-Forwarded-For"
    header_written: bool = False
    except_net: str | None = None
    if_none: bool = False


@dataclass(frozen=True, slots=True)
class ErrorFileSpec:
    """What replaces a built-in reply. `kind`: file (value is the path, `content` its bytes read at parse time),
    302 or 303 (value is the URL)."""

    kind: str
    value: str
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class LogSpec:
    """One `log` line. `target`: stdout, stderr, fd, file, udp, unix; `format`: rfc3164, rfc5424, short, raw, timed,
    iso, priority, local. `level` and `minlevel` are syslog severities 0..7, `facility` 0..23."""

    place: Place
    target: str
    address: str = ""
    """Host:port, path or descriptor number, as the target needs."""
    format: str = ""
    """Empty where none is written: local, or rfc3164 with `log-send-hostname`."""
    facility: int = 16
    level: int = 7
    minlevel: int = 0
    length: int = 1024
    sample: tuple[tuple[int, int], ...] = ()
    """Ranges of positions, 1-based and inclusive, out of `sample_size`."""
    sample_size: int = 0


@dataclass(frozen=True, slots=True)
class RuleWord:
    """One word of a rule line. `column` counts characters of the line from 1."""

    text: str
    column: int


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """One line of rules as written: `rules` compiles it (chapters 4.2 and 7)."""

    place: Place
    kind: str
    """The keyword: acl, http-request, http-response, http-after-response, tcp-request connection, tcp-request session,
    tcp-request content, tcp-response content, use_backend, use-server, redirect, http-error, monitor fail, map-uri, ...
    (config.rules.KINDS)."""
    words: tuple[RuleWord, ...]
    """What follows the keyword."""
    scope: str = ""
    """Name of the defaults section that the line comes from, whose ACLs it sees; "" for the section's own."""
    files: tuple[tuple[str, bytes], ...] = ()
    """Path and content of the files that the words name as answers (file, lf-file, errorfile): read with the
    configuration, since groups may not be able to."""


@dataclass(frozen=True, slots=True)
class RuleSetSpec:
    """A section `request-rules NAME` or `response-rules NAME`: rules that others enter by `jump NAME`."""

    place: Place
    name: str
    kind: str
    """request-rules or response-rules."""
    rules: tuple[RuleSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class ProxySpec:
    """A frontend, backend or listen section with its defaults applied."""

    place: Place
    name: str
    kind: str
    """frontend, backend or listen."""
    id: int = 0
    description: str | None = None
    disabled: bool = False
    mode: str = "tcp"
    binds: tuple[BindSpec, ...] = ()
    servers: tuple[ServerSpec, ...] = ()
    default_backend: str | None = None
    """Name of the proxy with the servers; a listen section without one uses itself."""
    balance: BalanceSpec = BalanceSpec()
    maxconn: int | None = None
    backlog: int | None = None
    fullconn: int | None = None
    timeouts: Timeouts = Timeouts()
    retries: int = 3
    options: frozenset[str] = frozenset()
    """Names of the options that are on (`httplog`, `abortonclose`, …), those with arguments excepted."""
    no_options: frozenset[str] = frozenset()
    """Names of the options that were switched off explicitly (`no option x`)."""
    close_mode: str = "keep-alive"
    """keep-alive, server-close or close (reference 3.2)."""
    forwardfor: ForwardForSpec | None = None
    redispatch: int = 0
    """`option redispatch`: 0 off, n every n-th retry, -n the n-th before the last."""
    http_reuse: str = "safe"
    error_files: Mapping[int, ErrorFileSpec] = field(default_factory=dict)
    logs: tuple[LogSpec, ...] = ()
    """`log global` is already replaced by the global section's."""
    log_format: str | None = None
    """The text of the access log's format; for `option httplog` and `tcplog` the text that they stand for; None: the
    default format (a line at the start of each connection)."""
    error_log_format: str | None = None
    log_format_sd: str | None = None
    """Structured data before the lines that go to loggers of format rfc5424."""
    format_places: Mapping[str, Place] = field(default_factory=dict, compare=False)
    """Where the texts of log-format, error-log-format and log-format-sd start."""
    log_tag: str | None = None
    source: SourceSpec | None = None
    monitor_uri: str | None = None
    cookie: CookieSpec | None = None
    dynamic_cookie_key: str | None = None
    backup_backend: str = ""
    """Ours: name of the backend that has the requests while this one has no usable server; "": none."""
    sticky: StickySpec | None = None
    sticky_strict: bool = False
    """Ours, `sticky-mode strict`: a session never leaves its server."""
    sticky_return: int = NEVER
    """Ours: ms that a session must not have used its backup server before it returns; 0: at once; NEVER."""
    rules: tuple[RuleSpec, ...] = ()
    """All rule and acl lines, those of the defaults section first, in the order of the file."""
    table: TableSpec | None = None
    """`stick-table`."""
    table_file: str = ""
    """Ours, `table-file`: the path, "" where only the global section may name one."""
    table_file_interval: int = FILE_INTERVAL
    request_inspect_delay: int | None = None
    """`tcp-request inspect-delay`, ms."""
    response_inspect_delay: int | None = None

    @property
    def has_frontend(self) -> bool:
        return self.kind != "backend"

    @property
    def has_backend(self) -> bool:
        return self.kind != "frontend"


Repeat = tuple[int, bytes, bytes]
"""How many entries stand before it, its key and its value."""


@dataclass(frozen=True, slots=True)
class PatternFileSpec:
    """A file of patterns, or a map, as it was when the configuration was read."""

    path: str
    as_map: bool
    """Whether its lines have two columns."""
    entries: Mapping[bytes, bytes]
    """Key -> value, the key itself in files of one column; in the order of the file."""
    repeats: tuple[Repeat, ...] = ()
    """Entries whose key stands before: they count once the first one is taken out (`del map` by number)."""


@dataclass(frozen=True, slots=True)
class ErrorPagesSpec:
    """A section `http-errors NAME`: pages by status."""

    place: Place
    name: str
    pages: Mapping[int, ErrorFileSpec]


@dataclass(frozen=True, slots=True)
class UserSpec:
    """One user of a userlist. `password` None: never let in."""

    name: str
    password: str | None
    hashed: bool
    """Whether `password` is a hash of crypt(3)."""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserlistSpec:
    """A section `userlist NAME` (manual 12.1)."""

    place: Place
    name: str
    users: Mapping[str, UserSpec]
    """By name, in the order of the lines."""
    groups: tuple[str, ...] = ()
    """All groups, those without users too."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A whole configuration without errors. Proxies are in the order of the files."""

    globals: GlobalSpec = field(default_factory=GlobalSpec)
    proxies: tuple[ProxySpec, ...] = ()
    rule_sets: Mapping[str, RuleSetSpec] = field(default_factory=dict)
    """By name: sections request-rules and response-rules, which share one space of names."""
    pattern_files: Mapping[str, PatternFileSpec] = field(default_factory=dict)
    """By path: what ACLs (`-f`) and maps name."""
    userlists: Mapping[str, UserlistSpec] = field(default_factory=dict)
    error_pages: Mapping[str, ErrorPagesSpec] = field(default_factory=dict)
    """Sections `http-errors`, as rules name them; what proxies take of them is in their `error_files`."""
    resolvers: Mapping[str, ResolversSpec] = field(default_factory=dict)
    """By name; `default` is made where a rule asks for it."""
    tables: Mapping[str, TableSpec] = field(default_factory=dict)
    """All stick tables by name: a proxy's bears the proxy's, one of a peers section `section/table`."""
    peers: Mapping[str, PeersSpec] = field(default_factory=dict)
    """Peers sections by name, also those that are not in use."""
    variables: dict[str, Any] = field(default_factory=dict, compare=False)
    """What the global section sets of the process's variables: filled in by who examines the rules (proxy_rules), once,
    before there are groups."""

    def proxy(self, name: str, *, backend: bool) -> ProxySpec | None:
        """The proxy of that name with the wanted side, or None."""
        for proxy in self.proxies:
            if proxy.name == name and (proxy.has_backend if backend else proxy.has_frontend):
                return proxy
        return None
