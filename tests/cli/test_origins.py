from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
from maniple.cli.origins import Origin


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


@pytest.fixture
def origin(pipe: tuple[int, int]) -> Iterator[Origin]:
    origin = Origin("a", pipe[1])
    yield origin
    origin.end()
    assert origin.process.code is not None


def ask(sock: socket.socket, request: bytes, answers: int = 1) -> bytes:
    sock.sendall(request)
    received = b""
    while received.count(b"answered by server") < answers:
        data = sock.recv(65536)
        assert data
        received += data
    return received


def test_answers_and_reports(origin: Origin, pipe: tuple[int, int]) -> None:
    with socket.create_connection(("127.0.0.1", origin.port), timeout=5) as sock:
        answer = ask(sock, b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b"\r\n\r\nGET /x answered by server a\n")
        assert os.read(pipe[0], 100) == b"a\t1\tGET /x\n"
        ask(sock, b"GET /y HTTP/1.1\r\nHost: a\r\n\r\nGET /z HTTP/1.1\r\n\r\n", answers=2)
        assert os.read(pipe[0], 100) == b"a\t1\tGET /y\na\t1\tGET /z\n"
    with socket.create_connection(("127.0.0.1", origin.port), timeout=5) as sock:
        ask(sock, b"GET /again HTTP/1.1\r\n\r\n")
        assert os.read(pipe[0], 100) == b"a\t2\tGET /again\n"


def test_head_has_no_body(origin: Origin, pipe: tuple[int, int]) -> None:
    with socket.create_connection(("127.0.0.1", origin.port), timeout=5) as sock:
        sock.sendall(b"HEAD / HTTP/1.1\r\n\r\n")
        assert sock.recv(1000).endswith(b"Content-Length: 28\r\n\r\n")


def test_endless_head_is_cut(origin: Origin) -> None:
    with socket.create_connection(("127.0.0.1", origin.port), timeout=5) as sock, pytest.raises(ConnectionError):
        while True:
            sock.sendall(b"x" * 4096)


def test_full_pipe_delays_nobody(origin: Origin, pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(pipe[1], b"x" * 4096)
    with socket.create_connection(("127.0.0.1", origin.port), timeout=5) as sock:
        assert ask(sock, b"GET / HTTP/1.1\r\n\r\n")
