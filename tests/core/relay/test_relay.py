"""What the connections of a thread share."""

from __future__ import annotations

import pytest
from maniple.core.errors import ClientProtocolError
from maniple.tests.core.relay.fakes import FakeLoop
from maniple.tests.core.relay.rig import DATE, Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_clock_is_the_loops_in_milliseconds(rig: Rig) -> None:
    assert rig.relay.now() == 1_000_000.0
    rig.loop.advance(1.5)
    assert rig.relay.now() == pytest.approx(1_000_001.5)


def test_dates_of_moments(rig: Rig) -> None:
    moment = rig.relay.now()
    rig.loop.advance(60_000.0)
    assert rig.relay.date_of(moment) == pytest.approx(DATE + 1_000.0)
    assert rig.relay.date_of(rig.relay.now()) == pytest.approx(DATE + 1_060.0)


def test_fault_reaches_the_loop_and_stops_nobody(rig: Rig) -> None:
    class Bad:
        deadline = 0.0
        filed = 0

        def expire(self, now: float) -> None:
            raise ZeroDivisionError

    rig.relay.timers.arm(Bad(), rig.relay.now())
    rig.loop.advance(100.0)
    assert [type(fault) for fault in rig.loop.faults] == [ZeroDivisionError]


def test_no_limits_and_nothing_counted_at_first(rig: Rig) -> None:
    relay = rig.relay
    assert (relay.connections, relay.sessions, relay.descriptors, relay.maxconn) == (0, 0, 0, 0)
    assert not relay.draining
    relay.full()
    relay.room()


def test_readers_by_strictness(rig: Rig) -> None:
    """One reader for all strict proxies; a lenient one takes what they refuse."""
    relay = rig.relay
    strict = relay.reader_for(False, False)
    assert strict is relay.reader_for(False, False) is relay.reader
    lenient = relay.reader_for(True, False)
    assert lenient is relay.reader_for(True, False)
    assert lenient is not relay.reader_for(False, True)
    bare = b"GET / HTTP/1.1\nHost: a\n\n"
    with pytest.raises(ClientProtocolError):
        strict.read_request(bare)
    assert lenient.read_request(bare).method == b"GET"


def test_a_fake_loop_is_enough() -> None:
    loop = FakeLoop()
    assert loop.as_loop.time() == loop.now
