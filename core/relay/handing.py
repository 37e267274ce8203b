"""Even accepts: an accepted client is handed to the thread that has the fewest (`tune.listener.balance least`).

Theory. SO_REUSEPORT gives a connection to the socket that its addresses hash to: 64 long-lived clients over eight
threads leave one thread with twice the mean. The thread that accepts sees how many clients the others have (pulses).
If it has well above the fewest, the descriptor goes to that thread's *inbox*, a pair of sockets whose ends the
supervisor keeps as well: what waits for a thread that died is taken by its successor. Nothing of the client was read
yet, and closing our descriptor sends nothing, since the message holds the connection open.

"Well above" is more than the fewest + 1, or + 1/8 of it: with fewer than 16 clients each they differ by one, with many
a thread is not kept busy by handing over for a difference that nobody feels. Clients that stay for milliseconds even
themselves out, and to hand them over costs a fifth of what they cost at all: so as many as come and go in 25 ms make no
difference either. Clients that are on their way to a thread
count as its own: those that this thread has sent there less those that it has taken, or, where that is more, those
that wait in its inbox, whoever sent them. Or a burst would go to one, and all threads would pour theirs into the same.

A client that was handed over is kept, so none travels twice. Whatever goes wrong keeps the client where it is. It is
served even where a limit was reached meanwhile: a thread that pauses says so in its row, so the excess is what was on
its way in that moment.

Owns: whom a client is handed to, the message, and its reception. Must not know: how many processes there are, what a
client speaks.

Measured, the most clients of a thread over the mean, worst of 8 runs, hash / handed over. 64 clients that stay: over 2
threads 1.19 / 1.03, 4 threads 1.62 / 1.06, 8 threads 1.75 / 1.12; 1000 of them over 8: 1.11 / 1.05. With a connection
for each request (16 to 128 at a time, 2 and 4 threads) 1 to 6 % are handed over; it would be 30 to 60 % if brief ones
counted in full.

Measured (Python 3.11), added to an accept that is kept: 0.6 us with 2 threads, 0.7 with 8, 1.9 with 64; nothing where
clients are not handed over, and 0.03 where there is no other thread. The full look at 2 and 8 threads: 2.6 and 3.1, of
which 1.6 for an inbox's queue (without it the worst of 40 bursts of 64 over 8 groups on two busy CPUs gave one group
2.4 times the mean; with it 1.25); the
message there and back: 3.8.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import fcntl
import socket
import struct
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, cast

from ...pools.pulses import ACCEPTING, CONNECTIONS, HEARTBEAT, TAKEN, Pulse

if TYPE_CHECKING:
    from .acceptor import Factory
    from .relay import Relay

STALE = 1000
"""Milliseconds without a beat, after which a thread is given nothing; and after which a client that was sent to one is
not counted as on its way any more, should the count ever be wrong."""
BRIEF = 25
"""Milliseconds that a client stays at most whom it does not pay to hand over."""
PULSES = 5
"""Beats a second (runtime.PULSE)."""
AT_ONCE = 64
"""Clients taken from the inbox in one turn of the loop."""
_SIOCOUTQ = 0x5411
"""Asks for the bytes that were sent and not yet read, the kernel's own share included (linux/sockios.h)."""
_COUNT = struct.Struct("i")
_HEAD = struct.Struct("=II")
_LONGEST = 4096
_DESCRIPTORS = struct.Struct("i")

Make = Callable[[str, int], "asyncio.Protocol | None"]
"""The protocol for a client of a frontend's bind line (from 0); None where the frontend is unknown."""


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


def queued(sock: socket.socket) -> int:
    """Bytes that wait at the other end of `sock`, whoever sent them by it."""
    count = bytearray(_COUNT.size)
    fcntl.ioctl(sock.fileno(), _SIOCOUTQ, count)
    return int(_COUNT.unpack(count)[0])


class Circle:
    """The threads that accept for one bind line."""

    __slots__ = ("loads", "message", "others", "weight")

    def __init__(self, message: bytes) -> None:
        self.message = message
        self.weight = self._weigh()
        """What one message adds to `queued`; 0: unknown."""
        self.loads: Callable[[], list[int]] | None = None
        """The connections of each, this thread included; None where there is nobody else."""
        self.others: tuple[int, ...] = ()
        """Beginning with the one after this thread, so that of equals not all choose the same."""

    def _weigh(self) -> int:
        sending, receiving = open_inbox()
        with sending, receiving:
            try:
                sending.send(self.message)
                return queued(sending)
            except OSError:
                return 0


