"""One server as one thread sees it: its state, its load, who waits for it, its connections.

Owns: the server's state and what follows from it. Must not know: the other servers, algorithms, sockets.

A server is *usable* when requests may be sent to it: it is up and not in maintenance. It is *eligible* for balancing
when moreover it is not draining and has a weight; a draining server still serves those that persistence sends to it.

Invariants: `usable` and `eligible` are derived by `settle`, never set from outside; served >= 0. Only the backend
changes state, weight, `served` and `waiting`: its sums depend on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from sys import maxsize
from typing import TYPE_CHECKING, Any

from ...pools.connections import ConnectionPool
from ...pools.counters import ServerCounts
from ...pools.halflife import HalfLife, PurgeDelay
from ...pools.slots import dynamic_limit, share
from ...pools.waiting import WaitingQueue
from ..config.model import Address, ServerSpec

if TYPE_CHECKING:
    from .backend import Backend

ANYWHERE = ("", "0.0.0.0", "::")
"""Hosts of server lines that stand for the client's destination."""
WEIGHT_SCALE = 16
"""An effective weight is the user's times this, so that a server that warms up can have a fraction of a weight."""
DEFAULT_BATCHES = 10
"""Batches of a half-life, where `pool-purge-batches` is not set."""
LEAST_INTERVAL = 200
"""Milliseconds between two looks at the pools (the runtime's pulse). Batches that follow each other faster would be
missed, and the half-life become longer than what is written: a short one has fewer batches instead."""


