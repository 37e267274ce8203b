"""Peers that are slower than the other side: nothing is lost, and memory stays bounded."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from maniple.tests.wire.rig.cases import Case, Stage
from maniple.tests.wire.rig.ours import LoopThread, ManipleRun

ENOUGH = 64 * 1024 * 1024
"""More than all buffers of kernel and relay together."""
BOUND = 24 * 1024 * 1024
"""What may be on its way: four kernel buffers of at most 6 MiB, and ours."""


@contextlib.contextmanager
def relay(thread: LoopThread, mode: str) -> Iterator[tuple[Stage, ManipleRun, socket.socket]]:
    """A proxy in front of one listening socket."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    listener.settimeout(5)
    case = Case(
        "",
        (),
        mode=mode,
        servers=f"server s1 127.0.0.1:{listener.getsockname()[1]}",
        times="timeout client 5s\ntimeout server 5s",
    )
    stage = Stage(case)
    run = thread.start(stage.unbound_text, stage.sockets)
    try:
        yield stage, run, listener
    finally:
        run.stop()
        stage.close()
        listener.close()


def flood(sock: socket.socket, data: bytes, limit: int = ENOUGH) -> int:
    """Send until nothing is taken for half a second; how much was."""
    sock.settimeout(0.5)
    sent = 0
    view = memoryview(data)
    while sent < limit:
        try:
            sent += sock.send(view[: min(len(view), limit - sent)])
        except TimeoutError:
            break
    return sent


def send_zeros(sock: socket.socket, size: int) -> None:
    sock.settimeout(5)
    sock.sendall(bytes(size))


def drain(sock: socket.socket, wanted: int) -> int:
    sock.settimeout(5)
    got = 0
    while got < wanted:
        piece = sock.recv(1 << 20)
        if not piece:
            break
        got += len(piece)
    return got


def buffered(thread: LoopThread, run: ManipleRun) -> int:
    """Bytes in the transports of all client connections."""
    return thread.call(lambda: sum(client.transport.get_write_buffer_size() for client in run.runtime.relay.clients))


DATA = bytes(1 << 20)


@pytest.mark.parametrize("framing", ["length", "close", "chunks"])
def test_download_waits_for_a_client_that_does_not_read(loop_thread: LoopThread, framing: str) -> None:
    heads = {
        "length": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % ENOUGH,
        "close": b"HTTP/1.1 200 OK\r\n\r\n",
        "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % ENOUGH,
    }
    with relay(loop_thread, "http") as (stage, run, listener):
        client = socket.create_connection(stage.sockets[0].getsockname())
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        server, _ = listener.accept()
        server.recv(65536)
        server.sendall(heads[framing])
        sent = flood(server, DATA)
        assert sent < BOUND
        assert buffered(loop_thread, run) < 1 << 20
        # It goes on as soon as the client does.
        rest = threading.Thread(target=send_zeros, args=(server, ENOUGH - sent))
        rest.start()
        assert drain(client, ENOUGH) >= ENOUGH
        rest.join()
        client.close()
        server.close()
        assert run.settle() == {}


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_upload_waits_for_a_server_that_does_not_read(loop_thread: LoopThread, framing: str) -> None:
    heads = {
        "length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % ENOUGH,
        "chunks": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % ENOUGH,
    }
    with relay(loop_thread, "http") as (stage, run, listener):
        client = socket.create_connection(stage.sockets[0].getsockname())
        client.sendall(heads[framing])
        server, _ = listener.accept()
        sent = flood(client, DATA)
        assert sent < BOUND
        rest = threading.Thread(target=send_zeros, args=(client, ENOUGH - sent))
        rest.start()
        assert drain(server, ENOUGH) >= ENOUGH
        rest.join()
        client.close()
        server.close()
        assert run.settle() == {}


def test_upload_before_there_is_a_server(loop_thread: LoopThread) -> None:
    """The head waits for a connection that hangs: at most about a buffer of the body is read."""
    case = Case("", (), servers="server s1 {hanging}", times="timeout connect 5s")
    stage = Stage(case)
    run = loop_thread.start(stage.unbound_text, stage.sockets)
    client = socket.create_connection(stage.sockets[0].getsockname())
    client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % ENOUGH)
    assert flood(client, DATA) < BOUND
    pending = loop_thread.call(
        lambda: sum(
            sum(map(len, one.exchange.pending or ())) for one in run.runtime.relay.clients if one.exchange is not None
        )
    )
    assert pending < 512 * 1024
    client.close()
    run.stop()
    stage.close()


@pytest.mark.parametrize("direction", ["up", "down"])
def test_tunnel_waits_for_the_slower_end(loop_thread: LoopThread, direction: str) -> None:
    with relay(loop_thread, "tcp") as (stage, run, listener):
        client = socket.create_connection(stage.sockets[0].getsockname())
        server, _ = listener.accept()
        source, target = (client, server) if direction == "up" else (server, client)
        sent = flood(source, DATA)
        assert sent < BOUND
        rest = threading.Thread(target=send_zeros, args=(source, ENOUGH - sent))
        rest.start()
        assert drain(target, ENOUGH) == ENOUGH
        rest.join()
        client.close()
        server.close()
        assert run.settle() == {}


def test_pipelining_client_that_does_not_read(loop_thread: LoopThread) -> None:
    """Requests without end, answers that nobody takes: reading stops."""
    body = bytes(100_000)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    with relay(loop_thread, "http") as (stage, run, listener):
        stop = threading.Event()
        served = []

        def serve() -> None:
            server, _ = listener.accept()
            server.settimeout(0.2)
            while not stop.is_set():
                try:
                    got = server.recv(65536)
                except TimeoutError:
                    continue
                if not got:
                    break
                for _ in range(got.count(b"\r\n\r\n")):
                    server.settimeout(5)
                    try:
                        server.sendall(answer)
                    except OSError:
                        return
                    served.append(1)
                server.settimeout(0.2)
            server.close()

        thread = threading.Thread(target=serve)
        thread.start()
        client = socket.create_connection(stage.sockets[0].getsockname())
        sent = flood(client, request * 1000)
        assert sent < BOUND
        assert len(served) * len(answer) < BOUND
        assert buffered(loop_thread, run) < 1 << 20
        client.close()
        stop.set()
        thread.join()
        assert run.settle() == {}


def test_early_answer_is_read_whole_by_a_client_that_goes_on_sending(loop_thread: LoopThread) -> None:
    """EN9: no reset overtakes the answer, however much of the upload is still on its way."""
    with relay(loop_thread, "http") as (stage, run, listener):
        for _ in range(5):
            client = socket.create_connection(stage.sockets[0].getsockname())
            client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % ENOUGH)
            server, _ = listener.accept()
            server.recv(4096)
            server.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
            server.close()
            client.settimeout(5)
            deadline = time.monotonic() + 0.2
            while time.monotonic() < deadline:
                with contextlib.suppress(OSError):
                    client.send(DATA[:65536])
            got = b""
            while piece := client.recv(65536):
                got += piece
            assert got.endswith(b"hello")
            client.close()
        assert run.settle() == {}
