"""What a balancing algorithm is, and the registry of them: the place to add one's own.

Owns: the interface and the names. Must not know: any algorithm, queues, persistence (the backend has decided about
those before it asks).

An algorithm belongs to one backend of one thread. To write one: subclass `Algorithm`, decorate it with
`@register("name")`, implement `changed` and `choose`; `took`, `freed` and `queued` only if it follows the servers'
load: a hook that is not overridden is never called, so it costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

from ..config.model import BalanceSpec
from ..errors import ConfigError
from ..session import Exchange
from .server import Server


class Algorithm:
    """`arguments`: the words after the algorithm's name. Raises ValueError, worded for the user, if they are wrong."""

    rotating: ClassVar[bool] = True
    """The same request may go to another server next time. False for hashing: then `prefer-last-server` has no effect,
    and a failed request is not given to another server before its turn (see retry)."""

    dynamic: ClassVar[bool] = True
    """It obeys a weight that changes while it runs. False: only 0 and the configured one are accepted."""

    def __init__(self, arguments: tuple[str, ...] = ()) -> None:
        if arguments:
            raise ValueError(f"takes no argument, but has {' '.join(arguments)!r}")

    def changed(self, servers: Sequence[Server]) -> None:
        """The servers to balance over, in the order of the file, each with eweight > 0; called before the first choice
        and at each change of the set or of a weight. Rare: may cost O(n log n)."""
        raise NotImplementedError

    def choose(self, exchange: Exchange, avoid: Server | None) -> Server | None:
        """The server for a request, of those that `changed` named last; None when all are saturated: the request then
        waits in the backend's queue. `avoid` (the server that just failed) is returned only if there is no other.
        Called for every request: O(1) or O(log n). Counts nothing: the backend calls `took` if the request goes there.
        """
        raise NotImplementedError

    def took(self, server: Server) -> None:
        """`server.served` has grown by one (its server may be none of the current ones)."""

    def freed(self, server: Server) -> None:
        """`server.served` has shrunk by one."""

    def queued(self, server: Server) -> None:
        """The length of `server.waiting` has changed."""


A = TypeVar("A", bound=type[Algorithm])

ALGORITHMS: dict[str, type[Algorithm]] = {}


def register(*names: str) -> Callable[[A], A]:
    """Class decorator: `balance <name>` in a configuration makes this algorithm. Raises ValueError for a name that is
    taken."""

    def add(algorithm: A) -> A:
        for name in names:
            if name in ALGORITHMS:
                raise ValueError(f"there is an algorithm {name!r} already")
            ALGORITHMS[name] = algorithm
        return algorithm

    return add


def make_algorithm(spec: BalanceSpec) -> Algorithm:
    """The algorithm that a `balance` line asks for; `random(3)` is the same as `random 3`. Raises ConfigError for an
    unknown name and for arguments that the algorithm refuses."""
    name, bracket, rest = spec.algorithm.partition("(")
    arguments = (rest.rstrip(")"), *spec.arguments) if bracket else spec.arguments
    file, line, column = (spec.place.file, spec.place.line, spec.place.column) if spec.place else ("", 0, 0)
    algorithm = ALGORITHMS.get(name)
    if algorithm is None:
        known = ", ".join(sorted(ALGORITHMS))
        raise ConfigError(
            f"unknown balancing algorithm {name!r}",
            file=file,
            line=line,
            column=column,
            word=name,
            hint=f"one of {known}",
        )
    try:
        return algorithm(arguments)
    except ValueError as error:
        raise ConfigError(f"balance {name}: {error}", file=file, line=line, column=column, word=name) from error
