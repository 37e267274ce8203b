"""What an operator asks for over the control socket or by a signal, with real groups."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from maniple.tests.groups.proxies import Proxy, alive, echoed, tell, until

Start = Callable[..., Proxy]


def test_servers_are_changed_in_all_groups_those_that_drain_included(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 2}, servers=["a", "b"])
    old = proxy.connect()[0]
    assert proxy.reload() == (True, "")
    for command in ("set server app/a state maint", "set weight app/b 10", "disable server app/b"):
        assert proxy.ask(command) == (True, "")
    for client in (old, proxy.connect_to("1/1"), proxy.connect_to("2/1")):
        assert tell(client)["servers"] == {"app/a": ["maint", None], "app/b": ["maint", None]}
    assert proxy.ask("enable server app/b") == (True, "")
    assert tell(old)["servers"]["app/b"] == ["ready", None]


def test_what_is_refused_is_said_and_forgotten(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 2}, servers=["a"])
    assert proxy.ask("set server none/a state maint") == (False, "No such backend.")
    assert proxy.ask("set server app/none state maint") == (False, "No such server.")
    assert proxy.ask("set server app/a weight 13") == (False, "Weights of 13 bring no luck.")
    assert proxy.reload() == (True, "")
    assert tell(proxy.connect()[0])["servers"] == {}


def test_a_group_that_does_not_acknowledge_is_named(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 2}, servers=["a"])
    pids = proxy.pids()
    os.kill(pids[2], signal.SIGSTOP)
    begun = time.monotonic()
    answer = proxy.ask("set server app/a state drain")
    assert 0.9 < time.monotonic() - begun < 3.0
    assert answer == (False, f"group 2 (pid {pids[2]}) did not acknowledge within 1 s")
    # Those that answer have done it, and it does so when it goes on.
    assert tell(proxy.connect_to("1/1"))["servers"] == {"app/a": ["drain", None]}
    os.kill(pids[2], signal.SIGCONT)
    assert proxy.ask("set server app/a weight 7") == (True, "")


def test_a_group_that_comes_meanwhile_is_told_too(start_proxy: Start) -> None:
    """One group keeps the answer waiting; the other dies and is back before the change is known to hold."""
    proxy = start_proxy(globals={"nbgroup": 3}, servers=["a"])
    pids = proxy.pids()
    os.kill(pids[3], signal.SIGSTOP)
    asked = proxy.say("set server app/a state drain")
    proxy.status()
    os.kill(pids[1], signal.SIGKILL)
    until(lambda: proxy.pids()[1] not in (0, pids[1]), "it is back")
    assert not proxy.answer(asked)[0]
    assert tell(proxy.connect_to("1/1"))["servers"] == {"app/a": ["drain", None]}
    os.kill(pids[3], signal.SIGCONT)


@pytest.mark.parametrize("command", ["soft-stop", "hard-stop"])
def test_stops(start_proxy: Start, command: str) -> None:
    proxy = start_proxy(globals={"nbgroup": 2})
    client = proxy.connect()[0]
    assert proxy.ask(command) == (True, "")
    if command == "soft-stop":
        until(lambda: "stopped (cumulated conns" in proxy.stderr, "the drain")
        assert echoed(client)
        client.close()
    assert proxy.wait() == 0
    assert not os.path.exists(proxy.wanted["options"]["control"][0])


def test_nothing_is_done_at_the_end(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 1})
    client = proxy.connect()[0]
    proxy.signal(signal.SIGUSR1)
    until(lambda: proxy.status()["state"] == "stopping", "the stop")
    for command in ("reload", "scale 2", "upgrade"):
        assert proxy.ask(command) == (False, "maniple is about to end.")
    client.close()
    assert proxy.wait() == 0


def test_a_stop_during_a_scaling(start_proxy: Start, tmp_path: Path) -> None:
    fail = {"at": "build", "group": 2, "gate": str(tmp_path / "never")}
    proxy = start_proxy(globals={"nbgroup": 1}, fail=fail)
    proxy.say("scale 2")
    until(lambda: len(proxy.groups()) == 2, "the newcomer is forked")
    groups = proxy.groups()
    proxy.signal(signal.SIGUSR1)
    assert proxy.wait() == 0
    assert not any(map(alive, groups))


def test_pause_and_resume(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 2})
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
