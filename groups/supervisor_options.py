"""What the command line says to the supervisor beside the configuration.

Must not know: flags and their words (cli). Invariant: a value; nothing here is opened or read.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from ..core.config.model import Configuration


@dataclass(frozen=True, slots=True)
class SupervisorOptions:
    """Defaults are those of a supervisor without any flag."""

    quiet: bool = False
    master_worker: bool = False
    daemon: bool = False
    pidfile: str | None = None
    """None: the global section's."""
    control: tuple[str, ...] = ()
    """Addresses of control sockets beside those of the configuration."""
    own_control: bool = False
    """Open our own control socket too, by which `maniple reload` and its sisters find us."""
    activated: tuple[socket.socket, ...] = ()
    """Listening sockets that somebody else opened for us."""
    reload: Callable[[], tuple[Configuration | None, str]] | None = None
    """Reads the same files and flags again: the configuration, None where it has errors; and what there is to say."""
    systemd: bool = False
    """Tell the service manager how we are, where there is one (sd_notify)."""
    titles: bool = False
    """Show in the process list who is who."""
    files: tuple[str, ...] = ()
    """The configuration's, for people."""
