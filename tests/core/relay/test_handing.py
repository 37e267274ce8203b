"""Clients that are handed to the thread with the fewest."""

from __future__ import annotations

import os
import select
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from maniple.core.relay.handing import PULSES, STALE, Hander, Inbox, Inboxes, open_inbox
from maniple.core.runtime import PULSE
from maniple.pools.pulses import ACCEPTING, CONNECTIONS, Pulses
from maniple.tests.core.relay.fakes import FakeTransport
from maniple.tests.core.relay.live import DEFAULTS, GET, Answering, Echo, LoopThread, Whole, a_server, answer, until
from maniple.tests.core.relay.rig import Rig

# Whom a client is handed to.


class Table:
    """Four threads, of which number 2 decides."""

    def __init__(self, rig: Rig) -> None:
        self.relay = rig.relay
        self.loop = rig.loop
        self.pulses = Pulses(memoryview(bytearray(Pulses.size(4))), 4)
        self.inboxes = Inboxes()
        self.reading: dict[int, socket.socket] = {}
        now = int(self.relay.now())
        for number in range(1, 5):
            sending, self.reading[number] = open_inbox()
            self.inboxes.add(number, sending)
            pulse = self.pulses.pulse(number)
            pulse.begin(100 + number, now)
            pulse.words[ACCEPTING] = 1
        self.hander = Hander(self.relay, self.pulses.pulse(2), self.inboxes)
        self.hander.set_peers("px", 0, (1, 2, 3, 4))
        self.client, self.other = socket.socketpair()

    def load(self, *loads: int) -> None:
        for number, connections in enumerate(loads, 1):
            self.pulses.pulse(number).words[CONNECTIONS] = connections
        self.relay.connections = loads[1]

    def hand(self, bind_index: int = 0) -> bool:
        transport = FakeTransport(self.loop, cast(Any, None))
        transport.socket.descriptor = self.client.fileno()
        return self.hander.handed("px", bind_index, transport)

    def sent(self) -> list[int]:
        """The threads that something waits for."""
        ready, _, _ = select.select(list(self.reading.values()), [], [], 0)
        return [number for number, sock in self.reading.items() if sock in ready and sock.recv(1, socket.MSG_PEEK)]

    def read(self, number: int) -> None:
        """The thread takes one out of its inbox."""
        self.reading[number].recv(100)

    def close(self) -> None:
        self.relay.connections = 0
        for number in range(1, 5):
            self.inboxes.remove(number)
            self.reading[number].close()
        self.client.close()
        self.other.close()


@pytest.fixture
def table(make_rig: Callable[..., Rig]) -> Iterator[Table]:
    table = Table(make_rig())
    yield table
    table.close()


@pytest.mark.parametrize(
    ("loads", "target"),
    [
        ((0, 0, 0, 0), 0),
        ((1, 1, 0, 1), 3),
        ((1, 1, 1, 0), 4),
        ((0, 1, 0, 0), 3),
        ((0, 1, 1, 1), 1),
        ((5, 5, 5, 5), 0),
        ((5, 5, 4, 5), 3),
        ((5, 4, 4, 4), 0),
        ((80, 88, 79, 80), 3),
        ((80, 87, 80, 80), 0),
        ((80, 89, 80, 80), 0),
        ((80, 90, 80, 79), 4),
    ],
)
def test_the_one_with_the_fewest_gets_it(table: Table, loads: tuple[int, ...], target: int) -> None:
    """Ours is the second; with the new one it may have one more than the fewest, or an eighth more."""
    table.load(*loads)
    assert table.hand() == (target != 0)
    assert table.sent() == ([target] if target else [])


def test_brief_clients_even_themselves_out(table: Table) -> None:
    """As many as came and went in 25 ms, going by the last beat, are no difference."""
    table.load(10, 14, 10, 10)
    table.relay.counts.cum_conns = 14 + 80
    table.hander.beat()
    assert table.hander._slack == 10
    assert not table.hand()
    table.load(0, 10, 0, 0)
    table.relay.counts.cum_conns = 10 + 80
    assert table.hand()
    table.hander.beat()
    assert table.hander._slack == 1


def test_its_beat_is_that_of_the_runtime() -> None:
    assert pytest.approx(1.0) == PULSE * PULSES


