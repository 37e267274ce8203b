"""`backup-backend` without sessions: who has the requests while servers come and go."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from maniple.tests.wire.rig.named import Answer, Farm, Proxy
from maniple.tests.wire.rig.ours import LoopThread
from maniple.tests.wire.rig.serving import wait_until

PLAIN = """
frontend f
    bind 127.0.0.1:1
    default_backend main
backend main
    backup-backend spare
    server $m1
    server $m2
backend spare
    server $r1
    server $r2
"""


@pytest.fixture
def farm(loop_thread: LoopThread) -> Iterator[Farm]:
    farm = Farm(loop_thread, "m1", "m2", "r1", "r2")
    yield farm
    farm.close()


def test_main_then_backup_then_main(farm: Farm) -> None:
    """Tempesta's rule without sessions: main, and the backup while main has nobody."""
    proxy = farm.start(PLAIN)
    assert proxy.who(4) == Counter(m1=2, m2=2)
    proxy.down("main/m1")
    assert proxy.who(4) == Counter(m2=4)
    proxy.down("main/m2")
    assert proxy.who(4) == Counter(r1=2, r2=2)
    proxy.up("main/m1")
    assert proxy.who(4) == Counter(m1=4)


@pytest.mark.parametrize("state", ["drain", "maint"])
def test_what_is_no_usable_server(farm: Farm, state: str) -> None:
    proxy = farm.start(PLAIN)
    proxy.set(state, "main/m1", "main/m2")
    assert proxy.who(4) == Counter(r1=2, r2=2)


def test_nobody_at_all(farm: Farm) -> None:
    proxy = farm.start(PLAIN)
    proxy.down("main/m1", "main/m2", "spare/r1", "spare/r2")
    assert proxy.ask().status == 503
    proxy.up("spare/r2")
    assert proxy.who(2) == Counter(r2=2)


def test_one_step_only(farm: Farm) -> None:
    """Each is the other's backup."""
    proxy = farm.start(PLAIN.replace("\nbackend spare\n", "\nbackend spare\n    backup-backend main\n"))
    proxy.down("main/m1", "main/m2", "spare/r1", "spare/r2")
    assert proxy.ask().status == 503


def test_in_mode_tcp(farm: Farm) -> None:
    proxy = farm.start(
        "defaults t\n    mode tcp\n    timeout client 9s\n    timeout connect 9s\n    timeout server 9s\n" + PLAIN
    )
    proxy.down("main/m1", "main/m2")
    assert proxy.who(4) == Counter(r1=2, r2=2)


def test_rules_are_those_of_the_backend_that_was_asked_for(farm: Farm) -> None:
    text = PLAIN.replace(
        "\nbackend main\n",
        "\nbackend main\n    http-request set-header Rule main\n    http-response set-header Rule main\n"
        "    http-after-response set-header After main\n    cookie C insert\n",
    ).replace(
        "\nbackend spare\n",
        "\nbackend spare\n    http-request set-header Rule spare\n    http-response set-header Rule spare\n"
        "    option forwardfor header X-Spare\n",
    )
    proxy = farm.start(text.replace("$m1\n", "$m1 cookie a\n").replace("$m2\n", "$m2 cookie b\n"))
    assert proxy.ask().cookie("C") == "a"
    proxy.down("main/m1", "main/m2")
    answer = proxy.ask("/", "Cookie: C=b")
    assert (answer.by, answer.fields["rule"], answer.fields["after"]) == ("r1", ["main"], ["main"])
    assert answer.cookie("C") is None
    (asked,) = farm.servers["r1"].requests
    assert "rule: main" in asked
    assert "x-spare: 127.0.0.1" in asked


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_stick_tables_learn_nothing_of_the_backup(farm: Farm, mode: str) -> None:
    sticking = f"\nbackend main\n    mode {mode}\n    stick-table type ip size 10\n    stick on src\n"
    text = PLAIN.replace("\nbackend main\n", sticking).replace(
        "\nbackend spare\n", f"\nbackend spare\n    mode {mode}\n"
    )
    proxy = farm.start(text.replace("frontend f\n", f"frontend f\n    mode {mode}\n"))
    proxy.down("main/m1", "main/m2")
    assert proxy.who(4) == Counter(r1=2, r2=2)
    proxy.up("main/m1", "main/m2")
    (server,) = proxy.who(4)
    proxy.down(f"main/{server}")
    assert proxy.who(2) == Counter({("m1" if server == "m2" else "m2"): 2})


