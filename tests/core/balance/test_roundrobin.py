"""roundrobin: the same order with and without a table, weights that change, HAProxy's distribution."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.balance.backend import Backend
from maniple.core.balance.roundrobin import RoundRobin

HAPROXY_ROUNDS = {
    # Weights: two rounds and a bit, observed with HAProxy 2.6 and 3.0, sequential requests.
    "1 1 1": "abcabcabca",
    "1 2 5": "ccbccacbccbccacbccbc",
    "5 2 1": "aabaacabaabaacabaaba",
    "3 1": "aaabaaabaaab",
    "10 1 1": "aaaaabaaaaacaaaaabaaaaacaaaa",
    "4 3 2 1": "abacbadabcabacbadabcabac",
}


@pytest.mark.parametrize("weights", HAPROXY_ROUNDS)
@pytest.mark.parametrize("limit", [2048, 0], ids=["table", "heap"])
def test_every_round_is_distributed_as_haproxys(
    weights: str, limit: int, farm: Callable[..., Backend], choices: Callable[..., str]
) -> None:
    length = sum(map(int, weights.split()))
    ours = choices(farm(weights=weights, algorithm=RoundRobin(round_limit=limit)), 2 * length)
    theirs = HAPROXY_ROUNDS[weights]
    for start in (0, length):
        assert Counter(ours[start : start + length]) == Counter(theirs[start : start + length])


def test_equal_weights_go_in_the_order_of_the_file(farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    assert choices(farm(weights="7 7 7"), 7) == "abcabca"


@given(st.lists(st.integers(1, 60), min_size=1, max_size=6))
def test_heap_and_table_agree(farm: Callable[..., Backend], choices: Callable[..., str], weights: list[int]) -> None:
    line = " ".join(map(str, weights))
    orders = [
        choices(farm(weights=line, algorithm=RoundRobin(round_limit=limit)), 2 * sum(weights)) for limit in (10**6, 0)
    ]
    # Strides are whole numbers, so that wishes for the very same moment may change places.
    distances = [
        [order[: 1 + place].count(name) for place in range(len(order)) for name in set(order)] for order in orders
    ]
    assert max((abs(one - other) for one, other in zip(*distances, strict=True)), default=0) <= 1


@pytest.mark.parametrize("limit", [2048, 0], ids=["table", "heap"])
def test_weight_that_changes(limit: int, farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    backend = farm(weights="1 1 1", algorithm=RoundRobin(round_limit=limit))
    choices(backend, 4)
    backend.set_weight(backend.servers[1], 4)
    assert Counter(choices(backend, 600)) == pytest.approx({"a": 100, "b": 400, "c": 100}, abs=1)
    backend.set_weight(backend.servers[1], 0)
    assert Counter(choices(backend, 10)) == {"a": 5, "c": 5}
    backend.set_weight(backend.servers[1], 1)
    assert Counter(choices(backend, 30)) == pytest.approx({"a": 10, "b": 10, "c": 10}, abs=1)


@pytest.mark.parametrize("limit", [2048, 0], ids=["table", "heap"])
def test_many_changes_starve_nobody(limit: int, farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    """A slow start changes weights all the time: more often than the light server's turn comes."""
    backend = farm(weights="1 20 20", algorithm=RoundRobin(round_limit=limit))
    chosen = ""
    for number in range(400):
        backend.set_weight(backend.servers[1], 20 + number % 2)
        chosen += choices(backend, 5)
    assert Counter(chosen)["a"] == pytest.approx(2000 / 41, rel=0.35)


def test_server_that_comes_back_does_not_catch_up(farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    backend = farm(weights="1 1", algorithm=RoundRobin(round_limit=0))
    backend.set_usable(backend.servers[0], False)
    assert choices(backend, 10) == "b" * 10
    backend.set_usable(backend.servers[0], True)
    assert Counter(choices(backend, 10)) == {"a": 5, "b": 5}


def test_long_rounds_use_no_table(farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    backend = farm(weights=" ".join(str(200 + number % 50) for number in range(25)))
    algorithm = backend.algorithm
    assert isinstance(algorithm, RoundRobin)
    assert not algorithm._table
    assert len(algorithm._heap) == 25
    expected = {server.name: 2 * server.weight for server in backend.servers}
    assert Counter(choices(backend, sum(expected.values()))) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("avoid", [None, "a"])
def test_heap_with_saturated_and_avoided_servers(
    avoid: str | None, farm: Callable[..., Backend], choices: Callable[..., str]
) -> None:
    backend = farm(
        weights="1 1 1", algorithm=RoundRobin(round_limit=0), each={"b": {"maxconn": 1}, "c": {"maxconn": 1}}
    )
    backend.took(backend.servers[1])
    assert set(choices(backend, 4, avoid)) == ({"a", "c"} if avoid is None else {"c"})
    backend.took(backend.servers[2])
    assert choices(backend, 2, avoid) == "aa"
    assert choices(farm(weights="", algorithm=RoundRobin(round_limit=0)), 1) == "-"


def test_weights_stay_what_they_are_in_the_long_run(farm: Callable[..., Backend], choices: Callable[..., str]) -> None:
    backend = farm(weights="17 19 23", algorithm=RoundRobin(round_limit=0))
    assert Counter(choices(backend, 590 * 59)) == pytest.approx({"a": 10030, "b": 11210, "c": 13570}, abs=1)


# The same farm behind HAProxy.


@pytest.fixture
def origins() -> Iterator[list[int]]:
    """Ports of three servers that answer with their name: a, b, c."""
    running = []
    for name in (b"a", b"b", b"c"):

        class Origin(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            body = name

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "1")
                self.end_headers()
                self.wfile.write(self.body)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Origin)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        running.append(server)
    yield [server.server_port for server in running]
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("balance", ["roundrobin", "static-rr"])
def test_distribution_is_the_running_haproxys(
    balance: str, origins: list[int], tmp_path: Path, farm: Callable[..., Backend], choices: Callable[..., str]
) -> None:
    program = shutil.which("haproxy")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("haproxy is missing: apt-get install haproxy")
        pytest.skip("haproxy is not installed")
    weights = (1, 2, 5)
    servers = "\n".join(
        f"    server {name} 127.0.0.1:{port} weight {weight}"
        for name, port, weight in zip("abc", origins, weights, strict=True)
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        path = tmp_path / "farm.cfg"
        path.write_text(
            "global\n    nbthread 1\ndefaults\n    mode http\n    timeout client 5s\n    timeout server 5s\n"
            f"    timeout connect 5s\nlisten farm\n    bind fd@{listener.fileno()}\n    balance {balance}\n{servers}\n"
        )
        process = subprocess.Popen([program, "-db", "-q", "-f", str(path)], pass_fds=[listener.fileno()])
        try:
            client = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=10)
            theirs = ""
            for _ in range(24):
                client.request("GET", "/")
                theirs += client.getresponse().read().decode()
            client.close()
        finally:
            process.terminate()
            process.wait(10)
    ours = choices(farm(balance, "1 2 5"), 24)
    for start in (0, 8, 16):
        assert Counter(theirs[start : start + 8]) == Counter(ours[start : start + 8])
