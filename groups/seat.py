"""What a group is given at its fork, and nothing else of its parent's.

Must not know: what the group does with it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..core.config.model import Configuration
from ..core.relay.handing import Inboxes
from ..pools.columns import Columns
from ..pools.pulses import Pulses
from ..pools.segment import Segment
from ..pools.slots import Shares
from .messages import Channel
from .placement import GroupPlace
from .thread import Builder


@dataclass(frozen=True, slots=True)
class Seat:
    """Of one group in one generation."""

    place: GroupPlace
    configuration: Configuration
    build: Builder
    columns: Columns
    pulses: Pulses
    channel: Channel
    supervisor: int
    """The parent's process id."""
    shares: Mapping[int, Shares]
    """Each local thread's part of the limits."""
    slots: tuple[int, ...]
    """Each thread's row in the counters (from 0) and in the pulses (from 1: one more). Not its number in the whole: a
    group that drains keeps its rows while another one has its number already."""
    tables: Mapping[str, Segment] = field(default_factory=dict)
    """Stick tables by name."""
    writers: tuple[int, ...] = ()
    """Each thread's column in the stick tables."""
    inboxes: Mapping[int, socket.socket] = field(default_factory=dict)
    """Where its threads find connections that others hand to them, by local number; none where none are handed on."""
    senders: Inboxes = field(default_factory=Inboxes)
    """The other ends of all threads' inboxes, by pulse row."""
    stacks: int = -1
    """Descriptor that Python stacks are written to when the watchdog asks for them; -1: nobody asks."""
    enter: Callable[[], None] | None = None
    """Becomes the user of the configuration; called when all is built."""
    title: Callable[[str], None] | None = None
    """Shows the process's state in its title."""
    leave_streams: bool = False
    """A daemon's first groups: the streams are the starter's, who must see their end once the start is over."""
