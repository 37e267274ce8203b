"""A section `resolvers` in one thread: names that are known, and names that are being asked for.

Owns: the cache and who waits for what. Must not know: rules, the relay. Invariants: one flight a name and family at a
time; an address is used for `hold valid` and not longer, whatever its record says of its life (manual 5.3.2); a failure
is not remembered (measured: neither does HAProxy 3.0); names come from clients, so there is a limit on how many are
kept and asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..config.resolver_spec import ResolversSpec
from .flight import Flight
from .nameserver import Nameserver
from .status import Family, Status
from .wire import Question

KEPT = 10_000
"""Names in the cache; the oldest goes first."""
FLIGHTS = 10_000
"""Names that are asked for at a time."""


class Resolver:
    """`close` it."""

    __slots__ = ("_clock", "_flights", "_hold", "_known", "_loop", "nameservers", "spec")

    def __init__(self, spec: ResolversSpec, loop: asyncio.AbstractEventLoop) -> None:
        self.spec = spec
        self.nameservers = [Nameserver(one, loop) for one in spec.nameservers]
        self._loop = loop
        self._clock = loop.time
        self._hold = spec.hold_valid / 1000
        self._known: dict[tuple[bytes, Family], tuple[float, bytes]] = {}
        """(name, family) -> until when (s), packed address."""
        self._flights: dict[tuple[bytes, Family], Flight] = {}

    def known(self, name: bytes, family: Family) -> bytes | None:
        """The packed address of a name (in lower case) where one has been learnt lately."""
        found = self._known.get((name, family))
        return found[1] if found is not None and found[0] > self._clock() else None

    def ask(self, name: bytes, family: Family, ended: Callable[[], None] | None = None) -> Flight | None:
        """Ask for a name (in lower case), or wait with those who do. `ended` is called when the flight has. None: it is
        no name of a host, nobody can be asked, or too many names are being asked for."""
        key = (name, family)
        flight = self._flights.get(key)
        if flight is None:
            if not self.nameservers or len(self._flights) >= FLIGHTS:
                return None
            payload = self.spec.payload
            try:
                question = Question(name, family, payload)
            except ValueError:
                return None

            def arrived(flight: Flight) -> None:
                del self._flights[key]
                if flight.status is Status.VALID:
                    self._learn(key, flight.addresses[0])

            flight = Flight(
                self._loop,
                self.nameservers,
                question,
                lambda other: Question(name, other, payload),
                self.spec.retries,
                self.spec.timeout_retry / 1000,
                arrived,
            )
            self._flights[key] = flight
            flight.start()
        if ended is not None:
            flight.waiting.append(ended)
        return flight

    def _learn(self, key: tuple[bytes, Family], address: bytes) -> None:
        if self._hold <= 0:
            return
        known = self._known
        # In the order in which they were learnt.
        known.pop(key, None)
        if len(known) >= KEPT:
            del known[next(iter(known))]
        known[key] = (self._clock() + self._hold, address)

    def close(self) -> None:
        """Who waits is not told."""
        for flight in self._flights.values():
            flight.close()
        self._flights.clear()
        for one in self.nameservers:
            one.close()
