"""No descriptors left: accepting pauses before the limit; nobody is accepted and dropped; nothing spins; it goes on."""

from __future__ import annotations

import contextlib
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from maniple.tests.wire.rig.cases import Case, Stage
from maniple.tests.wire.rig.peers import Request
from maniple.tests.wire.rig.scripts import GET, OK

CHILD = Path(__file__).parent / "rig" / "child.py"
LIMIT = 100
CLIENTS = 150


@contextlib.contextmanager
def child(stage: Stage, folder: Path, bound: str) -> Iterator[subprocess.Popen[bytes]]:
    path = folder / "case.cfg"
    text = stage.unbound_text
    path.write_text(text.replace("maxconn 400", "maxconn 40") if bound == "maxconn" else text)
    listener = stage.sockets[0].fileno()
    process = subprocess.Popen(
        [sys.executable, str(CHILD), str(path), str(listener), str(LIMIT if bound == "descriptors" else 0)],
        pass_fds=[listener, stage.log.writing],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    ready = process.stdout.readline()
    try:
        if ready:
            yield process
    finally:
        process.kill()
        _, said = process.communicate(timeout=10)
    assert said == b""


def answered(clients: list[socket.socket], wanted: int, seconds: float) -> list[socket.socket]:
    """Those of the clients that have received something, once there are `wanted`, or when time is up."""
    deadline = time.monotonic() + seconds
    while True:
        readable, _, _ = select.select(clients, [], [], 0.02)
        if len(readable) >= wanted or time.monotonic() > deadline:
            return readable


def answered_at_all(clients: list[socket.socket], process: subprocess.Popen[bytes]) -> list[socket.socket]:
    """Those that have received something, once the proxy has done all that it can: it sleeps, and nobody joins them."""
    deadline = time.monotonic() + 10
    calm, before = 0, 0
    while calm < 10:
        assert time.monotonic() < deadline
        readable, _, _ = select.select(clients, [], [], 0)
        rests = psutil.Process(process.pid).status() == psutil.STATUS_SLEEPING
        calm = calm + 1 if rests and readable and len(readable) == before else 0
        before = len(readable)
        time.sleep(0.01)
    return readable


@pytest.mark.parametrize("bound", ["descriptors", "maxconn", "frontend"])
def test_accepting_pauses_and_goes_on(tmp_path: Path, bound: str) -> None:
    script = tuple(step for _ in range(400) for step in (Request(), OK))
    front = {"descriptors": "", "maxconn": "maxconn 1000", "frontend": "maxconn 40\nbacklog 1024"}[bound]
    case = Case("", (), {"s1": (script,)}, front=front, back="http-reuse always", times="timeout client 20s")
    stage = Stage(case)
    stage.sockets[0].listen(CLIENTS)
    clients: list[socket.socket] = []
    with contextlib.closing(stage), child(stage, tmp_path, bound) as process:
        for _ in range(CLIENTS):
            client = socket.create_connection(stage.sockets[0].getsockname(), timeout=5)
            client.sendall(GET.data)
            clients.append(client)
        first = answered_at_all(clients, process)
        assert 10 <= len(first) < CLIENTS
        if bound != "descriptors":
            assert len(first) == 40
        assert all(client.recv(65536).startswith(b"HTTP/1.1 200") for client in first)
        # The others wait, in peace: neither dropped nor served, and nothing spins.
        times = psutil.Process(process.pid).cpu_times()
        used = times.user + times.system
        assert answered(clients, 1, 0.4) == []
        times = psutil.Process(process.pid).cpu_times()
        assert times.user + times.system - used < 0.1
        # Whoever leaves makes room.
        waiting = [client for client in clients if client not in first]
        for client in first:
            client.close()
        while waiting:
            some = answered(waiting, 1, 5)
            assert some, f"{len(waiting)} clients are not served"
            for client in some:
                assert client.recv(65536).startswith(b"HTTP/1.1 200")
                waiting.remove(client)
                client.close()
