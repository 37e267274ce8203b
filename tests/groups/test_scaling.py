"""Groups come and go in a generation that serves, with real processes and a fake proxy."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from maniple.tests.groups.proxies import Proxy, alive, echoed, greeting, tell, until

Start = Callable[..., Proxy]
BUSY = (False, "A reload or another change of the groups is under way: try again.")


def listening(pid: int) -> int:
    """On how many listening TCP sockets the process has a hold."""
    inodes = {line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"}
    return len({os.readlink(fd)[8:-1] for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()} & inodes)


def died_often(proxy: Proxy, deaths: int) -> bool:
    return proxy.stderr.count("exited with code 137") == deaths


def descriptors(proxy: Proxy) -> int:
    return len(os.listdir(f"/proc/{proxy.pid}/fd"))


class Callers:
    """Clients that come all the time, each with one connection."""

    def __init__(self, target: Any) -> None:
        self.served = 0
        self.failures: list[str] = []
        self._target = target
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._enough.is_set():
            try:
                with socket.create_connection(self._target, timeout=5) as sock:
                    if not sock.recv(100) or not echoed(sock):
                        self.failures.append("closed without an answer")
            except OSError as error:
                self.failures.append(repr(error))
            self.served += 1

    def more(self, count: int) -> None:
        wanted = self.served + count
        until(lambda: self.served >= wanted, "clients come")

    def end(self) -> None:
        self._enough.set()
        self._thread.join(10)


def test_more_and_fewer_under_load_and_nobody_is_cut(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 1})
    lasting = [proxy.connect()[0]]
    callers = Callers(proxy.target())
    try:
        for count in (4, 2, 3, 1, 2):
            assert proxy.ask(f"scale {count}") == (True, "")
            callers.more(20)
            assert len(proxy.pids()) >= count
            lasting.append(proxy.connect()[0])
    finally:
        callers.end()
    assert callers.failures == []
    assert callers.served >= 100
    assert all(map(echoed, lasting))
    for client in lasting:
        client.close()
    proxy.wait_groups(2)
    assert "Traceback" not in proxy.stderr
    assert proxy.status()["last_change"]["text"] == "2 groups"


def test_newcomers_accept_on_sockets_of_their_own_and_limits_are_dealt_anew(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 1})
    assert tell(proxy.connect()[0])["front"] == 120
    assert proxy.ask("scale 3") == (True, "")
    pids = proxy.wait_groups(3)
    # No more than their own, and no copies of what others have.
    assert [listening(pid) for pid in pids.values()] == [1, 1, 1]
    for group in (1, 2, 3):
        with proxy.connect_to(f"{group}/1") as client:
            told = tell(client)
        assert (told["part"], told["front"]) == ([group - 1, 3], 40)
        assert len(told["peers"]["front/0"]) == 3
    assert proxy.ask("set nbgroup 2") == (True, "")
    # Whoever is left adopts the third socket.
    until(lambda: not alive(pids[3]), "the third is gone")
    assert sum(listening(pids[group]) for group in (1, 2)) == 3
    for group in (1, 2):
        told = tell(proxy.connect_to(f"{group}/1"))
        assert (told["part"][1], len(told["peers"]["front/0"])) == (2, 2)
    # And a group that is started again has what is in force now.
    os.kill(pids[2], signal.SIGKILL)
    until(lambda: proxy.pids().get(2) not in (0, pids[2]), "the second is back")
    assert tell(proxy.connect_to("2/1"))["part"] == [1, 2]


@pytest.mark.parametrize("how", ["config", "kill"])
def test_a_newcomer_that_does_not_come_ends_it(start_proxy: Start, tmp_path: Path, how: str) -> None:
    wrong = tmp_path / "wrong"
    wrong.touch()
    fail = {"at": "build", "how": how, "group": 3, "if": str(wrong)}
    proxy = start_proxy(globals={"nbgroup": 2}, fail=fail)
    before, count = proxy.pids(), descriptors(proxy)
    for _ in range(2):
        ok, text = proxy.ask("scale 4")
        assert not ok
        assert text == ("config : [test.cfg:7] : no such algorithm" if how == "config" else GONE)
        proxy.connect()
        until(lambda: len(proxy.groups()) == 2, "the newcomers are gone")
        assert proxy.pids() == before
    until(lambda: descriptors(proxy) == count, "nothing is left of them")
    assert "fault in the supervisor" not in proxy.stderr
    told = tell(proxy.connect()[0])
    assert (told["part"][1], len(told["peers"]["front/0"])) == (2, 2)
    wrong.unlink()
    assert proxy.ask("scale 4") == (True, "")
    assert len(proxy.wait_groups(4)) == 4


GONE = "group 3 ended before it was ready"


def test_a_newcomer_that_cannot_be_forked_ends_it(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 1}, forks=[True, True, False])
    assert proxy.ask("scale 4") == (False, GONE)
    until(lambda: len(proxy.groups()) == 1, "nobody is left")
    assert "Cannot fork group 3" in proxy.stderr
    assert proxy.ask("scale 4") == (True, "")
    assert len(proxy.wait_groups(4)) == 4


def test_a_newcomer_that_builds_while_it_is_sent_away_accepts_nothing(start_proxy: Start, tmp_path: Path) -> None:
    """The fourth is slow, and the third has failed meanwhile."""
    gate = tmp_path / "gate"
    proxy = start_proxy(globals={"nbgroup": 2}, fail={"at": "build", "group": 4, "gate": str(gate)})
    asked = proxy.say("scale 4")
    until(lambda: len(proxy.groups()) == 4, "both are forked")
    os.kill(proxy.pids()[3], signal.SIGKILL)
    assert proxy.answer(asked) == (False, GONE)
    gate.touch()
    until(lambda: len(proxy.groups()) == 2, "the fourth is gone")
    assert "fault in the supervisor" not in proxy.stderr
    assert len(proxy.wait_groups(2)) == 2


def test_a_newcomer_that_dies_once_all_have_built_comes_back(start_proxy: Start, tmp_path: Path) -> None:
    fail = {"at": "go", "how": "kill", "group": 2, "once": str(tmp_path / "once")}
    proxy = start_proxy(globals={"nbgroup": 1}, fail=fail)
    assert proxy.ask("scale 3") == (True, "")
    assert len(proxy.wait_groups(3)) == 3
    proxy.connect_to("2/1")


def test_a_number_is_used_again_while_its_last_one_drains(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 2})
    old = proxy.connect_to("2/1")
    before = proxy.pids()[2]
    assert proxy.ask("scale 1") == (True, "")
    assert proxy.ask("scale 2") == (True, "")
    second = proxy.connect_to("2/1")
    status = proxy.status()["groups"]
    assert [(one["number"], one["state"]) for one in status] == [(1, "ready"), (2, "ready"), (2, "draining")]
    assert status[2]["pid"] == before
    assert echoed(old)
    # Its death is nobody else's.
    os.kill(before, signal.SIGKILL)
    until(lambda: len(proxy.status()["groups"]) == 2, "it is gone")
    assert echoed(second)
    assert tell(second)["part"] == [1, 2]
    # Its figures are not lost.
    total = proxy.status()["counts"]["cum_conns"]
    proxy.connect()[0].close()
    until(lambda: proxy.status()["counts"]["cum_conns"] == total + 1, "it is counted")


def test_what_waited_for_a_group_that_leaves_is_accepted(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 3, "hard_stop_after": 2000})
    pids = proxy.pids()
    os.kill(pids[3], signal.SIGSTOP)
    waiting = [proxy.call() for _ in range(30)]
    ok, text = proxy.ask("scale 2")
    assert not ok
    assert f"group 3 (pid {pids[3]}) did not acknowledge within 1 s" in text
    assert all(greeting(sock)[1] in (pids[1], pids[2]) for sock in waiting)
    os.kill(pids[3], signal.SIGCONT)
    until(lambda: not alive(pids[3]), "it has heard of it")


def test_a_dead_group_is_scaled_away(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 2})
    for deaths in (1, 2, 3):
        pid = until(lambda: proxy.pids()[2], "the second group")
        os.kill(pid, signal.SIGKILL)
        until(partial(died_often, proxy, deaths), "its death")
    assert proxy.ask("scale 1") == (True, "")
    assert proxy.pids().keys() == {1}
    assert proxy.ask("scale 2") == (True, "")
    proxy.wait_groups(2)
    proxy.connect_to("2/1")


def test_a_reload_waits_for_it_and_lays_out_what_is_written(start_proxy: Start, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    proxy = start_proxy(globals={"nbgroup": 1}, fail={"at": "build", "group": 2, "gate": str(gate)})
    scaled = proxy.say("scale 2")
    until(lambda: len(proxy.groups()) == 2, "the newcomer is forked")
    proxy.change(fail=None)
    reloaded = proxy.say("reload")
    assert proxy.ask("scale 3") == BUSY
    gate.touch()
    assert proxy.answer(scaled) == (True, "")
    assert proxy.answer(reloaded) == (True, "")
    status = proxy.status()
    assert (status["generation"], len(status["groups"])) == (2, 1)
    # The surplus socket of the address is accepted on, too.
    for _ in range(10):
        assert proxy.connect()[1] == "1/1"


def test_numbers_that_cannot_be(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 1, "nbthread": 1})
    for command in ("scale 0", "scale x", "scale", "scale 1000"):
        assert not proxy.ask(command)[0]
    assert proxy.ask("scale 1") == (True, "")


def test_too_many_threads_change_nothing(start_proxy: Start) -> None:
    proxy = start_proxy(globals={"nbgroup": 1, "nbthread": 2})
    count = descriptors(proxy)
    ok, _ = proxy.ask("scale 200")
    assert not ok
    assert len(proxy.groups()) == len(proxy.pids()) == 1
    until(lambda: descriptors(proxy) == count, "nothing stays open")
    assert proxy.ask("scale 2") == (True, "")
