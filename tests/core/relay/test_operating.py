"""An operator's words about a server, and what becomes of those that it serves and that wait for it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from maniple.core.balance.backend import Backend
from maniple.core.config.model import BalanceSpec
from maniple.core.relay.operating import set_server, weight_of
from maniple.tests.core.relay.live import until
from maniple.tests.core.relay.rig import OK, OK_SENT, Rig

MakeRig = Callable[..., Rig]
NOTICE, ALERT, EMERG = 5, 1, 0


def say(rig: Rig, server: str, state: str | None = None, weight: str | None = None) -> list[tuple[int, str]]:
    told = set_server((rig.backend,), "px", server, state, weight)[1]
    rig.loop.run()
    return told


def served_by(rig: Rig, requests: int) -> list[str]:
    """The servers that as many requests go to."""
    names = []
    for _ in range(requests):
        client = rig.ask()
        busy = [server for server in rig.backend.servers if server.served]
        names.append(busy[0].name)
        for dial in rig.dials:
            if (
                dial.transport is not None
                and not dial.transport.lost
                and getattr(dial.transport.protocol, "exchange", None)
            ):
                rig.send(dial.transport, OK)
        assert client.take() == OK_SENT
        rig.lose(client)
    return names


# States.


@pytest.mark.parametrize(("state", "to"), [("maint", {"s2"}), ("drain", {"s2"}), ("ready", {"s1", "s2"})])
def test_new_requests(make_rig: MakeRig, state: str, to: set[str]) -> None:
    rig = make_rig(2)
    say(rig, "s1", state)
    assert set(served_by(rig, 4)) == to
    say(rig, "s1", "ready")
    assert set(served_by(rig, 4)) == {"s1", "s2"}


@pytest.mark.parametrize("state", ["maint", "drain"])
def test_what_is_served_goes_on(make_rig: MakeRig, state: str) -> None:
    rig = make_rig()
    client = rig.ask()
    say(rig, "s1", state)
    rig.send(rig.upstream(), OK)
    assert client.take() == OK_SENT
    assert rig.idle == (0 if state == "maint" else 1)


def test_persistent_requests_reach_a_draining_server(make_rig: MakeRig) -> None:
    rig = make_rig(2)
    say(rig, "s1", "drain")
    assert rig.server.usable
    assert not rig.server.eligible
    say(rig, "s1", "maint")
    assert not rig.server.usable


def test_maintenance_closes_the_pool(make_rig: MakeRig) -> None:
    rig = make_rig()
    client = rig.ask()
    rig.send(rig.upstream(), OK)
    assert (client.take(), rig.idle) == (OK_SENT, 1)
    say(rig, "s1", "maint")
    assert rig.upstream().lost
    assert rig.idle == 0


def test_maintenance_closes_what_is_reserved(make_rig: MakeRig) -> None:
    """Connections of one session alone (http-reuse never)."""
    rig = make_rig(http_reuse="never")
    client = rig.ask()
    rig.send(rig.upstream(), OK)
    assert client.take() == OK_SENT
    assert rig.server.pool.reserved_count == 1
    say(rig, "s1", "maint")
    assert rig.upstream().lost
    assert rig.server.pool.total_count == 0


def waiting_rig(make_rig: MakeRig, servers: int = 2) -> Rig:
    """Every server has one request, and one more waits in the queue of each."""
    rig = make_rig(servers, {"maxconn": 1, "maxqueue": 3}, balance=BalanceSpec("leastconn"))
    for _ in range(2 * servers):
        rig.ask()
    assert [len(server.waiting) for server in rig.backend.servers] == [1] * servers
    return rig


def test_who_waits_for_a_server_in_maintenance_goes_elsewhere(make_rig: MakeRig) -> None:
    rig = waiting_rig(make_rig)
    ((_, text),) = say(rig, "s1", "maint")
    assert text.endswith("1 sessions active, 1 requeued, 0 remaining in queue.")
    assert [len(server.waiting) for server in rig.backend.servers] == [0, 2]
    assert rig.backend.queued == 2
    for _ in range(3):
        # The second server serves all three in turn.
        rig.send(rig.upstream(1), OK)
    assert sum(client.take() == OK_SENT for client in rig.clients) == 3
    rig.send(rig.upstream(0), OK)
    assert sum(client.take() == OK_SENT for client in rig.clients) == 1
    assert rig.backend.queued == 0


def test_who_waits_for_the_last_server_is_told(make_rig: MakeRig) -> None:
    rig = waiting_rig(make_rig, 1)
    events = say(rig, "s1", "maint")
    assert [severity for severity, _ in events] == [ALERT, EMERG]
    assert events[1][1] == "proxy px has no server available!"
    assert rig.clients[1].take().startswith(b"HTTP/1.1 503 ")
    rig.send(rig.upstream(), OK)
    assert rig.clients[0].take() == OK_SENT


def test_who_waits_for_a_draining_server_goes_on_waiting(make_rig: MakeRig) -> None:
    rig = waiting_rig(make_rig)
    say(rig, "s1", "drain")
    assert [len(server.waiting) for server in rig.backend.servers] == [1, 1]
    rig.send(rig.upstream(0), OK)
    rig.send(rig.upstream(0), OK)
    assert rig.server.served == len(rig.server.waiting) == 0
    rig.send(rig.upstream(1), OK)
    rig.send(rig.upstream(1), OK)


def test_ready_calls_those_that_wait(make_rig: MakeRig) -> None:
    """In the backend's queue, because the other server is full."""
    rig = make_rig(2, {"maxconn": 1})
    say(rig, "s1", "maint")
    for _ in range(2):
        rig.ask()
    assert rig.backend.queued == 1
    say(rig, "s1", "ready")
    assert rig.backend.queued == 0
    assert [server.served for server in rig.backend.servers] == [1, 1]
    for number in (0, 1):
        rig.send(rig.upstream(number), OK)


