"""What must stand before a generation's first group is forked: the plan, the sockets, descriptors, counters, pulses.

Owns: the order of these, and what is said when one fails. Must not know: children, signals.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..core.config.model import Configuration
from ..core.errors import ManipleError
from ..pools.columns import Columns
from ..pools.pulses import Pulses
from ..pools.segment import Segment
from .affinity import physical_cores, usable_cpus
from .allowance import read_quota
from .listening import Listening, open_listeners
from .notices import Notices
from .placement import Placement, has_gil, place_groups
from .placement_words import PlacementWords
from .privileges import Identity, make_room, needed_descriptors, raise_descriptor_limit, wanted_identity
from .shared import create_counters, create_pulses
from .tables import Tables
from .topology import read_topology


class FoundationError(ManipleError):
    """A generation cannot be started; `lines` say why, each as an alert shows it."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(slots=True)
class Foundation:
    """All that the groups of a generation are given. `placement` and `listening` change when it is scaled."""

    placement: Placement
    listening: Listening
    counters: Segment
    columns: Columns
    pulse_segment: Segment
    pulses: Pulses
    identity: Identity = field(default_factory=Identity)
    """Who its groups become."""
    tables: Mapping[str, Segment] = field(default_factory=dict)
    """Stick tables by name; groups/tables closes them."""

    def close(self) -> None:
        """Of the segments; sockets may go on in another generation."""
        self.columns.close()
        self.counters.close()
        self.pulses.close()
        self.pulse_segment.close()


def plan(configuration: Configuration, groups: int | None = None) -> Placement:
    """The placement on this machine as it is now, with `groups` instead of what is written where that is given
    (scaling). Raises ValueError for words that contradict each other, or leave no CPU."""
    words = PlacementWords.of(configuration.globals)
    affinity = usable_cpus()
    return place_groups(
        read_topology(fallback=affinity, physical=physical_cores),
        affinity,
        words if groups is None else words.scaled(groups),
        gil=has_gil(),
        quota=read_quota(),
    )


def lay_foundation(
    configuration: Configuration,
    notices: Notices,
    numbers: Iterator[int],
    tables: Tables,
    *,
    before: Foundation | None = None,
    activated: Sequence[socket.socket] = (),
) -> Foundation:
    """Everything, or FoundationError, and then nothing new is left open. `before`: of the generation in service, whose
    sockets and tables go on; `activated`: sockets that somebody else opened for us; `numbers`: where the listeners'
    numbers come from; `tables`: all that there are."""
    kept = None if before is None else before.listening
    try:
        placement = plan(configuration)
        identity = wanted_identity(configuration.globals)
    except (ValueError, ManipleError) as error:
        raise FoundationError(f"config : {error}") from error
    for text in (*placement.warnings, *exceeded_limits(configuration, placement.threads)):
        notices.warning(text)
    for text in placement.notices:
        notices.notice(text)
    listening = listen(configuration, placement, numbers, kept=kept, activated=activated)
    for text in listening.notices:
        notices.notice(text)
    with contextlib.ExitStack() as undo:
        undo.callback(listening.close_new, kept)
        try:
            raise_descriptor_limit(needed_descriptors(configuration, len(listening.listeners)))
            counters, columns = create_counters(configuration)
            undo.callback(counters.close)
            undo.callback(columns.close)
            pulse_segment, pulses = create_pulses(configuration)
            undo.callback(pulse_segment.close)
            undo.callback(pulses.close)
            opened = tables.open(configuration, {} if before is None else before.tables)
        except (ManipleError, OSError) as error:
            raise FoundationError(f"[maniple.main()] {error}") from error
        undo.pop_all()
    return Foundation(placement, listening, counters, columns, pulse_segment, pulses, identity, opened)


def listen(
    configuration: Configuration,
    placement: Placement,
    numbers: Iterator[int],
    *,
    kept: Listening | None = None,
    activated: Sequence[socket.socket] = (),
) -> Listening:
    """The sockets for that placement, bound where they are not in `kept`. Raises FoundationError."""
    make_room(_descriptors(configuration, placement))
    listening, errors = open_listeners(configuration, placement, kept, activated, numbers=numbers)
    if errors:
        lines = [error.message for error in errors]
        if kept is None:
            lines.append("[maniple.main()] Some protocols failed to start their listeners! Exiting.")
        raise FoundationError(*lines)
    return listening


def _descriptors(configuration: Configuration, placement: Placement) -> int:
    """What the supervisor opens for a generation, at most: a socket for each thread at each address, inboxes, the ends
    of what it speaks and listens to groups by."""
    addresses = sum(
        1 + address.port_high - address.port_low
        for proxy in configuration.proxies
        for bind in proxy.binds
        for address in bind.addresses
    )
    return placement.threads * (addresses + 2) + 4 * len(placement.groups)


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
