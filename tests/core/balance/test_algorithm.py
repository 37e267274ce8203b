"""The registry of algorithms, and that one can be added by whoever likes to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from maniple.core.balance.algorithm import ALGORITHMS, Algorithm, make_algorithm, register
from maniple.core.balance.backend import BUILT_IN, Backend
from maniple.core.balance.server import Server
from maniple.core.config.model import BalanceSpec, Place
from maniple.core.errors import ConfigError
from maniple.core.session import Exchange


@pytest.fixture
def last_in_file() -> Iterator[None]:
    @register("last-in-file")
    class Last(Algorithm):
        """Registered for one test."""

        def changed(self, servers: Sequence[Server]) -> None:
            self.servers = servers

        def choose(self, exchange: Exchange, avoid: Server | None) -> Server | None:
            return self.servers[-1] if self.servers else None

    yield
    del ALGORITHMS["last-in-file"]


@pytest.mark.usefixtures("last_in_file")
def test_own_algorithm(farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    assert choices(farm("last-in-file"), 3) == "ccc"


@pytest.mark.usefixtures("last_in_file")
def test_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="last-in-file"):
        register("last-in-file")(Algorithm)


def test_built_in_names() -> None:
    assert set(ALGORITHMS) == {"roundrobin", "static-rr", "leastconn", "random", "first"}
    assert len(BUILT_IN) == len(ALGORITHMS)


def test_unknown_name_is_an_error_with_its_place() -> None:
    with pytest.raises(ConfigError, match="unknown balancing algorithm 'luck'") as caught:
        make_algorithm(BalanceSpec("luck", (), Place("x.cfg", 7, 3)))
    assert (caught.value.file, caught.value.line, caught.value.column, caught.value.word) == ("x.cfg", 7, 3, "luck")
    assert "roundrobin" in caught.value.hint


@pytest.mark.parametrize("name", ["roundrobin", "static-rr", "leastconn", "first"])
def test_arguments_where_none_are_known(name: str) -> None:
    with pytest.raises(ConfigError, match=f"balance {name}: takes no argument, but has 'fast'"):
        make_algorithm(BalanceSpec(name, ("fast",)))


def test_argument_in_brackets_is_an_argument() -> None:
    algorithm = make_algorithm(BalanceSpec("random(5)"))
    assert getattr(algorithm, "draws", None) == 5


def test_interface_alone_does_nothing(exchange: Exchange) -> None:
    with pytest.raises(NotImplementedError):
        Algorithm().changed([])
    with pytest.raises(NotImplementedError):
        Algorithm().choose(exchange, None)


def test_hooks_are_called_only_where_they_are(farm: Callable[..., Backend], exchange: Exchange) -> None:
    calls: list[str] = []

    class Noting(Algorithm):
        def changed(self, servers: Sequence[Server]) -> None:
            self.servers = servers

        def choose(self, exchange: Exchange, avoid: Server | None) -> Server | None:
            return self.servers[0]

        def took(self, server: Server) -> None:
            calls.append(f"took {server.served}")

        def freed(self, server: Server) -> None:
            calls.append(f"freed {server.served}")

        def queued(self, server: Server) -> None:
            calls.append(f"queued {len(server.waiting)}")

    backend = farm(algorithm=Noting(), maxconn=1)
    server = backend.place(exchange, "one", 0)
    assert server is backend.servers[0]
    backend.place(exchange, "two", 0, wanted=backend.servers[0])
    assert backend.freed(backend.servers[0]) == "two"
    assert calls == ["took 1", "queued 1", "freed 0", "queued 0", "took 1"]
