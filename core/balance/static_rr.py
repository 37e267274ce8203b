"""static-rr: each server in turn as often as its weight in the configuration says; later weights do nothing.

Owns: which weights count. The rest is the rotation's.

Invariants: the table changes only when the set of servers does; of the later weights only 0 has an effect, as it takes
the server out of the set.
"""

from __future__ import annotations

from collections.abc import Sequence

from .algorithm import register
from .rotation import Rotation, reduced
from .server import Server


@register("static-rr")
class StaticRoundRobin(Rotation):
    """`balance static-rr`."""

    dynamic = False

    def changed(self, servers: Sequence[Server]) -> None:
        if tuple(servers) != self._servers:
            # A server that had no weight in the file and was given one later counts as 1.
            self._set_table(servers, reduced([server.spec.weight or 1 for server in servers]))
