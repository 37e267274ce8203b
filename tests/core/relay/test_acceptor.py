"""Accepting, and stopping in time: limits of the frontend, the thread and descriptors."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from maniple.core.relay.acceptor import Acceptor, Listener, waiting_sockets
from maniple.core.relay.client import ClientConnection
from maniple.pools.pulses import ACCEPTING, CONNECTIONS
from maniple.tests.core.relay.fakes import FakeListener, FakeTransport
from maniple.tests.core.relay.rig import Rig


class FakeListening:
    """A socket of the supervisor's; `dup` may fail."""

    def __init__(self) -> None:
        self.duplicates: list[FakeListening] = []
        self.closed = False
        self.error: OSError | None = None

    def dup(self) -> FakeListening:
        if self.error is not None:
            raise self.error
        duplicate = FakeListening()
        self.duplicates.append(duplicate)
        return duplicate

    def close(self) -> None:
        self.closed = True


class Gate:
    """One frontend with one listener, on a fake loop."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.acceptor = Acceptor(rig.relay)
        self.sock = FakeListening()
        self.add(self.sock)

    def add(self, sock: Any) -> None:
        rig = self.rig
        factory: Callable[[], ClientConnection] = lambda: ClientConnection(rig.frontend, "1")  # noqa: E731
        self.acceptor.add(Listener(rig.relay, rig.frontend, sock, factory, 100))
        rig.loop.run()

    @property
    def accepting(self) -> list[FakeListener]:
        return [listener for listener in self.rig.loop.listeners if not listener.closed]

    def arrive(self) -> FakeTransport | None:
        """A client, if anybody accepts it."""
        for listener in self.accepting:
            client = listener.arrive()
            if client is not None:
                self.rig.clients.append(client)
            return client
        return None

    def fill(self, most: int = 100) -> list[FakeTransport]:
        """Clients until nobody accepts any more."""
        clients: list[FakeTransport] = []
        while len(clients) < most and (client := self.arrive()) is not None:
            clients.append(client)
        return clients


@pytest.fixture
def gate(make_rig: Callable[..., Rig]) -> Gate:
    return Gate(make_rig())


def test_accepts_on_a_duplicate(gate: Gate) -> None:
    (listener,) = gate.accepting
    assert listener.sock is gate.sock.duplicates[0]
    assert listener.backlog == 100
    assert isinstance(gate.arrive(), FakeTransport)


@pytest.mark.parametrize("limit", ["frontend", "process", "descriptors"])
def test_pauses_with_the_last_that_fits_and_resumes(gate: Gate, limit: str) -> None:
    rig = gate.rig
    if limit == "frontend":
        rig.frontend.maxconn = 3
    elif limit == "process":
        rig.relay.maxconn = 3
    else:
        rig.relay.descriptor_limit = 3
    clients = gate.fill()
    assert len(clients) == 3
    assert not gate.sock.closed, "the queue goes on in the supervisor's socket"
    for _ in range(3):
        rig.lose(clients.pop())
        assert len(gate.accepting) == 1
        clients += gate.fill()
        assert len(clients) == 3
    assert all(duplicate.closed for duplicate in gate.sock.duplicates)


def test_server_connections_leave_room(gate: Gate) -> None:
    """A descriptor of a server connection counts too: when it is closed, accepting goes on."""
    rig = gate.rig
    client = gate.arrive()
    assert client is not None
    rig.send(client, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    rig.relay.descriptor_limit = 3
    assert len(gate.fill()) == 1
    rig.shut(rig.upstream())
    assert len(gate.accepting) == 1


def test_only_the_full_frontend_pauses(make_rig: Callable[..., Rig]) -> None:
    """Another frontend of the same thread goes on, and the thread's own limit stops both."""
    rig = make_rig()
    gate = Gate(rig)
    other = Rig()
    other.frontend.relay = rig.relay
    gate.acceptor.add(
        Listener(rig.relay, other.frontend, FakeListening(), lambda: ClientConnection(other.frontend, "1"), 10)  # type: ignore[arg-type]
    )
    rig.loop.run()
    rig.frontend.maxconn = 1
    rig.relay.maxconn = 3
    assert gate.arrive() is not None
    assert len(gate.accepting) == 1
    assert len(gate.fill()) == 2
    assert gate.accepting == []
    rig.lose(rig.clients[0])
    # The first frontend has room again, and so has the thread.
    assert len(gate.accepting) == 2


def test_one_that_is_added_while_full_waits(gate: Gate) -> None:
    gate.rig.frontend.maxconn = 1
    (client,) = gate.fill()
    gate.add(FakeListening())
    assert gate.accepting == []
    gate.rig.lose(client)
    assert len(gate.accepting) >= 1


