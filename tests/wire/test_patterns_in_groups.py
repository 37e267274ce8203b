"""Changes of maps and ACLs in several groups: everywhere, in one order, kept for groups that come later."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from maniple.tests.wire.rig.serving import HOST, PATIENCE, Ports, Serving, wait_until

CONFIGURATION = """
global
    stats socket $control mode 600 level admin
    nbgroup {groups}
    nbthread 2
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend f
    bind 127.0.0.1:{one} thread 1/1
    bind 127.0.0.1:{other} thread {second}
    http-request set-map({folder}/a.map) %[url_param(k)] %[url_param(v)] if {{ path /set }}
    http-request del-map({folder}/a.map) %[url_param(k)] if {{ path /delete }}
    http-request add-acl({folder}/a.lst) %[url_param(k)] if {{ path /add }}
    http-request del-acl({folder}/a.lst) %[url_param(k)] if {{ path /remove }}
    http-request set-map(virt@numbers) %[url_param(k)] %[url_param(v)] if {{ path /number }}
    acl listed url_param(k) -f {folder}/a.lst
    http-request return status 200 content-type text/plain string in if {{ path /in }} listed
    http-request set-var-fmt(txn.a) %[url_param(k),map({folder}/a.map,none)]
    http-request set-var-fmt(txn.a) %[url_param(k),map_str_int(virt@numbers,0)] if {{ path /count }}
    http-request return status 200 content-type text/plain lf-string %[var(txn.a)]
"""


class Served:
    """A running maniple with a door for each group."""

    def __init__(self, folder: Path, groups: int) -> None:
        (folder / "a.map").write_text("first 1\n")
        (folder / "a.lst").write_text("known\n")
        self.ports = Ports()
        self.doors = [self.ports.take(), self.ports.take()]
        second = f"{groups}/{3 - groups}"
        text = CONFIGURATION.format(folder=folder, one=self.doors[0], other=self.doors[1], groups=groups, second=second)
        self.serving = Serving(folder / "m", text)
        self.map = f"{folder}/a.map"
        self.serving.wait_ready()

    def get(self, door: int, path: str) -> str:
        """The body of the answer of one group."""
        with socket.create_connection((HOST, self.doors[door]), PATIENCE) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
            said = b""
            while piece := client.recv(65536):
                said += piece
        assert said.startswith(b"HTTP/1.1 200 "), said
        return said.partition(b"\r\n\r\n")[2].decode()

    def seen(self, path: str) -> list[str]:
        return [self.get(door, path) for door in (0, 1)]

    def content(self) -> dict[str, str]:
        """What the supervisor shows."""
        lines = self.serving.order(f"show map {self.map}").strip("\n").split("\n")
        return dict(line.split(" ", 2)[1:] for line in lines if line)


@pytest.fixture(scope="module", params=[2, 1], ids=["two groups", "two threads of a group"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    one = Served(tmp_path_factory.mktemp("g"), request.param)
    yield one
    one.serving.close()
    one.ports.close()


def test_an_operator_changes_all_groups(served: Served) -> None:
    served.serving.order(f"add map {served.map} k v")
    assert served.seen("/?k=k") == ["v", "v"]
    served.serving.order(f"set map {served.map} k w")
    assert served.seen("/?k=k") == ["w", "w"]
    served.serving.order(f"del map {served.map} k")
    assert served.seen("/?k=k") == ["none", "none"]


def test_a_version_is_put_in_force_at_once(served: Served) -> None:
    before = served.content()
    version = served.serving.order(f"prepare map {served.map}").rpartition(" ")[2].strip()
    served.serving.order(f"add map @{version} {served.map} only this")
    assert served.seen("/?k=only") == ["none", "none"]
    served.serving.order(f"commit map @{version} {served.map}")
    assert served.seen("/?k=only") == ["this", "this"]
    assert served.seen("/?k=first") == ["none", "none"]
    served.serving.order(f"clear map {served.map}")
    for key, value in before.items():
        served.serving.order(f"add map {served.map} {key} {value}")
    assert served.seen("/?k=first") == ["1", "1"]


def test_a_rule_changes_its_own_group_at_once_and_the_others_soon(served: Served) -> None:
    served.get(0, "/set?k=rule&v=x")
    assert served.get(0, "/?k=rule") == "x"
    wait_until(lambda: served.get(1, "/?k=rule") == "x", "the other group knows")
    assert served.content()["rule"] == "x"
    served.get(1, "/delete?k=rule")
    assert served.get(1, "/?k=rule") == "none"
    wait_until(lambda: served.get(0, "/?k=rule") == "none", "the other group knows")
    assert "rule" not in served.content()


def test_acls_and_files_that_are_none(served: Served) -> None:
    assert served.seen("/in?k=known") == ["in", "in"]
    served.get(1, "/add?k=new")
    wait_until(lambda: served.seen("/in?k=new") == ["in", "in"], "both groups know")
    served.get(0, "/remove?k=new")
    wait_until(lambda: served.seen("/in?k=new") == ["none", "none"], "both groups know")
    served.get(0, "/number?k=a&v=5")
    wait_until(lambda: served.seen("/count?k=a") == ["5", "5"], "both groups know")
    # What is no number cannot be set.
    served.get(0, "/number?k=a&v=many")
    assert served.get(0, "/count?k=a") == "5"


def test_groups_that_set_the_same_keys_end_equal(served: Served) -> None:
    for number in range(120):
        served.get(number % 2, f"/set?k=k{number % 4}&v={number}")
    keys = [f"k{number}" for number in range(4)]

    def equal() -> bool:
        shown = served.content()
        return all(served.seen(f"/?k={key}") == [shown[key]] * 2 for key in keys)

    wait_until(equal, "both groups and the supervisor agree")
    # Nothing was on its way any more: it stays so.
    assert equal()


def test_a_group_that_comes_later_is_told(served: Served) -> None:
    served.serving.order(f"add map {served.map} later yes")
    served.get(0, "/set?k=ruled&v=too")
    wait_until(lambda: served.content().get("ruled") == "too", "the supervisor knows")
    pids = served.serving.pids()
    os.kill(pids[-1], signal.SIGKILL)
    wait_until(lambda: len(now := served.serving.pids()) == len(pids) and now[-1] != pids[-1], "it is back")
    assert served.seen("/?k=later") == ["yes", "yes"]
    assert served.seen("/?k=ruled") == ["too", "too"]
    assert served.seen("/?k=first") == ["1", "1"]


def test_a_refused_change_changes_nothing(served: Served) -> None:
    served.serving.order("add map virt@numbers b 1")
    for command in ("add map virt@numbers c x", "set map virt@numbers b x"):
        assert served.serving.ask(command) == "unable to parse 'x'.\n\n"
    assert served.seen("/count?k=b") == ["1", "1"]
    assert served.seen("/count?k=c") == ["0", "0"]


def test_a_reload_reads_files_again(served: Served) -> None:
    served.serving.order(f"add map {served.map} gone soon")
    served.serving.order("reload")
    wait_until(lambda: served.seen("/?k=gone") == ["none", "none"], "only the new groups accept")
    assert served.content() == {"first": "1"}
