"""The seam: what the relay and balance have is what rules ask for."""

from __future__ import annotations

import pytest
from maniple.core.balance.backend import Backend
from maniple.core.balance.server import Server
from maniple.core.relay.client import ClientConnection
from maniple.core.relay.exchange import RelayExchange
from maniple.core.relay.relay import Relay
from maniple.core.relay.route import Frontend, Route
from maniple.core.rules import scope

PAIRS: list[tuple[type, type]] = [
    (scope.Scope, RelayExchange),
    (scope.ClientFacts, ClientConnection),
    (scope.RouteFacts, Route),
    (scope.FrontendFacts, Frontend),
    (scope.BackendFacts, Backend),
    (scope.ServerFacts, Server),
    (scope.ProcessFacts, Relay),
]


@pytest.mark.parametrize(("protocol", "kind"), PAIRS, ids=[kind.__name__ for _, kind in PAIRS])
def test_the_running_proxy_has_all_that_rules_ask_for(protocol: type, kind: type) -> None:
    slots = {name for base in kind.__mro__ for name in getattr(base, "__slots__", ())}
    methods = {name for name, value in vars(protocol).items() if callable(value) and not name.startswith("_")}
    assert set(protocol.__annotations__) <= slots
    assert methods <= set(dir(kind))
