"""A supervisor that only remembers what it was asked, and clients of its control socket. One thread: `until` turns the
selector, as the supervisor does, while the test's clients do not block."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from maniple.core.config.model import Configuration
from maniple.core.rules.pattern_changes import Change
from maniple.groups.control import Answer, Control
from maniple.groups.pattern_book import PatternBook
from maniple.groups.pattern_desk import Plan
from maniple.groups.status import DrainingStatus, GroupStatus, ListenerStatus, Status, ThreadStatus
from maniple.pools.segment import Segment

STATUS = Status(
    version="1.2.3",
    pid=100,
    started=1000.0,
    now=1127.0,
    generation=3,
    files=("/etc/maniple.cfg",),
    listeners=(ListenerStatus("web", "0.0.0.0:80", 2), ListenerStatus("web", "/run/web.sock")),
    groups=(
        GroupStatus(1, 3, 201, "ready", 1100.0, 0, (0, 1), (ThreadStatus(1, 1, 4, 10, 1000),)),
        GroupStatus(2, 3, 202, "ready", 1100.0, 2, (2,), (ThreadStatus(2, 1, 2500, 2, 500),)),
    ),
    draining=(
        DrainingStatus(1, 1090.0, 1187.0, (GroupStatus(1, 1, 190, "draining", 1000.0, threads=(ThreadStatus(1, 1),)),)),
    ),
    reloads=2,
    nbthread=2,
    maxconn=5000,
    counts={"curr_conns": 12, "cum_conns": 40, "cum_req": 1500, "dropped_logs": 0, "total_bytes_out": 7},
)


class FakePatterns:
    """Patterns of a configuration, changed at once. `uses`, `told`: what groups say."""

    def __init__(self, configuration: Configuration | None = None) -> None:
        self.book = PatternBook(configuration or Configuration())
        self.counts: dict[str, int] = {}
        self.told: str | None = ""
        self.changes: list[Change] = []
        self.questions: list[Sequence[Any]] = []

    def uses(self, then: Callable[[dict[str, int]], None]) -> None:
        then(self.counts)

    def ask(self, question: Sequence[Any], then: Callable[[str | None], None]) -> None:
        self.questions.append(question)
        then(self.told)

    def change(self, plan: Callable[[], Plan | str], answer: Answer) -> None:
        made = plan()
        if isinstance(made, str):
            answer.finish(made)
        else:
            self.changes += made.changes
            made.apply()
            answer.finish(made.complaint)


class FakeSteering:
    """Answers at once, or keeps the answers of `later` commands for the test."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.answers: list[Answer] = []
        self.later = False
        self.complaint = ""
        self.state = STATUS
        self.patterns = FakePatterns()
        self.tables: dict[str, Segment] = {}

    def _asked(self, answer: Answer, *call: Any) -> None:
        self.calls.append(call)
        self.answers.append(answer)
        if not self.later:
            if self.complaint:
                answer.line(self.complaint)
            answer.end(not self.complaint)

    def reload(self, answer: Answer) -> None:
        self._asked(answer, "reload")

    def upgrade(self, answer: Answer) -> None:
        self._asked(answer, "upgrade")

    def scale(self, groups: int, answer: Answer) -> None:
        self._asked(answer, "scale", groups)

    def set_server(self, backend: str, server: str, state: str | None, weight: str | None, answer: Answer) -> None:
        self._asked(answer, "set_server", backend, server, state, weight)

    def show_peers(self, words: Sequence[str], answer: Answer) -> None:
        self._asked(answer, "show_peers", *words)

    def stop(self, *, hard: bool) -> None:
        self.calls.append(("stop", hard))

    def status(self) -> Status:
        return replace(self.state)

    def hand_sockets(self, connection: socket.socket) -> None:
        self.calls.append(("hand_sockets",))
        connection.send(b"here")
        connection.close()


class Client:
    """Connected and not blocking; `read` is all that has come."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.setblocking(False)
        self.read = ""
        self.ended = False

    def say(self, text: str) -> None:
        self.socket.sendall(text.encode())

    def listen(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while not self.ended:
                try:
                    received = self.socket.recv(65536)
                except ConnectionResetError:
                    received = b""
                self.read += received.decode()
                self.ended = not received


class Rig:
    """The control socket on a selector of its own. `clock` is time.monotonic plus `ahead`."""

    def __init__(self) -> None:
        self.steering = FakeSteering()
        self.selector = selectors.DefaultSelector()
        self.ahead = 0.0
        self.control = Control(self.steering, self.selector, self.clock)
        self.clients: list[Client] = []

    def clock(self) -> float:
        return time.monotonic() + self.ahead

    def client(self, path: str) -> Client:
        client = Client(path)
        self.clients.append(client)
        return client

    def turn(self) -> None:
        for key, _ in self.selector.select(0.01):
            key.data()
        due = self.control.due
        if due is not None and due <= self.clock():
            self.control.expire(self.clock())

    def until(self, condition: Callable[[], object]) -> None:
        """Turns the selector until it holds."""
        deadline = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < deadline, [client.read[-200:] for client in self.clients]
            self.turn()
            for client in self.clients:
                client.listen()

    def ask(self, path: str, text: str) -> str:
        """What a client is told that says one line and waits for the end."""
        client = self.client(path)
        client.say(text)
        self.until(lambda: client.ended)
        return client.read

    def close(self) -> None:
        self.control.close()
        for client in self.clients:
            client.socket.close()
        self.selector.close()
