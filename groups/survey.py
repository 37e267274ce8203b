"""The state of the supervisor, as it finds it.

Owns: where each figure of a Status comes from. Must not know: who asked, how it is shown.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from .. import __version__
from .changes import Changes
from .child import Child
from .lifecycle import GenerationState
from .sockets import address_text
from .status import DrainingStatus, GroupStatus, ListenerStatus, Status, ThreadStatus

if TYPE_CHECKING:
    from .supervisor import Supervisor


def survey(supervisor: Supervisor, changes: Changes) -> Status:
    """How it is now; what processes weigh is for whoever shows it (status.weighed)."""
    succession = supervisor.succession
    current = succession.current
    state = "stopping" if supervisor.stop.begun else "reloading" if changes.busy else "running"
    listeners: dict[tuple[str, str], int] = {}
    if current is not None:
        for listener in current.foundation.listening.listeners:
            key = (listener.frontend, address_text(listener.address))
            listeners[key] = listeners.get(key, 0) + 1
    return Status(
        version=__version__,
        pid=os.getpid(),
        started=changes.started,
        now=time.time(),
        generation=0 if current is None else current.serial,
        state="starting" if current is None else state,
        files=supervisor.options.files,
        listeners=tuple(ListenerStatus(*key, count) for key, count in listeners.items()),
        groups=() if current is None else tuple(map(_group_status, current.members)),
        draining=tuple(
            DrainingStatus(
                one.serial,
                one.drains_since,
                one.deadline,
                tuple(_group_status(child) for child in one.members if child.pid),
            )
            for one in succession.generations
            if one is not current and one.state == GenerationState.GOING
        ),
        steward=supervisor.stewardship.status(),
        last_change=changes.last,
        reloads=changes.reloads,
        failed_reloads=changes.failed_reloads,
        nbthread=0 if current is None else current.placement.threads,
        maxconn=0 if current is None else current.configuration.globals.maxconn or 0,
        counts={} if current is None else succession.figures(current).process().as_dict(),
    )


def _group_status(child: Child) -> GroupStatus:
    generation = child.generation
    now = time.monotonic_ns() // 1_000_000
    process = generation.foundation.columns.shape.row("process")
    threads = []
    for local, slot in enumerate(child.slots, 1):
        row = generation.foundation.pulses.row(slot + 1)
        counts = generation.foundation.columns.read(process, slot).as_dict()
        threads.append(
            ThreadStatus(
                number=child.place.first_thread + local - 1,
                local=local,
                heartbeat_ms=now - row.heartbeat if row.heartbeat else None,
                connections=row.connections,
                requests=counts["cum_req"],
                accepting=row.accepting,
            )
        )
    return GroupStatus(
        number=child.number,
        generation=generation.serial,
        pid=child.pid,
        state=child.state.name.lower(),
        started=child.born_date,
        deaths=child.deaths,
        cpus=child.place.cpus,
        threads=tuple(threads),
    )
