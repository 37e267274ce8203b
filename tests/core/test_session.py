"""The facts: declared once, in slots, and all of them filled by the relay's classes."""

from __future__ import annotations

from typing import get_type_hints

import pytest
from maniple.core.relay.client import ClientConnection
from maniple.core.relay.exchange import RelayExchange
from maniple.core.relay.tcp import TcpConnection
from maniple.core.session import NOT_REACHED, Exchange, Session
from maniple.tests.core.relay.rig import GET, OK, Rig, client_of


@pytest.mark.parametrize("kind", [Session, Exchange])
def test_slots_and_annotations_agree(kind: type) -> None:
    assert set(get_type_hints(kind)) == set(kind.__dict__["__slots__"])


@pytest.mark.parametrize("kind", [Session, Exchange, RelayExchange])
def test_no_dict(kind: type) -> None:
    """A misspelt fact is an error, and 10,000 of them are small."""
    assert "__dict__" not in dir(kind)


def test_the_relays_classes_are_these() -> None:
    assert issubclass(ClientConnection, Session)
    assert issubclass(TcpConnection, Session)
    assert issubclass(RelayExchange, Exchange)


PACKED = {"source", "source_port", "destination", "destination_port"}
"""Only filled in where rules look at them (Frontend.wants_packed)."""


def test_not_reached_is_before_every_moment() -> None:
    assert NOT_REACHED < 0.0


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_every_fact_is_there_when_the_line_is_written(mode: str) -> None:
    """Formats may ask for any of them, after the shortest exchange too."""
    rig = Rig(mode=mode)
    missing: list[set[str]] = []

    def look(exchange: RelayExchange, level: int | None = None) -> None:
        facts = {name for name in Exchange.__slots__ if not hasattr(exchange, name)}
        facts |= {name for name in Session.__slots__ if not hasattr(exchange.session, name)} - PACKED
        missing.append(facts)

    rig.log.write = look  # type: ignore[method-assign]
    if mode == "http":
        rig.ask(b"nonsense\r\n\r\n")
        rig.lose(rig.client())
        client = rig.ask(GET)
        rig.send(rig.upstream(), OK)
        assert client_of(client).tls is False
        rig.send(client, GET)
        rig.shut(rig.upstream())
    else:
        rig.lose(rig.client())
    rig.close()
    assert len(missing) >= (3 if mode == "http" else 1)
    assert set().union(*missing) == set()
