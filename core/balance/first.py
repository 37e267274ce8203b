"""first: the first server, by id, that has a free slot; so that the last ones may be switched off.

Owns: which servers have room. Must not know: weights.

A heap of ids holds the servers that may have room. One that proves saturated when it comes to the top is dropped, and
comes back when it frees a slot: a request looks at the top only. Servers with `minconn` have a limit that also changes
with the backend's load, without a word from them: they are never dropped, only passed over.

Invariants: every current server without minconn that is not in the heap is saturated.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from ..session import Exchange
from .algorithm import Algorithm, register
from .server import Server

_Entry = tuple[int, int, Server]
"""Id, place in the file, server."""


@register("first")
class First(Algorithm):
    """`balance first`."""

    def __init__(self, arguments: tuple[str, ...] = ()) -> None:
        super().__init__(arguments)
        self._heap: list[_Entry] = []
        self._dropped: set[Server] = set()

    def changed(self, servers: Sequence[Server]) -> None:
        self._heap = [(server.spec.id, server.index, server) for server in servers]
        heapify(self._heap)
        self._dropped.clear()

    def choose(self, exchange: Exchange, avoid: Server | None) -> Server | None:
        heap = self._heap
        if heap:
            server = heap[0][2]
            if server is not avoid and (server.served < server.ceiling or not server.saturated()):
                return server
        return self._choose_further(avoid)

    def _choose_further(self, avoid: Server | None) -> Server | None:
        heap = self._heap
        passed: list[_Entry] = []
        chosen: Server | None = None
        spare: Server | None = None
        while heap and chosen is None:
            entry = heappop(heap)
            server = entry[2]
            if not server.saturated():
                passed.append(entry)
                if server is avoid:
                    spare = server
                else:
                    chosen = server
            elif server.minconn or server.served == 0:
                # With nobody served no slot will be freed that could bring it back.
                passed.append(entry)
            else:
                self._dropped.add(server)
        for entry in passed:
            heappush(heap, entry)
        return chosen if chosen is not None else spare

    def freed(self, server: Server) -> None:
        if server in self._dropped:
            self._dropped.remove(server)
            heappush(self._heap, (server.spec.id, server.index, server))

    def queued(self, server: Server) -> None:
        # Whoever waited may have gone, and the slot that was freed before is to be had.
        self.freed(server)
