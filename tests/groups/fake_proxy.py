"""A supervisor with a fake runtime, run as a process by the tests.

The runtime greets each connection with "<group>/<thread> <pid>\\n" and echoes what it gets. The first argument is JSON:
`binds` (list of [kind, host, port]), `globals` (fields of GlobalSpec), `options` (fields of SupervisorOptions), `fail`
("" or what the build raises), `forks` (which forks succeed). When all groups accept, a JSON line with the addresses
goes to stdout.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from maniple.core.config.model import Address, BindSpec, Configuration, GlobalSpec, Place, ProxySpec
from maniple.core.errors import ConfigError
from maniple.groups.figures import Figures
from maniple.groups.listeners import Listener, address_text
from maniple.groups.supervisor import Supervisor, SupervisorOptions
from maniple.pools.counters import FrontendCounts


def say(what: dict[str, object]) -> None:
    # One write a line: several processes share this pipe.
    os.write(1, json.dumps(what).encode() + b"\n")


class FakeRuntime:
    def __init__(self, loop: Any, group: int, thread: int, column: Any) -> None:
        self.loop = loop
        self.greeting = f"{group}/{thread} {os.getpid()}\n".encode()
        self.column = column
        self.counts = FrontendCounts()
        self.accepting: dict[int, socket.socket] = {}
        self.connections: set[socket.socket] = set()
        self.done: Callable[[], None] | None = None

    @property
    def connection_count(self) -> int:
        return len(self.connections)

    def listen(self, frontend_name: str, bind_index: int, sock: socket.socket) -> None:
        copy = sock.dup()
        copy.setblocking(False)
        self.accepting[sock.fileno()] = copy
        self.loop.add_reader(copy, self.accept, copy)

    def unlisten(self, sock: socket.socket) -> None:
        copy = self.accepting.pop(sock.fileno())
        self.loop.remove_reader(copy)
        copy.close()

    def pause(self) -> None:
        for copy in self.accepting.values():
            self.loop.remove_reader(copy)

    def resume(self) -> None:
        for copy in self.accepting.values():
            self.loop.add_reader(copy, self.accept, copy)

    def accept(self, copy: socket.socket) -> None:
        try:
            connection, _ = copy.accept()
        except BlockingIOError:
            return
        connection.setblocking(False)
        self.connections.add(connection)
        connection.send(self.greeting)
        self.counts.conn_tot += 1
        self.column.publish(self.column.shape.row("frontend", "front"), self.counts)
        self.loop.add_reader(connection, self.echo, connection)

    def echo(self, connection: socket.socket) -> None:
        try:
            received = connection.recv(65536)
        except ConnectionError:
            received = b""
        if received == b"crash\n":
            os.kill(os.getpid(), signal.SIGKILL)
        if received == b"hang\n":
            connection.send(b"hanging\n")
            time.sleep(1000)
        if received:
            connection.send(received)
            return
        self.loop.remove_reader(connection)
        connection.close()
        self.connections.discard(connection)
        if self.done is not None and not self.connections:
            self.done()

    def drain(self, deadline_ms: int | None, done: Callable[[], None]) -> None:
        for copy in self.accepting.values():
            self.loop.remove_reader(copy)
            copy.close()
        self.accepting.clear()
        self.done = done
        if not self.connections:
            done()
        elif deadline_ms is not None:
            self.loop.call_later(deadline_ms / 1000, done)

    def abort(self) -> None:
        for connection in self.connections:
            self.loop.remove_reader(connection)
            connection.close()

    def report(self, severity: int, message: str) -> None:
        say({"report": [severity, message]})


def limit_forks(forks: list[bool]) -> None:
    """The n-th fork of this process succeeds as the n-th word says; those after them all do."""
    fork = os.fork

    def sometimes() -> int:
        if forks and not forks.pop(0):
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return fork()

    os.fork = sometimes


def main() -> int:
    wanted = json.loads(sys.argv[1])
    proxy = ProxySpec(
        place=Place("test.cfg", 1),
        name="front",
        kind="frontend",
        binds=tuple(
            BindSpec(Place("test.cfg", number), host, (Address(kind, host, port, port),))
            for number, (kind, host, port) in enumerate(wanted["binds"], 2)
        ),
    )
    configuration = Configuration(GlobalSpec(**wanted.get("globals", {})), (proxy,))

    def build(configuration: Configuration, *, loop: Any, group: int, thread: int, columns: Any, **_: Any) -> Any:
        if wanted.get("fail") == "config":
            raise ConfigError("no such algorithm", file="test.cfg", line=7)
        if wanted.get("fail") == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if wanted.get("fail") == "bug":
            raise RuntimeError("a bug")
        return FakeRuntime(loop, group, thread, columns)

    if "forks" in wanted:
        limit_forks(wanted["forks"])

    def ready(listeners: Sequence[Listener]) -> None:
        addresses = list(dict.fromkeys(address_text(listener.address) for listener in listeners))
        say({"ready": addresses, "pid": os.getpid()})

    def tick(figures: Figures) -> None:
        say({"conn_tot": figures.frontend("front").conn_tot})

    options = SupervisorOptions(**wanted.get("options", {}))
    supervisor = Supervisor(
        configuration, options, build=build, on_ready=ready, on_tick=tick if wanted.get("tick") else None
    )
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main())