def test_a_burst_does_not_go_to_one(table: Table) -> None:
    """Nobody has taken anything yet."""
    table.load(1, 7, 1, 1)
    for _ in range(6):
        assert table.hand()
    assert table.sent() == [1, 3, 4]
    counts = []
    for number in (1, 3, 4):
        count = 0
        while number in table.sent():
            table.reading[number].recv(100)
            count += 1
        counts.append(count)
    assert counts == [2, 2, 2]


def test_what_others_hand_over_is_on_its_way_too(table: Table) -> None:
    """All threads see the same one with the fewest: they must not all pour theirs into it."""
    pulses = Pulses(table.pulses.body, 4)
    other = Hander(table.relay, pulses.pulse(1), table.inboxes)
    other.set_peers("px", 0, (1, 2, 3, 4))
    transport = FakeTransport(table.loop, cast(Any, None))
    transport.socket.descriptor = table.client.fileno()
    table.load(9, 9, 2, 9)
    for _ in range(4):
        assert other.handed("px", 0, transport)
    assert [table.hand() for _ in range(5)] == [True] * 3 + [False] * 2


def test_those_that_were_taken_are_counted_once(table: Table) -> None:
    """As connections, not as being on their way as well."""
    table.load(9, 9, 0, 9)
    for connections in range(1, 8):
        assert table.hand()
        table.read(3)
        table.pulses.pulse(3).took(2)
        table.pulses.pulse(3).words[CONNECTIONS] = connections
    assert table.hand()


def unable(table: Table, why: str) -> None:
    if why == "does not accept":
        table.pulses.pulse(3).words[ACCEPTING] = 0
    elif why == "does not turn":
        table.loop.advance(STALE + 300.0)
        for number in (1, 2, 4):
            table.pulses.pulse(number).beat(int(table.relay.now()))
    elif why == "is dead":
        table.pulses.clear(3)
    elif why == "has no inbox":
        table.inboxes.remove(3)
    elif why == "does not serve it":
        table.hander.set_peers("px", 0, (1, 2, 4))


WHYS = ["does not accept", "does not turn", "is dead", "has no inbox", "does not serve it"]


@pytest.mark.parametrize("why", WHYS)
def test_one_that_cannot_take_it_gets_nothing(table: Table, why: str) -> None:
    unable(table, why)
    table.load(9, 9, 0, 9)
    assert not table.hand()
    table.load(9, 9, 0, 5)
    assert table.hand()
    assert table.sent() == [4]


def test_kept_where_the_inbox_is_full(table: Table) -> None:
    table.load(100_000, 100_000, 0, 100_000)
    count = 0
    while table.hand():
        count += 1
    assert 50 < count < 5_000
    assert table.sent() == [3]


def test_kept_where_the_inbox_is_broken(table: Table) -> None:
    table.load(9, 9, 0, 9)
    table.reading[3].close()
    assert not table.hand()


def test_kept_while_we_drain(table: Table) -> None:
    table.load(9, 9, 0, 9)
    table.relay.draining = True
    assert not table.hand()


@pytest.mark.parametrize("numbers", [(), (2,)])
def test_kept_where_there_is_nobody_else(table: Table, numbers: tuple[int, ...]) -> None:
    table.hander.set_peers("px", 0, numbers)
    table.load(0, 9, 0, 0)
    assert not table.hand()
    assert not table.hand(1), "nobody was named for that bind line"


def test_peers_that_are_not_evenly_spaced(table: Table) -> None:
    table.hander.set_peers("px", 0, (1, 2, 4))
    table.load(9, 9, 0, 3)
    assert table.hand()
    assert table.sent() == [4]


def test_a_count_that_was_lost_heals(table: Table) -> None:
    """A thread died between taking a client and counting it: it must not be passed over for ever."""
    table.load(3, 3, 0, 3)
    for _ in range(3):
        assert table.hand()
        table.read(3)
    assert not table.hand()
    table.loop.advance(STALE + 1.0)
    for number in range(1, 5):
        table.pulses.pulse(number).beat(int(table.relay.now()))
    assert table.hand()


def test_what_a_predecessor_sent_is_no_credit(table: Table) -> None:
    """The thread with our number before us had sent some, which are taken only now."""
    table.load(3, 3, 0, 3)
    assert table.hand()
    table.read(3)
    for _ in range(5):
        table.pulses.pulse(3).took(2)
    for _ in range(3):
        assert table.hand()
    assert not table.hand()


