"""A thread in service: listening, draining, stopping, and what it publishes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from maniple.core.config.model import Address, BindSpec, LogSpec, ProxySpec, Timeouts
from maniple.core.relay.client import ClientConnection
from maniple.core.relay.draining import LOOK
from maniple.core.relay.tcp import TcpConnection
from maniple.core.report.senders import Senders
from maniple.core.runtime import PULSE, Runtime, backlog_of
from maniple.pools.columns import Columns, Shape
from maniple.pools.counters import Counts
from maniple.pools.pressure import AMPLE, LOW, SHORT
from maniple.pools.pulses import Pulses, Row
from maniple.pools.slots import Shares
from maniple.tests.core.relay.fakes import FakeTransport
from maniple.tests.core.relay.rig import GET, OK, OK_SENT, PLACE, Rig
from maniple.tests.core.relay.test_acceptor import FakeListening

ROWS = (("process", ""), ("frontend", "px"), ("backend", "px"), ("server", "px/s1"))


class Service:
    """A rig with a runtime around it, with `log` as a pipe that its reports go to."""

    def __init__(self, **words: Any) -> None:
        binds = (
            BindSpec(PLACE, "", (Address("inet", "127.0.0.1", 0, 0),)),
            BindSpec(PLACE, "", (Address("inet", "::1", 0, 0),), name="two"),
        )
        self.rig = rig = Rig(**{"binds": binds, **words})
        self.read_end, self.write_end = os.pipe()
        self.flushes: list[Callable[[], None]] = []
        senders = Senders(self.flushes.append, 42)
        reporter = senders.sender(LogSpec(PLACE, "fd", str(self.write_end), format="raw"), "tag")
        shape = Shape(ROWS)
        self.columns = Columns(memoryview(bytearray(shape.size(1))), shape, 1)
        self.runtime = Runtime(rig.relay, [rig.frontend], [rig.backend], senders, [reporter], self.columns.column(0))
        self.sock = FakeListening()

    def listen(self, bind: int = 0) -> None:
        self.runtime.listen("px", bind, cast(Any, self.sock))
        self.rig.loop.run()

    def arrive(self) -> FakeTransport | None:
        for listener in self.rig.loop.listeners:
            if not listener.closed:
                client = listener.arrive()
                assert client is not None
                self.rig.clients.append(client)
                self.rig.loop.run()
                return client
        return None

    def busy(self) -> FakeTransport:
        """A client with a request that is being answered."""
        client = self.arrive()
        assert client is not None
        self.rig.send(client, GET)
        return client

    def idle(self) -> FakeTransport:
        client = self.busy()
        self.rig.send(self.rig.upstream(), OK)
        assert client.take() == OK_SENT
        return client

    def row(self, number: int) -> Counts:
        return self.columns.sum(number)


@pytest.fixture
def make_service() -> Iterator[Callable[..., Service]]:
    services: list[Service] = []

    def make(**words: Any) -> Service:
        service = Service(**words)
        services.append(service)
        return service

    yield make
    for service in services:
        service.rig.close()
        os.close(service.read_end)
        os.close(service.write_end)


@pytest.fixture
def service(make_service: Callable[..., Service]) -> Service:
    service = make_service()
    service.listen()
    return service


@pytest.mark.parametrize(("mode", "kind"), [("http", ClientConnection), ("tcp", TcpConnection)])
@pytest.mark.parametrize(("bind", "name"), [(0, "1"), (1, "two")])
def test_listen(make_service: Callable[..., Service], mode: str, kind: type, bind: int, name: str) -> None:
    service = make_service(mode=mode)
    service.listen(bind)
    client = service.arrive()
    assert client is not None
    (connection,) = service.rig.relay.clients
    assert type(connection) is kind
    assert connection.listener_name == name
    assert service.runtime.connection_count == 1


@pytest.mark.parametrize(
    ("bind", "proxy", "maxconn", "backlog"),
    [(7, 8, 9, 7), (None, 8, 9, 8), (None, None, 9, 9), (None, None, None, 1024)],
)
def test_backlog(bind: int | None, proxy: int | None, maxconn: int | None, backlog: int) -> None:
    line = BindSpec(PLACE, "", (Address("inet", "127.0.0.1", 0, 0),), backlog=bind)
    spec = ProxySpec(PLACE, "px", "frontend", binds=(line,), backlog=proxy, maxconn=maxconn)
    assert backlog_of(spec, 0) == backlog


def test_unlisten_and_pause(service: Service) -> None:
    service.runtime.pause()
    assert service.arrive() is None
    service.runtime.resume()
    service.rig.loop.run()
    assert service.arrive() is not None
    service.runtime.unlisten(cast(Any, service.sock))
    assert service.arrive() is None
    assert not service.sock.closed


# The end.


def test_drain_with_nobody(service: Service) -> None:
    done: list[int] = []
    service.runtime.drain(None, lambda: done.append(1))
    assert done == [], "not before drain has returned"
    service.rig.loop.run()
    assert done == [1]
    assert service.arrive() is None


def test_drain_waits_for_those_that_are_busy(service: Service) -> None:
    rig = service.rig
    idle, busy = service.idle(), service.busy()
    done: list[int] = []
    service.runtime.drain(None, lambda: done.append(1))
    rig.loop.run()
    assert (idle.closing, busy.closing, done) == (False, False, [])
    rig.loop.advance(1_000.0 + 1_000.0 * LOOK)
    assert (idle.lost, busy.closing, done) == (True, False, [])
    rig.send(rig.upstream(), OK)
    assert busy.take() == OK_SENT.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
    assert done == [1]
    assert rig.idle == 0
    assert rig.lines() == [(200, "--")] * 2
    rig.loop.advance(10_000.0)
    assert done == [1]


def test_drain_closes_at_once_who_was_idle_long_before(service: Service) -> None:
    service.idle()
    service.rig.loop.advance(1_000.0)
    done: list[float] = []
    service.runtime.drain(None, lambda: done.append(service.rig.loop.now))
    service.rig.loop.run()
    assert done == [pytest.approx(1001.0)]


def test_a_second_drain_changes_nothing(service: Service) -> None:
    service.busy()
    done: list[int] = []
    service.runtime.drain(1_000, lambda: done.append(1))
    service.runtime.drain(0, lambda: done.append(2))
    service.rig.loop.advance(500.0)
    assert done == []
    service.rig.loop.advance(1_000.0)
    assert done == [1]


def test_drain_answers_what_comes_on_a_connection_that_is_open(service: Service) -> None:
    """A request that was on its way is not lost."""
    rig = service.rig
    client = service.busy()
    client.feed(GET)
    service.runtime.drain(None, lambda: None)
    rig.send(rig.upstream(), OK)
    assert client.take().startswith(b"HTTP/1.1 200 ")


def test_drain_has_a_deadline(service: Service) -> None:
    rig = service.rig
    busy = service.busy()
    done: list[float] = []
    service.runtime.drain(5_000, lambda: done.append(rig.loop.now))
    rig.loop.advance(4_999.0)
    assert done == []
    rig.loop.advance(2.0)
    assert done == [pytest.approx(1005.0)]
    assert busy.aborted
    assert len(rig.lines()) == 1


def test_deadline_is_off_when_it_is_done_before(service: Service) -> None:
    done: list[int] = []
    service.runtime.drain(5_000, lambda: done.append(1))
    service.rig.loop.advance(10_000.0)
    assert done == [1]
    assert service.rig.loop.pending == 0


def test_drain_lets_tunnels_go_on_until_the_deadline(make_service: Callable[..., Service]) -> None:
    service = make_service(mode="tcp")
    service.listen()
    rig = service.rig
    client = service.arrive()
    assert client is not None
    done: list[int] = []
    service.runtime.drain(5_000, lambda: done.append(1))
    rig.loop.advance(1_000.0)
    rig.send(client, b"still")
    assert rig.upstream().take() == b"still"
    rig.loop.advance(4_001.0)
    assert done == [1]
    assert client.aborted
    assert [state for _, state in rig.lines()] == ["K-"]


def test_the_last_line_is_written_before_the_logs_close(make_service: Callable[..., Service]) -> None:
    service = make_service(mode="tcp")
    service.listen()
    client = service.arrive()
    assert client is not None
    order: list[str] = []

    def write(exchange: Any, level: int | None = None) -> None:
        order.append("line")

    service.rig.log.write = write  # type: ignore[method-assign]
    service.runtime.drain(None, lambda: order.append("done"))
    service.rig.shut(client)
    service.rig.shut(service.rig.upstream())
    assert order == ["line", "done"]


def test_abort(service: Service) -> None:
    rig = service.rig
    idle, busy = service.idle(), service.busy()
    service.runtime.abort()
    rig.loop.run()
    assert idle.aborted
    assert busy.aborted
    assert rig.idle == 0
    assert service.arrive() is None
    assert rig.loop.pending == 0, "no pulse, no timers"
    assert rig.relay.connections == 0


def test_abort_of_tunnels(make_service: Callable[..., Service]) -> None:
    service = make_service(mode="tcp")
    service.listen()
    client = service.arrive()
    assert client is not None
    service.runtime.abort()
    service.rig.loop.run()
    assert client.aborted
    assert service.rig.upstream().aborted


# The pulse.


def test_figures_are_published(service: Service) -> None:
    rig = service.rig
    service.idle()
    service.busy()
    rig.loop.advance(PULSE * 1000.0 + 1.0)
    process, frontend, backend, server = (cast(Any, service.row(number)) for number in range(4))
    assert (process.curr_conns, process.cum_conns, process.cum_req) == (2, 2, 1)
    assert process.total_bytes_out == frontend.bout == backend.bout == server.bout == len(OK_SENT)
    assert (frontend.scur, frontend.req_tot, frontend.hrsp_2xx) == (2, 1, 1)
    assert (backend.scur, backend.hrsp_2xx, backend.stot) == (1, 1, 1)
    assert (server.scur, server.used_conn_cur, server.connect + server.reuse, server.hrsp_2xx) == (1, 1, 2, 1)


def test_long_tunnels_are_counted_meanwhile(make_service: Callable[..., Service]) -> None:
    service = make_service(mode="tcp")
    service.listen()
    client = service.arrive()
    assert client is not None
    service.rig.send(client, b"12345")
    service.rig.loop.advance(PULSE * 1000.0 + 1.0)
    assert cast(Any, service.row(1)).bin == cast(Any, service.row(3)).bin == 5
    service.rig.loop.advance(PULSE * 1000.0 + 1.0)
    assert cast(Any, service.row(1)).bin == 5


def test_the_last_figures_are_published_at_the_end(service: Service) -> None:
    service.idle()
    service.runtime.abort()
    assert cast(Any, service.row(1)).hrsp_2xx == 1


def test_surplus_connections_are_closed(make_service: Callable[..., Service]) -> None:
    service = make_service(
        server={"pool_purge_delay": 1_000}, timeouts=Timeouts(client=600_000, server=600_000, connect=4_000)
    )
    service.listen()
    rig = service.rig
    clients = [service.busy() for _ in range(8)]
    for dial in rig.dials:
        assert dial.transport is not None
        rig.send(dial.transport, OK)
    for client in clients:
        rig.lose(client)
    kept = rig.idle
    assert kept > 1
    rig.loop.advance(60_000.0)
    assert rig.idle < kept
    assert sum(dial.transport is not None and not dial.transport.lost for dial in rig.dials) == rig.idle


@pytest.mark.parametrize(("used", "pressure"), [(74, AMPLE), (75, LOW), (100, SHORT)])
def test_pressure_on_the_pools(service: Service, used: int, pressure: int) -> None:
    relay = service.rig.relay
    relay.descriptor_limit = 100
    relay.descriptors += used
    service.rig.loop.advance(PULSE * 1000.0 + 1.0)
    assert service.rig.server.pool.pressure == pressure
    relay.descriptors -= used


def test_reports(service: Service) -> None:
    service.runtime.report(5, "Proxy px started.")
    for flush in service.flushes:
        flush()
    assert os.read(service.read_end, 1000) == b"Proxy px started.\n"


def test_without_a_segment() -> None:
    rig = Rig()
    runtime = Runtime(rig.relay, [rig.frontend], [rig.backend], Senders(lambda flush: None, 1), [], None)
    runtime.publish()
    rig.loop.advance(1_000.0)
    runtime.abort()
    assert rig.loop.faults == []


# Signs of life, limits, other threads.


def lively(service: Service) -> tuple[Pulses, Runtime]:
    rig = service.rig
    pulses = Pulses(memoryview(bytearray(Pulses.size(1))), 1)
    runtime = Runtime(
        rig.relay, [rig.frontend], [rig.backend], Senders(lambda flush: None, 1), [], None, pulse=pulses.pulse(1)
    )
    return pulses, runtime


def test_heartbeat(service: Service) -> None:
    service.runtime.abort()
    rig = service.rig
    rig.relay.draining = False
    pulses, runtime = lively(service)
    assert pulses.row(1) == Row(1_000_000, 0, False, os.getpid(), 1)
    rig.loop.advance(PULSE * 1000.0 + 1.0)
    assert pulses.row(1).heartbeat == pytest.approx(1_000_200, abs=1)
    client = rig.client()
    assert pulses.row(1).connections == 1
    rig.lose(client)
    assert pulses.row(1).connections == 0
    runtime.abort()


def test_a_fault_in_the_pulse_does_not_stop_it(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the thread would be killed for something else."""
    service.runtime.abort()
    service.rig.relay.draining = False
    pulses, runtime = lively(service)

    def fail() -> None:
        raise RuntimeError("published nothing")

    monkeypatch.setattr(runtime, "publish", fail)
    for turns in (2, 3):
        with pytest.raises(RuntimeError):
            service.rig.loop.advance(PULSE * 1000.0)
        service.rig.loop.now += 0.001
        assert pulses.row(1).turns == turns
    monkeypatch.undo()
    runtime.abort()


