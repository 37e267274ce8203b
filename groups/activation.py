"""Sockets that systemd opened for us (sd_listen_fds(3)): LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES.

Owns: reading the environment. Must not know: bind lines. Invariants: the descriptors themselves stay open for ever, so
`bind fd@3` finds them, and an address that only a later configuration names; what is handed out are duplicates. The
environment stays as it is: after an upgrade, the same process finds the same.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Mapping
from dataclasses import dataclass

from .sockets import ListeningSocket

FIRST = 3
"""SD_LISTEN_FDS_START."""


@dataclass(frozen=True, slots=True)
class Activation:
    """One descriptor that we were given."""

    descriptor: int
    name: str
    """FileDescriptorName of the unit; "unknown" where there is none."""


def activations(environment: Mapping[str, str]) -> list[Activation]:
    """What we were given; nothing if it is meant for another process."""
    try:
        if int(environment["LISTEN_PID"]) != os.getpid():
            return []
        count = int(environment["LISTEN_FDS"])
    except (KeyError, ValueError):
        return []
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    names += ["unknown"] * (count - len(names))
    return [Activation(FIRST + index, names[index] or "unknown") for index in range(max(0, count))]


def activated_sockets(environment: Mapping[str, str]) -> list[socket.socket]:
    """Duplicates of the stream sockets among them. What is closed, or something else, is left out."""
    found: list[socket.socket] = []
    for activation in activations(environment):
        try:
            if not stat.S_ISSOCK(os.fstat(activation.descriptor).st_mode):
                continue
            sock = ListeningSocket(fileno=os.dup(activation.descriptor))
        except OSError:
            continue
        sock.foreign = True
        if sock.type == socket.SOCK_STREAM:
            found.append(sock)
        else:
            sock.close()
    return found
