"""Counters: plain integers that one thread counts with.

Owns: which figures a frontend, listener, backend, server and process have (names of HAProxy's CSV, manual 9.1, and of
`show info`), and how each is summed. Must not know: who counts, where the figures are published (pools/columns).

A thread counts in ordinary attributes (`counts.stot += 1`) and publishes a whole row now and then, because
fifteen increments of shared words cost 1.1 us a request.

Invariant: the figures of a row have an order, that of FIELDS, in which rows are published and read.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, ClassVar

MAXIMA = frozenset(("smax", "qmax", "qtime_max", "ctime_max", "rtime_max", "ttime_max", "lastsess", "max_conns"))
"""Figures of which the sum is the greatest. `lastsess` is one: seconds since the epoch of the last session."""
GAUGES = frozenset(
    ("scur", "qcur", "idle_conn_cur", "safe_conn_cur", "used_conn_cur", "need_conn_est", "curr_conns", "run_queue")
)
"""Figures about now, not about the past: they die with their thread."""


class Counts:
    """The figures of one row. Subclasses declare them as slots; all start at 0."""

    __slots__ = ()
    KIND: ClassVar[str] = ""
    FIELDS: ClassVar[tuple[str, ...]] = ()
    GET: ClassVar[Callable[[Any], tuple[int, ...]]]
    """All figures of a row as a tuple; one call in C."""

    def __init_subclass__(cls) -> None:
        cls.FIELDS = tuple(name for part in reversed(cls.__mro__) for name in vars(part).get("__slots__", ()))
        if len(cls.FIELDS) > 1:
            cls.GET = attrgetter(*cls.FIELDS)

    def __init__(self) -> None:
        for name in self.FIELDS:
            setattr(self, name, 0)

    def values(self) -> tuple[int, ...]:
        """The figures in the order of FIELDS."""
        return type(self).GET(self)

    def add(self, others: Counts) -> None:
        """Those of another row of the same kind: sums, or the greatest for MAXIMA."""
        for field in self.FIELDS:
            one, other = getattr(self, field), getattr(others, field)
            setattr(self, field, max(one, other) if field in MAXIMA else one + other)

    def as_dict(self) -> dict[str, int]:
        return dict(zip(self.FIELDS, self.values(), strict=True))

    def __repr__(self) -> str:
        counted = " ".join(f"{name}={value}" for name, value in self.as_dict().items() if value)
        return f"<{type(self).__name__} {counted}>"


class TrafficCounts(Counts):
    """What every row with traffic has: sessions now, at most, in all; bytes from and to the client's side."""

    __slots__ = ("bin", "bout", "dreq", "dresp", "eint", "scur", "smax", "stot")
    scur: int
    smax: int
    stot: int
    bin: int
    bout: int
    dreq: int
    dresp: int
    eint: int


class ListenerCounts(TrafficCounts):
    """One bind line."""

    __slots__ = ("conn_tot", "dcon", "dses", "ereq", "wrew")
    KIND = "listener"
    ereq: int
    dcon: int
    dses: int
    wrew: int
    conn_tot: int


class ResponseCounts(TrafficCounts):
    """What rows with HTTP responses have."""

    __slots__ = ("hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other", "req_tot", "wrew")
    hrsp_1xx: int
    hrsp_2xx: int
    hrsp_3xx: int
    hrsp_4xx: int
    hrsp_5xx: int
    hrsp_other: int
    req_tot: int
    wrew: int


class FrontendCounts(ResponseCounts):
    """The client side of a frontend or listen section."""

    __slots__ = ("conn_tot", "dcon", "dses", "ereq", "intercepted")
    KIND = "frontend"
    ereq: int
    dcon: int
    dses: int
    conn_tot: int
    intercepted: int


class UpstreamCounts(ResponseCounts):
    """What backends and servers have in common. The four times are sums in milliseconds over the `req_tot` requests (or
    sessions in TCP); the means that the CSV shows are their quotient."""

    __slots__ = (
        "cli_abrt",
        "connect",
        "ctime",
        "ctime_max",
        "econ",
        "eresp",
        "lastsess",
        "lbtot",
        "qcur",
        "qmax",
        "qtime",
        "qtime_max",
        "reuse",
        "rtime",
        "rtime_max",
        "srv_abrt",
        "ttime",
        "ttime_max",
        "wredis",
        "wretr",
    )
    qcur: int
    qmax: int
    econ: int
    eresp: int
    wretr: int
    wredis: int
    cli_abrt: int
    srv_abrt: int
    lbtot: int
    lastsess: int
    connect: int
    reuse: int
    qtime: int
    ctime: int
    rtime: int
    ttime: int
    qtime_max: int
    ctime_max: int
    rtime_max: int
    ttime_max: int


class BackendCounts(UpstreamCounts):
    """The server side of a backend or listen section."""

    __slots__ = ("chkdown", "intercepted")
    KIND = "backend"
    intercepted: int
    chkdown: int


class ServerCounts(UpstreamCounts):
    """One server line."""

    __slots__ = (
        "chkdown",
        "chkfail",
        "hanafail",
        "idle_conn_cur",
        "need_conn_est",
        "safe_conn_cur",
        "used_conn_cur",
    )
    KIND = "server"
    idle_conn_cur: int
    safe_conn_cur: int
    used_conn_cur: int
    need_conn_est: int
    chkfail: int
    chkdown: int
    hanafail: int


class ProcessCounts(Counts):
    """What `show info` sums over the process (names of its lines in lower case)."""

    __slots__ = (
        "cum_conns",
        "cum_req",
        "curr_conns",
        "dropped_logs",
        "max_conns",
        "run_queue",
        "total_bytes_out",
    )
    KIND = "process"
    curr_conns: int
    max_conns: int
    cum_conns: int
    cum_req: int
    total_bytes_out: int
    dropped_logs: int
    run_queue: int


KINDS: dict[str, type[Counts]] = {
    kind.KIND: kind for kind in (ProcessCounts, FrontendCounts, ListenerCounts, BackendCounts, ServerCounts)
}
"""By their names in rows of columns (pools/columns)."""
