"""The seam: what the relay and balance have is what rules ask for."""

from __future__ import annotations

from maniple.core.balance.backend import Backend
from maniple.core.balance.server import Server
from maniple.core.rules.scope import BackendFacts, ServerFacts


def annotations_of(protocol: type) -> set[str]:
    return set(protocol.__annotations__)


def slots_of(kind: type) -> set[str]:
    return {name for base in kind.__mro__ for name in getattr(base, "__slots__", ())}


def test_balance_has_the_facts() -> None:
    assert annotations_of(BackendFacts) <= slots_of(Backend)
    assert annotations_of(ServerFacts) <= slots_of(Server)