def holding(proxy: Proxy, path: str, answers: list[Answer]) -> threading.Thread:
    thread = threading.Thread(target=lambda: answers.append(proxy.ask(path)))
    thread.start()
    return thread


def test_full_is_not_down(farm: Farm) -> None:
    """D9: when main is merely full, requests wait there."""
    proxy = farm.start(PLAIN.replace("    server $m2\n", "").replace("$m1\n", "$m1 maxconn 1\n"))
    answers: list[Answer] = []
    first = holding(proxy, "/hold", answers)
    farm.servers["m1"].held.wait(5)
    second = holding(proxy, "/", answers)
    main = proxy.run.runtime.backends[0]
    wait_until(lambda: main.queued == 1, "a request waits")
    farm.servers["m1"].release.set()
    first.join()
    second.join()
    assert [one.by for one in answers] == ["m1", "m1"]


def test_backup_on_full(farm: Farm) -> None:
    text = PLAIN.replace("    server $m2\n", "    option backup-on-full\n").replace("    server $r2\n", "")
    proxy = farm.start(text.replace("$m1\n", "$m1 maxconn 1\n").replace("$r1\n", "$r1 maxconn 1\n"))
    answers: list[Answer] = []
    first = holding(proxy, "/hold", answers)
    farm.servers["m1"].held.wait(5)
    assert proxy.who(2) == Counter(r1=2)
    second = holding(proxy, "/hold", answers)
    farm.servers["r1"].held.wait(5)
    # Both are full: who comes now waits in main.
    third = holding(proxy, "/", answers)
    main, spare = proxy.run.runtime.backends
    wait_until(lambda: (main.queued, spare.queued) == (1, 0), "a request waits")
    for name in ("m1", "r1"):
        farm.servers[name].release.set()
    for thread in (first, second, third):
        thread.join()
    assert Counter(one.by for one in answers) == Counter(m1=2, r1=1)
    assert proxy.who(2) == Counter(m1=2)


def test_who_waits_goes_on_to_the_backup(farm: Farm) -> None:
    """The last server of main leaves while requests wait for one."""
    proxy = farm.start(PLAIN.replace("    server $m2\n", "").replace("$m1\n", "$m1 maxconn 1\n"))
    answers: list[Answer] = []
    first = holding(proxy, "/hold", answers)
    farm.servers["m1"].held.wait(5)
    second = holding(proxy, "/", answers)
    main = proxy.run.runtime.backends[0]
    wait_until(lambda: main.queued == 1, "a request waits")
    proxy.down("main/m1")
    second.join()
    assert [one.by for one in answers] == ["r1"]
    farm.servers["m1"].release.set()
    first.join()


def test_on_a_kept_connection_everything_is_as_before(farm: Farm) -> None:
    """The exchange's object is used again after it went to the backup."""
    proxy = farm.start(PLAIN)

    def ask(sock: socket.socket) -> bytes:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
        return sock.recv(65536)

    with socket.create_connection(("127.0.0.1", proxy.port), 5) as sock:
        assert b"x-by: m1" in ask(sock)
        proxy.down("main/m1", "main/m2")
        assert b"x-by: r1" in ask(sock)
        proxy.up("main/m1")
        assert b"x-by: m1" in ask(sock)


def test_set_timeout_goes_along(farm: Farm) -> None:
    text = PLAIN.replace("\nbackend main\n", "\nbackend main\n    http-request set-timeout server 50ms\n")
    proxy = farm.start(text)
    proxy.down("main/m1", "main/m2")
    assert proxy.ask("/hold").status == 504
