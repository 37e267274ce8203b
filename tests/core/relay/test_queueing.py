"""Places in queues: what is noted when one is taken, given up, changed, or too old. (Who waits where: test_connect.)"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from maniple.core.relay import queueing
from maniple.core.relay.exchange import QUEUED, RelayExchange
from maniple.core.session import NOT_REACHED
from maniple.tests.core.relay.rig import Rig, client_of

Make = Callable[..., Rig]


def waiting(make_rig: Make, **words: Any) -> tuple[Rig, RelayExchange]:
    """A rig whose server serves one, and the exchange that may wait for it."""
    rig = make_rig(server={"maxconn": 1}, **words)
    rig.ask()
    exchange = client_of(rig.ask()).exchange
    assert exchange is not None and exchange.phase is QUEUED
    return rig, exchange


def test_a_place(make_rig: Make) -> None:
    rig, exchange = waiting(make_rig)
    assert exchange.dirty and exchange.ticket is not None
    assert (exchange.server_queue, exchange.backend_queue) in ((1, 0), (0, 1))
    assert exchange.slot_at == exchange.connect_at == NOT_REACHED
    other = client_of(rig.ask()).exchange
    assert other is not None and other.server_queue + other.backend_queue == 2
    assert rig.backend.queued == 2


def test_it_is_given_up(make_rig: Make) -> None:
    rig, exchange = waiting(make_rig)
    wait = exchange.ticket
    assert wait is not None and len(rig.relay.timers) > 0
    rig.loop.advance(5.0)
    rig.lose(rig.clients[-1])
    assert exchange.ticket is None and rig.backend.queued == 0
    assert rig.log.lines[-1].termination == "CQ" and rig.log.lines[-1].times[1] == 5


def test_it_is_too_old(make_rig: Make) -> None:
    rig, exchange = waiting(make_rig)
    assert exchange.route.queue_timeout > 0
    rig.loop.advance(exchange.route.queue_timeout + 1000.0)
    assert (503, "sQ") in rig.lines()
    assert rig.backend.queued == 0


def test_it_stays_where_it_was(make_rig: Make) -> None:
    rig, exchange = waiting(make_rig)
    wait = exchange.ticket
    assert wait is not None
    before = wait.ticket
    rig.backend.cancel(before)
    assert rig.backend.queued == 0
    queueing.stay(exchange, rig.server)
    assert exchange.ticket is wait and wait.ticket is not before
    assert len(rig.server.waiting) == 1 and exchange.phase is QUEUED


@pytest.mark.parametrize(
    ("one", "other"), [((0, 0, 5.0), (0, 0, 9.0)), ((0, 0, 900.0), (1, 0, 5.0)), ((0, 0, 50.0), (0, 60, 5.0))]
)
def test_who_is_first(one: tuple[int, int, float], other: tuple[int, int, float]) -> None:
    """Class, then time and offset."""

    def rank(words: tuple[int, int, float]) -> int:
        exchange: Any = SimpleNamespace(priority_class=words[0], priority_offset=words[1])
        return queueing.rank_of(exchange, words[2])

    assert rank(one) < rank(other)
