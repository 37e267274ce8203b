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
from maniple.groups.succession import PATIENCE
from maniple.groups.supervisor import SupervisorOptions
from maniple.tests.groups.proxies import alive, echoed, greeting, until

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


def test_pause_and_resume(start_proxy: Start) -> None:
    proxy = start_proxy(globals=TWO)
    host, _, port = proxy.addresses[0].rpartition(":")
    proxy.signal(signal.SIGTTOU)

    def unanswered() -> socket.socket | None:
        sock = socket.create_connection((host, int(port)), timeout=10)
        sock.settimeout(0.1)
        try:
            sock.recv(100)
        except TimeoutError:
            return sock
        sock.close()
        return None

    sock = until(unanswered, "connections wait")
    # A group that is started during the pause does not accept either.
    os.kill(proxy.pids()[1], signal.SIGKILL)
    until(lambda: "exited with code 137" in proxy.stderr, "its death")
    proxy.wait_groups(2)
    other = until(unanswered, "connections still wait")
    proxy.signal(signal.SIGTTIN)
    for waiting in (sock, other):
        waiting.settimeout(10)
        assert waiting.recv(100)
        waiting.close()


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


def test_options_have_defaults() -> None:
    assert SupervisorOptions() == SupervisorOptions(quiet=False, master_worker=False, daemon=False, pidfile=None)
