"""A generation: one configuration in service, with its groups, its sockets' assignment, and the rows of its threads.

Owns: who of its groups is there, and what they are told when that changes. Must not know: reloads, signals, when a
group is forked.

Invariants: a slot (a row of the segments) has one thread; it is free again when that thread's process is dead. A group
that comes is told, in this order: states of servers, changes of patterns, who hands to whom, its sockets, whether to
pause, GO.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence

from ..core.config.model import Configuration
from ..core.rules.pattern_changes import write_changes
from .assignment import Assignment, Order
from .child import Child
from .dealing import deal, write_deal
from .filters import distribute_by_cpu
from .foundation import Foundation
from .inbox_ends import InboxEnds
from .lifecycle import GenerationLife, GenerationState, GroupState
from .listening import Listener, Listening
from .messages import MAX_DESCRIPTORS, Channel, Kind, Message
from .pattern_book import PatternBook
from .placement import GroupPlace, Placement
from .processes import Processes
from .seat import Seat
from .shared import Slots
from .tables import Tables
from .thread import Builder
from .titles import group_title, set_title

ServerChange = tuple[str, str, str | None, str | None]
"""Backend, server, state, weight; None: as it was."""

DEFAULT_BALANCE = "least"
"""`tune.listener.balance`, where it is not written: 64 lasting clients over 8 groups give the fullest one 1.1 times the
mean, with `hash` 1.7 times, for 0.6 us an accept (maniple bench --accepts)."""


class Generation:
    """One generation. `serial` counts from 1 over the supervisor's life."""

    def __init__(
        self,
        serial: int,
        configuration: Configuration,
        foundation: Foundation,
        build: Builder,
        processes: Processes,
        tables: Tables,
    ) -> None:
        self.serial = serial
        self.configuration = configuration
        self.foundation = foundation
        self.life = GenerationLife()
        self.patterns = PatternBook(configuration)
        self.built: set[Child] = set()
        self.slots = Slots()
        self.children: dict[int, Child] = {}
        self.leaving: list[Child] = []
        """Groups that were scaled away and have not ended yet."""
        self._build = build
        self._processes = processes
        self._tables = tables
        self._assignment = Assignment(owners_of(foundation.listening))
        self._listeners = {listener.number: listener for listener in foundation.listening.listeners}
        balance = configuration.globals.tune.listener_balance or DEFAULT_BALANCE
        self._handing = balance == "least"
        self.steers = balance == "cpu"
        """The kernel gives connections to the group of the CPU that they arrive on."""
        self.planned: tuple[Placement, Listening] = (foundation.placement, foundation.listening)
        """What groups that are new shall find when they are admitted."""
        self._inboxes = InboxEnds()
        self.asked_groups = 0
        """How many an operator asked for at run time; 0: nobody did."""
        self.outlived = 0
        """Reloads since it began to drain."""
        self.drains_since = 0.0
        """When its groups were told to drain, in seconds since the epoch; 0: they were not."""
        self.deadline: float | None = None
        """When what is left of it will be cut (`hard-stop-after`), on the same clock; None: never."""
        self.inherited = False
        """Another program made it: its groups cannot be started again."""

    @property
    def state(self) -> GenerationState:
        return self.life.state

    @property
    def placement(self) -> Placement:
        return self.foundation.placement

    @property
    def members(self) -> list[Child]:
        """All its groups, those that leave included."""
        return [*self.children.values(), *self.leaving]

    @property
    def over(self) -> bool:
        """No process is left, and none is to come."""
        return not any(child.pid or child.due is not None for child in self.members)

    @property
    def settled(self) -> bool:
        """Nobody is awaited, and somebody accepts."""
        states = {child.state for child in self.members}
        return GroupState.READY in states and GroupState.STARTING not in states

    def kill(self) -> None:
        for child in self.members:
            child.kill()

    def add(self, place: GroupPlace) -> Child:
        """A group more; it is not forked yet. Raises ValueError when there are too many, OSError when there are no
        descriptors for it; and then it is not there."""
        slots = self.slots.take(place.threads)
        try:
            writers = self._tables.engage(place.threads) if self.foundation.tables else ()
        except ValueError:
            self.slots.free(slots)
            raise
        child = Child(place, self, slots, writers)
        self.foundation.columns.used = self.slots.highest
        self.foundation.pulses.use(self.slots.highest)
        if self._handing:
            rows = [slot + 1 for slot in child.slots]
            try:
                self._inboxes.open(rows)
            except OSError:
                self.slots.free(child.slots)
                self._tables.dismiss(child.writers)
                raise
            for row in rows:
                # Who is there already cannot have inherited it.
                for other in self.members:
                    self._processes.say(other, Message(Kind.INBOX, row), (self._inboxes.sending(row),))
        self.children[place.number] = child
        return child

    def drop(self, child: Child) -> None:
        """A group less: it may go on as long as it lives, but its number is free."""
        del self.children[child.number]
        if child.pid:
            self.leaving.append(child)
        else:
            self._vacate(child)

    def _vacate(self, child: Child) -> None:
        """Its rows and inboxes are free."""
        self.slots.free(child.slots)
        self._tables.dismiss(child.writers)
        for slot in child.slots:
            if self._inboxes.close(slot + 1):
                for other in self._present():
                    self._processes.say(other, Message(Kind.INBOX, slot + 1))

    def forget(self, *, own: bool) -> None:
        """In a forked group, of this generation (`own`) or another: closes what it is given by message, or not at
        all."""
        for listening in (self.foundation.listening, self.planned[1]):
            listening.close()
        if not own:
            self.close()

    def take_in(self, child: Child, *, leaving: bool) -> None:
        """A group that runs already, and accepts where it has been told to."""
        self.slots.claim(child.slots)
        if leaving:
            self.leaving.append(child)
        else:
            self.children[child.number] = child
        if child.state == GroupState.READY:
            self._assignment.join(child.number, child.place.threads)
        self._processes.adopt(child)

    def seat(
        self, child: Child, channel: Channel, stacks: int, supervisor: int, *, leave_streams: bool, titles: bool
    ) -> Seat:
        """What the group is given, to be called in its process, once."""
        place = child.place
        # A newcomer's place is in what is planned only.
        there = any(one.number == place.number for one in self.placement.groups)
        placement, listening = (self.placement, self.foundation.listening) if there else self.planned
        inboxes, senders = self._inboxes.hand_out({slot + 1: local for local, slot in enumerate(child.slots, 1)})
        return Seat(
            place=place,
            configuration=self.configuration,
            build=self._build,
            columns=self.foundation.columns,
            pulses=self.foundation.pulses,
            channel=channel,
            supervisor=supervisor,
            shares=deal(placement, listening.listeners)[place.number],
            slots=child.slots,
            tables=self.foundation.tables,
            writers=child.writers,
            inboxes=inboxes,
            senders=senders,
            stacks=stacks,
            enter=self.foundation.identity.enter if self.foundation.identity else None,
            title=(lambda state: set_title(group_title(place.number, state))) if titles else None,
            leave_streams=leave_streams,
        )

    def admit(self, members: Sequence[Child], servers: Sequence[ServerChange], *, paused: bool) -> None:
        """These groups have built: they may accept."""
        self._settle(members, servers, [], paused=paused)

    def resettle(
        self,
        placement: Placement,
        listening: Listening,
        newcomers: Sequence[Child],
        servers: Sequence[ServerChange],
        *,
        paused: bool,
    ) -> None:
        """Other groups, other owners of the sockets (which listen already); newcomers are admitted."""
        self.foundation.placement = placement
        self.foundation.listening = listening
        self._listeners = {listener.number: listener for listener in listening.listeners}
        self._settle(newcomers, servers, self._assignment.serve(owners_of(listening)), paused=paused)
        self.steer()

    def _settle(
        self, members: Sequence[Child], servers: Sequence[ServerChange], before: Iterable[Order], *, paused: bool
    ) -> None:
        say = self._processes.say
        changes = [change for change in servers if self.has_server(change)]
        orders = {(order.group, order.listener): order for order in before}
        patterns = self.patterns.changes()
        for child in members:
            if changes:
                say(child, Message.of(Kind.SERVER, changes))
            if patterns:
                say(child, Message.of(Kind.PATTERNS, [[0, 0, write_changes(patterns)]]))
            # What falls to a group only until the next one is there is not even said.
            for order in self._assignment.join(child.number, child.place.threads):
                orders[order.group, order.listener] = order
        self._tell_peers(self._present())
        self._carry_out(orders.values())
        for child in members:
            if paused:
                say(child, Message(Kind.PAUSE))
            say(child, Message(Kind.GO))

    def forsake(self, child: Child) -> None:
        """The group accepts no more: it is dead, does not turn, or is about to be told to drain."""
        orders = self._assignment.leave(child.number)
        self._tell_peers(self._present())
        self._carry_out(orders)

    def welcome_back(self, child: Child) -> None:
        """A group that did not turn does so again."""
        self._carry_out(self._assignment.join(child.number, child.place.threads))
        self._tell_peers(self._present())

    def steer(self, *, end: bool = False) -> None:
        """Has the kernel steer connections by CPU, or (`end`) hash them again. What it refuses is hashed: that serves
        as well."""
        if not (self.steers or end):
            return
        places = {place.number: place for place in self.placement.groups}
        for members in self.foundation.listening.sets():
            by_cpu: dict[int, list[int]] = {}
            for index, listener in enumerate(members):
                owners = listener.owners if self.steers else ()
                for cpu in {cpu for group, thread in owners for cpu in places[group].cpus_of(thread)}:
                    by_cpu.setdefault(cpu, []).append(index)
            with contextlib.suppress(OSError):
                distribute_by_cpu([listener.sock for listener in members], by_cpu)

    def deals(self) -> Callable[[Child], Message]:
        """For each group the message that says its part of the limits."""
        dealt = deal(self.placement, self._listeners.values())
        return lambda child: Message.of(Kind.DEAL, write_deal(dealt[child.number]))

    def dead(self, child: Child) -> None:
        """Its process is gone: what its threads had counted stays, their rows are for their successors."""
        for slot in child.slots:
            self.foundation.columns.retire(slot)
            self.foundation.pulses.clear(slot + 1)
        self._tables.vacate(self.foundation.tables, child.writers)
        self.built.discard(child)
        if child in self.leaving:
            self.leaving.remove(child)
            self._vacate(child)
        elif self.state in (GenerationState.COMING, GenerationState.SERVING):
            self.forsake(child)

    def close(self) -> None:
        """All its groups are dead."""
        self._inboxes.close_all()
        for child in self.members:
            self._tables.dismiss(child.writers)
        self._tables.close(self.foundation.tables)
        self.foundation.close()

    def _present(self) -> list[Child]:
        """Those that live. One that is not ready yet reads what it is told when it is, and is told again when it is
        admitted."""
        return [child for child in self.children.values() if child.state in (GroupState.STARTING, GroupState.READY)]

    def has_server(self, change: ServerChange) -> bool:
        """Does its configuration know the server?"""
        proxy = self.configuration.proxy(change[0], backend=True)
        return proxy is not None and any(server.name == change[1] for server in proxy.servers)

    def _tell_peers(self, members: Iterable[Child]) -> None:
        """Who accepts for which bind line, to all that may hand clients on."""
        if not self._handing:
            return
        peers: dict[tuple[str, int], set[int]] = {}
        for number, listener in self._listeners.items():
            rows = peers.setdefault((listener.frontend, listener.bind_index), set())
            for group, threads in self._assignment.holders(number).items():
                child = self.children.get(group)
                if child is not None:
                    rows.update(child.slots[thread - 1] + 1 for thread in threads)
        message = Message.of(Kind.PEERS, [[*key, sorted(rows)] for key, rows in peers.items()])
        for child in members:
            self._processes.say(child, message)

    def _carry_out(self, orders: Iterable[Order]) -> None:
        given: dict[int, list[tuple[Order, Listener]]] = {}
        left: dict[int, list[int]] = {}
        for order in orders:
            if order.threads:
                given.setdefault(order.group, []).append((order, self._listeners[order.listener]))
            else:
                left.setdefault(order.group, []).append(order.listener)
        for group, listeners in left.items():
            if group in self.children:
                self._processes.say(self.children[group], Message.of(Kind.LEAVE, listeners))
        for group, entries in given.items():
            child = self.children[group]
            for start in range(0, len(entries), MAX_DESCRIPTORS):
                batch = entries[start : start + MAX_DESCRIPTORS]
                content = [
                    [listener.number, order.threads, listener.bind_index, listener.frontend]
                    for order, listener in batch
                ]
                descriptors = [listener.sock.fileno() for _, listener in batch]
                self._processes.say(child, Message.of(Kind.LISTEN, content), descriptors)


def owners_of(listening: Listening) -> dict[int, tuple[tuple[int, int], ...]]:
    return {listener.number: listener.owners for listener in listening.listeners}
