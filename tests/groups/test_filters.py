from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Iterator

import pytest
from maniple.groups.filters import distribute_by_cpu, drop_new_connections
from maniple.groups.queue_end import queue_length

CPUS = sorted(os.sched_getaffinity(0))
FAMILIES = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]


def listener(port: int = 0, family: int = socket.AF_INET, host: str = "127.0.0.1") -> socket.socket:
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((host, port))
    sock.listen(200)
    sock.setblocking(False)
    return sock


@pytest.fixture
def set_of_four() -> Iterator[list[socket.socket]]:
    socks = [listener()]
    socks += [listener(socks[0].getsockname()[1]) for _ in range(3)]
    affinity = os.sched_getaffinity(0)
    yield socks
    os.sched_setaffinity(0, affinity)
    for sock in socks:
        sock.close()


def arrivals(socks: list[socket.socket], cpu: int, count: int = 32) -> list[int]:
    """How many of the connections made on that CPU come to each socket. On loopback a SYN arrives where it is sent."""
    os.sched_setaffinity(0, {cpu})
    clients = [socket.create_connection(socks[0].getsockname()) for _ in range(count)]
    counts = [queue_length(sock) for sock in socks]
    for sock, waiting in zip(socks, counts, strict=True):
        for _ in range(waiting):
            sock.accept()[0].close()
    for client in clients:
        client.close()
    return counts


def test_connections_go_to_the_socket_of_their_cpu(set_of_four: list[socket.socket]) -> None:
    for shift in range(2):
        chosen = {cpu: (index + shift) % 4 for index, cpu in enumerate(CPUS)}
        distribute_by_cpu(set_of_four, {cpu: [index] for cpu, index in chosen.items()})
        for cpu in CPUS[:2]:
            expected = [0, 0, 0, 0]
            expected[chosen[cpu]] = 32
            assert arrivals(set_of_four, cpu) == expected


def test_several_sockets_of_a_cpu_share(set_of_four: list[socket.socket]) -> None:
    distribute_by_cpu(set_of_four, {cpu: [0, 1, 3] if cpu == CPUS[0] else [2] for cpu in CPUS})
    first, second, third, fourth = arrivals(set_of_four, CPUS[0], 150)
    assert third == 0
    assert min(first, second, fourth) > 20
    for cpu in CPUS[1:2]:
        assert arrivals(set_of_four, cpu) == [0, 0, 32, 0]


@pytest.mark.parametrize("chosen", [{}, {cpu: [4 + cpu] for cpu in range(64)}, {9999: [2]}, {CPUS[0]: [0] * 101}])
def test_otherwise_they_are_hashed(set_of_four: list[socket.socket], chosen: dict[int, list[int]]) -> None:
    distribute_by_cpu(set_of_four, {cpu: [1] for cpu in CPUS})
    distribute_by_cpu(set_of_four, chosen)
    counts = arrivals(set_of_four, CPUS[0], 64)
    assert sum(counts) == 64
    assert min(counts) > 0


def test_indexes_hold_while_others_accept_on_duplicates(set_of_four: list[socket.socket]) -> None:
    """Adoption: a group lets go of its duplicate, another one takes one."""
    cpu = CPUS[0]
    distribute_by_cpu(set_of_four, {cpu: [2]})
    owner = set_of_four[2].dup()
    assert arrivals(set_of_four, cpu) == [0, 0, 32, 0]
    adopter = set_of_four[2].dup()
    owner.close()
    assert arrivals([set_of_four[0], set_of_four[1], adopter, set_of_four[3]], cpu) == [0, 0, 32, 0]
    adopter.close()
    assert arrivals(set_of_four, cpu) == [0, 0, 32, 0]
    # One more at the end (scaling) leaves the others' as they are.
    more = listener(set_of_four[0].getsockname()[1])
    assert arrivals([*set_of_four, more], cpu) == [0, 0, 32, 0, 0]
    distribute_by_cpu(set_of_four, {cpu: [4]})
    assert arrivals([*set_of_four, more], cpu) == [0, 0, 0, 0, 32]
    more.close()


@pytest.mark.parametrize(("family", "host"), FAMILIES)
def test_no_handshake_begins_and_what_has_begun_goes_on(family: int, host: str) -> None:
    with listener(0, family, host) as sock, socket.socket(family) as early, socket.socket(family) as late:
        early.connect(sock.getsockname()[:2])
        drop_new_connections(sock)
        late.setblocking(False)
        assert late.connect_ex(sock.getsockname()[:2]) == errno.EINPROGRESS
        # On loopback the answer to a SYN is there before `connect` returns; a first one shows that none came.
        assert late.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        assert queue_length(sock) == 1
        accepted, _ = sock.accept()
        with accepted:
            early.sendall(b"question")
            accepted.settimeout(5)
            assert accepted.recv(100) == b"question"
            accepted.sendall(b"answer")
            assert early.recv(100) == b"answer"
        with pytest.raises(BlockingIOError):
            sock.accept()


def test_after_the_end_the_client_is_refused() -> None:
    """It sends its SYN again a second after the first: the one test that has to wait for that."""
    with listener() as sock, socket.socket() as late:
        drop_new_connections(sock)
        late.setblocking(False)
        late.connect_ex(sock.getsockname())
        sock.close()
        _, writable, _ = select.select([], [late], [], 10)
        assert writable
        assert late.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED
