"""Where a request may go: the servers of its backend, and which one the algorithm names first where that can be told.

Owns: what can be told without the running proxy, and what cannot. Must not know: rules. Invariant: the choice is the
algorithm's own; here it is only said what it is worth.
"""

from __future__ import annotations

from ..balance.backend import Backend
from ..balance.server import WEIGHT_SCALE, Server
from ..rules.explanation import Candidate, Choice

_BY_WEIGHT = ("roundrobin", "static-rr", "random")
_WORTH = {
    "roundrobin": "the first turn of a thread that has just started; each thread counts its own turns",
    "static-rr": "the first turn of a thread that has just started; each thread counts its own turns",
    "first": "the lowest id among those with a free slot; here all are idle",
    "leastconn": "the least loaded; here all are idle, and the first in turn has it",
}


def candidates(backend: Backend) -> list[Candidate]:
    """All servers, in the order of the file."""
    balanced = backend.candidates
    total = sum(server.eweight for server in balanced)
    by_weight = name_of(backend) in _BY_WEIGHT
    return [
        Candidate(
            server.name,
            str(server.spec.address),
            server.weight,
            _state(server),
            server.backup,
            server in balanced,
            round(100 * server.eweight / total, 1) if by_weight and server in balanced and total else None,
            server.spec.check,
            server.spec.place.file,
            server.spec.place.line,
        )
        for server in backend.servers
    ]


def _state(server: Server) -> str:
    if not server.usable:
        return "disabled"
    return "up" if server.eweight >= WEIGHT_SCALE else "weight 0"


def name_of(backend: Backend) -> str:
    """The algorithm's name without its arguments."""
    return backend.spec.balance.algorithm.partition("(")[0]


def describe(backend: Backend, reason: str) -> Choice:
    """All but the server. `reason`: why this backend."""
    balance = backend.spec.balance
    return Choice(backend.name, reason, " ".join([balance.algorithm, *balance.arguments]), candidates(backend), "", "")


def settle(choice: Choice, backend: Backend, server: Server | None, wanted: Server | None) -> None:
    """Note the server that the request went to, if another time it would be the same. `wanted`: by use-server, or by
    persistence."""
    if server is None:
        choice.why = "there is no server that could have it"
        return
    if wanted is not None and server is wanted:
        choice.server, choice.why = server.name, "use-server"
        if backend.binders or backend.spec.sticky is not None:
            choice.why = "use-server, or its cookie"
        return
    if len(backend.candidates) == 1:
        choice.server, choice.why = server.name, "the only one that requests are balanced over"
        return
    name = name_of(backend)
    if name == "random":
        choice.why = "drawn at random: which one cannot be told"
        return
    worth = _WORTH.get(name)
    if worth is None:
        worth = (
            "cannot be told for this algorithm"
            if backend.algorithm.rotating
            else "follows from the request itself, as long as the servers stay the same"
        )
        if backend.algorithm.rotating:
            choice.why = worth
            return
    choice.server, choice.why = server.name, worth
