"""Stick tables of a running maniple with two groups: counted in both, changed in both, and what they live through."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from maniple.tests.wire.rig.serving import HOST, PATIENCE, Ports, Serving, wait_until

CONFIGURATION = """
global
    stats socket $control mode 600 level admin
    nbgroup 2
    nbthread 2
    table-file {folder}/kept interval 1s
defaults
    mode http
    timeout client 20s
    timeout server 5s
    timeout connect 5s
backend words
    stick-table type string len 20 size {size} expire 1h store gpc0,gpt0,http_req_cnt,http_req_rate(1h)
backend clients
    stick-table type ip size 100 expire 1h store conn_cnt,conn_cur,http_req_cnt
frontend f
    bind 127.0.0.1:{one} thread 1/1
    bind 127.0.0.1:{other} thread 2/1
    tcp-request connection track-sc0 src table clients
    http-request track-sc1 url_param(k) table words
    http-request sc-inc-gpc0(1) if {{ path /more }}
    http-request return status 200 content-type text/plain lf-string %[url_param(k),table_gpc0(words)]
"""
ENTRY = re.compile(r"0x[0-9a-f]+: key=(\S+) (.*)")


class Served:
    """A running maniple with a door for each group."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = Ports()
        self.doors = [self.ports.take(), self.ports.take()]
        self.serving = Serving(folder / "m", self.text())
        self.serving.wait_ready()

    def text(self, size: int = 1000) -> str:
        return CONFIGURATION.format(folder=self.folder, one=self.doors[0], other=self.doors[1], size=size)

    def connect(self, door: int) -> socket.socket:
        return socket.create_connection((HOST, self.doors[door]), PATIENCE)

    def get(self, door: int, path: str) -> str:
        """The body of the answer of one group."""
        with self.connect(door) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
            said = b""
            while piece := client.recv(65536):
                said += piece
        assert said.startswith(b"HTTP/1.1 200 "), said
        return said.partition(b"\r\n\r\n")[2].decode()

    def shown(self, table: str) -> dict[str, dict[str, int]]:
        """Entries by key; what each has by name."""
        lines = ENTRY.findall(self.serving.order(f"show table {table}"))
        return {
            key: {name: int(value) for name, _, value in (word.partition("=") for word in words.split())}
            for key, words in lines
        }

    def client(self) -> dict[str, int]:
        return self.shown("clients").get(HOST, {"conn_cur": 0, "use": 0, "conn_cnt": 0})

    def open(self) -> int:
        return self.client()["conn_cur"]

    def more(self, key: str) -> None:
        """Counts the key in each group."""
        for door in (0, 1):
            self.get(door, f"/more?k={key}")

    def close(self) -> None:
        self.serving.close()
        self.ports.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    one = Served(tmp_path_factory.mktemp("g"))
    yield one
    one.close()


def test_one_table_for_all_groups(served: Served) -> None:
    served.more("both")
    served.more("both")
    assert [served.get(door, "/?k=both") for door in (0, 1)] == ["4", "4"]
    entry = served.shown("words")["both"]
    assert (entry["gpc0"], entry["http_req_cnt"], entry["http_req_rate(3600000)"]) == (4, 6, 6)
    before = served.client()["conn_cnt"]
    with served.connect(0), served.connect(1):
        wait_until(lambda: served.open() == 2, "both connections count")
        assert served.client()["use"] == 2 and served.client()["conn_cnt"] == before + 2
        assert served.serving.ask(f"clear table clients key {HOST}") == "Entry currently in use, cannot remove\n\n"
    wait_until(lambda: served.open() == 0, "both connections ended")


def test_an_operator_changes_what_all_groups_see(served: Served) -> None:
    served.more("set")
    served.serving.order("set table words key set data.gpc0 40 data.gpt0 7")
    assert served.shown("words")["set"]["gpt0"] == 7
    assert [served.get(door, "/more?k=set") for door in (0, 1)] == ["41", "42"]
    served.serving.order("set table words key made data.gpc0 5")
    assert [served.get(door, "/?k=made") for door in (0, 1)] == ["5", "5"]
    served.serving.order("clear table words data.gpc0 gt 41")
    assert "set" not in served.shown("words") and "made" in served.shown("words")
    served.serving.order("clear table words key made")
    assert [served.get(door, "/?k=made") for door in (1, 0)] == ["0", "0"]
    served.serving.order("clear table words")
    assert served.shown("words") == {}


def test_a_killed_group_takes_its_connections_with_it_and_nothing_else(served: Served) -> None:
    served.more("killed")
    pids = served.serving.pids()
    with served.connect(0), served.connect(1):
        wait_until(lambda: served.open() == 2, "both connections count")
        os.kill(pids[0], signal.SIGKILL)
        wait_until(lambda: served.open() == 1, "the dead group's connection is no more")
        assert served.client()["use"] == 1
        wait_until(lambda: len(set(served.serving.pids()) - {pids[0]}) == 2, "a successor")
        assert served.shown("words")["killed"]["gpc0"] == 2
    wait_until(lambda: served.open() == 0, "the last connection ended")
    served.more("killed")
    assert served.shown("words")["killed"]["gpc0"] == 4


def test_a_reload_and_an_upgrade_keep_what_is_there(served: Served) -> None:
    served.more("kept")
    for number, command in enumerate(("reload", "upgrade"), 2):
        with served.connect(1) as client:
            # One that has begun its request is not idle, and stays with the old group.
            client.sendall(b"GET /more?k=last HTTP/1.1\r\n")
            wait_until(lambda: served.open() == 1, "a connection that lasts")
            served.serving.order(command, 20)
            assert served.open() == 1
            client.sendall(b"Host: h\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        wait_until(lambda: served.open() == 0, "it ended")
        served.more("kept")
        assert served.shown("words")["kept"]["gpc0"] == 2 * number
    assert served.shown("words")["last"]["gpc0"] == 2


def test_another_size_takes_over_what_is_there(served: Served) -> None:
    served.more("size")
    served.serving.write(served.text(2000))
    served.serving.order("reload", 20)
    assert "size:2000" in served.serving.order("show table words key size")
    assert served.get(0, "/?k=size") == "2"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_restart_reads_what_was_written_at_the_stop(served: Served, number: int) -> None:
    served.serving.order("clear table words")
    served.more("old")
    served.serving.order("set table words key old data.gpt0 3")
    served.serving.signal(number)
    assert served.serving.wait() == 0
    served.serving.start_again()
    served.serving.wait_ready()
    entry = served.shown("words")["old"]
    assert (entry["gpc0"], entry["gpt0"], entry["http_req_cnt"], entry["use"]) == (2, 3, 2, 0)
    assert 3_000_000 < entry["exp"] < 3_600_000
    assert served.open() == 0
    served.more("old")
    assert served.shown("words")["old"]["gpc0"] == 4


def test_a_killed_supervisor_loses_what_an_interval_has_brought(served: Served) -> None:
    served.more("saved")
    key = b"saved".ljust(20, b"\0").hex()
    wait_until(lambda: key in (served.folder / "kept").read_text(), "the file is written meanwhile")
    served.serving.process.kill()
    served.serving.wait()
    served.serving.start_again()
    served.serving.wait_ready()
    assert served.shown("words")["saved"]["http_req_cnt"] == 2
