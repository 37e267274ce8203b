"""Generations follow each other, with real processes and a fake proxy."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from maniple.groups.acknowledgements import Outcome
from maniple.groups.succession import silence
from maniple.tests.groups.proxies import Proxy, alive, echoed, greeting, tell, until

Start = Callable[..., Proxy]
TWO = {"nbgroup": 2}


def draining(proxy: Proxy) -> list[int]:
    """Serial numbers of the generations that drain."""
    return [one["number"] for one in proxy.status()["draining"]]


def holds_open(pid: int, port: int) -> bool:
    """Whether the process has a listening socket of that port open."""
    inodes = {
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and int(line.split()[1].rpartition(":")[2], 16) == port
    }
    links = {os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()}
    return any(f"socket:[{inode}]" in links for inode in inodes)


def test_a_reload_replaces_the_groups_and_cuts_nobody(start_proxy: Start) -> None:
    proxy = start_proxy(globals=TWO)
    before = proxy.groups()
    lasting, _, pid = proxy.connect()
    assert pid in before
    assert proxy.reload() == (True, "")
    status = proxy.status()
    assert (status["generation"], status["reloads"], status["failed_reloads"]) == (2, 1, 0)
    assert draining(proxy) == [1]
    after = set(proxy.pids().values())
    assert not after & set(before)
    for _ in range(10):
        assert proxy.connect()[2] in after
    assert echoed(lasting)
    # The group of nobody is gone already.
    until(lambda: [alive(one) for one in before].count(True) == 1, "the idle group ends")
    lasting.close()
    until(lambda: not any(map(alive, before)), "the last client's group ends")
    assert until(lambda: not draining(proxy), "the generation is buried") is True
    assert "Traceback" not in proxy.stderr


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR2])
def test_signals_reload(start_proxy: Start, number: int) -> None:
    proxy = start_proxy(globals=TWO)
    before = proxy.groups()
    proxy.signal(number)
    until(lambda: "Reloaded in" in proxy.stderr, "the reload")
    proxy.wait_groups(2)
    assert not set(proxy.pids().values()) & set(before)


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"errors": "[ALERT] a line of errors"}, "[ALERT] a line of errors\nErrors were found in the configuration."),
        ({"globals": {"nbgroup": 4, "nbthread": 2}}, "config : 4 groups cannot share 2 threads"),
        ({"binds": [["unix", "/nowhere/at/all", 0]]}, "cannot bind socket (No such file or directory)"),
        ({"fail": {"at": "build", "how": "config"}}, "config : [test.cfg:7] : no such algorithm"),
        ({"fail": {"at": "build", "how": "config", "group": 2}}, "config : [test.cfg:7] : no such algorithm"),
        ({"fail": {"at": "build", "how": "kill", "group": 2}}, "group 2 ended before it was ready"),
    ],
    ids=["errors", "contradiction", "address", "build", "one build", "death"],
)
def test_whatever_fails_leaves_all_as_it_was(start_proxy: Start, wanted: dict[str, Any], text: str) -> None:
    proxy = start_proxy(globals=TWO)
    before = proxy.pids()
    lasting, _, _ = proxy.connect()
    ok, answer = proxy.reload(**wanted)
    assert not ok
    assert text in answer
    assert echoed(lasting)
    proxy.connect()
    until(lambda: len(proxy.groups()) == 2, "the groups that failed are gone")
    assert proxy.pids() == before
    status = proxy.status()
    assert (status["generation"], status["reloads"], status["failed_reloads"], draining(proxy)) == (1, 0, 1, [])
    assert "Failed to reload: generation 1 goes on." in proxy.stderr
    # And the next one is as if nothing had been.
    assert proxy.reload(errors=None, fail=None, globals=TWO, binds=[["inet", "127.0.0.1", 0]]) == (True, "")
    assert proxy.connect()[2] not in before.values()
    assert proxy.target() is not None


def test_a_failed_reload_has_taken_no_address(start_proxy: Start, tmp_path: Path) -> None:
    path = str(tmp_path / "new.sock")
    proxy = start_proxy(globals=TWO)
    binds = [["inet", "127.0.0.1", 0], ["unix", path, 0]]
    assert not proxy.reload(binds=binds, fail={"at": "build", "how": "bug", "group": 1})[0]
    assert os.listdir(tmp_path).count("new.sock") == 0
    assert proxy.reload(fail=None) == (True, "")
    proxy.addresses.append(path)
    proxy.connect(1)


def test_a_group_that_dies_while_it_comes_is_started_again(start_proxy: Start, tmp_path: Path) -> None:
    """After all have built there is no way back: it is as any group that dies."""
    proxy = start_proxy(globals=TWO)
    before = set(proxy.groups())
    for number, (at, how) in enumerate([("go", "kill"), ("listen", "kill")], 1):
        fail = {"at": at, "how": how, "group": 2, "once": str(tmp_path / at)}
        assert proxy.reload(fail=fail) == (True, "")
        assert proxy.status()["reloads"] == number
        after = set(proxy.wait_groups(2).values())
        assert not before & after
        assert proxy.stderr.count("exited with code 137 (Killed)") == number
        proxy.connect_to("2/1").close()
        before = after


def test_a_reload_during_drains(start_proxy: Start) -> None:
    proxy = start_proxy(globals=TWO)
    clients = [proxy.connect()[0]]
    for number in range(3):
        assert proxy.reload() == (True, "")
        assert draining(proxy) == list(range(1, number + 2))
        clients.append(proxy.connect()[0])
    assert all(map(echoed, clients))
    clients[1].close()
    until(lambda: draining(proxy) == [1, 3], "one generation less")
    for client in clients:
        client.close()
    proxy.wait_groups(2)


def test_a_reload_while_a_group_waits_for_its_successor(start_proxy: Start) -> None:
    proxy = start_proxy(globals=TWO)
    # The second death within ten seconds is followed by a pause.
    for deaths in (1, 2):
        os.kill(until(lambda: proxy.pids()[1], "the group"), signal.SIGKILL)
        until(partial(died_often, proxy, deaths), "its death")
    lasting, _, old = proxy.connect()
    assert proxy.reload() == (True, "")
    assert len(set(proxy.wait_in_service(2).values())) == 2
    # Nobody comes back in the generation that goes.
    assert len(proxy.groups()) == 3
    assert echoed(lasting)
    assert alive(old)


def test_hard_stop_after_ends_a_drain(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 1, "hard_stop_after": 300})
    lasting, _, pid = proxy.connect()
    assert proxy.reload() == (True, "")
    assert echoed(lasting)
    until(lambda: not alive(pid), "the end of the old group", 3.0)
    assert not echoed(lasting)
    proxy.wait_groups(1)


def test_a_group_that_ignores_the_end_of_its_drain_is_killed(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 1, "hard_stop_after": 100})
    pid = proxy.connect()[2]
    os.kill(pid, signal.SIGSTOP)
    ok, text = proxy.reload()
    assert not ok
    assert text == f"The new configuration is in service, but:\ngroup 1 (pid {pid}) did not acknowledge within 1 s"
    assert (proxy.status()["reloads"], proxy.status()["failed_reloads"]) == (1, 0)
    assert proxy.connect()[2] != pid
    assert "But: group 1" in proxy.stderr
    until(lambda: not alive(pid), "the end of the old group", 5.0)
    assert proxy.status()["generation"] == 2


def test_listeners_are_kept_added_and_removed(start_proxy: Start, tmp_path: Path) -> None:
    one, two, three = (str(tmp_path / f"{name}.sock") for name in ("one", "two", "three"))
    proxy = start_proxy(globals=TWO, binds=[["inet", "127.0.0.1", 0], ["unix", one, 0], ["unix", two, 0]])
    removed = proxy.connect(2)[0]
    numbers = os.stat(one).st_ino
    assert proxy.reload(binds=[["inet", "127.0.0.1", 0], ["unix", three, 0], ["unix", one, 0]]) == (True, "")
    proxy.addresses.append(three)
    for index in (0, 1, 3):
        assert proxy.connect(index)[2] in proxy.pids().values()
    assert os.stat(one).st_ino == numbers
    assert not os.path.exists(two)
    assert proxy.refuses(2)
    assert echoed(removed)


def test_the_queue_of_a_removed_address_is_served_and_who_comes_later_refused(start_proxy: Start) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    binds = [["inet", "127.0.0.1", 0], ["inet", "127.0.0.1", port]]
    proxy = start_proxy(globals=TWO, binds=binds)
    old = proxy.groups()
    # Nobody accepts: all wait in the kernel's queues, those of both groups.
    until(lambda: any(accepts(proxy, pid) for pid in old), "both accept")
    proxy.signal(signal.SIGTTOU)
    until(lambda: not any(accepts(proxy, pid) for pid in old), "the pause")
    waiting = [proxy.call(1) for _ in range(20)]
    assert proxy.reload(binds=binds[:1]) == (True, "")
    assert all(greeting(sock)[1] in old for sock in waiting)
    until(lambda: proxy.refuses(1), "who comes now is refused")
    for pid in (*old, *proxy.pids().values(), proxy.pid):
        assert not alive(pid) or not holds_open(pid, port)
    assert all(map(echoed, waiting))


def died_often(proxy: Proxy, deaths: int) -> bool:
    return bool(proxy.status()["groups"][0]["deaths"] == deaths)


def accepts(proxy: Proxy, pid: int) -> bool:
    """Whether the group still accepts."""
    return any(
        thread["accepting"] for group in proxy.status()["groups"] if group["pid"] == pid for thread in group["threads"]
    )


def test_figures_go_on(start_proxy: Start) -> None:
    proxy = start_proxy(globals=TWO)

    def total() -> int:
        return int(proxy.status()["counts"]["cum_conns"])

    lasting = [proxy.connect()[0] for _ in range(4)]
    proxy.connect()[0].close()
    assert proxy.reload() == (True, "")
    proxy.connect()[0].close()
    assert total() == 6
    # What the old ones have counted is there while they drain, and after their end.
    for client in lasting:
        client.close()
    until(lambda: not draining(proxy), "the old ones are gone")
    assert total() == 6
    proxy.connect()[0].close()
    assert proxy.reload() == (True, "")
    proxy.connect()[0].close()
    assert total() == 8


def test_states_of_servers_and_the_pause_go_on(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 1}, servers=["a", "b"])
    for command in ("set server app/a state drain", "set server app/a weight 50%", "set server app/b state maint"):
        assert proxy.ask(command) == (True, "")
    assert tell(proxy.connect()[0])["servers"] == {"app/a": [None, "50%"], "app/b": ["maint", None]}
    expected = {"app/a": ["drain", "50%"], "app/b": ["maint", None]}
    assert proxy.reload() == (True, "")
    client = proxy.connect()[0]
    assert tell(client)["servers"] == expected
    # A group that is started again knows them too, and a generation without one of them is not told of it.
    client.send(b"crash\n")
    until(lambda: "137" in proxy.stderr, "its death")
    assert tell(proxy.connect()[0])["servers"] == expected
    assert proxy.reload(servers=["b", "c"]) == (True, "")
    assert tell(proxy.connect()[0])["servers"] == {"app/b": ["maint", None]}
    assert proxy.reload(servers=["a"]) == (True, "")
    assert tell(proxy.connect()[0])["servers"] == {"app/a": ["drain", "50%"]}
    proxy.signal(signal.SIGTTOU)
    assert proxy.reload() == (True, "")
    waiting = proxy.call()
    with pytest.raises(TimeoutError):
        waiting.settimeout(0.1)
        waiting.recv(100)
    proxy.signal(signal.SIGTTIN)
    waiting.settimeout(10)
    assert greeting(waiting)[0] == "1/1"


def test_groups_have_only_the_sockets_that_they_were_given(start_proxy: Start) -> None:
    """Above all not those of other generations: a removed address would stay open."""
    proxy = start_proxy(globals=TWO)
    assert proxy.reload() == (True, "")
    first, second = proxy.wait_groups(2).values()
    mine = [len(os.listdir(f"/proc/{pid}/fd")) for pid in (first, second)]
    assert mine[0] == mine[1]
    for _ in range(2):
        assert proxy.reload() == (True, "")
    after = proxy.wait_groups(2)
    assert [len(os.listdir(f"/proc/{pid}/fd")) for pid in after.values()] == mine


def test_nothing_grows_with_reloads(start_proxy: Start) -> None:
    proxy = start_proxy(globals=TWO)
    counts = []
    for _ in range(4):
        assert proxy.reload() == (True, "")
        proxy.wait_groups(2)
        counts.append(len(os.listdir(f"/proc/{proxy.pid}/fd")))
    assert counts[1:] == counts[:-1]
    assert "Traceback" not in proxy.stderr


def test_what_is_wrong_is_said_of_everybody() -> None:
    assert silence(Outcome()) == ""
    outcome = Outcome({"group 3": "No such server."}, ("group 1", "group 2"), ["group 4"])
    assert silence(outcome).splitlines() == [
        "group 1 did not acknowledge within 1 s",
        "group 2 did not acknowledge within 1 s",
        "group 3: No such server.",
    ]
