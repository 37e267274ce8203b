"""A peers section at work: dials and accepts, keeps one connection to each peer, and has them talk.

Owns: connections, when to dial, collisions, the clock. Must not know: messages (conversation), how tables are stored.
asyncio only here. For a process that does nothing else of weight: it is never on the path of a request.

Both sides of a pair dial. Whoever accepts a peer to which it has a connection already (or is dialling) closes the older
one and keeps the new; when both did that at the same time both connections are gone, and each waits a random time
before it dials again, so that one is first (as HAProxy does it). A peer that refuses version 2.1 is dialled with 2.0.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import cast

from .conversation import Conversation, Listener, Pace, Phase
from .hello import Status
from .resync import Resync
from .sharing import Progress, SharedTable
from .summing import Summing

_ROOM = 65536
"""Bytes that are made at a time."""


@dataclass(frozen=True, slots=True)
class RemotePeer:
    """Another proxy. `host` numeric; "" with the path of a unix socket in `path`. `source`: the address to dial from,
    numeric, and port (0: any); `user_timeout`: TCP_USER_TIMEOUT, ms, 0 for the kernel's."""

    name: str
    host: str = ""
    port: int = 0
    path: str = ""
    source: tuple[str, int] | None = None
    user_timeout: int = 0


@dataclass(frozen=True, slots=True)
class Retry:
    """When one dials again, ms: a random time from `low` to `high` after a connection was lost, and after attempts that
    failed twice as long each time, `most` at most. `connect`: how long an attempt may take."""

    low: int = 50
    high: int = 2050
    most: int = 5000
    connect: int = 5000


PACE = Pace()
RETRY = Retry()


@dataclass(slots=True)
class Standing:
    """One peer as the section has it. The counts are for statistics."""

    peer: RemotePeer
    progress: Progress = field(default_factory=Progress)
    link: Link | None = None
    """The connection there is, or that is coming to be."""
    dialling: asyncio.Task[None] | None = None
    due: int = 0
    """When to dial, ms."""
    failures: int = 0
    minor: int = 1
    connected: int = 0
    collisions: int = 0
    heartbeats: int = 0
    learned: int = 0
    told: int = 0
    last: str = ""
    """Why the connection before ended."""

    @property
    def talking(self) -> bool:
        return self.link is not None and self.link.conversation.phase is Phase.TALKING


class Link(asyncio.Protocol):
    """One connection."""

    __slots__ = ("_paused", "_section", "conversation", "standing", "transport")

    def __init__(self, section: PeersSection, standing: Standing | None) -> None:
        """`standing`: who is dialled; None: whoever dials us."""
        self._section = section
        self._paused = False
        self.standing = standing
        self.transport: asyncio.Transport | None = None
        self.conversation = section.converse(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asserted: uvloop's are none by their classes.
        self.transport = transport = cast("asyncio.Transport", transport)
        self._section.links.add(self)
        if self.standing is not None and self.standing.peer.user_timeout:
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self.standing.peer.user_timeout)
        if self.conversation.over:
            # Somebody else has taken its place meanwhile. A greeting would end that one's connection.
            transport.abort()
        else:
            self.pump()

    def data_received(self, data: bytes) -> None:
        self.conversation.receive(data, self._section.now())
        self._section.heard(self)
        self.pump()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self.pump()

    def pump(self) -> None:
        """Sends what there is to say, one helping a turn of the loop; closes when it is over."""
        transport = self.transport
        if transport is None or transport.is_closing() or (self._paused and not self.conversation.over):
            return
        data = self.conversation.produce(self._section.now(), _ROOM)
        if data:
            transport.write(data)
        if self.conversation.over:
            transport.close()
        elif len(data) >= _ROOM:
            self._section.loop.call_soon(self.pump)

    def connection_lost(self, error: Exception | None) -> None:
        self.conversation.end(str(error) if error else "it has closed the connection")
        self._section.links.discard(self)
        self._section.lost(self)

    def close(self, reason: str) -> None:
        """Ends it at once, from our side, and says nothing more."""
        self.conversation.end(reason)
        if self.transport is not None:
            self.transport.close()


