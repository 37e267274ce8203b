"""Connections that wait for one session only: private ones (NTLM, Negotiate), and all those of the strategy never.

Owns: which wait for whom. Must not know: limits and uses (pools/connections), when a session ends.

Invariant: `held` has no owner without connections, and is the same object for ever (`take` of the pool looks into it on
the path of every request).
"""

from __future__ import annotations

from typing import Generic, TypeVar

C = TypeVar("C")


class Reserved(Generic[C]):
    """By session; the one that came last is taken first."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held: dict[object, dict[C, None]] = {}

    @property
    def count(self) -> int:
        return sum(map(len, self.held.values()))

    def add(self, connection: C, owner: object) -> None:
        """It waits here for `owner`; not to be called again before it has left."""
        self.held.setdefault(owner, {})[connection] = None

    def take(self, owner: object) -> C:
        """Raises KeyError for an owner that is not in `held`."""
        waiting = self.held[owner]
        connection = waiting.popitem()[0]
        if not waiting:
            del self.held[owner]
        return connection

    def remove(self, connection: C, owner: object) -> bool:
        """False if it does not wait here for `owner`."""
        waiting = self.held.get(owner)
        if waiting is None or connection not in waiting:
            return False
        del waiting[connection]
        if not waiting:
            del self.held[owner]
        return True

    def forget(self, owner: object) -> list[C]:
        """Takes out what waits for `owner`."""
        return list(self.held.pop(owner, ()))

    def clear(self) -> list[C]:
        """Takes out all."""
        removed = [connection for waiting in self.held.values() for connection in waiting]
        self.held.clear()
        return removed
