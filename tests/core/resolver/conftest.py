"""Loops that are run by hand, and name servers for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
import uvloop
from maniple.core.config.model import Place
from maniple.core.config.resolver_spec import NameserverSpec, ResolversSpec
from maniple.tests.core.resolver.nameserver import NameServer

PLACE = Place("x.cfg", 1)
PATIENCE = 10.0


class Loop:
    """An event loop and what it complained of."""

    def __init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self.faults: list[dict[str, object]] = []
        self.loop.set_exception_handler(lambda loop, fault: self.faults.append(fault))

    def until(self, condition: Callable[[], object]) -> None:
        """Turns until it holds."""
        end = self.loop.time() + PATIENCE

        async def wait() -> None:
            while not condition():
                assert self.loop.time() < end, "it never came true"
                await asyncio.sleep(0.002)

        self.loop.run_until_complete(wait())


@pytest.fixture
def turning() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.loop.close()
    assert not loop.faults


@pytest.fixture
def dns() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.close()


@pytest.fixture
def second() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.close()


def one(server: NameServer, stream: bool = False) -> NameserverSpec:
    return NameserverSpec(PLACE, f"n{server.port}", server.host, server.port, stream)


def section(*servers: NameServer, retry: int = 5000, retries: int = 3, valid: int = 60000) -> ResolversSpec:
    return ResolversSpec(
        PLACE, "r", tuple(one(server) for server in servers), retries, timeout_retry=retry, hold_valid=valid
    )
