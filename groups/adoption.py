"""Who accepts on the listening sockets of a group that does not. Pure: group numbers in, orders out.

The kernel hashes new connections over all SO_REUSEPORT sockets of an address, whether anybody accepts there or not;
what falls to the socket of a dead group would wait until it is back. So a living group adopts its sockets meanwhile.

Invariants: a group that accepts for itself is adopted by nobody; each other group by at most one; an adopter accepts
for itself. When nobody is left to adopt, connections wait in the kernel's queue until a group is back.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """`adopter` is to accept for `owner` from now on, or (adopt False) to stop doing so."""

    adopter: int
    owner: int
    adopt: bool


class Adoptions:
    """Which groups accept, and who adopted the others."""

    __slots__ = ("_accepting", "_adopter")

    def __init__(self) -> None:
        self._accepting: set[int] = set()
        self._adopter: dict[int, int | None] = {}

    def ready(self, group: int) -> list[Order]:
        """The group accepts for itself again."""
        self._accepting.add(group)
        adopter = self._adopter.pop(group, None)
        orders = [] if adopter is None else [Order(adopter, group, adopt=False)]
        return orders + self._find_adopters()

    def lost(self, group: int, *, alive: bool = False) -> list[Order]:
        """The group does not accept any more: it died, or (`alive`) it drains and can be told to give back."""
        if group not in self._accepting:
            return []
        self._accepting.discard(group)
        orders = []
        for owner, adopter in self._adopter.items():
            if adopter == group:
                self._adopter[owner] = None
                if alive:
                    orders.append(Order(group, owner, adopt=False))
        self._adopter[group] = None
        return orders + self._find_adopters()

    def adopter_of(self, group: int) -> int | None:
        return self._adopter.get(group)

    def _find_adopters(self) -> list[Order]:
        """Gives every orphan to the accepting group with the fewest adopted ones, the nearest number first: neighbours
        share a cache."""
        orders = []
        for owner, adopter in self._adopter.items():
            if adopter is None and self._accepting:
                loads = list(self._adopter.values())
                chosen = min(self._accepting, key=lambda group: (loads.count(group), abs(group - owner), group))
                self._adopter[owner] = chosen
                orders.append(Order(chosen, owner, adopt=True))
        return orders