def make_pool(spec: ServerSpec, strategy: str, parts: int = 1, index: int = 0) -> ConnectionPool[Any]:
    """The pool that a server line asks for, with the thread's share (`index` of `parts`) of its limits.
    `pool-half-life` chooses the half-life; else `pool-purge-delay` rules, of which 0 keeps no idle connection."""
    least = _portion(spec.pool_min, parts, index)
    most = spec.pool_max if spec.pool_max < 0 else _portion(spec.pool_max, parts, index)
    low = _portion(spec.pool_low, parts, index)
    eviction: HalfLife | PurgeDelay | None = None
    if spec.pool_half_life:
        batches = spec.pool_purge_batches or DEFAULT_BATCHES
        eviction = HalfLife(spec.pool_half_life, min(batches, max(1, spec.pool_half_life // LEAST_INTERVAL)), least)
    elif spec.pool_purge_delay > 0:
        eviction = PurgeDelay(spec.pool_purge_delay, least)
    else:
        most = 0
    # One server line, many places: a connection to one must not serve a request for another.
    reuse = 0 if floats(spec.address) else spec.max_reuse
    return ConnectionPool(strategy, maximum=most, minimum=least, low=low, max_reuse=reuse, eviction=eviction)


def floats(address: Address) -> bool:
    """Does the client's destination, which rules may change, say where connections to this server line go: its address
    (`0.0.0.0`), its port (none, or an offset), or both (manual 5.2: server)?"""
    inet = address.kind in ("inet", "inet6")
    return inet and (address.host in ANYWHERE or address.port_offset or not address.port_low)


def _portion(number: int, parts: int, index: int) -> int:
    """Other than a share of a limit on requests this may be 0: then this thread keeps none, and the sum is exact."""
    return number // parts + (index < number % parts)


class Server:
    """A server line in service. `numbers`: the counter of arrivals that the backend's queues share. `parts`, `part`:
    the number of threads and this thread's place among them (from 0), to share the limits."""

    __slots__ = (
        "backend",
        "backup",
        "balanced",
        "ceiling",
        "chosen",
        "counts",
        "draining",
        "eligible",
        "eweight",
        "floating",
        "index",
        "maintenance",
        "maxconn",
        "maxqueue",
        "minconn",
        "name",
        "parts",
        "peak",
        "pool",
        "served",
        "sessions",
        "spec",
        "up",
        "usable",
        "waiting",
        "weight",
    )

    def __init__(
        self,
        spec: ServerSpec,
        index: int,
        backend: Backend,
        counts: ServerCounts,
        numbers: Iterator[int],
        parts: int = 1,
        part: int = 0,
    ) -> None:
        self.spec = spec
        self.name = spec.name
        self.index = index
        """Place in the backend, from 0."""
        self.backend = backend
        self.counts = counts
        self.backup = spec.backup
        self.floating = floats(spec.address)
        self.parts = (parts, part)
        self.maxconn = 0
        """Requests at a time, in this thread; 0: no limit."""
        self.minconn = 0
        """Lowest limit while the backend is not full; 0: the limit is always maxconn."""
        self.ceiling = 0
        """With fewer requests than this there is a free slot for sure; with as many, `saturated` knows. So that the
        usual question is one comparison: `server.served < server.ceiling or not server.saturated()`."""
        self.set_limits(spec.maxconn, spec.minconn)
        self.maxqueue = share(spec.maxqueue, parts, part)
        """Requests that may wait for it, in this thread; 0: no limit."""
        self.weight = spec.weight
        self.eweight = spec.weight * WEIGHT_SCALE
        self.served = 0
        """Requests that hold a slot."""
        self.peak = 0
        """The highest `served` so far."""
        self.sessions = 0
        """Requests that took a slot so far; only kept where somebody asks (Backend.count_sessions)."""
        self.chosen = 0
        """How often the algorithm chose it."""
        self.waiting: WaitingQueue[Any] = WaitingQueue(numbers)
        self.pool: ConnectionPool[Any] = make_pool(spec, backend.spec.http_reuse, parts, part)
        self.up = True
        self.maintenance = spec.disabled
        self.draining = False
        self.usable = False
        self.eligible = False
        self.balanced = False
        """It is one of those that the algorithm chooses from now: the backend's business."""
        self.settle()

    def settle(self) -> bool:
        """Derives `usable` and `eligible` after a change of state or weight; True if one of them changed."""
        usable = self.up and not self.maintenance
        eligible = usable and not self.draining and self.eweight > 0
        changed = (usable, eligible) != (self.usable, self.eligible)
        self.usable = usable
        self.eligible = eligible
        self.pool.set_keeping(not self.maintenance)
        return changed

    def set_limits(self, maxconn: int, minconn: int = 0) -> None:
        """The limits of the whole process, of which this thread takes its share. The backend's `resume` follows."""
        parts, part = self.parts
        self.maxconn = share(maxconn or minconn, parts, part)
        self.minconn = share(minconn, parts, part) if minconn < maxconn else 0
        self.ceiling = self.minconn or self.maxconn or maxsize

    def deal(self, part: int, parts: int) -> None:
        """This thread is `part` (from 0) of `parts` from now on. Who is served beyond a limit that has shrunk goes on;
        what the pool holds beyond its own is left to eviction. The backend's `resume` follows."""
        self.parts = (parts, part)
        spec = self.spec
        self.set_limits(spec.maxconn, spec.minconn)
        self.maxqueue = share(spec.maxqueue, parts, part)
        most = spec.pool_max if spec.pool_max < 0 else _portion(spec.pool_max, parts, part)
        self.pool.set_limits(most, _portion(spec.pool_min, parts, part), _portion(spec.pool_low, parts, part))
        self.pool.set_keeping(not self.maintenance)

    def limit(self) -> int:
        """Requests at a time now; 0: no limit."""
        if not self.minconn:
            return self.maxconn
        backend = self.backend
        return dynamic_limit(self.maxconn, self.minconn, backend.served + backend.queued, backend.full)

    def saturated(self) -> bool:
        """No slot is free, or somebody waits for the next one."""
        if not self.maxconn:
            return False
        limit = self.limit() if self.minconn else self.maxconn
        return self.served >= limit or self.waiting.length > 0

    def refresh_counts(self) -> None:
        """Copies the figures about now into the counts, before they are published."""
        counts = self.counts
        pool = self.pool
        counts.scur = self.served
        counts.smax = self.peak
        counts.lbtot = self.chosen
        counts.qcur = len(self.waiting)
        counts.idle_conn_cur = pool.idle_count
        counts.safe_conn_cur = pool.safe_count
        counts.used_conn_cur = pool.used_count
        counts.need_conn_est = pool.needed
        counts.connect = pool.connect_count
        counts.reuse = pool.reuse_count

    def __repr__(self) -> str:
        state = "maintenance" if self.maintenance else "down" if not self.up else "drain" if self.draining else "up"
        limit = self.limit()
        return (
            f"<Server {self.backend.name}/{self.name} {state}: {self.served}/{limit or 'unlimited'} served, "
            f"{len(self.waiting)} waiting>"
        )
