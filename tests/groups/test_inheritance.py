from __future__ import annotations

import array
import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from maniple.core.config.model import Address
from maniple.groups.inheritance import BATCH, InheritanceError, ask_for_sockets, send_sockets
from maniple.groups.listener import Listener
from maniple.groups.sockets import ListeningSocket, is_foreign

HOST = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250}.8"
NUMBER_FAILED = "Failed to get the number of sockets to be transferred !"
TRANSFER_FAILED = "Unexpected error while transferring sockets"


class Server:
    """A stats socket that answers one client as it is told, in a thread of its own."""

    def __init__(self, path: Path, answer: Callable[[socket.socket], object]) -> None:
        self.path = str(path)
        self.question = b""
        self.result: object = None
        self._answer = answer
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.bind(self.path)
        self._sock.listen()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        client, _ = self._sock.accept()
        with client:
            self.question = client.recv(100)
            with contextlib.suppress(OSError):
                self.result = self._answer(client)

    def close(self) -> None:
        self._thread.join(10)
        assert not self._thread.is_alive()
        self._sock.close()


Serve = Callable[[Callable[[socket.socket], object]], Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    servers: list[Server] = []

    def start(answer: Callable[[socket.socket], object]) -> Server:
        servers.append(Server(tmp_path / f"stats{len(servers)}", answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def listeners_of(count: int) -> list[Listener]:
    """Bound, so that they cost no port: abstract ones."""
    found = []
    for number in range(count):
        sock = ListeningSocket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(f"\0maniple-inheritance-{os.getpid()}-{number}")
        found.append(Listener(number, "web", 0, Address("abns", str(number)), (), sock))
    return found


def inode(sock: socket.socket) -> int:
    return os.fstat(sock.fileno()).st_ino


@pytest.mark.parametrize("count", [0, 1, BATCH, BATCH + 1, 2 * BATCH + 5])
def test_from_one_process_to_another(serve: Serve, count: int) -> None:
    listeners = listeners_of(count)
    server = serve(lambda client: send_sockets(client, listeners))
    socks = ask_for_sockets(server.path)
    server.close()
    assert server.question == b"_getsocks\n"
    assert server.result is True
    assert [inode(sock) for sock in socks] == [inode(listener.sock) for listener in listeners]
    assert not any(sock.get_inheritable() or is_foreign(sock) for sock in socks)
    assert all(is_foreign(listener.sock) for listener in listeners)
    for sock in [*socks, *(listener.sock for listener in listeners)]:
        sock.close()


def entry(namespace: bytes = b"", interface: bytes = b"") -> bytes:
    return bytes((len(namespace),)) + namespace + bytes((len(interface),)) + interface + struct.pack("=i", 0)


def give(client: socket.socket, socks: list[socket.socket], content: bytes) -> None:
    descriptors = array.array("i", [sock.fileno() for sock in socks])
    client.sendmsg([content], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])


def word(value: int) -> bytes:
    return struct.pack("=i", value)


def test_acknowledgements_are_what_there_was_before(serve: Serve) -> None:
    with socket.socket() as sock:
        said: list[bytes] = []

        def answer(client: socket.socket) -> None:
            client.sendall(word(3))
            for count in (2, 1):
                give(client, [sock] * count, entry(interface=b"lo") * count)
                said.append(client.recv(4, socket.MSG_WAITALL))

        server = serve(answer)
        found = ask_for_sockets(server.path)
        server.close()
        assert said == [word(0), word(2)]
        for one in found:
            one.close()


def test_what_is_bound_in_another_namespace_is_left_out(serve: Serve) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with socket.socket() as here, socket.socket() as there:

        def answer(client: socket.socket) -> None:
            client.sendall(word(2))
            give(client, [there, here], entry(b"blue", b"eth0") + entry())

        server = serve(answer)
        (found,) = ask_for_sockets(server.path)
        assert inode(found) == inode(here)
        found.close()
        server.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_entries_may_come_in_pieces(serve: Serve) -> None:
    with socket.socket() as sock:

        def answer(client: socket.socket) -> None:
            client.sendall(word(2)[:1])
            client.sendall(word(2)[1:])
            content = entry(interface=b"lo") * 2
            give(client, [sock, sock], content[:3])
            for position in range(3, len(content)):
                client.sendall(content[position : position + 1])

        found = ask_for_sockets(serve(answer).path)
        assert [inode(one) for one in found] == [inode(sock)] * 2
        for one in found:
            one.close()


def give_files(client: socket.socket) -> None:
    client.sendall(word(2))
    with socket.socket() as sock, open("/dev/null") as file:
        descriptors = array.array("i", [sock.fileno(), file.fileno(), sock.fileno()])
        client.sendmsg([entry() * 3], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])


def give_too_little(client: socket.socket) -> None:
    client.sendall(word(2))
    with socket.socket() as sock:
        give(client, [sock], entry())


def give_nonsense(client: socket.socket) -> None:
    client.sendall(word(1))
    with socket.socket() as sock:
        give(client, [sock], entry() + b"more")


def give_half(client: socket.socket) -> None:
    client.sendall(word(1))
    with socket.socket() as sock:
        give(client, [sock], entry()[:-1])


def wait(client: socket.socket) -> None:
    client.settimeout(10)
    client.recv(1)


def give_number_and_wait(client: socket.socket) -> None:
    client.sendall(word(1))
    wait(client)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda client: None, NUMBER_FAILED),
        (lambda client: client.sendall(b"ab"), NUMBER_FAILED),
        (wait, NUMBER_FAILED),
        (lambda client: client.sendall(word(-1)), "Got a bad number of sockets (-1)"),
        (lambda client: client.sendall(word(1)), TRANSFER_FAILED),
        (lambda client: client.sendall(word(1) + entry()), TRANSFER_FAILED),
        (give_number_and_wait, TRANSFER_FAILED),
        (give_files, TRANSFER_FAILED),
        (give_too_little, TRANSFER_FAILED),
        (give_nonsense, TRANSFER_FAILED),
        (give_half, TRANSFER_FAILED),
    ],
)
def test_a_process_that_does_not_give_them(
    serve: Serve, answer: Callable[[socket.socket], object], message: str
) -> None:
    before = len(os.listdir("/proc/self/fd"))
    server = serve(answer)
    started = time.monotonic()
    with pytest.raises(InheritanceError) as found:
        ask_for_sockets(server.path, patience=0.3)
    assert str(found.value) == message
    assert time.monotonic() - started < 5
    server.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_nobody_there(tmp_path: Path) -> None:
    for path in (str(tmp_path / "none"), "x" * 200, ""):
        with pytest.raises(InheritanceError, match="Failed to connect to the old process socket"):
            ask_for_sockets(path)


@pytest.mark.parametrize(
    ("count", "reads", "expected"),
    [
        pytest.param(3, 0, False, id="silent"),
        pytest.param(3, 1, True, id="gone before the only acknowledgement"),
        pytest.param(BATCH + 1, 1, False, id="gone after the first of two"),
    ],
)
def test_a_client_that_does_not_take_them(count: int, reads: int, expected: bool) -> None:
    listeners = listeners_of(count)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        thread = None
        if reads:

            def take() -> None:
                theirs.recv(4, socket.MSG_WAITALL)
                _, descriptors, _, _ = socket.recv_fds(theirs, 100_000, BATCH)
                for number in descriptors:
                    os.close(number)
                theirs.close()

            thread = threading.Thread(target=take)
            thread.start()
        started = time.monotonic()
        assert send_sockets(ours, listeners, patience=0.5 if not reads else 5) is expected
        assert time.monotonic() - started < 4
        if thread is not None:
            thread.join(10)
    assert any(is_foreign(listener.sock) for listener in listeners) is expected
    for listener in listeners:
        listener.sock.close()