def test_one_that_is_added_alone_while_full_waits(gate: Gate) -> None:
    gate.acceptor.remove(gate.sock)  # type: ignore[arg-type]
    client = gate.rig.client()
    gate.rig.frontend.maxconn = 1
    gate.add(FakeListening())
    assert gate.accepting == []
    gate.rig.lose(client)
    assert len(gate.accepting) == 1


def test_straggler_after_the_end_does_not_disturb_it(gate: Gate) -> None:
    """Whoever shuts the listeners waits for the last connection himself."""
    gate.rig.frontend.maxconn = 1
    seen: list[int] = []
    gate.acceptor.shut()
    gate.rig.relay.room = lambda: seen.append(1)
    gate.rig.lose(gate.rig.client())
    assert seen == [1]


def test_pause_and_resume(gate: Gate) -> None:
    gate.acceptor.pause()
    assert gate.accepting == []
    gate.acceptor.room()
    gate.add(FakeListening())
    assert gate.accepting == []
    gate.acceptor.resume()
    gate.rig.loop.run()
    assert len(gate.accepting) == 2


def test_resume_while_full(gate: Gate) -> None:
    gate.rig.frontend.maxconn = 1
    (client,) = gate.fill()
    gate.acceptor.pause()
    gate.acceptor.resume()
    gate.rig.loop.run()
    assert gate.accepting == []
    gate.rig.lose(client)
    assert len(gate.accepting) == 1


def test_resume_when_room_came_while_paused(gate: Gate) -> None:
    gate.rig.frontend.maxconn = 1
    (client,) = gate.fill()
    gate.acceptor.pause()
    gate.rig.lose(client)
    assert gate.accepting == []
    gate.acceptor.resume()
    gate.rig.loop.run()
    assert len(gate.accepting) == 1


def test_paused_before_it_has_started(make_rig: Callable[..., Rig]) -> None:
    """The coroutine that starts it finds that it is not wanted any more."""
    rig = make_rig()
    acceptor = Acceptor(rig.relay)
    sock: Any = FakeListening()
    acceptor.add(Listener(rig.relay, rig.frontend, sock, lambda: ClientConnection(rig.frontend, "1"), 1))
    acceptor.pause()
    rig.loop.run()
    assert all(listener.closed for listener in rig.loop.listeners)
    acceptor.resume()
    rig.loop.run()
    assert sum(not listener.closed for listener in rig.loop.listeners) == 1