def test_room_that_a_new_deal_brings_is_used(make_service: Callable[..., Service]) -> None:
    service = make_service(server={"maxconn": 2}, maxconn=4)
    service.runtime.deal(0, 2, Shares(0, 2))
    service.listen()
    clients = [service.busy() for _ in range(2)]
    assert service.arrive() is None
    assert service.rig.backend.queued == 1
    service.runtime.deal(0, 1, Shares())
    service.rig.loop.run()
    assert service.rig.backend.queued == 0
    assert service.arrive() is not None
    for number, client in enumerate(clients):
        service.rig.send(service.rig.upstream(number), OK)
        assert client.take() == OK_SENT


def test_a_smaller_deal_sends_nobody_away(make_service: Callable[..., Service]) -> None:
    service = make_service(maxconn=4)
    service.listen()
    clients = [service.busy() for _ in range(4)]
    service.runtime.deal(0, 4, Shares(0, 4))
    assert service.arrive() is None
    for number, client in enumerate(clients):
        service.rig.send(service.rig.upstream(number), OK)
        assert client.take() == OK_SENT
    for client in clients[:3]:
        service.rig.lose(client)
        assert service.arrive() is None
    service.rig.lose(clients[3])
    assert service.arrive() is not None


def test_limit_of_a_bind_line_is_dealt_anew(make_service: Callable[..., Service]) -> None:
    line = BindSpec(PLACE, "", (Address("inet", "127.0.0.1", 0, 0),), maxconn=2)
    service = make_service(binds=(line,))
    service.listen()
    clients = [service.busy() for _ in range(2)]
    assert service.arrive() is None
    service.runtime.deal(0, 2, Shares(0, 2))
    for number, client in enumerate(clients):
        service.rig.send(service.rig.upstream(number), OK)
        service.rig.lose(client)
    assert service.arrive() is not None
    assert service.arrive() is None


def test_nothing_is_handed_over_without_a_row(service: Service) -> None:
    service.runtime.set_peers("px", 0, (1, 2))
    service.runtime.take_inbox(cast(Any, None))
    assert service.arrive() is not None
