"""The merged global sections as data (manual 3).

Owns: their fields, those of `tune.*` and of the sockets for runtime commands. Must not know: how they are read
(globals, control), what they mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..addresses import Address
from .table_spec import FILE_INTERVAL

if TYPE_CHECKING:
    from .model import LogSpec, Place, RuleSpec

ERROR_CODES = frozenset(range(400, 500))
"""Statuses that are errors of clients, unless `http-err-codes` says others."""
FAILURE_CODES = frozenset(range(500, 600)) - {501, 505}
"""Statuses that are failures of servers, unless `http-fail-codes` says others."""


@dataclass(frozen=True, slots=True)
class ControlSpec:
    """One place where runtime commands are listened for: a `stats socket` line or the argument of -S."""

    place: Place
    address: Address
    mode: int | None = None
    """Permissions of a unix socket; None: what the umask leaves."""
    uid: int | None = None
    gid: int | None = None
    level: str = "operator"
    """user, operator or admin: which commands are answered."""
    expose_listeners: bool = False
    """Listening sockets are given to who asks for them (`expose-fd listeners`)."""


@dataclass(frozen=True, slots=True)
class TuneSpec:
    """`tune.*`, with HAProxy's defaults."""

    bufsize: int = 16384
    maxrewrite: int = 1024
    maxhdr: int = 101
    maxaccept: int | None = None
    head_cache: int = 4096
    """Ours, `tune.http.head-cache`: header blocks remembered per thread; 0 turns the cache off."""
    rcvbuf_client: int | None = None
    rcvbuf_server: int | None = None
    sndbuf_client: int | None = None
    sndbuf_server: int | None = None
    idletimer: int = 1000
    vars_global: int = 0
    """`tune.vars.global-max-size` and its kin: bytes that the variables of rules may take; 0: no limit."""
    vars_proc: int = 0
    vars_sess: int = 0
    vars_txn: int = 0
    vars_reqres: int = 0
    cookielen: int = 63
    """`tune.http.cookielen`: bytes of a captured cookie that a log line shows at most."""
    stick_counters: int = 3
    """`tune.stick-counters`: sets of counters (sc0, sc1, ...) that a session or an exchange may track."""
    logurilen: int = 1024
    """`tune.http.logurilen`: bytes of a request line that a log line shows."""
    default_shards: str = "by-thread"
    """`tune.listener.default-shards`, as BindSpec.shards; HAProxy's by-process is stored as "1". The default differs
    from HAProxy's by-group: every thread shall have its own socket."""
    listener_balance: str | None = None
    """Ours, `tune.listener.balance`: hash, least or cpu; None: the default."""
    watchdog_warn: int = 2000
    """Ours, `tune.watchdog.warn`, ms without a turn of a thread's loop until it is warned of; 0: never."""
    watchdog_kill: int = 10000
    """Ours, `tune.watchdog.kill`, ms until the group of such a thread is ended; 0: never."""


@dataclass(frozen=True, slots=True)
class GlobalSpec:
    """The merged global sections."""

    maxconn: int | None = None
    nbthread: int | None = None
    nbgroup: int | None = None
    """None: auto."""
    thread_group_lines: tuple[tuple[str, ...], ...] = ()
    cpu_map: tuple[tuple[str, ...], ...] = ()
    cpu_set: tuple[tuple[str, ...], ...] = ()
    cpu_policy: tuple[str, ...] = ()
    logs: tuple[LogSpec, ...] = ()
    log_tag: str = "haproxy"
    log_send_hostname: str | None = None
    """None: no host name is sent (HAProxy's default); "" means this machine's."""
    user: str | None = None
    group: str | None = None
    uid: int | None = None
    gid: int | None = None
    daemon: bool = False
    pidfile: str | None = None
    description: str | None = None
    node: str | None = None
    local_peer: str | None = None
    """`localpeer`, unless something stronger says it."""
    hard_stop_after: int | None = None
    grace: int = 0
    ulimit_n: int | None = None
    stats_lines: tuple[tuple[str, ...], ...] = ()
    """The words of `stats socket`, `stats timeout` and `stats maxconn` lines, as written."""
    controls: tuple[ControlSpec, ...] = ()
    control_timeout: int = 10000
    """`stats timeout`: milliseconds that a runtime connection may be idle."""
    control_maxconn: int = 10
    """`stats maxconn`: runtime connections at a time."""
    chroot: str | None = None
    """Directory that groups are locked into, as written."""
    max_reloads: int | None = None
    """`mworker-max-reloads`: reloads that an old group may survive; None: no limit."""
    table_file: str = ""
    """Ours, `table-file`: where stick tables are kept that name no file of their own."""
    table_file_interval: int = FILE_INTERVAL
    """ms from one writing to the next."""
    secret_file: str = ""
    secret: bytes = field(default=b"", repr=False)
    """Ours, what is in `secret-file`: sticky cookies are signed with it; b"": with a secret of their table."""
    variables: tuple[RuleSpec, ...] = ()
    """`set-var` and `set-var-fmt` lines: rules/process_variables makes values of them."""
    error_codes: frozenset[int] = ERROR_CODES
    """`http-err-codes`."""
    failure_codes: frozenset[int] = FAILURE_CODES
    """`http-fail-codes`."""
    tune: TuneSpec = TuneSpec()
