"""Even accepts: an accepted client is handed to the thread that has the fewest (`tune.listener.balance least`).

Owns: whom a client is handed to, the message, and its reception. Must not know: how many processes there are, what a
client speaks.
"""

from __future__ import annotations

import socket


class Inboxes:
    """The sending ends of all threads' inboxes, by number of the whole. One for the threads of a process is enough."""

    __slots__ = ("ends",)

    def __init__(self) -> None:
        self.ends: dict[int, socket.socket] = {}

    def add(self, number: int, sock: socket.socket) -> None:
        """`sock` leads to the inbox of thread `number`; it is closed by `remove`, and by the next `add`."""
        self.remove(number)
        self.ends[number] = sock

    def remove(self, number: int) -> None:
        """Nothing can be handed to thread `number` any more. Unknown ones are ignored."""
        sock = self.ends.pop(number, None)
        if sock is not None:
            sock.close()


def open_inbox() -> tuple[socket.socket, socket.socket]:
    """A new inbox: the end to send to it, and the one that its thread reads. Both do not block. SOCK_SEQPACKET, because
    a queue of datagrams would hold ten messages (net.unix.max_dgram_qlen), this one some 270."""
    sending, receiving = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sending.setblocking(False)
    receiving.setblocking(False)
    return sending, receiving
