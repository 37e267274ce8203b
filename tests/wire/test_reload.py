"""Reloads, scaling and taking over under load: clients of all kinds notice nothing."""

from __future__ import annotations

import errno
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from maniple.tests.wire.rig.serving import HOST, PATIENCE, Serving, is_alive, wait_until
from maniple.tests.wire.rig.serving_under_load import Rig, assert_nothing_lost

GET = b"GET /77 HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.close()


@pytest.mark.parametrize(("balance", "times"), [("hash", 6), ("least", 6), ("cpu", 20)])
def test_up_to_twenty_reloads(rig: Rig, balance: str, times: int) -> None:
    rig.start(tune=f"tune.listener.balance {balance}")
    rig.begin()
    for _ in range(times):
        rig.serving.order("reload")
        rig.traffic.wait_for(50)
    status = rig.serving.status()
    assert (status["generation"], status["reloads"], status["failed_reloads"]) == (times + 1, times, 0)
    assert_nothing_lost(rig.traffic.end())
    wait_until(lambda: len(rig.serving.groups()) == 2, "the groups of generations before have ended")


def test_reloads_by_signal_one_after_the_other(rig: Rig) -> None:
    rig.start()
    rig.begin()
    for number in range(10):
        if number % 3 == 0:
            before = rig.serving.status()["generation"]
        rig.serving.signal(signal.SIGHUP if number % 2 else signal.SIGUSR2)
        if number % 3 == 2:
            # Signals that come during a reload are one more: how many these three are depends on how long one takes.
            wait_until(lambda: rig.serving.status()["generation"] > before, "a reload")  # noqa: B023
            rig.traffic.wait_for(20)
    wait_until(lambda: rig.serving.status()["generation"] > 4, "reloads")
    wait_until(lambda: rig.serving.status()["state"] == "running", "the last reload")
    rig.traffic.wait_for(100)
    assert_nothing_lost(rig.traffic.end())


def test_a_bind_line_comes_and_goes(rig: Rig) -> None:
    rig.start()
    rig.begin()
    other = rig.ports.take()
    for _ in range(4):
        rig.serving.write(rig.text([rig.port, other]))
        rig.serving.order("reload")
        rig.traffic.use([rig.port, other])
        rig.traffic.wait_for(100)
        # Those who are at the other port when it goes are served; new ones would be refused.
        rig.traffic.use([rig.port])
        rig.serving.write(rig.text([rig.port]))
        rig.serving.order("reload")
        # An address that comes back while its old sockets let go: who is hashed to one of those waits for a second.
        wait_until(lambda: refused(other), "the port is closed")
    assert_nothing_lost(rig.traffic.end())


def test_who_waits_at_a_bind_line_that_goes_is_served(rig: Rig) -> None:
    rig.start()
    other = rig.ports.take()
    rig.serving.write(rig.text([rig.port, other]))
    rig.serving.order("reload")
    groups = rig.serving.pids()
    for pid in groups:
        os.kill(pid, signal.SIGSTOP)
    clients = [socket.create_connection((HOST, other), PATIENCE) for _ in range(40)]
    for client in clients:
        client.sendall(GET)
    rig.serving.write(rig.text([rig.port]))
    asking = threading.Thread(target=lambda: rig.serving.ask("reload"))
    asking.start()
    wait_until(lambda: rig.serving.status()["generation"] == 3, "the new generation serves")
    for pid in groups:
        os.kill(pid, signal.SIGCONT)
    answers = [answer(client) for client in clients]
    asking.join()
    assert [text.startswith(b"HTTP/1.1 200 ") and text.endswith(b"77:" + BODY) for text in answers] == [True] * 40
    wait_until(lambda: refused(other), "the port is closed")
    assert not refused(rig.port)


BODY = b"0123456789abcdef" * 4 + b"0123456789abc"


