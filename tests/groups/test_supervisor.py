from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from maniple.tests.groups.proxies import alive, until

Start = Callable[..., Any]
TWO = {"nbgroup": 2}


def test_starts_every_group_and_says_so(start_proxy: Start) -> None:
    proxy = start_proxy(globals=TWO)
    assert len(proxy.groups()) == 2
    places = {proxy.connect()[1] for _ in range(60)}
    assert places == {"1/1", "2/1"}
    while not proxy.reports:
        assert proxy.read_line()
    assert proxy.reports == [[5, "Proxy front started."]]
    assert proxy.stderr == ""


def test_start_to_first_answer_is_quick(start_proxy: Start) -> None:
    begun = time.monotonic()
    start_proxy(globals=TWO).connect()
    # 0.2 s on two idle cores; the bound is for a machine that others use too.
    assert time.monotonic() - begun < 3.0


def test_threads_of_a_group_have_their_own_sockets(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 1, "nbthread": 2})
    assert len(proxy.groups()) == 1
    assert {proxy.connect()[1] for _ in range(60)} == {"1/1", "1/2"}
    proxy.signal(signal.SIGTERM)
    assert proxy.wait() == 0


def test_a_killed_group_is_back_and_its_queue_was_accepted(start_proxy: Start) -> None:
    proxy = start_proxy(globals=TWO)
    kept = proxy.connect_to("2/1")
    lost = proxy.connect_to("1/1")
    victim = proxy.groups()[0]
    # Connections wait in the queue of a group that does not run, and then it dies.
    os.kill(victim, signal.SIGSTOP)
    host, _, port = proxy.addresses[0].rpartition(":")
    waiting = [socket.create_connection((host, int(port)), timeout=10) for _ in range(40)]
    os.kill(victim, signal.SIGKILL)
    begun = time.monotonic()
    greeted = [sock.recv(100).decode().split() for sock in waiting]
    assert all(len(words) == 2 and int(words[1]) != victim for words in greeted)
    until(lambda: len(proxy.groups()) == 2, "the group is back")
    proxy.connect_to("1/1").close()
    assert time.monotonic() - begun < 3.0
    kept.send(b"untouched")
    assert kept.recv(100) == b"untouched"
    with contextlib.suppress(ConnectionResetError):
        assert lost.recv(100) == b""
    assert f"Current worker ({victim}) exited with code 137 (Killed)" in proxy.stderr
    proxy.signal(signal.SIGTERM)
    assert proxy.wait() == 0
    for sock in (*waiting, kept, lost):
        sock.close()


def test_a_living_group_accepts_while_the_dead_one_backs_off(start_proxy: Start) -> None:
    proxy = start_proxy(globals=TWO)
    # The second death within 10 s is followed by a pause; connections are answered throughout.
    for _ in range(4):
        sock = proxy.connect_to("1/1")
        sock.send(b"crash\n")
        sock.close()
        for _ in range(20):
            proxy.connect()[0].close()
    assert until(lambda: len(proxy.groups()) == 2, "both are back")
    assert proxy.stderr.count("exited with code 137") == 4


def test_the_figures_of_a_dead_group_are_kept(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 1}, tick=True)
    for _ in range(3):
        proxy.connect()[0].close()
    sock, _, _ = proxy.connect()
    sock.send(b"crash\n")
    until(lambda: "137" in proxy.stderr, "its death")
    proxy.connect()[0].close()
    until(lambda: (proxy.read_line() or {}).get("conn_tot") == 5, "the sum over both lives")
    sock.close()


def test_groups_end_when_the_supervisor_is_killed(start_proxy: Start) -> None:
    proxy = start_proxy(globals=TWO)
    groups = proxy.groups()
    os.kill(groups[1], signal.SIGSTOP)
    proxy.signal(signal.SIGKILL)
    proxy.wait()
    until(lambda: not any(alive(pid) for pid in groups), "the groups are gone", 1.0)
    proxy.wait_end_of_output(1.0)


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("config", "[ALERT]    ({pid}) : config : [test.cfg:7] : no such algorithm"),
        ("bug", "RuntimeError: a bug"),
        ("segv", "exited with code 139 (Segmentation fault)"),
    ],
)
def test_a_build_that_fails_ends_the_start(start_proxy: Start, how: str, text: str) -> None:
    proxy = start_proxy(ready=False, globals=TWO, fail={"at": "build", "how": how})
    assert proxy.wait() == 1
    assert text.format(pid=proxy.pid) in proxy.stderr
    assert proxy.stderr.count("[ALERT]") == 1
    proxy.wait_end_of_output(1.0)


