"""The end of an exchange: once, with its counters, its line and its slot, in this order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from maniple.core.relay import ending
from maniple.core.relay.exchange import FAILED, RelayExchange
from maniple.tests.core.relay.rig import GET, OK, Rig, client_of

MakeRig = Callable[..., Rig]


def test_one_line_and_one_count_each(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.client()
    for _ in range(3):
        rig.send(client, GET)
        rig.send(rig.upstream(), OK)
    assert rig.lines() == [(200, "--")] * 3
    (part,) = rig.route.traffic
    assert part.classes[2] == 3
    assert part.bytes_in == 3 * len(GET)
    assert part.bytes_out == len(client.take())


def test_line_is_written_before_the_slot_goes_on(make_rig: MakeRig) -> None:
    """The line shows the server's load with the request that it is about."""
    rig = make_rig(server={"maxconn": 1})
    rig.ask()
    rig.ask()
    seen: list[tuple[int, int]] = []
    write = rig.log.write

    def look(exchange: RelayExchange, level: int | None = None) -> None:
        seen.append((exchange.server_connections, rig.backend.queued))
        write(exchange, level)

    rig.log.write = look  # type: ignore[method-assign]
    rig.send(rig.upstream(), OK)
    assert seen == [(0, 1)], "as HAProxy: without this one, though its slot is not free yet"
    assert (rig.backend.served, rig.backend.queued) == (1, 0)
    rig.send(rig.upstream(), OK)
    assert seen == [(0, 1), (0, 0)]


def test_without_a_log(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.frontend.access_log = None
    client = rig.ask()
    rig.send(rig.upstream(), OK)
    rig.lose(client)
    assert rig.lines() == []
    assert rig.route.traffic[0].classes[2] == 1


def test_not_logged(make_rig: MakeRig) -> None:
    rig = make_rig()
    exchange = client_of(rig.ask()).exchange
    assert exchange is not None
    upstream = exchange.upstream
    assert upstream is not None
    upstream.drop()
    exchange.dirty = True
    exchange.phase = FAILED
    ending.end_exchange(exchange, False, rig.relay.now())
    assert rig.lines() == []
    assert rig.backend.served == 0


@pytest.mark.parametrize("status", [200, 301, 404, 503])
def test_classes(make_rig: MakeRig, status: int) -> None:
    rig = make_rig()
    rig.ask()
    rig.send(rig.upstream(), OK.replace(b"200", b"%d" % status))
    assert rig.route.traffic[0].classes[status // 100] == 1
    assert sum(rig.route.traffic[0].classes) == 1


def test_slot_goes_to_whoever_waits_even_if_many_end_at_once(make_rig: MakeRig) -> None:
    """Ending, calling the next one and its failure do not tread on each other."""
    rig = make_rig(server={"maxconn": 1}, retries=0)
    for _ in range(50):
        rig.ask()
    rig.loop.answer = lambda dial: dial.refuse()
    rig.lose(rig.upstream())
    rig.loop.run()
    assert [status for status, _ in rig.lines()] == [502] + [503] * 49
    assert (rig.backend.served, rig.backend.queued) == (0, 0)