@pytest.mark.parametrize("state", ["maint", "drain", "ready"])
def test_said_twice_is_done_once(make_rig: MakeRig, state: str) -> None:
    rig = make_rig(2)
    say(rig, "s1", state)
    assert say(rig, "s1", state) == []


# Weights.


def test_weight(make_rig: MakeRig) -> None:
    rig = make_rig(2)
    assert say(rig, "s1", weight="3") == []
    assert sorted(served_by(rig, 8)) == ["s1"] * 6 + ["s2"] * 2
    say(rig, "s1", weight="0")
    assert set(served_by(rig, 3)) == {"s2"}
    say(rig, "s1", weight="100%")
    assert sorted(served_by(rig, 4)) == ["s1", "s1", "s2", "s2"]


def test_no_weight_left(make_rig: MakeRig) -> None:
    assert say(make_rig(), "s1", weight="0") == [(EMERG, "proxy px has no server available!")]


@pytest.mark.parametrize(
    ("configured", "text", "weight"),
    [(10, "50%", 5), (10, "5", 5), (10, "0%", 0), (1, "50%", 0), (10, "99999%", 256), (10, " +7", 7), (10, "256", 256)],
)
def test_weights_that_are_understood(make_rig: MakeRig, configured: int, text: str, weight: int) -> None:
    rig = make_rig(server={"weight": configured})
    assert weight_of(rig.backend, rig.server, text) == weight


WRONG_WEIGHTS = {
    "": "Require <weight> or <weight%>.",
    "abc": "Empty weight string empty or preceded by garbage",
    "%": "Empty weight string empty or preceded by garbage",
    "5x": "Trailing garbage in weight string",
    "5%x": "Trailing garbage in weight string",
    "300": "Absolute weight can only be between 0 and 256 inclusive.",
    "300x": "Absolute weight can only be between 0 and 256 inclusive.",
    "-1": "Absolute weight can only be between 0 and 256 inclusive.",
    "-1%": "Relative weight must be positive.",
}


@pytest.mark.parametrize("text", WRONG_WEIGHTS)
def test_wrong_weights_change_nothing(make_rig: MakeRig, text: str) -> None:
    rig = make_rig()
    with pytest.raises(ValueError) as caught:
        say(rig, "s1", "maint", text)
    assert str(caught.value) == WRONG_WEIGHTS[text]
    assert rig.server.usable


STATIC = "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'."


