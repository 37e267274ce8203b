"""The steward: a process without traffic that shares stick tables with other machines.

Owns: its loop, its sections, what it says to the supervisor. Must not know: generations, when it is started; it reads
and writes tables in shared memory and knows nothing of those who count in them. User's Python does not run here.

Life: opens the tables, becomes the configured user, says READY; looks for marks LOOK times a second and tells peers; on
STOP it tells what is still to be told, for FLUSH at most, marks again what no peer has acknowledged, and ends. It ends
with the supervisor. Invariant: whatever becomes of it, groups go on; marks wait in the tables for the next one.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import time

import uvloop

from ..core.config.peers_spec import PeerSpec
from ..core.peers.section import PeersSection, RemotePeer
from ..core.peers.stored import StoredTable
from ..core.peers.summing import Summing
from ..pools.table_arrays import vacate
from .group import die_with_parent, leave_parent
from .messages import Channel, Kind, Message
from .peers_text import peers_text
from .steward_plan import SectionPlan, StewardPlan
from .tables import open_table

LOOK = 0.05
"""Seconds from one look at marks to the next. It costs 40 us for a table that has had a million entries."""
FLUSH = 0.5
_WARNING = 4


class Section:
    """One section at work."""

    def __init__(self, plan: SectionPlan, writer: int) -> None:
        """Opens the tables. Raises OSError, ValueError."""
        self.plan = plan
        self.tables: list[StoredTable] = []
        self.known = all(one.known for one in plan.tables)
        self.peers: PeersSection | None = None
        for one in plan.tables:
            for writer in plan.writers.values():
                # Makes the column known to all who sum.
                open_table(one.segment, writer).close()
            table = open_table(one.segment, writer)
            self.tables.append(
                StoredTable(table, one.name, learns_open=one.learns_open, others=plan.writers.values(), known=one.known)
            )

    async def start(self, channel: Channel) -> None:
        spec = self.plan.spec

        def vacate_writer(writer: int) -> None:
            for one in self.plan.tables:
                vacate(one.segment, writer)

        self.peers = PeersSection(
            spec.local,
            [remote for remote in map(_remote, spec.remotes) if remote is not None],
            self.tables,
            notice=lambda text: _say(channel, Message(Kind.REPORT, _WARNING, f"peers '{spec.name}': {text}")),
            learned=self.known,
            summing=Summing(self.tables, self.plan.writers, vacate_writer) if spec.sums else None,
        )
        await self.peers.start([] if self.plan.sock is None else [self.plan.sock])

    def look(self) -> bool:
        """Tells what was marked; whether the section has just learned all that peers know."""
        assert self.peers is not None
        found = [table.scan() for table in self.tables]
        if any(found):
            self.peers.push()
        if self.known or not (self.peers.resync.done or self.peers.resync.heard_all):
            return False
        # A steward after us need not learn again. We may, from a peer that is up to date.
        self.known = True
        return True

    @property
    def told(self) -> bool:
        """Whether all who are there have acknowledged everything."""
        assert self.peers is not None
        return all(
            standing.progress.acked.get(table.definition.name, 0) >= table.head
            for standing in self.peers.standings.values()
            if standing.talking
            for table in self.tables
        )

    async def stop(self) -> None:
        assert self.peers is not None
        standings = list(self.peers.standings.values())
        await self.peers.stop()
        now = time.monotonic_ns() // 1_000_000
        for table in self.tables:
            least = min((one.progress.acked.get(table.definition.name, 0) for one in standings), default=table.head)
            if least < table.head:
                table.give_back(least, now)


class Steward:
    """All sections."""

    def __init__(self, plan: StewardPlan, channel: Channel) -> None:
        self._channel = channel
        self._end = asyncio.Event()
        self._sections = [Section(one, plan.writer) for one in plan.sections]
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        for section in self._sections:
            await section.start(self._channel)
        self._loop.add_reader(self._channel.fileno(), self._hear)
        _say(self._channel, Message(Kind.READY))
        while not self._end.is_set():
            self._look()
            try:
                async with asyncio.timeout(LOOK):
                    await self._end.wait()
            except TimeoutError:
                pass
        await self._flush()
        for section in self._sections:
            await section.stop()

    def _look(self) -> None:
        for section in self._sections:
            if section.look():
                _say(self._channel, Message(Kind.LEARNED, text=section.plan.spec.name))
        if self._channel.pending:
            self._channel.flush()

    async def _flush(self) -> None:
        """What was counted before the groups heard of our end is told."""
        until = self._loop.time() + FLUSH
        self._look()
        while self._loop.time() < until and not all(section.told for section in self._sections):
            await asyncio.sleep(LOOK / 10)

    def _hear(self) -> None:
        try:
            message = self._channel.receive()
        except BlockingIOError:
            return
        if message is None or message.kind == Kind.STOP:
            self._loop.remove_reader(self._channel.fileno())
            self._end.set()
        elif message.kind == Kind.ASK:
            text = peers_text(self._sections, message.content)
            _say(self._channel, Message(Kind.DONE, text=text, ticket=message.ticket))


def _say(channel: Channel, message: Message) -> None:
    """A supervisor that does not read any more is about to end."""
    channel.send(message)


def _remote(spec: PeerSpec) -> RemotePeer | None:
    address = spec.address
    if address is None:
        return None
    if address.kind == "unix":
        return RemotePeer(spec.name, path=address.host)
    if address.kind == "abns":
        return RemotePeer(spec.name, path="\0" + address.host)
    source = None if spec.source is None else (spec.source.host, spec.source.port_low)
    return RemotePeer(spec.name, address.host, address.port_low, source=source, user_timeout=spec.tcp_ut or 0)


def run_steward(plan: StewardPlan, channel: Channel) -> int:
    """The process's whole life; its exit code."""
    # What the supervisor has, sockets above all, is not ours to clean up: their numbers are somebody else's by now.
    gc.freeze()
    leave_parent(plan.supervisor)
    # Service managers send it to everybody; the supervisor says when our end is.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if plan.title is not None:
        plan.title()

    async def live() -> None:
        steward = Steward(plan, channel)
        if plan.identity:
            plan.identity.enter()
            die_with_parent(plan.supervisor)
        await steward.run()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(live())
    return 0