def test_a_broken_file_changes_nothing(rig: Rig) -> None:
    rig.start()
    rig.begin()
    before = rig.serving.pids()
    good = rig.text([rig.port])
    taken = socket.create_server((HOST, 0))
    broken = {
        "a word nobody knows": good + "    nonsense on this line\n",
        "a server that is not there": good.replace("default_backend origin", "default_backend missing"),
        "an address that is taken": rig.text([rig.port, taken.getsockname()[1]]),
        "a name that does not resolve": good.replace("127.0.0.1:" + str(rig.traffic.origin), "nowhere.invalid:80"),
    }
    for what, text in broken.items():
        rig.serving.write(text)
        said = rig.serving.ask("result reload")
        assert said.startswith("Success=0\n--\n") and len(said) > 20, what
        rig.traffic.wait_for(30)
        assert rig.serving.pids() == before
    rig.serving.write(good)
    rig.serving.order("reload")
    status = rig.serving.status()
    assert (status["generation"] > 1, status["reloads"], status["failed_reloads"]) == (True, 1, 0)
    rig.traffic.wait_for(50)
    assert_nothing_lost(rig.traffic.end())
    taken.close()


@pytest.mark.parametrize("balance", ["least", "cpu"])
def test_scaling_up_and_down(rig: Rig, balance: str) -> None:
    rig.start(groups=1, tune=f"tune.listener.balance {balance}")
    rig.begin()
    for groups in (4, 2, 1, 3, 4, 1, 2, 4, 3, 2):
        rig.serving.order(f"set nbgroup {groups}")
        assert len(rig.serving.pids()) == groups
        rig.traffic.wait_for(50)
    assert_nothing_lost(rig.traffic.end())
    wait_until(lambda: len(rig.serving.groups()) == 2, "groups that were sent away have ended")


def test_scaling_and_reloads_in_turn(rig: Rig) -> None:
    rig.start(tune="tune.listener.balance least")
    rig.begin()
    for groups in (3, 1, 4, 2):
        rig.serving.order(f"scale {groups}")
        rig.serving.order("reload")
        rig.traffic.wait_for(30)
    assert_nothing_lost(rig.traffic.end())


def test_a_second_instance_takes_over(rig: Rig, tmp_path: Path) -> None:
    """Both serve the same port; the first stops softly under load."""
    rig.start()
    rig.begin()
    second = Serving(tmp_path / "second", rig.text([rig.port]))
    try:
        second.wait_ready()
        groups = rig.serving.groups()
        rig.serving.signal(signal.SIGUSR1)
        assert rig.serving.wait() == 0
        assert not any(map(is_alive, groups))
        rig.traffic.wait_for(200)
        assert_nothing_lost(rig.traffic.end())
    finally:
        second.close()


def test_a_second_instance_takes_the_sockets_over(rig: Rig, tmp_path: Path) -> None:
    """maniple-haproxy -x SOCKET -sf PID: the sockets are handed over, the first is told to stop."""
    rig.start(flags=[])
    rig.begin()
    groups = rig.serving.groups()
    flags = ["-x", rig.serving.control, "-sf", str(rig.serving.pid)]
    second = Serving(tmp_path / "second", rig.text([rig.port]), flags=flags)
    try:
        second.wait_ready()
        assert rig.serving.wait() == 0
        assert not any(map(is_alive, groups))
        rig.traffic.wait_for(200)
        assert_nothing_lost(rig.traffic.end())
        assert "in use" not in second.said
    finally:
        second.close()


def test_a_soft_stop_answers_who_has_asked(rig: Rig) -> None:
    rig.start()
    clients = [socket.create_connection((HOST, rig.port), PATIENCE) for _ in range(50)]
    for client in clients:
        client.sendall(GET)
    rig.serving.signal(signal.SIGUSR1)
    assert [answer(client)[:13] for client in clients] == [b"HTTP/1.1 200 "] * 50
    assert rig.serving.wait() == 0
    assert refused(rig.port)


def answer(client: socket.socket) -> bytes:
    """All that comes, up to the end."""
    with client:
        received = b""
        while piece := client.recv(65536):
            received += piece
    return received


def refused(port: int) -> bool:
    with socket.socket() as sock:
        sock.settimeout(0.05)
        return sock.connect_ex((HOST, port)) == errno.ECONNREFUSED