def test_paused_and_resumed_before_it_has_started(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    acceptor = Acceptor(rig.relay)
    sock: Any = FakeListening()
    acceptor.add(Listener(rig.relay, rig.frontend, sock, lambda: ClientConnection(rig.frontend, "1"), 1))
    acceptor.pause()
    acceptor.resume()
    rig.loop.run()
    assert [listener.closed for listener in rig.loop.listeners] == [False]


def test_shut_is_for_good(gate: Gate) -> None:
    gate.acceptor.shut()
    gate.acceptor.resume()
    gate.acceptor.room()
    gate.add(FakeListening())
    assert gate.accepting == []


def test_removed(gate: Gate) -> None:
    adopted = FakeListening()
    gate.add(adopted)
    assert len(gate.accepting) == 2
    gate.acceptor.remove(adopted)  # type: ignore[arg-type]
    assert [listener.sock for listener in gate.accepting] == gate.sock.duplicates
    gate.acceptor.pause()
    gate.acceptor.resume()
    gate.rig.loop.run()
    assert len(gate.accepting) == 1


def test_no_descriptor_for_the_duplicate(make_rig: Callable[..., Rig]) -> None:
    """It tries again when a connection is closed."""
    rig = make_rig()
    client = rig.client()
    acceptor = Acceptor(rig.relay)
    sock = FakeListening()
    sock.error = OSError(24, "no descriptors")
    acceptor.add(Listener(rig.relay, rig.frontend, sock, lambda: ClientConnection(rig.frontend, "1"), 1))  # type: ignore[arg-type]
    rig.loop.run()
    assert rig.loop.listeners == []
    assert rig.loop.faults == [sock.error]
    rig.loop.faults.clear()
    sock.error = None
    rig.lose(client)
    assert len(rig.loop.listeners) == 1


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


def test_a_real_socket_is_left_alone(make_rig: Callable[..., Rig], listening: socket.socket) -> None:
    rig = make_rig()
    gate = Gate(rig)
    gate.add(listening)
    duplicate = gate.accepting[1].sock
    assert duplicate.getsockname() == listening.getsockname()
    gate.acceptor.shut()
    assert duplicate.fileno() == -1
    assert listening.fileno() >= 0
    with socket.create_connection(listening.getsockname()):
        connection, _ = listening.accept()
        connection.close()


def test_the_limit_of_a_bind_line(make_rig: Callable[..., Rig]) -> None:
    """It pauses its own listener only, counts only the clients of that one, and ends when one of them leaves."""
    rig = make_rig()
    gate = Gate(rig)
    narrow = FakeListening()
    factory: Callable[[], ClientConnection] = lambda: ClientConnection(rig.frontend, "2")  # noqa: E731
    gate.acceptor.add(Listener(rig.relay, rig.frontend, narrow, factory, 100, maxconn=2))  # type: ignore[arg-type]
    rig.loop.run()
    wide, limited = gate.accepting

    def arrive(listener: FakeListener) -> FakeTransport:
        client = listener.arrive()
        assert client is not None
        rig.clients.append(client)
        return client

    arrive(wide)
    first = arrive(limited)
    arrive(limited)
    assert gate.accepting == [wide]
    arrive(wide)
    rig.lose(first)
    assert len(gate.accepting) == 2
    arrive(gate.accepting[1])
    assert gate.accepting == [wide]
    assert len(rig.relay.limited) == 2


# What other threads see, and the end.


def test_the_row_says_whether_anybody_can_come(gate: Gate) -> None:
    live = gate.rig.relay.live
    assert live[ACCEPTING] == 1
    gate.rig.frontend.maxconn = 1
    (client,) = gate.fill()
    assert (live[ACCEPTING], live[CONNECTIONS]) == (0, 1)
    gate.rig.lose(client)
    assert (live[ACCEPTING], live[CONNECTIONS]) == (1, 0)
    gate.acceptor.pause()
    assert live[ACCEPTING] == 0
    gate.acceptor.resume()
    assert live[ACCEPTING] == 1
    gate.acceptor.remove(gate.sock)  # type: ignore[arg-type]
    assert live[ACCEPTING] == 0, "there is nothing to accept on"
    gate.add(FakeListening())
    assert live[ACCEPTING] == 1
    gate.acceptor.shut()
    assert live[ACCEPTING] == 0


def test_a_gate_in_front(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    acceptor = Acceptor(rig.relay)
    made: list[str] = []
    factory: Callable[[], ClientConnection] = lambda: ClientConnection(rig.frontend, "1")  # noqa: E731

    def gated(inner: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        def make() -> asyncio.Protocol:
            made.append("gate")
            return inner()

        return make

    sock: Any = FakeListening()
    acceptor.add(Listener(rig.relay, rig.frontend, sock, factory, 1, maxconn=5, gate=gated))
    rig.loop.run()
    (listening,) = rig.loop.listeners
    client = listening.arrive()
    assert client is not None
    rig.clients.append(client)
    assert made == ["gate"]
    assert len(rig.relay.limited) == 1
    listener = acceptor.listener(factory)
    assert listener is not None
    assert listener.connections == 1
    assert acceptor.listener(lambda: ClientConnection(rig.frontend, "1")) is None
    acceptor.limit(factory, 1)
    acceptor.full()
    assert listening.closed


def test_lingering(make_rig: Callable[..., Rig], listening: socket.socket) -> None:
    rig = make_rig()
    gate = Gate(rig)
    gate.add(listening)
    left: list[int] = []
    client = rig.client()
    gate.acceptor.linger([listening], lambda: left.append(1))
    assert [type(listener.sock) for listener in gate.accepting] == [socket.socket]
    assert rig.relay.live[ACCEPTING] == 0
    with socket.create_connection(listening.getsockname()):
        gate.acceptor.let_go()
        assert gate.acceptor.lingers, "somebody waits"
        connection, _ = listening.accept()
        connection.close()
    rig.lose(client)
    assert left == [1]
    gate.acceptor.let_go()
    assert not gate.acceptor.lingers
    assert gate.accepting == []
    rig.lose(rig.client())
    assert left == [1, 1]


def test_a_paused_thread_that_drains_accepts_what_lingers(
    make_rig: Callable[..., Rig], listening: socket.socket
) -> None:
    rig = make_rig()
    gate = Gate(rig)
    gate.add(listening)
    gate.acceptor.pause()
    gate.acceptor.linger([listening], lambda: None)
    rig.loop.run()
    assert len(gate.accepting) == 1
    gate.acceptor.shut()


def test_closed_sockets_have_no_queue(listening: socket.socket) -> None:
    closed = socket.socket()
    closed.close()
    assert waiting_sockets([closed, listening]) == set()
    with socket.create_connection(listening.getsockname()):
        assert waiting_sockets([closed, listening]) == {id(listening)}