def test_inboxes_are_closed_when_they_go() -> None:
    inboxes = Inboxes()
    pairs = [open_inbox() for _ in range(2)]
    inboxes.add(1, pairs[0][0])
    inboxes.add(1, pairs[1][0])
    assert [sending.fileno() == -1 for sending, _ in pairs] == [True, False]
    inboxes.remove(1)
    inboxes.remove(1)
    assert pairs[1][0].fileno() == -1
    assert inboxes.ends == {}
    for _, reading in pairs:
        reading.close()


# The other end.


@pytest.fixture
def server() -> Iterator[int]:
    with a_server(Answering) as port:
        yield port


def text(port: int, *, mode: str = "http", rest: str = "", bind: str = "") -> str:
    return (
        f"global\n    tune.listener.balance least\n{DEFAULTS}    mode {mode}\n"
        f"frontend f\n    bind 127.0.0.1:1 {bind}\n    default_backend b\n{rest}"
        f"backend b\n    server s 127.0.0.1:{port}\n"
    )


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_clients_are_spread_evenly(mode: str) -> None:
    with a_server(Answering if mode == "http" else Echo) as port:
        whole = Whole(text(port, mode=mode), 4)
        clients = []
        try:
            for count in range(1, 41):
                client = whole.connect()
                clients.append(client)
                # Each is served wherever it is.
                client.sendall(GET)
                if mode == "http":
                    assert answer(client).startswith(b"HTTP/1.1 200 ")
                else:
                    assert client.recv(1000) == GET
                assert sum(whole.connections()) == count
            assert max(whole.connections()) <= 11
            assert min(whole.connections()) >= 9
            counts = [runtime.relay.counts.cum_conns for runtime in whole.runtimes]
            assert counts == whole.connections(), "who hands a client over has not had it"
            assert [runtime.frontends["f"].connections for runtime in whole.runtimes] == counts
            assert [runtime.relay.descriptors >= count for runtime, count in zip(whole.runtimes, counts, strict=True)]
        finally:
            for client in clients:
                client.close()
            until(lambda: sum(whole.connections()) == 0, "leaving")
            whole.end()


def test_without_it_nobody_moves(server: int) -> None:
    whole = Whole(text(server).replace("least", "hash"), 2)
    clients = [whole.connect() for _ in range(40)]
    try:
        until(lambda: sum(whole.connections()) == 40)
        assert all(runtime._hander is None for runtime in whole.runtimes)
        assert select.select([reading for _, reading in whole.inboxes], [], [], 0)[0] == []
    finally:
        for client in clients:
            client.close()
        whole.end()


def test_a_burst_of_connects_is_served(server: int) -> None:
    """Handed over or not, nobody is reset, and nobody is lost."""
    whole = Whole(text(server), 3)
    clients = [whole.connect() for _ in range(200)]
    try:
        for client in clients:
            client.sendall(GET)
        for client in clients:
            assert answer(client).startswith(b"HTTP/1.1 200 ")
        assert sum(whole.connections()) == 200
        assert max(whole.connections()) <= 200 / 3 * 1.25
    finally:
        for client in clients:
            client.close()
        whole.end()


class Receiver:
    """One thread with an inbox, and the sending end of that."""

    def __init__(self, server: int, **words: Any) -> None:
        self.whole = Whole(text(server, **words), 1)
        self.sending = self.whole.inboxes[0][0]
        self.runtime = self.whole.runtimes[0]
        self.listening = socket.create_server(("127.0.0.1", 0))

    def hand(self, frontend: str = "f", bind_index: int = 0) -> socket.socket:
        """A client whose connection somebody else has accepted and put into the inbox."""
        client = socket.create_connection(self.listening.getsockname())
        client.settimeout(10.0)
        accepted, _ = self.listening.accept()
        message = struct.pack("=II", 1, bind_index) + frontend.encode()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", accepted.fileno()))]
        self.sending.sendmsg([message], rights)
        accepted.close()
        return client

    def taken(self) -> int:
        return self.whole.pulses.taken(1, 1)


@pytest.fixture
def make_receiver(server: int) -> Iterator[Callable[..., Receiver]]:
    made: list[Receiver] = []

    def make(**words: Any) -> Receiver:
        made.append(Receiver(server, **words))
        return made[-1]

    yield make
    for receiver in made:
        receiver.whole.end()
        receiver.listening.close()


