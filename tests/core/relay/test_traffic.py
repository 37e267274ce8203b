"""Rows are sums of what each pair counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from maniple.core.relay.traffic import Traffic, sum_responses, sum_times
from maniple.pools.counters import BackendCounts, FrontendCounts
from maniple.tests.core.relay.rig import GET, OK, Rig

NUMBERS = st.integers(0, 2**40)


@st.composite
def parts(draw: st.DrawFn) -> Traffic:
    part = Traffic()
    part.bytes_in, part.bytes_out = draw(NUMBERS), draw(NUMBERS)
    part.classes = draw(st.lists(NUMBERS, min_size=10, max_size=10))
    part.queue_time = float(draw(NUMBERS))
    part.connect_time = float(draw(NUMBERS))
    return part


@given(st.lists(parts(), max_size=5))
@settings(max_examples=50, deadline=None, derandomize=True, database=None)
def test_sums(several: list[Traffic]) -> None:
    counts = BackendCounts()
    sum_responses(counts, several)
    sum_times(counts, several)
    assert counts.bin == sum(part.bytes_in for part in several)
    assert counts.bout == sum(part.bytes_out for part in several)
    assert counts.qtime == sum(part.queue_time for part in several)
    assert counts.ctime == sum(part.connect_time for part in several)
    rows = (counts.hrsp_1xx, counts.hrsp_2xx, counts.hrsp_3xx, counts.hrsp_4xx, counts.hrsp_5xx)
    assert rows == tuple(sum(part.classes[number] for part in several) for number in range(1, 6))
    assert counts.hrsp_other == sum(sum(part.classes[6:9]) for part in several)


def test_sums_may_be_taken_of_an_iterator() -> None:
    part = Traffic()
    part.queue_time, part.connect_time = 5.0, 7.0

    def once() -> Iterator[Traffic]:
        yield part

    counts = BackendCounts()
    sum_times(counts, once())
    assert (counts.qtime, counts.ctime) == (5, 7)


def test_nothing_is_zero() -> None:
    counts = FrontendCounts()
    sum_responses(counts, ())
    assert (counts.bin, counts.bout, counts.req_tot, counts.hrsp_2xx, counts.hrsp_other) == (0, 0, 0, 0, 0)


def test_statuses_and_times_of_requests(make_rig: Callable[..., Rig]) -> None:
    """Each request is counted once, with the server that had it, or with none."""
    rig = make_rig(server={"maxconn": 1})
    one, other = rig.ask(), rig.ask()
    rig.loop.advance(100.0)
    rig.send(rig.upstream(), OK)
    rig.loop.advance(50.0)
    rig.send(rig.upstream(), OK.replace(b"200", b"404"))
    rig.send(one, GET)
    rig.loop.advance(30.0)
    rig.send(rig.upstream(), OK[:-1])
    rig.loop.advance(20.0)
    rig.send(rig.upstream(), OK[-1:])
    rig.send(other, GET)
    rig.shut(rig.upstream())
    (part,) = rig.route.traffic
    counts = BackendCounts()
    sum_responses(counts, [part])
    sum_times(counts, [part])
    assert (counts.hrsp_2xx, counts.hrsp_4xx, counts.hrsp_5xx) == (2, 1, 0)
    assert (counts.qtime, counts.ctime) == (100, 0)
    assert abs(counts.rtime - (100 + 50 + 30)) <= 1
    assert abs(counts.ttime - (100 + 150 + 50)) <= 1
    assert counts.bin == 4 * len(GET)
    assert rig.route.own_traffic.classes == [0] * 10


def test_requests_that_no_server_had(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(servers=0)
    client = rig.ask()
    own = rig.route.own_traffic
    assert own.classes[5] == 1
    assert own.bytes_out == len(client.take())


def test_bytes_of_a_long_exchange_are_counted_once(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(mode="tcp")
    client = rig.client()
    server = rig.upstream()
    (part,) = rig.route.traffic
    (tunnel,) = rig.relay.tunnels
    rig.send(client, b"12345")
    tunnel.transfer()
    assert (part.bytes_in, part.bytes_out) == (5, 0)
    rig.send(server, b"abc")
    tunnel.transfer()
    tunnel.transfer()
    rig.send(client, b"6")
    rig.shut(client)
    rig.shut(server)
    assert (part.bytes_in, part.bytes_out) == (6, 3)
