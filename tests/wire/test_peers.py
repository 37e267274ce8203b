"""Stick tables shared with other machines: a maniple of two groups and a HAProxy, and two maniples that add up."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from maniple.tests.core.peers.haproxy_rig import Haproxy
from maniple.tests.wire.rig.serving import HOST, PATIENCE, Ports, Serving, wait_until

TABLE = "type string len 20 size 1000 expire 1h store gpc0,gpt0,conn_cur,http_req_cnt,http_req_rate(1h)"
PROXY = """
defaults
    mode http
    timeout client 20s
    timeout server 5s
    timeout connect 5s
"""
RULES = """
    tcp-request connection track-sc1 str(open) table words
    http-request track-sc0 url_param(k) table words
    http-request sc-inc-gpc0(0) if { path /more }
    http-request deny deny_status 429 if { sc_get_gpc0(0) gt 8 } { path /limited }
    http-request return status 200 content-type text/plain lf-string %[url_param(k),table_gpc0(words)]
"""
MANIPLE = """
global
    stats socket $control mode 600 level admin
    nbgroup 2
    localpeer {name}
{proxy}
peers pp
    bind 127.0.0.1:{port}
    server {name}
    server {other} 127.0.0.1:{there}
    {mode}
backend words
    stick-table {table} peers pp
