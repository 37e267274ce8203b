"""The soft stop of a thread on real sockets: queues that are emptied, clients that are told, nobody who is reset."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from maniple.core.relay.client import IDLE
from maniple.core.relay.draining import QUIET
from maniple.core.relay.relay import Relay
from maniple.core.runtime import Runtime
from maniple.tests.core.relay.live import DEFAULTS, GET, Answering, Echo, LoopThread, Whole, a_server, answer, until


@pytest.fixture
def server() -> Iterator[int]:
    with a_server(Answering) as port:
        yield port


def text(port: int, *, mode: str = "http", rest: str = "", bind: str = "", first: str = "") -> str:
    return (
        f"global\n    tune.listener.balance least\n{first}{DEFAULTS}    mode {mode}\n"
        f"frontend f\n    bind 127.0.0.1:1 {bind}\n    default_backend b\n{rest}"
        f"backend b\n    server s 127.0.0.1:{port}\n"
    )


class Stop:
    """One thread that serves, and its soft stop."""

    def __init__(self, configuration: str, threads: int = 1) -> None:
        self.whole = Whole(configuration, threads)
        self.thread: LoopThread = self.whole.threads[0]
        self.runtime: Runtime = self.whole.runtimes[0]
        self.relay: Relay = self.runtime.relay
        self.listening = self.whole.sockets[0]
        self.began = 0.0
        self.ended = 0.0
        self.done = threading.Event()

    def drain(self, deadline_ms: int | None = None, *lingering: socket.socket) -> None:
        def done() -> None:
            self.ended = time.monotonic()
            self.done.set()

        self.began = time.monotonic()
        self.thread.call(self.runtime.drain, deadline_ms, done, lingering)

    def wait(self) -> float:
        """Seconds that it took."""
        assert self.done.wait(10.0)
        return self.ended - self.began


@pytest.fixture
def make_stop(server: int) -> Iterator[Callable[..., Stop]]:
    made: list[Stop] = []

    def make(port: int = 0, threads: int = 1, **words: str) -> Stop:
        made.append(Stop(text(port or server, **words), threads))
        return made[-1]

    yield make
    for stop in made:
        stop.whole.end()


def ends(client: socket.socket) -> bytes:
    """All that comes until the end of file; a reset raises."""
    got = b""
    while piece := client.recv(65536):
        got += piece
    return got


@pytest.mark.alone
def test_idle_clients_end_after_a_second_of_idleness(make_stop: Callable[..., Stop]) -> None:
    stop = make_stop()
    old, young = stop.whole.connect(), stop.whole.connect()
    for client in (old, young):
        client.sendall(GET)
        answer(client)
    (first, second) = sorted(cast(set[object], stop.relay.clients), key=lambda one: one.number)  # type: ignore[attr-defined]
    del second
    first.idle_since -= IDLE  # type: ignore[attr-defined]
    stop.drain()
    assert ends(old) == b""
    assert time.monotonic() - stop.began < 0.5
    assert ends(young) == b""
    assert 0.8 < stop.wait() < 1.6
    for client in (old, young):
        client.close()


@pytest.mark.alone
def test_a_client_that_goes_on_asking_is_told_and_not_reset(make_stop: Callable[..., Stop]) -> None:
    """Many clients without a pause: each gets an answer to all that it asked, the last one with Connection: close."""
    stop = make_stop()
    failures: list[str] = []
    counts: list[int] = []

    def hammer() -> None:
        client = stop.whole.connect()
        count = 0
        try:
            while True:
                client.sendall(GET)
                got = answer(client)
                count += 1
                if b"connection: close" in got:
                    assert ends(client) == b""
                    break
        except (OSError, AssertionError) as error:
            failures.append(f"{error!r} after {count}")
        counts.append(count)
        client.close()

    clients = [threading.Thread(target=hammer) for _ in range(16)]
    for one in clients:
        one.start()
    until(lambda: stop.runtime.frontends["f"].route.traffic[0].classes[2] > 300)
    stop.drain()
    for one in clients:
        one.join(10.0)
    assert failures == []
    assert len(counts) == 16
    assert min(counts) > 1
    assert stop.wait() < 1.0


def test_a_client_that_has_just_connected_is_served(make_stop: Callable[..., Stop]) -> None:
    stop = make_stop()
    client = stop.whole.connect()
    until(lambda: stop.relay.connections == 1)
    stop.drain()
    client.sendall(GET)
    assert b"connection: close" in answer(client)
    assert ends(client) == b""
    client.close()
    stop.wait()


def test_idle_close_on_response(make_stop: Callable[..., Stop]) -> None:
    stop = make_stop(rest="    option idle-close-on-response\n")
    client = stop.whole.connect()
    client.sendall(GET)
    answer(client)
    for one in stop.relay.clients:
        one.idle_since -= 10_000.0
    stop.drain()
    assert not stop.done.wait(0.3)
    client.sendall(GET)
    assert b"connection: close" in answer(client)
    assert ends(client) == b""
    client.close()
    stop.wait()


def test_input_that_nobody_has_read_keeps_a_client(make_stop: Callable[..., Stop]) -> None:
    """The request came while the thread did something else: closing would lose it, and send a reset."""
    stop = make_stop()
    client = stop.whole.connect()
    client.sendall(GET)
    answer(client)
    for one in stop.relay.clients:
        one.idle_since -= IDLE

    def drain() -> None:
        client.sendall(GET)
        time.sleep(0.01)
        stop.runtime.drain(None, stop.done.set)

    stop.thread.call(drain)
    assert b"connection: close" in answer(client)
    assert ends(client) == b""
    client.close()
    assert stop.done.wait(10.0)


# Lingering sockets.


def refuse_new(sock: socket.socket) -> None:
    """As the supervisor does: no SYN gets through any more, what is in the queue stays."""
    import ctypes
    import struct

    # tcp[13]: accept what has ACK, drop the rest.
    code = [(0x30, 0, 0, 13), (0x45, 0, 1, 0x10), (0x06, 0, 0, 0xFFFFFFFF), (0x06, 0, 0, 0)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
    sock.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HL", len(code), ctypes.addressof(program)))


@pytest.mark.alone
def test_the_queue_is_served(make_stop: Callable[..., Stop]) -> None:
    """Clients that the kernel has accepted while the loop was busy."""
    stop = make_stop()
    clients: list[socket.socket] = []

    def drain() -> None:
        clients.extend(stop.whole.connect() for _ in range(20))
        refuse_new(stop.listening)
        stop.runtime.drain(None, stop.done.set, [stop.listening])

    began = time.monotonic()
    stop.thread.call(drain)
    for client in clients:
        client.sendall(GET)
    for client in clients:
        assert b"connection: close" in answer(client)
        assert ends(client) == b""
        client.close()
    assert stop.done.wait(10.0)
    assert QUIET <= time.monotonic() - began < 1.0


def test_a_socket_that_is_kept_is_let_go_at_once(make_stop: Callable[..., Stop]) -> None:
    """Who comes now belongs to somebody else."""
    stop = make_stop()
    stop.drain()
    stop.wait()
    client = stop.whole.connect()
    assert stop.relay.counts.cum_conns == 0
    accepted, _ = stop.listening.accept()
    accepted.close()
    client.close()


@pytest.mark.parametrize("limit", ["maxconn 2", "bind"])
def test_the_queue_is_served_as_room_appears(make_stop: Callable[..., Stop], limit: str) -> None:
    words = {"bind": "backlog 20 maxconn 2"} if limit == "bind" else {"bind": "backlog 20", "first": f"    {limit}\n"}
    stop = make_stop(**words)
    clients = [stop.whole.connect() for _ in range(6)]
    until(lambda: stop.relay.connections == 2)
    refuse_new(stop.listening)
    stop.drain(None, stop.listening)
    assert not stop.done.wait(QUIET + 0.1), "four are in the queue still"
    for client in clients:
        client.sendall(GET)
        assert b"connection: close" in answer(client)
        assert ends(client) == b""
        client.close()
    stop.wait()
    assert stop.relay.counts.cum_conns == 6


@pytest.mark.parametrize("first", ["", "    maxconn 2\n"])
def test_unix_queue(make_stop: Callable[..., Stop], tmp_path: Path, first: str) -> None:
    stop = make_stop(bind="backlog 20", first=first)
    path = os.fspath(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(10)
        stop.thread.call(stop.runtime.listen, "f", 0, listening)
        clients = []

        def drain() -> None:
            for _ in range(5):
                client = socket.socket(socket.AF_UNIX)
                client.settimeout(10.0)
                client.connect(path)
                clients.append(client)
            # As the supervisor refuses: from now on the kernel says that it can be read, whoever waits.
            os.unlink(path)
            listening.shutdown(socket.SHUT_RD)
            stop.runtime.drain(None, stop.done.set, [listening])

        stop.thread.call(drain)
        for client in clients:
            client.sendall(GET)
            assert b"connection: close" in answer(client)
            client.close()
        assert stop.done.wait(10.0)
        assert stop.relay.counts.cum_conns == 5


def test_deadline_ends_lingering_too(make_stop: Callable[..., Stop]) -> None:
    with a_server(Echo) as port:
        stop = make_stop(port, mode="tcp", first="    maxconn 1\n")
        clients = [stop.whole.connect() for _ in range(3)]
        until(lambda: stop.relay.connections == 1)
        stop.drain(400, stop.listening)
        assert 0.35 < stop.wait() < 1.0
        for client in clients:
            client.close()


def test_row_says_that_it_takes_nothing(make_stop: Callable[..., Stop]) -> None:
    stop = make_stop()
    client = stop.whole.connect()
    until(lambda: stop.whole.connections() == [1])
    stop.drain(5_000, stop.listening)
    assert not stop.whole.pulses.row(1).accepting
    client.close()
    stop.wait()
    assert not stop.whole.pulses.row(1).accepting


def test_handed_over_in_the_moment_of_the_stop(make_stop: Callable[..., Stop]) -> None:
    """It waits in the inbox when the thread begins to drain, and is served."""
    import struct

    stop = make_stop(threads=2)
    inbox = stop.runtime._inbox
    assert inbox is not None
    with socket.create_server(("127.0.0.1", 0)) as other:
        client = socket.create_connection(other.getsockname(), 10.0)
        accepted, _ = other.accept()
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", accepted.fileno()))]

    def drain() -> None:
        stop.runtime.drain(None, stop.done.set)
        stop.whole.inboxes[0][0].sendmsg([struct.pack("=II", 2, 0) + b"f"], rights)
        accepted.close()

    stop.thread.call(drain)
    client.sendall(GET)
    assert b"connection: close" in answer(client)
    client.close()
    assert stop.done.wait(10.0)


def test_abort_ends_a_drain(make_stop: Callable[..., Stop]) -> None:
    stop = make_stop()
    client = stop.whole.connect()
    until(lambda: stop.relay.connections == 1)
    stop.drain(60_000)
    stop.thread.call(stop.runtime.abort)
    until(lambda: stop.relay.connections == 0)
    assert not stop.done.is_set()
    client.close()
