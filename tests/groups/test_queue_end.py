from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest
from maniple.groups.queue_end import queue_length, refuse_new
from maniple.groups.sockets import ListeningSocket


def listener(port: int = 0) -> ListeningSocket:
    sock = ListeningSocket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", port))
    sock.setblocking(False)
    return sock


def is_reset(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        client.recv(1)
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    raise AssertionError("nobody sent anything")


def test_tcp() -> None:
    with listener() as sock:
        sock.listen(10)
        early = socket.create_connection(sock.getsockname())
        refuse_new(sock)
        with early, socket.socket() as late:
            late.setblocking(False)
            assert late.connect_ex(sock.getsockname()) == errno.EINPROGRESS
            assert queue_length(sock) == 1
            sock.accept()[0].close()
            assert queue_length(sock) == 0


def test_why_no_socket_of_a_set_is_closed() -> None:
    """What waits in the queue of the closed one is reset, though others serve the address. If this fails, the kernel
    moves queues (net.ipv4.tcp_migrate_req), and there is less to take care of."""
    if Path("/proc/sys/net/ipv4/tcp_migrate_req").read_text().strip() != "0":
        pytest.skip("tcp_migrate_req is on")
    with listener() as first, listener(first.getsockname()[1]) as second:
        first.listen(100)
        second.listen(100)
        clients = [socket.create_connection(first.getsockname()) for _ in range(40)]
        waiting = queue_length(second)
        assert queue_length(first) + waiting == 40
        assert waiting > 0
        second.close()
        assert sum(is_reset(client) for client in clients) == waiting
        for client in clients:
            client.close()


def test_what_is_bound_and_does_not_listen_gets_nothing() -> None:
    with listener() as first, listener(first.getsockname()[1]) as second:
        first.listen(100)
        clients = [socket.create_connection(first.getsockname()) for _ in range(40)]
        assert queue_length(first) == 40
        second.close()
        assert not any(is_reset(client) for client in clients)
        for client in clients:
            client.close()


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_unix(kind: str, tmp_path: Path) -> None:
    path = str(tmp_path / "web.sock") if kind == "path" else f"\0maniple-queue-end-{os.getpid()}"
    with ListeningSocket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        if kind == "path":
            sock.bind(f"{path}.77.tmp")
            os.rename(f"{path}.77.tmp", path)
        else:
            sock.bind(path)
        sock.listen(10)
        early = socket.socket(socket.AF_UNIX)
        early.connect(path)
        assert queue_length(sock) == 1
        refuse_new(sock)
        assert list(tmp_path.iterdir()) == []
        with early, socket.socket(socket.AF_UNIX) as late:
            assert late.connect_ex(path) == (errno.ENOENT if kind == "path" else errno.ECONNREFUSED)
            accepted, _ = sock.accept()
            early.sendall(b"question")
            assert accepted.recv(100) == b"question"
            accepted.close()
        with pytest.raises(BlockingIOError):
            sock.accept()
        assert queue_length(sock) == 0


def test_the_path_of_another_socket_stays(tmp_path: Path) -> None:
    path = str(tmp_path / "web.sock")
    with socket.socket(socket.AF_UNIX) as ours, socket.socket(socket.AF_UNIX) as theirs:
        ours.bind(path)
        ours.listen()
        os.unlink(path)
        theirs.bind(path)
        theirs.listen()
        refuse_new(ours)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)


def test_what_another_process_uses_is_left_alone(tmp_path: Path) -> None:
    unix = ListeningSocket(socket.AF_UNIX, socket.SOCK_STREAM)
    unix.bind(str(tmp_path / "x"))
    with listener() as sock, unix:
        for one in (sock, unix):
            one.listen()
            one.foreign = True
            refuse_new(one)
            with socket.socket(one.family) as client:
                client.connect(one.getsockname())
            assert queue_length(one) == 1


def test_a_queue_that_is_unknown() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        assert queue_length(datagrams) == -1