frontend f
    bind 127.0.0.1:{one} thread 1/1
    bind 127.0.0.1:{two} thread 2/1
{rules}
"""


def fetch(port: int, path: str) -> tuple[int, str]:
    """Status and body."""
    with socket.create_connection((HOST, port), PATIENCE) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
        said = b""
        while piece := client.recv(65536):
            said += piece
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


class Machine:
    """A maniple of two groups, with a door for each."""

    def __init__(self, folder: Path, ports: Ports, name: str, other: str, mode: str = "") -> None:
        self.name = name
        self._folder = folder
        self._words = {"name": name, "other": other, "mode": mode, "proxy": PROXY, "table": TABLE, "rules": RULES}
        self._ports = {"port": ports.take(), "one": ports.take(), "two": ports.take()}
        self.port = self._ports["port"]
        self.serving: Serving

    def start(self, there: int) -> None:
        self._ports["there"] = there
        self.serving = Serving(self._folder / self.name, self.text())
        self.serving.wait_ready()

    def text(self) -> str:
        return MANIPLE.format(**self._words, **self._ports)

    def more(self, key: str, times: int = 1, path: str = "/more") -> str:
        """Counts the key in both groups by turns; what the last answer says."""
        body = ""
        for turn in range(times):
            status, body = fetch(self._ports[("one", "two")[turn & 1]], f"{path}?k={key}")
            assert status == 200
        return body

    def connect(self) -> socket.socket:
        """A client that asks for nothing."""
        return socket.create_connection((HOST, self._ports["two"]), PATIENCE)

    def limited(self, key: str) -> int:
        return fetch(self._ports["one"], f"/limited?k={key}")[0]

    def entry(self, key: str) -> dict[str, int]:
        for line in self.serving.order("show table words").splitlines():
            pairs = dict(word.split("=", 1) for word in line.split()[1:] if "=" in word)
            if pairs.pop("key", None) == key:
                return {re.sub(r"\(.*", "", name): int(value) for name, value in pairs.items()}
        return {}

    def steward(self) -> int:
        found = self.serving.status()["steward"]
        return 0 if found is None else int(found["pid"])

    def connected(self) -> bool:
        return "app_state=RUNNING" in self.serving.order("show peers pp")


def gpc(haproxy: Haproxy, key: str) -> int:
    return int(haproxy.table("words").get(key, {}).get("gpc0", 0))


@contextmanager
def beside_haproxy(folder: Path, version: str, mode: str = "") -> Iterator[tuple[Machine, Haproxy, int]]:
    """A maniple, a HAProxy that is not started yet, and its door."""
    ports = Ports()
    ours = Machine(folder, ports, "man", "hap", mode)
    door = ports.take()
    haproxy = Haproxy(version, folder, ours.port, {"words": TABLE}, f"frontend f\n bind {HOST}:{door}\n{RULES}")
    try:
        ours.start(haproxy.port)
        yield ours, haproxy, door
    finally:
        if hasattr(ours, "serving"):
            ours.serving.close()
        haproxy.kill()
        ports.close()


@pytest.mark.parametrize("version", ["2.6", "3.0"])
def test_a_haproxy_and_two_groups_share_a_table(version: str, tmp_path: Path) -> None:
    with beside_haproxy(tmp_path, version) as (ours, haproxy, door):
        ours.more("early", 3)
        haproxy.start()
        # It asks for all when it comes.
        wait_until(lambda: gpc(haproxy, "early") == 3, "HAProxy has learned")
        ours.more("both", 4)
        wait_until(lambda: gpc(haproxy, "both") == 4, "HAProxy was told")
        for _ in range(3):
            assert fetch(door, "/more?k=both")[0] == 200
        wait_until(lambda: ours.entry("both").get("gpc0") == 7, "we were told")
        assert ours.more("both") == "8"
        wait_until(lambda: gpc(haproxy, "both") == 8, "HAProxy was told again")
        entry, there = ours.entry("both"), haproxy.table("words")["both"]
        assert entry["http_req_cnt"] == int(there["http_req_cnt"]) == 8
        assert 7 <= entry["http_req_rate"] <= 9 and abs(entry["http_req_rate"] - int(there["http_req_rate"])) <= 1
        # What an operator sets is told as well.
        ours.serving.order("set table words key both data.gpt0 5")
        wait_until(lambda: haproxy.table("words")["both"]["gpt0"] == "5", "HAProxy was told what was set")

        haproxy.kill()
        ours.more("both")
        haproxy.start()
        wait_until(lambda: gpc(haproxy, "both") == 9, "HAProxy has learned anew")


def test_our_process_dies_and_a_reload_follows(tmp_path: Path) -> None:
    with beside_haproxy(tmp_path, "3.0") as (ours, haproxy, door):
        haproxy.start()
        wait_until(ours.connected, "both are connected")
        ours.more("k", 2)
        wait_until(lambda: gpc(haproxy, "k") == 2, "HAProxy was told")
        before = ours.steward()
        assert f"steward  pid {before}, " in ours.serving.order("show status")
        os.kill(before, signal.SIGKILL)
        # Traffic goes on, and what it counts is told by the next one.
        assert ours.more("k", 2) == "4"
        wait_until(lambda: gpc(haproxy, "k") == 4, "the next steward tells")
        fetch(door, "/more?k=k")
        wait_until(lambda: ours.entry("k")["gpc0"] == 5, "and hears")
        assert ours.steward() not in (0, before) and ours.serving.status()["steward"]["deaths"] == 1

        # The same sections: it goes on. Others: the next one has the same socket and the same tables.
        before = ours.steward()
        ours.serving.order("reload")
        assert ours.steward() == before
        ours.serving.write(
            ours.text().replace("backend words", "backend more\n    stick-table type ip size 9 peers pp\nbackend words")
        )
        ours.serving.order("reload")
        wait_until(lambda: ours.steward() not in (0, before), "another steward")
        assert ours.more("k", 2) == "7"
        wait_until(lambda: gpc(haproxy, "k") == 7, "HAProxy is told by the new one")
        fetch(door, "/more?k=k")
        wait_until(lambda: ours.entry("k")["gpc0"] == 8, "and it hears")
        wait_until(lambda: "table:more" in ours.serving.order("show peers"), "the new table is shared")
        # One that cannot be had: all is as it was.
        before = ours.steward()
        good = ours.serving.file.read_text()
        with socket.create_server((HOST, 0)) as taken:
            port = taken.getsockname()[1]
            ours.serving.write(good.replace("backend words", f"peers qq\n    peer man {HOST}:{port}\nbackend words"))
            assert "cannot bind socket" in ours.serving.ask("reload")
        assert ours.steward() == before and ours.connected()
        # A section that is gone.
        ours.serving.write(re.sub(r"peers pp\n(    .*\n)+", "", ours.text()).replace(" peers pp", ""))
        ours.serving.order("reload")
        wait_until(lambda: ours.serving.status()["steward"] is None, "no steward")
        assert ours.more("k") == "9" and ours.serving.order("show peers") == "\n"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, ours.port)).close()


def test_an_upgrade_keeps_what_peers_share(tmp_path: Path) -> None:
    with beside_haproxy(tmp_path, "3.0") as (ours, haproxy, door):
        haproxy.start()
        wait_until(ours.connected, "both are connected")
        ours.more("k", 2)
        before = ours.steward()
        ours.serving.order("upgrade", 20)
        wait_until(lambda: ours.steward() not in (0, before), "another steward")
        assert ours.more("k") == "3"
        wait_until(lambda: gpc(haproxy, "k") == 3, "HAProxy is told by the new one")
        fetch(door, "/more?k=k")
        wait_until(lambda: ours.entry("k")["gpc0"] == 4, "and it hears")


def test_a_haproxy_among_those_who_add_up_is_told_sums(tmp_path: Path) -> None:
    with beside_haproxy(tmp_path, "2.6", "mode sum") as (ours, haproxy, door):
        haproxy.start()
        ours.more("k", 3)
        wait_until(lambda: gpc(haproxy, "k") == 3, "HAProxy was told")
        fetch(door, "/more?k=k")
        fetch(door, "/more?k=theirs")
        wait_until(lambda: re.search(r"rx_updates=[1-9]", ours.serving.order("show peers")), "HAProxy has spoken")
        assert ours.more("k") == "4" and not ours.entry("theirs")
        assert "does not add up" in ours.serving.said


def test_two_maniples_add_up(tmp_path: Path) -> None:
    ports = Ports()
    a, b = Machine(tmp_path, ports, "a", "b", "mode sum"), Machine(tmp_path, ports, "b", "a", "mode sum")
    started = []
    try:
        for one, other in ((a, b), (b, a)):
            one.start(other.port)
            started.append(one)
        # At the same time, so that overwriting would lose some.
        for _ in range(3):
            a.more("k")
            b.more("k")
        wait_until(lambda: a.entry("k").get("gpc0") == b.entry("k").get("gpc0") == 6, "both read the sum")
        assert a.entry("k")["http_req_cnt"] == b.entry("k")["http_req_cnt"] == 6
        wait_until(lambda: a.entry("k")["http_req_rate"] == 6, "rates add up as well")
        assert a.limited("k") == b.limited("k") == 200
        a.more("k", 2)
        b.more("k", 1)
        for one in (a, b):
            wait_until(lambda one=one: one.limited("k") == 429, "the limit is for the sum")  # type: ignore[misc]

        # A process of ours that shares dies: nothing is lost, nothing is counted twice.
        total = a.entry("k")["gpc0"]
        os.kill(a.steward(), signal.SIGKILL)
        a.more("k", 2)
        b.more("k", 2)
        wait_until(lambda: a.entry("k")["gpc0"] == b.entry("k")["gpc0"] == total + 4, "both read the sum again")
        # One begins anew, without its table: what it had counted is gone, and its clients; the other's are not.
        theirs = 3 + 1 + 2
        with b.connect(), a.connect():
            wait_until(lambda: a.entry("open")["conn_cur"] == b.entry("open")["conn_cur"] == 2, "clients of both")
            b.serving.process.kill()
            b.serving.process.wait()
            b.serving.start_again()
            b.serving.wait_ready()
            wait_until(lambda: a.entry("open")["conn_cur"] == 1, "only our own client")
        wait_until(lambda: a.entry("open")["conn_cur"] == 0, "nobody")
        b.more("new", 1)
        wait_until(lambda: a.entry("new").get("gpc0") == 1, "it is heard again")
        wait_until(lambda: b.entry("k").get("gpc0") == total + 4 - theirs, "it has learned the other's")
        b.more("k", 2)
        expected = total + 4 - theirs + 2
        wait_until(lambda: a.entry("k")["gpc0"] == b.entry("k")["gpc0"] == expected, "both read the sum anew")
        # A reload keeps everybody's part.
        a.serving.write(a.text().replace("expire 1h", "expire 1h ").replace("nbgroup 2", "nbgroup 2\n    nbthread 2"))
        a.serving.order("reload")
        a.more("k")
        wait_until(lambda: a.entry("k")["gpc0"] == b.entry("k")["gpc0"] == expected + 1, "the sum after a reload")
    finally:
        for one in started:
            one.serving.close()
        ports.close()
