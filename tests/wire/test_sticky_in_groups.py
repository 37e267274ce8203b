"""Sticky sessions in several processes: one server for each key, over reloads, a group's death and a restart."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from maniple.tests.wire.rig.named import NamedServer, ask
from maniple.tests.wire.rig.serving import HOST, Ports, Serving, wait_until

TEXT = """
global
    nbgroup {groups}
    stats socket $control level admin
    table-file {folder}/tables
    tune.listener.balance hash
defaults
    mode http
    timeout client 10s
    timeout connect 5s
    timeout server 10s
frontend f
    bind {host}:{port}
    default_backend main
backend main
    balance random
    {sticky}
    server s1 {host}:{s1}
    server s2 {host}:{s2}
    server s3 {host}:{s3}
    server s4 {host}:{s4}
"""


class Rig:
    """Servers, and a maniple of several groups."""

    def __init__(self, folder: Path, sticky: str, groups: int) -> None:
        self.ports = Ports()
        self.servers = [NamedServer(f"s{number}") for number in range(1, 5)]
        self.port = self.ports.take()
        ports = {server.name: server.port for server in self.servers}
        self.text = TEXT.format(host=HOST, port=self.port, folder=folder, sticky=sticky, groups=groups, **ports)
        self.serving = Serving(folder / "run", self.text)
        self.serving.wait_ready()

    def who(self, *fields: str) -> str:
        return ask(self.port, "/", fields).by

    def close(self) -> None:
        self.serving.close()
        for server in self.servers:
            server.close()
        self.ports.close()


@pytest.fixture
def rigs(tmp_path: Path) -> Iterator[list[Rig]]:
    made: list[Rig] = []
    yield made
    for rig in made:
        rig.close()


def test_d3_7_groups_race_on_first_requests(rigs: list[Rig], tmp_path: Path) -> None:
    """Eight clients ask for one key at once, each on a connection of its own; all keys have one server, and keep it
    when all groups that knew it are dead, and after a reload."""
    rig = Rig(tmp_path, "sticky header X-Key", 4)
    rigs.append(rig)
    answers: dict[int, set[str]] = {}
    barrier = threading.Barrier(8)

    def client() -> None:
        for key in range(12):
            barrier.wait(10)
            answers.setdefault(key, set()).add(rig.who(f"X-Key: {key}"))

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {key: len(servers) for key, servers in answers.items()} == dict.fromkeys(range(12), 1)
    assert len({server for servers in answers.values() for server in servers}) > 1
    known = {key: next(iter(servers)) for key, servers in answers.items()}

    def same() -> bool:
        return {key: rig.who(f"X-Key: {key}") for key in known} == known

    assert same()
    before = rig.serving.pids()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(rig.serving.pids()) == 4 and not set(rig.serving.pids()) & set(before), "successors")
    assert same()
    rig.serving.order("reload")
    assert same()


def test_d3_9_a_restart(rigs: list[Rig], tmp_path: Path) -> None:
    """With a secret of its own a cookie holds over a restart; a learned session is in the table's file."""
    secret = tmp_path / "secret"
    secret.write_bytes(os.urandom(32))
    rig = Rig(tmp_path, "sticky learn cookie J", 2)
    rigs.append(rig)
    server = ask(rig.port, "/?say=Set-Cookie:+J=abc").by
    assert [rig.who("Cookie: J=abc") for _ in range(6)] == [server] * 6
    rig.serving.signal(signal.SIGTERM)
    rig.serving.wait()
    text = rig.text.replace("sticky learn cookie J", "sticky learn cookie J\n    backup-backend dr")
    text = text.replace("global\n", f"global\n    secret-file {secret}\n", 1)
    text += "backend dr\n    sticky cookie S\n    server s1 127.0.0.1:1\n"
    rig.serving.write(text)
    rig.serving.start_again()
    rig.serving.wait_ready()
    assert [rig.who("Cookie: J=abc") for _ in range(6)] == [server] * 6
    own = text.replace("sticky learn cookie J", "sticky cookie S")
    rig.serving.write(own)
    rig.serving.order("reload")
    answer = ask(rig.port)
    cookie = f"Cookie: S={answer.cookie('S')}"
    assert [rig.who(cookie) for _ in range(6)] == [answer.by] * 6
    rig.serving.signal(signal.SIGKILL)
    rig.serving.wait()
    # Nothing but the cookie knows.
    (tmp_path / "tables").unlink(missing_ok=True)
    rig.serving.start_again()
    rig.serving.wait_ready()
    assert [rig.who(cookie) for _ in range(6)] == [answer.by] * 6
