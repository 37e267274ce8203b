"""The state of a running supervisor as a value, and as JSON.

Owns: what there is to say. Must not know: how it is found out, how it is shown to people (status_text.py). Times are
seconds since the epoch, ages in the unit that their name says. Plain values only, so that every front end (control
socket, command line, metrics) can show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class ThreadStatus:
    """One event loop. `number` counts through all groups from 1, `local` in its group."""

    number: int
    local: int
    heartbeat_ms: int | None = None
    """Since its loop last turned; None: it has not yet."""
    connections: int = 0
    """Client connections now."""
    requests: int = 0
    """In all, of this thread's column: those of the group that had it before included."""
    accepting: bool = True


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """One process that serves."""

    number: int
    generation: int
    pid: int = 0
    """0: there is none at the moment."""
    state: str = "DEAD"
    """Name of its GroupState, in lower case."""
    started: float = 0.0
    deaths: int = 0
    """Times that it died without having been told to end, in this generation."""
    cpus: tuple[int, ...] = ()
    """Empty: not pinned."""
    threads: tuple[ThreadStatus, ...] = ()
    memory: int = 0
    """Resident bytes, shared pages included."""
    cpu_seconds: float = 0.0
    """User and system time that it took."""

    @property
    def connections(self) -> int:
        return sum(thread.connections for thread in self.threads)

    @property
    def requests(self) -> int:
        return sum(thread.requests for thread in self.threads)


@dataclass(frozen=True, slots=True)
class ListenerStatus:
    """One address in service."""

    frontend: str
    address: str
    sockets: int = 1


@dataclass(frozen=True, slots=True)
class DrainingStatus:
    """An older generation whose last connections end."""

    number: int
    since: float = 0.0
    """When it was told to drain."""
    deadline: float | None = None
    """When what is left will be cut; None: never."""
    groups: tuple[GroupStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class StewardStatus:
    """The process that shares stick tables with other machines."""

    pid: int = 0
    """0: there is none at the moment."""
    started: float = 0.0
    deaths: int = 0
    sections: tuple[str, ...] = ()
    """The peers sections."""


@dataclass(frozen=True, slots=True)
class ChangeStatus:
    """The last reload, upgrade or scaling."""

    kind: str
    at: float
    ok: bool
    seconds: float = 0.0
    """That it took."""
    text: str = ""
    """What was said, above all why not."""


@dataclass(frozen=True, slots=True)
class Status:
    """All. `counts` are the process's figures as pools.counters.ProcessCounts names them, summed over all threads."""

    version: str
    pid: int
    started: float
    """Of the supervisor: when it was started, upgrades not counted."""
    now: float
    generation: int = 1
    state: str = "running"
    """starting, running, reloading or stopping."""
    files: tuple[str, ...] = ()
    listeners: tuple[ListenerStatus, ...] = ()
    groups: tuple[GroupStatus, ...] = ()
    draining: tuple[DrainingStatus, ...] = ()
    steward: StewardStatus | None = None
    """None: nothing is shared with other machines."""
    last_change: ChangeStatus | None = None
    reloads: int = 0
    failed_reloads: int = 0
    """Since the last one that succeeded."""
    nbthread: int = 0
    maxconn: int = 0
    """0: no limit."""
    counts: Mapping[str, int] = field(default_factory=dict)
    memory: int = 0
    """The supervisor's, in bytes."""
    cpu_seconds: float = 0.0

    @property
    def connections(self) -> int:
        return sum(group.connections for group in self.all_groups)

    @property
    def all_groups(self) -> tuple[GroupStatus, ...]:
        """Those that drain too."""
        return self.groups + tuple(group for generation in self.draining for group in generation.groups)

    def to_json(self) -> bytes:
        """Without line feeds. Field names are those above."""
        import orjson  # here and below: a supervisor that nobody asks does without, and starts 40 ms sooner

        return orjson.dumps(self)


def weigh(pid: int) -> tuple[int, float]:
    """Memory in bytes and CPU seconds of a process; zeros when it is gone (about 40 us)."""
    if not pid:
        return 0, 0.0
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            return process.memory_info().rss, times.user + times.system
    except psutil.Error:
        return 0, 0.0


def weighed(status: Status) -> Status:
    """The same with memory and CPU time of every process filled in."""
    memory, seconds = weigh(status.pid)
    return replace(
        status,
        memory=memory,
        cpu_seconds=seconds,
        groups=tuple(_weighed_group(group) for group in status.groups),
        draining=tuple(
            replace(generation, groups=tuple(_weighed_group(group) for group in generation.groups))
            for generation in status.draining
        ),
    )


def _weighed_group(group: GroupStatus) -> GroupStatus:
    memory, seconds = weigh(group.pid)
    return replace(group, memory=memory, cpu_seconds=seconds)
