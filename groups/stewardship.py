"""Who shares stick tables with other machines: the steward's process as the supervisor has it, and what goes on from
one steward to the next.

Owns: the sockets that peers dial, the columns of peers whose counts are added up, starting the steward anew, questions
to it. Must not know: the protocol, generations.

There is one steward while the configuration in service has peers sections in use. The next one is started when the one
before has ended: two of one name would have each other's connections closed by every peer; peers that dial meanwhile
wait in the socket's queue, and marks in the tables. One whose sections, tables and sockets a reload leaves as they were
goes on. One that dies is started again with the groups' back-off; one that answers nothing for SILENT seconds is
killed.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import selectors
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ..core.config.model import Configuration
from ..core.config.peers_spec import PeersSpec
from ..pools.segment import Segment
from ..pools.table_arrays import share
from .foundation import FoundationError
from .lone_process import fork_alone
from .messages import Channel, Kind, Message
from .notices import Notices
from .peer_sockets import PeerSockets
from .peers_text import NO_PEERS
from .privileges import Identity
from .respawn import Respawn
from .status import StewardStatus
from .steering import Answer
from .steward import FLUSH, run_steward
from .steward_plan import SectionPlan, StewardPlan, sections_in_use, tables_of
from .tables import Tables
from .timetable import Timetable
from .titles import set_title

LOOK = 2.0
"""Seconds from one question whether it lives to the next."""
SILENT = 10.0
PATIENCE = 1.0
"""Seconds that an answer may take."""
_END = FLUSH + 1.0
"""Seconds that it has to end."""


class Stewardship:
    """See the module. `report(severity, text)` goes to the loggers."""

    def __init__(
        self,
        tables: Tables,
        notices: Notices,
        timetable: Timetable,
        selector: selectors.BaseSelector,
        report: Callable[[int, str], None],
    ) -> None:
        self.titles = False
        self.deaths = 0
        self.pid = 0
        self.sockets = PeerSockets()
        self.writers: dict[tuple[str, str], int] = {}
        """By section and peer."""
        self._tables = tables
        self._notices = notices
        self._timetable = timetable
        self._selector = selector
        self._report = report
        self._unlearned: set[Segment] = set()
        self._plan: StewardPlan | None = None
        """What is to be done; None: nothing."""
        self._running: StewardPlan | None = None
        self._channel: Channel | None = None
        self._ending = False
        """It was told to."""
        self._respawn = Respawn()
        self._writer = 0
        self._started = 0.0
        self._heard = 0.0
        self._tickets = itertools.count(1)
        self._answers: dict[int, Answer] = {}
        self._forsaken: list[int] = []
        """Columns of peers that are none any more, which a steward may still write to."""

    # A configuration comes.

    def made(self, segment: Segment) -> None:
        """A table is new: peers may know more of it."""
        self._unlearned.add(segment)

    def prepare(self, configuration: Configuration, tables: Mapping[str, Segment]) -> None:
        """Before its groups are forked: sockets, columns, and that their threads shall mark. Raises FoundationError,
        and then nothing has changed."""
        specs = sections_in_use(configuration)
        try:
            self.sockets.open(specs)
            new = [
                (spec.name, peer.name)
                for spec in specs
                if spec.sums
                for peer in spec.remotes
                if (spec.name, peer.name) not in self.writers
            ]
            self.writers.update(zip(new, self._tables.engage_new(len(new)), strict=True))
        except ValueError as error:
            raise FoundationError(f"[maniple.main()] peers: {error}") from error
        self._share(specs, configuration, tables)

    def _share(self, specs: Sequence[PeersSpec], configuration: Configuration, tables: Mapping[str, Segment]) -> None:
        shared = {one.segment for spec in specs for one in tables_of(spec, configuration, tables)}
        for segment in tables.values():
            share(segment, segment in shared)

    def set(self, configuration: Configuration, tables: Mapping[str, Segment], identity: Identity) -> None:
        """This configuration is in service (again): what others prepared is undone."""
        specs = sections_in_use(configuration)
        self._share(specs, configuration, tables)
        self.sockets.keep(specs)
        kept = {(spec.name, peer.name) for spec in specs if spec.sums for peer in spec.remotes}
        self._forsaken += [self.writers.pop(key) for key in list(self.writers) if key not in kept]
        self._unlearned = {segment for segment in self._unlearned if segment.fd >= 0}
        sections = tuple(self._section(spec, configuration, tables) for spec in specs)
        self._plan = StewardPlan(sections, identity) if any(one.tables for one in sections) else None
        self._tables.others = frozenset(self.writers.values())
        if self._running is None:
            self._start()
        elif self._plan != self._running:
            self._dismiss()

    def _section(self, spec: PeersSpec, configuration: Configuration, tables: Mapping[str, Segment]) -> SectionPlan:
        shared = tuple(tables_of(spec, configuration, tables))
        writers = {peer.name: self.writers[spec.name, peer.name] for peer in spec.remotes} if spec.sums else {}
        return SectionPlan(spec, shared, self.sockets.of(spec), writers)

    # The process.

    def _start(self) -> None:
        plan = self._plan
        if self.pid:
            return
        self._tables.forget(self._forsaken)
        self._forsaken = []
        if plan is None:
            return
        self._timetable.forget("steward")
        supervisor = os.getpid()
        title = (lambda: set_title("steward")) if self.titles else None
        try:
            if not self._writer:
                (self._writer,) = self._tables.engage(1)
            sections = tuple(
                replace(one, tables=tuple(replace(t, known=t.segment not in self._unlearned) for t in one.tables))
                for one in plan.sections
            )
            whole = StewardPlan(sections, plan.identity, self._writer, supervisor, title)
            ours, theirs = Channel.pair()
            kept = {segment.fd for segment in plan.segments} | {theirs.fileno()}
            kept |= {one.sock.fileno() for one in sections if one.sock is not None}
            try:
                self.pid = fork_alone(partial(run_steward, whole, theirs), kept)
            except OSError:
                ours.close()
                raise
            finally:
                theirs.close()
        except (OSError, ValueError) as error:
            self._notices.alert(f"Cannot start the steward ({error}).")
            self._timetable.at("steward", self._respawn.died(time.monotonic()), self._start)
            return
        self._running = plan
        self._channel = ours
        self._started = time.time()
        self._heard = time.monotonic()
        self._respawn.started(self._heard)
        self._selector.register(ours, selectors.EVENT_READ, self._hear)
        self._timetable.at("steward watch", self._heard + LOOK, self._look)

    def _dismiss(self) -> None:
        """It shall end; the next one, if there is one, is started then."""
        self._ending = True
        if self._channel is not None:
            self._channel.send(Message(Kind.STOP))
            self._timetable.at("steward kill", time.monotonic() + _END, self._kill)

    def _kill(self) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def child_ended(self) -> None:
        """Some child may be dead."""
        if not self.pid:
            return
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            return
        ended = self._ending
        self._gone()
        if ended:
            self._start()
            return
        self.deaths += 1
        code = os.waitstatus_to_exitcode(status)
        why = f"code {code}" if code >= 0 else f"signal {-code}"
        text = f"The steward ({pid}) ended with {why}: nothing is shared with peers until the next one is there."
        self._notices.alert(text)
        self._report(1, text)
        self._timetable.at("steward", self._respawn.died(time.monotonic()), self._start)

    def _gone(self) -> None:
        """The process is."""
        assert self._running is not None
        self._hear()
        if self._channel is not None:
            self._selector.unregister(self._channel)
            self._channel.close()
            self._channel = None
        segments = {str(number): one for number, one in enumerate(self._running.segments) if one.fd >= 0}
        self._tables.vacate(segments, (self._writer,))
        self.pid = 0
        self._running = None
        self._ending = False
        for key in ("steward kill", "steward watch"):
            self._timetable.forget(key)
        for ticket in list(self._answers):
            self._answered(ticket, "")

    def stop(self) -> None:
        """Has it end now, and waits for that."""
        self._plan = None
        self._timetable.forget("steward")
        if not self.pid:
            return
        self._dismiss()
        until = time.monotonic() + _END
        while not os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if time.monotonic() >= until:
                self._kill()
            time.sleep(0.002)
        os.waitpid(self.pid, 0)
        self._gone()

    def close(self) -> None:
        """Nobody serves any more."""
        self.stop()
        self.sockets.close()

    def forget(self) -> None:
        """In a forked group: closes what is the supervisor's alone."""
        if self._channel is not None:
            self._channel.close()
        self.sockets.forget()

    # What it says, and is asked.

    def _hear(self) -> None:
        while self._channel is not None:
            try:
                message = self._channel.receive()
            except BlockingIOError:
                return
            if message is None:
                # Its exit code comes with SIGCHLD.
                self._selector.unregister(self._channel)
                self._channel.close()
                self._channel = None
                return
            self._heard = time.monotonic()
            if message.kind == Kind.DONE:
                self._answered(message.ticket, message.text)
            elif message.kind == Kind.REPORT:
                self._notices.warning(message.text)
                self._report(message.number, message.text)
            elif message.kind == Kind.LEARNED:
                for section in () if self._running is None else self._running.sections:
                    if section.spec.name == message.text:
                        self._unlearned.difference_update(table.segment for table in section.tables)

    def _look(self) -> None:
        now = time.monotonic()
        self._timetable.at("steward watch", now + LOOK, self._look)
        if now - self._heard >= SILENT:
            self._notices.alert(f"The steward ({self.pid}) has not answered for {SILENT:.0f} s: it is killed.")
            self._kill()
        elif self._channel is not None:
            self._channel.send(Message.of(Kind.ASK, []))

    def show(self, words: Sequence[str], answer: Answer) -> None:
        """`show peers`."""
        if self._channel is None:
            answer.finish(NO_PEERS if words else "")
            return
        ticket = next(self._tickets)
        self._answers[ticket] = answer
        self._channel.send(Message.of(Kind.ASK, list(words), ticket=ticket))
        self._timetable.at(("steward", ticket), time.monotonic() + PATIENCE, lambda: self._answered(ticket, ""))

    def _answered(self, ticket: int, text: str) -> None:
        self._timetable.forget(("steward", ticket))
        answer = self._answers.pop(ticket, None)
        if answer is None:
            return
        if text and text != NO_PEERS:
            answer.line(text)
            answer.end()
        else:
            answer.finish(text or "The steward does not answer.")

    def status(self) -> StewardStatus | None:
        """None: there is none, and none is to come."""
        if self._plan is None and not self.pid:
            return None
        sections = () if self._plan is None else tuple(one.spec.name for one in self._plan.sections)
        return StewardStatus(self.pid, self._started if self.pid else 0.0, self.deaths, sections)

    # Upgrades.

    def write(self) -> dict[str, Any]:
        """What the next program goes on with."""
        return {"writers": [[*key, writer] for key, writer in self.writers.items()], "sockets": self.sockets.write()}

    def read(self, found: Mapping[str, Any]) -> None:
        """The inverse."""
        self.writers = {(section, peer): writer for section, peer, writer in found.get("writers", ())}
        self._tables.claim(self.writers.values())
        self._tables.others = frozenset(self.writers.values())
        self.sockets.read(found.get("sockets", ()))
