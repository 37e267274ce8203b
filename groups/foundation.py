"""What must stand before the first group is forked: the plan, the sockets, descriptors, counters, pid file, privileges.

Owns: the order of these (sockets and limits want root, which then goes) and what is said when one fails. Must not know:
children, signals.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from ..core.config.model import Configuration
from ..core.errors import ManipleError
from ..pools.counters import Columns
from ..pools.segment import Segment
from .affinity import inherited_affinity
from .daemon import remove_pid_file, write_pid_file
from .listeners import Listener, close_listeners, open_listeners
from .notices import Notices
from .placement import Placement, has_gil, place_groups
from .privileges import drop_privileges, needed_descriptors, raise_descriptor_limit, wanted_user
from .shared import create_counters
from .topology import read_quota, read_topology


@dataclass(frozen=True, slots=True)
class Foundation:
    """All that groups inherit."""

    placement: Placement
    listeners: Sequence[Listener]
    segment: Segment
    columns: Columns


def plan(configuration: Configuration) -> Placement:
    """The placement on this machine. Raises ValueError for numbers that contradict each other."""
    spec = configuration.globals
    affinity = inherited_affinity()
    return place_groups(
        read_topology(fallback=affinity),
        affinity,
        nbgroup=spec.nbgroup,
        nbthread=spec.nbthread,
        gil=has_gil(),
        quota=read_quota(),
    )


def lay_foundation(configuration: Configuration, pidfile: str | None, notices: Notices) -> Foundation | None:
    """Everything, or None after it said what is wrong; then nothing is left open."""
    try:
        placement = plan(configuration)
        uid, gid = wanted_user(configuration.globals)
    except (ValueError, ManipleError) as error:
        notices.alert(f"config : {error}")
        return None
    for text in exceeded_limits(configuration, placement.threads):
        notices.warning(text)
    listeners, errors = open_listeners(configuration, placement)
    if errors:
        for bind_error in errors:
            notices.alert(bind_error.message)
        notices.alert("[maniple.main()] Some protocols failed to start their listeners! Exiting.")
        return None
    with contextlib.ExitStack() as undo:
        undo.callback(close_listeners, listeners)
        try:
            raise_descriptor_limit(needed_descriptors(configuration, len(listeners)))
            if pidfile:
                _write_pid_file(pidfile)
                undo.callback(remove_pid_file, pidfile)
            segment, columns = create_counters(configuration, placement.threads)
            undo.callback(segment.close)
            undo.callback(columns.close)
            drop_privileges(uid, gid)
        except (ManipleError, OSError) as error:
            notices.alert(f"[maniple.main()] {error}")
            return None
        undo.pop_all()
    return Foundation(placement, listeners, segment, columns)


def exceeded_limits(configuration: Configuration, threads: int) -> list[str]:
    """Warnings about servers' maxconn that cannot be shared out: each thread allows at least one (pools/slots)."""
    return [
        f"config : [{server.place.file}:{server.place.line}] : server '{proxy.name}/{server.name}': maxconn "
        f"{server.maxconn} is less than the {threads} threads, which share nothing: each allows 1, together {threads}. "
        "Use fewer threads (nbgroup, nbthread) to have it exact."
        for proxy in configuration.proxies
        if proxy.has_backend and not proxy.disabled
        for server in proxy.servers
        if 0 < server.maxconn < threads
    ]


def _write_pid_file(path: str) -> None:
    try:
        write_pid_file(path)
    except OSError as error:
        raise ManipleError(f"Cannot create pidfile {path} ({error.strerror}).") from error
