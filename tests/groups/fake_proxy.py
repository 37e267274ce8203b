"""A supervisor with a fake runtime, run as a process by the tests. `serve` is a process that has imported everything
and forks such processes: three times as fast as to start each from nothing.

The runtime greets each connection with "<group>/<thread> <pid>\\n" and echoes what it gets, but for the words in
`WORDS`. `main` gets the path of a JSON file, which is read again at each reload: `binds` (list of [kind, host, port]),
`bind` (fields of BindSpec for all of them), `globals` and `tune` (fields of GlobalSpec and TuneSpec), `servers` (names,
of a backend "app"), `options` (fields of SupervisorOptions), `fail` (see `sabotage`), `errors` (what a reload says that
finds errors), `said` (what one says that finds none), `no_files` (there is no reload), `forks` (which forks succeed).
When all groups accept, a JSON line with the addresses goes to stdout.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from maniple.core.config.global_spec import TuneSpec
from maniple.core.config.model import (
    Address,
    BindSpec,
    Configuration,
    GlobalSpec,
    Place,
    ProxySpec,
    ServerSpec,
)
from maniple.core.errors import ConfigError
from maniple.groups.figures import Figures
from maniple.groups.listening import Listener
from maniple.groups.sockets import address_text
from maniple.groups.supervisor import Supervisor
from maniple.groups.supervisor_options import SupervisorOptions
from maniple.pools.counters import FrontendCounts, ProcessCounts
from maniple.pools.pulses import ACCEPTING, CONNECTIONS

BEAT = 0.05
QUIET = 0.05
"""Seconds without a client after which the queue of a lingering socket is over: on loopback a handshake is shorter."""


def say(what: dict[str, object]) -> None:
    # One write a line: several processes share this pipe.
    os.write(1, json.dumps(what).encode() + b"\n")


def now() -> int:
    return time.monotonic_ns() // 1_000_000


class FakeRuntime:
    def __init__(self, loop: Any, group: int, thread: int, columns: Any, pulse: Any, shares: Any, fail: Any) -> None:
        self.loop = loop
        self.place = (group, thread)
        self.greeting = f"{group}/{thread} {os.getpid()}\n".encode()
        self.column = columns
        self.pulse = pulse
        self.fail = fail
        self.counts = FrontendCounts()
        self.process = ProcessCounts()
        self.paused = False
        self.accepting: dict[int, socket.socket] = {}
        self.lingering: dict[socket.socket, Any] = {}
        self.connections: set[socket.socket] = set()
        self.done: Callable[[], None] | None = None
        self.servers: dict[str, list[str | None]] = {}
        self.peers: dict[str, list[int]] = {}
        self.shares = shares
        pulse.begin(os.getpid(), now())
        loop.call_later(BEAT, self.beat)

    @property
    def connection_count(self) -> int:
        return len(self.connections)

    def beat(self) -> None:
        self.pulse.words[CONNECTIONS] = len(self.connections)
        self.pulse.words[ACCEPTING] = bool(self.accepting) and not self.paused
        self.pulse.beat(now())
        self.loop.call_later(BEAT, self.beat)

    # What the group asks for.

    def listen(self, frontend_name: str, bind_index: int, sock: socket.socket) -> None:
        sabotage(self.fail, "listen", self.place[0])
        assert frontend_name == "front"
        copy = sock.dup()
        copy.setblocking(False)
        self.accepting[sock.fileno()] = copy
        if not self.paused:
            self.loop.add_reader(copy, self.accept, copy)

    def unlisten(self, sock: socket.socket) -> None:
        copy = self.accepting.pop(sock.fileno())
        self.loop.remove_reader(copy)
        copy.close()

    def pause(self) -> None:
        self.paused = True
        for copy in self.accepting.values():
            self.loop.remove_reader(copy)

    def resume(self) -> None:
        self.paused = False
        for copy in self.accepting.values():
            self.loop.add_reader(copy, self.accept, copy)

    def drain(
        self, deadline_ms: int | None, done: Callable[[], None], lingering: Collection[socket.socket] = ()
    ) -> None:
        left = {sock.fileno() for sock in lingering}
        self.done = done
        for number, copy in self.accepting.items():
            if number in left:
                self.loop.add_reader(copy, self.accept, copy)
                self.lingering[copy] = self.loop.call_later(QUIET, self.let_go, copy)
            else:
                self.loop.remove_reader(copy)
                copy.close()
        self.accepting.clear()
        for sock in lingering:
            sock.close()
        if deadline_ms is not None:
            self.loop.call_later(deadline_ms / 1000, done)
        self.loop.call_soon(self.finish_if_over)

    def let_go(self, copy: socket.socket) -> None:
        del self.lingering[copy]
        self.loop.remove_reader(copy)
        copy.close()
        self.finish_if_over()

    def finish_if_over(self) -> None:
        if self.done is not None and not self.connections and not self.lingering:
            self.done()

    def abort(self) -> None:
        for connection in self.connections:
            self.loop.remove_reader(connection)
            connection.close()

    def report(self, severity: int, message: str) -> None:
        say({"report": [severity, message]})

    def set_peers(self, frontend_name: str, bind_index: int, numbers: Sequence[int]) -> None:
        self.peers[f"{frontend_name}/{bind_index}"] = list(numbers)

    def take_inbox(self, sock: socket.socket) -> None:
        sabotage(self.fail, "go", self.place[0])

    def deal(self, part: int, parts: int, shares: Any) -> None:
        self.shares = shares

    def set_server(
        self, backend: str, server: str, state: str | None = None, weight: str | None = None, *, quiet: bool = False
    ) -> None:
        if weight == "13":
            raise ValueError("Weights of 13 bring no luck.")
        self.servers[f"{backend}/{server}"] = [state, weight]

    def watch_patterns(self, send: Callable[..., object]) -> None:
        self.tell_changed = send

    def change_patterns(self, changes: Any, *, own: bool | None) -> None:
        sabotage(self.fail, "patterns", self.place[0])

    def ask(self, question: Sequence[Any]) -> str:
        return ""

    # Clients.

    def accept(self, copy: socket.socket) -> None:
        try:
            connection, _ = copy.accept()
        except BlockingIOError:
            return
        if copy in self.lingering:
            self.lingering[copy].cancel()
            self.lingering[copy] = self.loop.call_later(QUIET, self.let_go, copy)
        connection.setblocking(False)
        self.connections.add(connection)
        connection.send(self.greeting)
        self.counts.conn_tot += 1
        self.process.cum_conns += 1
        self.column.publish(self.column.shape.row("frontend", "front"), self.counts)
        self.column.publish(self.column.shape.row("process"), self.process)
        self.loop.add_reader(connection, self.echo, connection)

    def echo(self, connection: socket.socket) -> None:
        try:
            received = connection.recv(65536)
        except ConnectionError:
            received = b""
        if received in WORDS:
            WORDS[received](self, connection)
        elif received:
            connection.send(received)
        else:
            self.loop.remove_reader(connection)
            connection.close()
            self.connections.discard(connection)
            self.finish_if_over()

    def crash(self, _connection: socket.socket) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def hang(self, connection: socket.socket) -> None:
        connection.send(b"hanging\n")
        time.sleep(1000)

    def tell(self, connection: socket.socket) -> None:
        shares = self.shares
        told = {
            "servers": self.servers,
            "peers": self.peers,
            "part": [shares.part, shares.parts],
            "front": shares.of_frontend("front", 120),
            "paused": self.paused,
        }
        connection.send(json.dumps(told).encode() + b"\n")


WORDS: dict[bytes, Callable[[FakeRuntime, socket.socket], None]] = {
    b"crash\n": FakeRuntime.crash,
    b"hang\n": FakeRuntime.hang,
    b"tell\n": FakeRuntime.tell,
}


def wait_for(path: str) -> None:
    while not os.path.exists(path):
        time.sleep(0.005)


def sabotage(fail: Any, where: str, group: int) -> None:
    """`fail`: {"at": "build", "listen" or "go", "how": see below, "group": only that one, "once": a path that the first
    one makes, so that its successors succeed, "if": only where this path is there, "gate": a path to wait for
    before}."""
    if fail.get("at") != where or fail.get("group", group) != group or not os.path.exists(fail.get("if", "/")):
        return
    if "once" in fail:
        try:
            os.close(os.open(fail["once"], os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
    if "gate" in fail:
        wait_for(fail["gate"])
    how = fail.get("how")
    if how == "config":
        raise ConfigError("no such algorithm", file="test.cfg", line=7)
    if how == "bug":
        raise RuntimeError("a bug")
    if how == "segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)


def limit_forks(forks: list[bool | str]) -> None:
    """The n-th fork of this process succeeds as the n-th word says ("stop": with a process that does not turn); those
    after them all do."""
    fork = os.fork

    def sometimes() -> int:
        word = forks.pop(0) if forks else True
        if not word:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        pid = fork()
        if not pid and word == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        return pid

    os.fork = sometimes


WANTED: dict[int, tuple[Configuration, dict[str, Any]]] = {}
"""What each configuration was made from, by its identity."""


def configuration_of(wanted: dict[str, Any]) -> Configuration:
    front = ProxySpec(
        place=Place("test.cfg", 1),
        name="front",
        kind="frontend",
        binds=tuple(
            BindSpec(Place("test.cfg", number), host, (Address(kind, host, port, port),), **wanted.get("bind", {}))
            for number, (kind, host, port) in enumerate(wanted["binds"], 2)
        ),
    )
    app = ProxySpec(
        place=Place("test.cfg", 8),
        name="app",
        kind="backend",
        servers=tuple(
            ServerSpec(Place("test.cfg", 9), name, Address("inet", "127.0.0.1", 80, 80))
            for name in wanted.get("servers", ())
        ),
    )
    spec = GlobalSpec(tune=TuneSpec(**wanted.get("tune", {})), **wanted.get("globals", {}))
    configuration = Configuration(spec, (front, app) if app.servers else (front,))
    WANTED[id(configuration)] = (configuration, wanted)
    return configuration


def build(
    configuration: Configuration,
    *,
    loop: Any,
    group: int,
    thread: int,
    columns: Any,
    shares: Any,
    pulse: Any = None,
    **_: Any,
) -> Any:
    fail = WANTED[id(configuration)][1].get("fail", {})
    sabotage(fail, "build", group)
    return FakeRuntime(loop, group, thread, columns, pulse, shares, fail)


def main(path: Path) -> int:
    wanted = json.loads(path.read_text())
    configuration = configuration_of(wanted)
    if "forks" in wanted:
        limit_forks(wanted["forks"])

    def reload() -> tuple[Configuration | None, str]:
        anew = json.loads(path.read_text())
        if "errors" in anew:
            return None, anew["errors"]
        return configuration_of(anew), anew.get("said", "")

    def ready(listeners: Sequence[Listener]) -> None:
        addresses = list(dict.fromkeys(address_text(listener.address) for listener in listeners))
        say({"ready": addresses, "pid": os.getpid()})

    def tick(figures: Figures) -> None:
        say({"conn_tot": figures.frontend("front").conn_tot})

    words = dict(wanted.get("options", {}))
    words["control"] = tuple(words.get("control", ()))
    if not wanted.get("no_files"):
        words["reload"] = reload
    options = SupervisorOptions(systemd=False, **words)
    supervisor = Supervisor(
        configuration, options, build=build, on_ready=ready, on_tick=tick if wanted.get("tick") else None
    )
    return supervisor.run()


def serve(requests: socket.socket) -> None:
    """Answers requests (JSON, one a packet) until nobody can make one any more. With `path`: forks a proxy, whose
    standard streams and other descriptors (at the numbers `fds`) come beside the request; the answer is its pid. With
    `pid`: the answer is its exit code as Popen says it, or null."""
    living: set[int] = set()
    while True:
        raw, received, _, _ = socket.recv_fds(requests, 65536, 32)
        if not raw:
            break
        request = json.loads(raw)
        if "path" in request:
            answer: int | None = os.fork()
            if not answer:
                requests.close()
                become(Path(request["path"]), received, request["fds"])
            living.add(answer or 0)
            for descriptor in received:
                os.close(descriptor)
        else:
            pid, status = os.waitpid(request["pid"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
            living.discard(pid)
        requests.send(json.dumps(answer).encode())
    for pid in living:
        os.kill(pid, signal.SIGKILL)


def become(path: Path, received: Sequence[int], wanted: Sequence[int]) -> None:
    """Never returns."""
    # First out of the way of each other's numbers.
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 500) for descriptor in received]
    for descriptor, number in zip(high, (1, 2, *wanted), strict=True):
        os.dup2(descriptor, number)
    for descriptor in (*received, *high):
        if descriptor not in wanted:
            os.close(descriptor)
    code = 70
    try:
        code = main(path)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