def test_a_start_without_processes_left_is_given_up(start_proxy: Start) -> None:
    proxy = start_proxy(ready=False, globals=TWO, forks=[True, False])
    assert proxy.wait() == 1
    assert "Cannot fork group 2 (Resource temporarily unavailable)." in proxy.stderr
    proxy.wait_end_of_output(1.0)


def test_a_group_that_cannot_be_forked_is_tried_again(start_proxy: Start) -> None:
    proxy = start_proxy(globals=TWO, forks=[True, True, False, False])
    victim = proxy.groups()[1]
    os.kill(victim, signal.SIGKILL)
    until(lambda: len(proxy.groups()) == 2 and victim not in proxy.groups(), "the group is back")
    assert proxy.stderr.count("Cannot fork group 2") == 2
    proxy.connect_to("2/1")


def test_bind_errors_are_all_reported_with_their_place(start_proxy: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        binds = [["inet", "127.0.0.1", port], ["inet", "127.0.0.1", 0], ["unix", "/nowhere/at/all", 0]]
        proxy = start_proxy(ready=False, binds=binds)
        assert proxy.wait() == 1
    assert proxy.stderr.splitlines() == [
        f"[ALERT]    ({proxy.pid}) : Binding [test.cfg:2] for frontend front: "
        f"cannot bind socket (Address already in use) for [127.0.0.1:{port}]",
        f"[ALERT]    ({proxy.pid}) : Binding [test.cfg:4] for frontend front: "
        "cannot bind socket (No such file or directory) for [/nowhere/at/all]",
        f"[ALERT]    ({proxy.pid}) : [maniple.main()] Some protocols failed to start their listeners! Exiting.",
    ]


def test_all_groups_accept_on_a_unix_socket(start_proxy: Start, tmp_path: Path) -> None:
    path = tmp_path / "front.sock"
    proxy = start_proxy(globals=TWO, binds=[["unix", str(path), 0], ["abns", f"maniple-test-{os.getpid()}", 0]])
    assert proxy.connect(0)[1] in ("1/1", "2/1")
    assert proxy.connect(1)[1] in ("1/1", "2/1")
    victims = proxy.groups()
    os.kill(victims[0], signal.SIGKILL)
    for _ in range(10):
        assert proxy.connect(0)[2] != victims[0]


def test_an_inherited_socket_is_accepted_on(start_proxy: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        fd = listening.fileno()
        proxy = start_proxy(globals=TWO, binds=[["fd", str(fd), 0]], pass_fds=(fd,))
        with socket.create_connection(listening.getsockname(), timeout=10) as sock:
            assert sock.recv(100)
        proxy.signal(signal.SIGTERM)
        assert proxy.wait() == 0


def test_pid_file_is_there_while_it_runs(start_proxy: Start, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("1\n")
    proxy = start_proxy(options={"pidfile": str(path)})
    assert path.read_text() == f"{proxy.pid}\n"
    proxy.signal(signal.SIGTERM)
    assert proxy.wait() == 0
    assert not path.exists()


def test_a_daemon_is_ready_when_its_starter_ends(start_proxy: Start, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    sock = str(tmp_path / "s")
    proxy = start_proxy(options={"daemon": True, "pidfile": str(path)}, ready=False, binds=[["unix", sock, 0]])
    assert proxy.wait() == 0
    pid = int(path.read_text())
    assert pid != proxy.pid
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(sock)
        assert client.recv(100)
    # Nobody holds the starter's stdout, though the daemon lives.
    proxy.wait_end_of_output(5.0)
    assert alive(pid)
    os.kill(pid, signal.SIGTERM)
    until(lambda: not alive(pid), "the daemon is gone")


def test_a_daemon_that_cannot_start_fails_its_starter(start_proxy: Start) -> None:
    proxy = start_proxy(options={"daemon": True}, ready=False, fail={"at": "build", "how": "config"})
    assert proxy.wait() == 1
    assert "no such algorithm" in proxy.stderr


def test_numbers_that_contradict_each_other_are_refused(start_proxy: Start) -> None:
    proxy = start_proxy(ready=False, globals={"nbgroup": 4, "nbthread": 2})
    assert proxy.wait() == 1
    assert "4 groups cannot share 2 threads" in proxy.stderr
