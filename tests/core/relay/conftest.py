"""Rigs that are taken down, and whose books are looked at, after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from maniple.core.relay import client, replying, tcp
from maniple.tests.core.relay.rig import CheckedExchange, Rig, illegal_moves


@pytest.fixture(autouse=True)
def checked_exchanges(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every move that any exchange makes is in the table."""
    for module in (client, replying, tcp):
        monkeypatch.setattr(module, "RelayExchange", CheckedExchange)
    monkeypatch.setattr(CheckedExchange, "moves", set())
    yield
    assert illegal_moves() == set()


@pytest.fixture
def make_rig() -> Iterator[Callable[..., Rig]]:
    """Makes rigs; at the end all books have to be at zero."""
    rigs: list[Rig] = []

    def make(servers: int = 1, server: dict[str, Any] | None = None, **words: Any) -> Rig:
        rig = Rig(servers, server, **words)
        rigs.append(rig)
        return rig

    yield make
    for rig in rigs:
        rig.close()
