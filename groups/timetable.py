"""What is to be done at which time. Pure but for what it calls: the clock is an argument.

Invariants: a key is one appointment, a later one replaces it; what is forgotten while others are kept is not called.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable


class Timetable:
    """Times are seconds of one monotonic clock."""

    __slots__ = ("_appointments",)

    def __init__(self) -> None:
        self._appointments: dict[Hashable, tuple[float, Callable[[], None]]] = {}

    def at(self, key: Hashable, due: float, what: Callable[[], None]) -> None:
        self._appointments[key] = (due, what)

    def forget(self, key: Hashable) -> None:
        self._appointments.pop(key, None)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._appointments

    def due(self) -> float | None:
        """When the next one is."""
        return min((due for due, _ in self._appointments.values()), default=None)

    def keep(self, now: float) -> None:
        """Calls what is due; each is gone before it is called."""
        for key, appointment in list(self._appointments.items()):
            if appointment[0] <= now and self._appointments.get(key) is appointment:
                del self._appointments[key]
                appointment[1]()
