"""The idle connections of a pool in the order in which they are used and closed: four stacks.

Owns: that order, and how one leaves it. Must not know: limits, counts of what is used, which of the stacks a request
may take from. `pools/connections` puts in and takes out by the dicts themselves, on the path of every request.

Theory
------
Each kind, idle and safe, is a stack (checklist CR4). The connection used last works most likely, and its congestion
window is still open. What lies at the bottom was not needed for the longest time: that is what eviction takes.

A connection is *attached* while the session that used it last lives, else *detached* (CR5). The document of 2015 keeps
one list per kind, attached ones pushed to its front and detached ones to its tail, takes from the front, and lets
eviction walk from the tail over those without owner. Its idea: sessions that live come back for what they left, fresh
connections carry the load, the detached ones are ignored until they are surplus. Here every kind is two stacks,
attached above detached. That is the same order, but for one thing: taken literally, the document would close the
connection that was detached *last* first; a stack lets us close the oldest.

Stacks are dicts: insertion order makes them stacks (`popitem`), a key makes the removal of one that its server closed
O(1), and iteration begins with the oldest. The value is the owner, None for a detached one.

Invariants: a connection is in at most one stack, once; the four dicts are the same objects for ever.
"""

from __future__ import annotations

from itertools import islice
from typing import Generic, TypeVar

C = TypeVar("C")


class Stacks(Generic[C]):
    """`idle` and `safe`: the detached ones. Of their kind, those in `..._attached` are taken first."""

    __slots__ = ("idle", "idle_attached", "safe", "safe_attached")

    def __init__(self) -> None:
        self.idle: dict[C, object] = {}
        self.safe: dict[C, object] = {}
        self.idle_attached: dict[C, object] = {}
        self.safe_attached: dict[C, object] = {}

    @property
    def idle_count(self) -> int:
        """Connections that are not safe, attached ones too."""
        return len(self.idle) + len(self.idle_attached)

    @property
    def safe_count(self) -> int:
        return len(self.safe) + len(self.safe_attached)

    def remove(self, connection: C) -> bool | None:
        """Takes one out, wherever it lies, O(1). True if it was attached, False if it was not, None if it is not
        here."""
        for stack in (self.idle, self.safe, self.idle_attached, self.safe_attached):
            if connection in stack:
                return stack.pop(connection) is not None
        return None

    def leave(self, connection: C, owner: object) -> dict[C, object] | None:
        """Takes out one that is attached to `owner`, and says which stack of detached ones is its kind's; None if there
        is no such one, and then nothing has changed."""
        if self.idle_attached.get(connection) is owner:
            del self.idle_attached[connection]
            return self.idle
        if self.safe_attached.get(connection) is owner:
            del self.safe_attached[connection]
            return self.safe
        return None

    def remove_oldest(self, number: int) -> list[C]:
        """At most so many detached ones: unsafe first (CR9), each kind from the bottom of its stack."""
        removed: list[C] = []
        for stack in (self.idle, self.safe):
            oldest = list(islice(stack, number - len(removed)))
            for connection in oldest:
                del stack[connection]
            removed.extend(oldest)
        return removed

    def clear(self) -> list[C]:
        """Takes out all."""
        removed: list[C] = []
        for stack in (self.idle_attached, self.idle, self.safe_attached, self.safe):
            removed.extend(stack)
            stack.clear()
        return removed
