"""The end, by signals, with real groups."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from maniple.groups.succession import PATIENCE
from maniple.tests.groups.proxies import alive, echoed, greeting, until

Start = Callable[..., Any]
TWO = {"nbgroup": 2}


@pytest.mark.parametrize(
    ("number", "options", "code"),
    [
        (signal.SIGTERM, {}, 0),
        (signal.SIGINT, {}, 0),
        (signal.SIGUSR1, {}, 0),
        (signal.SIGTERM, {"master_worker": True}, 0),
        (signal.SIGINT, {"master_worker": True}, 130),
    ],
)
def test_a_signal_ends_it_all(start_proxy: Start, number: int, options: dict[str, Any], code: int) -> None:
    proxy = start_proxy(globals=TWO, options=options)
    groups = proxy.groups()
    proxy.signal(number)
    assert proxy.wait() == code
    assert not any(alive(pid) for pid in groups)
    proxy.wait_end_of_output(1.0)
    assert "Traceback" not in proxy.stderr


def test_master_worker_says_what_haproxy_says(start_proxy: Start) -> None:
    proxy = start_proxy(globals=TWO, options={"master_worker": True})
    one, two = proxy.groups()
    proxy.signal(signal.SIGTERM)
    proxy.wait()
    assert proxy.stderr.splitlines() == [
        f"[NOTICE]   ({proxy.pid}) : New worker ({one}) forked",
        f"[NOTICE]   ({proxy.pid}) : New worker ({two}) forked",
        f"[NOTICE]   ({proxy.pid}) : Loading success.",
        f"[WARNING]  ({proxy.pid}) : Exiting Master process...",
        f"[WARNING]  ({proxy.pid}) : All workers exited. Exiting... (0)",
    ]


def test_hard_stop_cuts_connections(start_proxy: Start) -> None:
    proxy = start_proxy()
    sock, _, _ = proxy.connect()
    proxy.signal(signal.SIGTERM)
    assert sock.recv(10) == b""
    assert proxy.wait() == 0


def test_soft_stop_lets_connections_end_and_refuses_new_ones(start_proxy: Start) -> None:
    proxy = start_proxy(globals=TWO)
    sock, _, _ = proxy.connect()
    proxy.signal(signal.SIGUSR1)

    until(proxy.refuses, "new connections are refused")
    sock.send(b"still here")
    assert sock.recv(100) == b"still here"
    assert proxy.process.poll() is None
    sock.close()
    assert proxy.wait() == 0
    assert "Proxy front stopped (cumulated conns: FE: " in proxy.stderr


def test_soft_stop_serves_all_that_wait_in_the_kernels_queues(start_proxy: Start, tmp_path: Path) -> None:
    proxy = start_proxy(globals=TWO, binds=[["inet", "127.0.0.1", 0], ["unix", str(tmp_path / "s"), 0]])
    groups = proxy.groups()
    proxy.signal(signal.SIGTTOU)
    until(
        lambda: not any(thread["accepting"] for one in proxy.status()["groups"] for thread in one["threads"]),
        "the pause",
    )
    waiting = [proxy.call(index) for index in (0, 1) for _ in range(20)]
    proxy.signal(signal.SIGUSR1)
    for sock in waiting:
        assert greeting(sock)[1] in groups
        assert echoed(sock)
    assert proxy.refuses(1)
    for sock in waiting:
        sock.close()
    assert proxy.wait() == 0


def test_soft_stop_ends_at_hard_stop_after(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 1, "hard_stop_after": 200})
    sock, _, _ = proxy.connect()
    begun = time.monotonic()
    proxy.signal(signal.SIGUSR1)
    assert proxy.wait() == 0
    assert 0.2 <= time.monotonic() - begun < 5.0
    sock.close()


def test_a_hard_stop_overtakes_a_soft_stop(start_proxy: Start) -> None:
    proxy = start_proxy(globals=TWO)
    sock, _, _ = proxy.connect()
    proxy.signal(signal.SIGUSR1)
    until(lambda: "stopped" in proxy.stderr, "the soft stop has begun")
    proxy.signal(signal.SIGTERM)
    assert proxy.wait() == 0
    sock.close()


def test_a_group_that_hangs_is_killed(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 1})
    sock, _, pid = proxy.connect()
    sock.send(b"hang\n")
    assert sock.recv(100) == b"hanging\n"
    begun = time.monotonic()
    proxy.signal(signal.SIGTERM)
    assert proxy.wait() == 0
    assert time.monotonic() - begun >= PATIENCE * 0.9
    assert not alive(pid)
    sock.close()


def test_the_second_interrupt_does_not_wait(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 1}, options={"master_worker": True})
    (pid,) = proxy.groups()
    os.kill(pid, signal.SIGSTOP)
    proxy.signal(signal.SIGINT)
    until(lambda: "Exiting Master process" in proxy.stderr, "the first interrupt is seen")
    begun = time.monotonic()
    proxy.signal(signal.SIGINT)
    assert proxy.wait() == 130
    assert time.monotonic() - begun < PATIENCE * 0.8
    assert not alive(pid)
