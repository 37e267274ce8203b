"""Which threads accept on which listening socket. Pure: numbers in, orders out.

The kernel spreads new connections over all SO_REUSEPORT sockets of an address, whether anybody accepts there or not;
what falls to a socket whose owners are dead, draining or scaled away would wait. So a living group *adopts* such a
socket, until an owner is back.

Invariants: a socket is accepted on by those of its owners that are there; only where none is, by one thread that
adopted it (of the group with the fewest adopted sockets, the nearest number first: neighbours share a cache). When no
group is there, connections wait in the kernel's queue. The orders that were given add up to what `holders` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Owners = Sequence[tuple[int, int]]
"""(group, local thread) pairs; empty: every thread that there is."""


@dataclass(frozen=True, slots=True)
class Order:
    """From now on exactly these local threads of `group` accept on `listener`; (): it lets go of it."""

    group: int
    listener: int
    threads: tuple[int, ...]


class Assignment:
    """The listeners and the groups of one generation."""

    __slots__ = ("_adopters", "_holders", "_listeners", "_sizes")

    def __init__(self, listeners: Mapping[int, Owners]) -> None:
        """Owners by the listeners' numbers."""
        self._listeners = {number: tuple(owners) for number, owners in listeners.items()}
        self._sizes: dict[int, int] = {}
        """Threads of each group that is there."""
        self._adopters: dict[int, tuple[int, int]] = {}
        self._holders: dict[int, dict[int, tuple[int, ...]]] = {}
        """Listener -> group -> the threads that were told to accept."""

    def holders(self, listener: int) -> dict[int, tuple[int, ...]]:
        """Who accepts on it now."""
        return dict(self._holders.get(listener, {}))

    def adopter(self, listener: int) -> tuple[int, int] | None:
        return self._adopters.get(listener)

    def join(self, group: int, threads: int) -> list[Order]:
        """The group, of so many threads, accepts from now on (or has another number of them)."""
        self._sizes[group] = threads
        return self._orders()

    def leave(self, group: int) -> list[Order]:
        """The group is dead or ends: it accepts on nothing, and needs not be told. Others may."""
        if self._sizes.pop(group, None) is None:
            return []
        for holders in self._holders.values():
            holders.pop(group, None)
        return self._orders()

    def serve(self, listeners: Mapping[int, Owners]) -> list[Order]:
        """Other listeners, or other owners, from now on."""
        self._listeners = {number: tuple(owners) for number, owners in listeners.items()}
        return self._orders()

    def _orders(self) -> list[Order]:
        orders: list[Order] = []
        for number in self._holders.keys() - self._listeners.keys():
            orders.extend(Order(group, number, ()) for group in self._holders.pop(number))
            self._adopters.pop(number, None)
        for number, owners in self._listeners.items():
            wanted = self._wanted(number, owners)
            held = self._holders.setdefault(number, {})
            for group in sorted(held.keys() - wanted.keys()):
                orders.append(Order(group, number, ()))
                del held[group]
            for group in sorted(wanted):
                if held.get(group) != wanted[group]:
                    orders.append(Order(group, number, wanted[group]))
                    held[group] = wanted[group]
        return orders

    def _wanted(self, number: int, owners: tuple[tuple[int, int], ...]) -> dict[int, tuple[int, ...]]:
        if not owners:
            self._adopters.pop(number, None)
            return {group: tuple(range(1, size + 1)) for group, size in self._sizes.items()}
        wanted: dict[int, tuple[int, ...]] = {}
        for group, thread in owners:
            if thread <= self._sizes.get(group, 0):
                wanted[group] = (*wanted.get(group, ()), thread)
        if wanted:
            self._adopters.pop(number, None)
            return wanted
        adopter = self._adopters.get(number)
        if adopter is None or adopter[1] > self._sizes.get(adopter[0], 0):
            adopter = self._choose(number, owners[0][0])
        return {} if adopter is None else {adopter[0]: (adopter[1],)}

    def _choose(self, number: int, owner: int) -> tuple[int, int] | None:
        self._adopters.pop(number, None)
        if not self._sizes:
            return None
        adopted = list(self._adopters.values())
        groups = [group for group, _ in adopted]
        group = min(self._sizes, key=lambda one: (groups.count(one), abs(one - owner), one))
        thread = min(range(1, self._sizes[group] + 1), key=lambda one: (adopted.count((group, one)), one))
        self._adopters[number] = (group, thread)
        return group, thread