class PeersSection:
    """See the module. `now()` in ms."""

    def __init__(
        self,
        local: str,
        peers: Sequence[RemotePeer],
        tables: Sequence[SharedTable],
        *,
        notice: Callable[[str], None],
        pace: Pace = PACE,
        retry: Retry = RETRY,
        tick: int = 100,
        expects_local: bool = False,
        process: int = 0,
        learned: bool = False,
        summing: Summing | None = None,
    ) -> None:
        """`local`: our own name, which is not among `peers`; `notice` is told what people should know; `tick`: ms
        between two looks at times and tables; `expects_local`: an old process of that name will dial and tell all;
        `learned`: the tables know what peers know; `summing`: they are shared in parts."""
        self.loop = asyncio.get_running_loop()
        self.local = local
        self.tables = tuple(tables)
        self.standings = {peer.name: Standing(peer) for peer in peers}
        self.links: set[Link] = set()
        # Parts are asked for by whoever meets a new instance (conversation).
        done = learned or summing is not None
        self.resync = Resync(self.now(), local=expects_local, choose=random.choice, done=done)
        self._summing = summing
        self._notice = notice
        self._pace = pace
        self._retry = retry
        self._tick_time = tick
        self._process = process
        self._servers: list[asyncio.Server] = []
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    def now(self) -> int:
        """The tables' clock, ms. Not the loop's time, which may be older than an entry that is looked at."""
        return time.monotonic_ns() // 1_000_000

    async def start(self, sockets: Iterable[socket.socket] = ()) -> None:
        """Accepts on bound sockets, and dials."""
        for each in sockets:
            self._servers.append(await self.loop.create_server(lambda: Link(self, None), sock=each))
        self._tick()

    async def stop(self) -> None:
        """Closes everything."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        for server in self._servers:
            server.close()
        for link in list(self.links):
            link.close("we stop")
        tasks = [each.dialling for each in self.standings.values() if each.dialling is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()

    def push(self) -> None:
        """Tables have changed: tells all who listen. Without it they are told by the next tick."""
        for link in list(self.links):
            link.pump()

    # What happens.

    def _tick(self) -> None:
        if self._stopped:
            return
        now = self.now()
        for link in list(self.links):
            link.conversation.tick(now)
            link.pump()
        for standing in self.standings.values():
            if standing.link is None and standing.dialling is None and now >= standing.due:
                standing.dialling = self.loop.create_task(self._dial(standing))
        self._learn(now)
        if self._summing is not None:
            self._summing.tick(now, [name for name, each in self.standings.items() if each.talking])
        self._timer = self.loop.call_later(self._tick_time / 1000, self._tick)

    def _learn(self, now: int) -> None:
        name = self.resync.next(now, [name for name, each in self.standings.items() if each.talking])
        if name:
            link = self.standings[name].link
            assert link is not None
            link.conversation.ask()
            link.pump()

    async def _dial(self, standing: Standing) -> None:
        peer = standing.peer
        standing.link = link = Link(self, standing)
        try:
            async with asyncio.timeout(self._retry.connect / 1000):
                if peer.path:
                    await self.loop.create_unix_connection(lambda: link, peer.path)
                else:
                    await self.loop.create_connection(lambda: link, peer.host, peer.port, local_addr=peer.source)
        except (OSError, TimeoutError) as error:
            link.conversation.end(str(error) or "no connection in time")
            if standing.link is link:
                self._free(standing, link)
        finally:
            standing.dialling = None

    def converse(self, link: Link) -> Conversation:
        """The conversation of a new connection."""
        standing = link.standing
        return Conversation(
            self.local,
            self.tables,
            Listener(
                greeted=lambda name: self._greeted(link, name),
                talking=lambda: self._talking(link),
                asked=lambda: None,
                taught=lambda full: self._taught(link, full),
                notice=lambda text: self._notice(f"peer {link.conversation.remote!r}: {text}"),
            ),
            self.now(),
            remote="" if standing is None else standing.peer.name,
            progress=lambda name: self.standings[name].progress if name in self.standings else Progress(),
            complete=lambda: self.resync.done,
            minor=1 if standing is None else standing.minor,
            process=self._process,
            pace=self._pace,
            shares=self._summing,
        )

    def _greeted(self, link: Link, name: str) -> Status:
        if name == self.local:
            ours = any(other.conversation.remote == name for other in self.links if other is not link)
            return Status.AGAIN if ours else Status.ACCEPTED
        standing = self.standings.get(name)
        if standing is None:
            return Status.PEER
        before = standing.link
        if before is not None and before is not link:
            if before.conversation.phase is not Phase.OVER:
                standing.collisions += 1
            standing.link = link
            before.close("it has dialled us")
        link.standing = standing
        standing.link = link
        return Status.ACCEPTED

    def _talking(self, link: Link) -> None:
        if link.standing is not None:
            link.standing.connected += 1
            link.standing.failures = 0
            self._learn(self.now())

    def _taught(self, link: Link, full: bool) -> None:
        name = link.conversation.remote
        if self._summing is not None:
            self._summing.taught(name)
        self.resync.taught(name, full, self.now(), local=name == self.local)
        self._learn(self.now())

    def heard(self, link: Link) -> None:
        """Bytes came."""
        if link.standing is not None:
            self.resync.heard(link.standing.peer.name, self.now())

    def lost(self, link: Link) -> None:
        """The connection is over."""
        standing = link.standing
        if standing is None:
            return
        conversation = link.conversation
        standing.heartbeats += conversation.heartbeats
        standing.learned += conversation.incoming.updates
        standing.told += conversation.outgoing.updates if conversation.outgoing else 0
        if standing.link is link:
            self._free(standing, link)

    def _free(self, standing: Standing, link: Link) -> None:
        """There is no connection to that peer: dials again later."""
        now, conversation = self.now(), link.conversation
        downgrade = conversation.refused == Status.VERSION and standing.minor == 1
        standing.minor = 0 if downgrade else 1
        if conversation.refused and not downgrade and standing.last != conversation.over:
            # Told once, not with every attempt.
            self._notice(f"peer {standing.peer.name!r}: {conversation.over}")
        standing.link = None
        standing.last = conversation.over
        wait = random.randint(self._retry.low, self._retry.high)
        if conversation.outgoing is None:
            standing.failures += 1
            wait = min(wait << min(standing.failures - 1, 16), self._retry.most)
        standing.due = now + wait
        self.resync.lost(standing.peer.name, now)
