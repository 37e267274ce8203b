"""The end of a listening socket: no connection arrives any more, and those in its queue can still be accepted.

Theory. Closing a listening socket resets what is in its queue. So an address that is not served any more is refused
first, its queue is accepted, and then it is closed. Measured: with the filter on, a client that had connected is
accepted, and a new one gets no answer until the socket closes, when its next SYN is refused (TCP sends it again after a
second, so a client that comes in between waits that long for its refusal). A unix socket that is shut down for reading
refuses at once and goes on to hand out its queue.

Owns: both ways, and the length of queues. Must not know: who listens. Invariant: a socket that somebody else goes on to
use is left alone, since it is the socket that refuses, not our descriptor of it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct

from ..core.net.unix_facts import leads_to, unix_facts
from .filters import drop_new_connections
from .sockets import bound_path, is_foreign

_UNACKED = 24
"""Where tcpi_unacked stands in struct tcp_info; of a listening socket: the connections in its queue."""


def refuse_new(sock: socket.socket) -> None:
    """No connection can arrive any more; those in the queue stay acceptable. The path of a unix socket goes, if it
    leads to this socket. Nothing where another process goes on to use it. Raises OSError."""
    if is_foreign(sock):
        return
    if sock.family != socket.AF_UNIX:
        drop_new_connections(sock)
        return
    path = bound_path(sock)
    if path and leads_to(path, sock):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    sock.shutdown(socket.SHUT_RD)


def queue_length(sock: socket.socket) -> int:
    """Connections in the queue; -1: unknown."""
    if sock.family == socket.AF_UNIX:
        return unix_facts(sock).queue
    try:
        facts = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _UNACKED + 4)
    except OSError:
        return -1
    return int(struct.unpack_from("I", facts, _UNACKED)[0])