def test_addresses_are_those_of_the_connection(make_receiver: Callable[..., Receiver]) -> None:
    receiver = make_receiver(rest="    option forwardfor\n")
    client = receiver.hand()
    client.sendall(GET)
    answer(client)
    (session,) = receiver.runtime.relay.clients
    assert (session.client_host, session.client_port) == client.getsockname()
    assert (session.frontend_host, session.frontend_port) == client.getpeername()
    assert session.listener_name == "1"
    sock = session.transport.get_extra_info("socket")
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    client.close()
    until(lambda: receiver.taken() == 1 and not receiver.runtime.relay.clients)
    assert receiver.runtime.frontends["f"].counts.conn_tot == 1


def test_limit_of_the_bind_line_counts_them(make_receiver: Callable[..., Receiver]) -> None:
    """The thread pauses, and says so; one that is on its way all the same is served."""
    receiver = make_receiver(bind="maxconn 1")
    first = receiver.hand()
    until(lambda: receiver.taken() == 1)
    assert not receiver.whole.pulses.row(1).accepting
    second = receiver.hand()
    second.sendall(GET)
    answer(second)
    for client in (first, second):
        client.close()
    until(lambda: receiver.whole.pulses.row(1).accepting)
    assert receiver.whole.connections() == [0]


@pytest.mark.parametrize(("frontend", "bind_index"), [("g", 0), ("f", 7)])
def test_what_we_do_not_serve_is_closed(make_receiver: Callable[..., Receiver], frontend: str, bind_index: int) -> None:
    receiver = make_receiver()
    client = receiver.hand(frontend, bind_index)
    assert client.recv(10) == b""
    until(lambda: receiver.taken() == 1)
    client.close()


def test_a_client_that_left_on_the_way(make_receiver: Callable[..., Receiver]) -> None:
    receiver = make_receiver()
    client = receiver.hand()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    until(lambda: receiver.taken() == 1 and not receiver.runtime.relay.clients)
    again = receiver.hand()
    again.sendall(GET)
    answer(again)
    again.close()


def test_a_message_without_a_descriptor_is_counted(make_receiver: Callable[..., Receiver]) -> None:
    """The kernel leaves it out when there is none to be had."""
    receiver = make_receiver()
    receiver.sending.send(struct.pack("=II", 1, 0) + b"f")
    until(lambda: receiver.taken() == 1)


def test_handed_over_before_the_thread_lives(server: int) -> None:
    """What waits for a thread that died is taken by its successor."""
    receiver = Receiver(server)
    thread = receiver.whole.threads[0]
    inbox = receiver.runtime._inbox
    assert inbox is not None
    thread.call(inbox.close)
    client = receiver.hand()
    client.sendall(GET)
    assert receiver.taken() == 0
    thread.call(receiver.runtime.take_inbox, receiver.whole.inboxes[0][1])
    assert answer(client).startswith(b"HTTP/1.1 200 ")
    client.close()
    receiver.whole.end()
    receiver.listening.close()


def test_all_senders_gone() -> None:
    """Without this the loop would spin on an end of file."""
    thread = LoopThread()
    sending, reading = open_inbox()

    class NoRelay:
        loop = thread.loop

    pulses = Pulses(memoryview(bytearray(Pulses.size(1))), 1)
    inbox = thread.call(lambda: Inbox(cast(Any, NoRelay()), pulses.pulse(1), reading, lambda *_: None))
    sending.close()
    until(lambda: not thread.call(thread.loop.remove_reader, reading))
    thread.call(inbox.close)
    reading.close()
    thread.end()


def test_unix_clients_too(server: int, tmp_path: Any) -> None:
    receiver = Receiver(server)
    receiver.listening.close()
    receiver.listening = socket.socket(socket.AF_UNIX)
    path = os.fspath(tmp_path / "s")
    receiver.listening.bind(path)
    receiver.listening.listen()
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10.0)
    client.connect(path)
    accepted, _ = receiver.listening.accept()
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", accepted.fileno()))]
    receiver.sending.sendmsg([struct.pack("=II", 1, 0) + b"f"], rights)
    accepted.close()
    client.sendall(GET)
    assert answer(client).startswith(b"HTTP/1.1 200 ")
    client.close()
    receiver.whole.end()
    receiver.listening.close()