class Hander:
    """Hands clients of one thread over to others."""

    __slots__ = ("_circles", "_gone", "_inboxes", "_number", "_pulse", "_relay", "_sent", "_sent_at", "_slack")

    def __init__(self, relay: Relay, pulse: Pulse, inboxes: Inboxes) -> None:
        self._relay = relay
        self._pulse = pulse
        self._number = pulse.number
        self._inboxes = inboxes
        self._circles: dict[tuple[str, int], Circle] = {}
        self._sent: dict[int, int] = {}
        """By thread: how many it would have taken from us, had it taken all that we sent."""
        self._sent_at: dict[int, float] = {}
        self._gone = 0
        """Clients that had left by the last beat."""
        self._slack = 1
        """Clients more than the fewest that are no reason to hand one over."""

    def set_peers(self, frontend: str, bind_index: int, numbers: Sequence[int]) -> None:
        """The threads that accept for the bind line; ourselves may be among them."""
        circle = self._circle(frontend, bind_index)
        me = self._number
        others = sorted(set(numbers) - {me})
        circle.others = (*(one for one in others if one > me), *(one for one in others if one < me))
        circle.loads = self._reader(sorted({*others, me})) if others else None

    def beat(self) -> None:
        """Called with the thread's pulse, PULSES times a second."""
        relay = self._relay
        gone = relay.counts.cum_conns - relay.connections
        self._slack = max(1, (gone - self._gone) * BRIEF * PULSES // 1000)
        self._gone = gone

    def gate(self, frontend: str, bind_index: int, factory: Factory) -> Factory:
        """A factory for the listener that hands over what others should have, and gives the rest to `factory`."""
        gate = Gate(self, self._circle(frontend, bind_index), factory)

        def accepted() -> asyncio.Protocol:
            return gate if gate.circle.loads is not None else factory()

        return accepted

    def handed(self, frontend: str, bind_index: int, transport: asyncio.BaseTransport) -> bool:
        """Whether the client was handed over; its transport is to be aborted then."""
        return self.hand(self._circle(frontend, bind_index), transport)

    def hand(self, circle: Circle, transport: asyncio.BaseTransport) -> bool:
        """The same, for who has the circle."""
        read = circle.loads
        if read is None:
            return False
        # First without looking at who is able to take it: this is all that most accepts pay.
        least = min(read())
        mine = self._relay.connections + 1
        if mine <= least + self._slack or mine <= least + (least >> 3) or self._relay.draining:
            return False
        number = self._choose(circle, mine)
        if not number:
            return False
        descriptor = transport.get_extra_info("socket").fileno()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, _DESCRIPTORS.pack(descriptor))]
        try:
            self._inboxes.ends[number].sendmsg([circle.message], rights, socket.MSG_DONTWAIT)
        except (OSError, KeyError):
            # The inbox is full or has just gone, or too many descriptors are on their way.
            return False
        self._sent[number] += 1
        self._sent_at[number] = self._relay.now()
        return True

    def _choose(self, circle: Circle, mine: int) -> int:
        """The thread that a client goes to; 0: nobody has so few that it pays."""
        pulses = self._pulse.pulses
        words = pulses.words
        alive = self._relay.now() - STALE
        ends = self._inboxes.ends
        best, least = 0, mine
        for number in circle.others:
            start = pulses.start(number)
            load = words[start + CONNECTIONS]
            if load >= least or not words[start + ACCEPTING] or words[start + HEARTBEAT] < alive or number not in ends:
                continue
            pending = self._pending(number, words[start + TAKEN + self._number - 1])
            if load + pending >= least:
                continue
            load += max(pending, queued(ends[number]) // circle.weight if circle.weight else 0)
            if load < least:
                best, least = number, load
        return best if mine > least + max(self._slack, least >> 3) else 0

    def _pending(self, number: int, taken: int) -> int:
        """Clients that we sent to thread `number`, and that it has not taken yet."""
        sent = self._sent.get(number)
        if sent is None or sent < taken or (sent > taken and self._relay.now() - self._sent_at[number] > STALE):
            # Our predecessor may have sent some; and of one that died in between, one may never be counted.
            self._sent[number] = sent = taken
        return sent - taken

    def _circle(self, frontend: str, bind_index: int) -> Circle:
        key = (frontend, bind_index)
        circle = self._circles.get(key)
        if circle is None:
            circle = self._circles[key] = Circle(_HEAD.pack(self._number, bind_index) + frontend.encode())
        return circle

    def _reader(self, numbers: list[int]) -> Callable[[], list[int]]:
        """What reads the connections of these threads, in one call where they are evenly spaced, as they nearly always
        are: 0.2 us for eight threads instead of 0.9."""
        pulses = self._pulse.pulses
        places = [pulses.start(number) + CONNECTIONS for number in numbers]
        step = places[1] - places[0]
        if places == list(range(places[0], places[-1] + 1, step)):
            return pulses.words[places[0] : places[-1] + 1 : step].tolist
        words = pulses.words
        return lambda: [words[place] for place in places]


class Gate(asyncio.Protocol):
    """What an accepted client meets first. One for a listener: it remembers nothing of a client."""

    __slots__ = ("circle", "factory", "hander")

    def __init__(self, hander: Hander, circle: Circle, factory: Factory) -> None:
        self.hander = hander
        self.circle = circle
        self.factory = factory

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        client = cast(asyncio.Transport, transport)
        if self.hander.hand(self.circle, client):
            client.abort()
            return
        protocol = self.factory()
        client.set_protocol(protocol)
        protocol.connection_made(client)


class Inbox:
    """The reading end of a thread's inbox. `sock` stays the caller's."""

    __slots__ = ("_make", "_names", "_pulse", "_relay", "arriving", "sock")

    def __init__(self, relay: Relay, pulse: Pulse, sock: socket.socket, make: Make) -> None:
        self._relay = relay
        self._pulse = pulse
        self._make = make
        self._names: dict[bytes, tuple[int, int, str]] = {}
        """Messages that were read before: there are as many as bind lines and senders."""
        self.arriving = 0
        """Clients that were taken and are not in our books yet."""
        self.sock = sock
        relay.loop.add_reader(sock, self.read)

    def read(self) -> None:
        """Take the clients that wait."""
        for _ in range(AT_ONCE):
            try:
                message, ancillary, _, _ = self.sock.recvmsg(_LONGEST, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC)
            except OSError:
                return
            if not message:
                # All sending ends are closed. Without this the loop would spin.
                self.close()
                return
            self._take(message, ancillary)

    def close(self) -> None:
        """Take no more."""
        if self.sock.fileno() >= 0:
            with contextlib.suppress(OSError, RuntimeError):
                self._relay.loop.remove_reader(self.sock)

    def _take(self, message: bytes, ancillary: list[tuple[int, int, bytes]]) -> None:
        names = self._names.get(message)
        if names is None:
            sender, bind_index = _HEAD.unpack_from(message)
            names = self._names[message] = (sender, bind_index, message[_HEAD.size :].decode())
        sender, bind_index, frontend = names
        descriptors = array.array("i")
        for _, _, piece in ancillary:
            descriptors.frombytes(piece)
        if not descriptors:
            # The kernel had no descriptor for it.
            self._pulse.took(sender)
            return
        sock = socket.socket(fileno=descriptors[0])
        protocol = self._make(frontend, bind_index)
        if protocol is None:
            self._pulse.took(sender)
            sock.close()
            return
        loop = self._relay.loop
        self.arriving += 1
        Reception(self, sender, sock, loop.connect_accepted_socket(lambda: cast(Any, protocol), sock)).step()

    def received(self, sender: int) -> None:
        """The client is in our books now, or has gone: it is not on its way any more."""
        self.arriving -= 1
        self._pulse.took(sender)

    def failed(self, error: Exception) -> None:
        """The client's connection broke on the way, or its protocol has a fault."""
        if not isinstance(error, OSError):
            self._relay.failed(error)


class Reception:
    """A client that becomes a connection here. The coroutine is stepped by hand, as in relay/dial."""

    __slots__ = ("coroutine", "inbox", "sender", "sock")

    def __init__(self, inbox: Inbox, sender: int, sock: socket.socket, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.inbox = inbox
        self.sender = sender
        self.sock = sock
        self.coroutine = coroutine

    def step(self, _: object = None) -> None:
        try:
            future = self.coroutine.send(None)
        except StopIteration:
            self.inbox.received(self.sender)
        except Exception as error:
            self.inbox.received(self.sender)
            self.sock.close()
            self.inbox.failed(error)
        else:
            future._asyncio_future_blocking = False
            future.add_done_callback(self.step)