@pytest.mark.parametrize(
    ("algorithm", "text", "allowed"),
    [
        ("static-rr", "5", False),
        ("static-rr", "0", True),
        ("static-rr", "1", True),
        ("static-rr", "100%", True),
        ("roundrobin", "5", True),
        ("leastconn", "5", True),
        ("first", "5", True),
        ("random", "5", True),
    ],
)
def test_static_algorithms(make_rig: MakeRig, algorithm: str, text: str, allowed: bool) -> None:
    rig = make_rig(balance=BalanceSpec(algorithm))
    if allowed:
        say(rig, "s1", weight=text)
    else:
        with pytest.raises(ValueError) as caught:
            say(rig, "s1", weight=text)
        assert str(caught.value) == STATIC


@pytest.mark.parametrize(
    ("backend", "server", "state", "message"),
    [
        ("py", "s1", "ready", "No such backend."),
        ("px", "s9", "ready", "No such server."),
        ("px", "s1", "away", "'set server <srv> state' expects 'ready', 'drain' and 'maint'."),
    ],
)
def test_wrong_words(make_rig: MakeRig, backend: str, server: str, state: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        set_server((make_rig().backend,), backend, server, state, None)
    assert str(caught.value) == message


# Against HAProxy.

COURSE = [
    ("s1", "state", "maint"),
    ("s1", "state", "ready"),
    ("s1", "state", "drain"),
    ("s1", "state", "maint"),
    ("s1", "state", "drain"),
    ("s1", "state", "ready"),
    ("s2", "state", "drain"),
    ("s1", "state", "drain"),
    ("s2", "state", "ready"),
    ("s2", "state", "maint"),
    ("k", "state", "maint"),
    ("k", "state", "ready"),
    ("s1", "state", "ready"),
    ("s1", "weight", "0"),
    ("s1", "weight", "5"),
    *(("s1", "weight", text) for text in WRONG_WEIGHTS if text),
]


class Oracle:
    """HAProxy with the servers of `COURSE`, its log and its control socket."""

    def __init__(self, folder: Path, program: str) -> None:
        self.log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.log.bind(os.fspath(folder / "log"))
        self.control = folder / "control"
        (folder / "haproxy.cfg").write_text(
            f"global\n log {folder / 'log'} local0\n stats socket {self.control} level admin\n"
            "defaults\n mode http\n log global\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"
            f"listen px\n bind unix@{folder / 'front'}\n server s1 127.0.0.1:9 weight 10\n server s2 127.0.0.1:9\n"
            " server k 127.0.0.1:9 backup\n"
        )
        self.process = subprocess.Popen(
            [program, "-db", "-f", os.fspath(folder / "haproxy.cfg")], stderr=subprocess.PIPE
        )
        until(self.control.exists, "HAProxy")

    def ask(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(os.fspath(self.control))
            control.sendall(command.encode() + b"\n")
            answer = b""
            while piece := control.recv(4096):
                answer += piece
        return answer.decode().strip()

    def logged(self) -> list[tuple[int, str]]:
        """Lines that were logged before the control socket answered."""
        lines: list[tuple[int, str]] = []
        while True:
            try:
                line = self.log.recv(4096, socket.MSG_DONTWAIT).decode().strip()
            except BlockingIOError:
                return lines
            head, _, message = line.partition("]: ")
            if not message.startswith("Proxy "):
                lines.append((int(head[1 : head.index(">")]) & 7, message))

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.log.close()


@pytest.fixture
def oracle(tmp_path: Path) -> Iterator[Oracle]:
    program = shutil.which("haproxy")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no haproxy to compare with")
        pytest.skip("no haproxy to compare with")
    oracle = Oracle(tmp_path, program)
    yield oracle
    oracle.close()


def test_says_what_haproxy_says(make_rig: MakeRig, oracle: Oracle) -> None:
    """Answers and log lines, with their severities."""
    rig = make_rig(3)
    lines = rig.spec.servers
    spec = replace(rig.spec, servers=(replace(lines[0], weight=10), lines[1], replace(lines[2], name="k", backup=True)))
    backend = Backend(spec, rig.backend.counts, lambda name: rig.server.counts, full=10)
    oracle.logged()
    for server, word, value in COURSE:
        answer = oracle.ask(f"set server px/{server} {word} {value}")
        try:
            told = set_server((backend,), "px", server, *((value, None) if word == "state" else (None, value)))[1]
            said = ""
        except ValueError as error:
            told, said = [], str(error)
        assert (said, told) == (answer, oracle.logged()), (server, word, value)
