"""A case: a configuration, scripts for clients and servers, and what is known of the outcome beforehand."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from maniple.tests.wire.rig import facts as fact
from maniple.tests.wire.rig.facts import Facts
from maniple.tests.wire.rig.peers import PATIENCE, Origin, Peer, Quiet, Script, Unreachable


class Run(Protocol):
    def rests(self) -> bool:
        """Whether it has done all that it could do by now."""

    def stop(self) -> None: ...


@dataclass(frozen=True)
class Differs:
    """Where we mean to differ from HAProxy: our value, and why."""

    ours: str
    reason: str


@dataclass(frozen=True)
class Case:
    """`{bind}`, `{bind2}`, names of `origins`, `{refusing}`, `{hanging}` and `{folder}` are replaced in the
    configuration's lines."""

    name: str
    clients: tuple[Script, ...]
    origins: Mapping[str, tuple[Script, ...]] = field(default_factory=dict)
    front: str = ""
    back: str = ""
    servers: str = ""
    """Server lines; by default one for each origin."""
    times: str = ""
    """Timeouts that are not those of DEFAULTS."""
    settings: str = ""
    """Lines of the global section."""
    mode: str = "http"
    whole: str = ""
    """A whole configuration after `defaults`, instead of the one frontend and backend."""
    methods: tuple[str, ...] = ()
    """Of the requests of each client, in order, where they are not GET."""
    raw: bool = False
    """Compare bytes, not messages."""
    expect: Mapping[str, str] = field(default_factory=dict)
    """Facts that hold for maniple, whatever HAProxy does."""
    differs: Mapping[str, Differs] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    """Beginnings of facts that are left to chance."""
    sources: tuple[str, ...] = ()
    """Where clients connect from; by default all from 127.0.0.1."""
    lines: int = -1
    """Log lines to wait for; by default one for each client."""
    settle: float = 0.06
    """Seconds after the clients are done in which connections may still end, at least: see Stage.gather."""
    compared: bool = True
    """False: only `expect` holds."""

    def __str__(self) -> str:
        return self.name


DEFAULTS = """
global
    nbthread 1
    maxconn 400
    log {log} format raw local0
defaults
    mode {mode}
    log global
    option {mode}log
    timeout connect 1s
    timeout client 1s
    timeout server 1s
"""


PAGES = {
    "503.http": b"HTTP/1.0 503 Gone fishing\r\nCache-Control: no-cache\r\nContent-Type: text/plain\r\n\r\nback soon\n",
    "400.http": b"HTTP/1.1 400 What\nContent-Type: text/plain\n\nnot understood\n",
}
"""Files in `{folder}`."""


@dataclass
class Outcome:
    facts: Facts
    log: list[str]
    remains: dict[str, int]


class _Log:
    """The reading end of the pipe that log lines come through. With the nth line the flag `logged n` is raised: a
    client that awaits it knows that the proxy has seen the end of another."""

    def __init__(self, flags: dict[str, threading.Event]) -> None:
        self.reading, self.writing = os.pipe()
        self._flags = flags
        self._data = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while piece := os.read(self.reading, 65536):
            self._data += piece
            for number in range(1, len(self.lines) + 1):
                self._flags.setdefault(f"logged {number}", threading.Event()).set()

    @property
    def lines(self) -> list[str]:
        return [line for line in self._data.decode("latin-1").split("\n") if " [" in line]

    def await_lines(self, number: int, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while len(self.lines) < number and time.monotonic() < deadline:
            time.sleep(0.003)

    def close(self) -> None:
        os.close(self.writing)
        self._thread.join(PATIENCE)
        os.close(self.reading)


def listening() -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen(128)
    return sock


def configuration(case: Case, words: Mapping[str, str]) -> str:
    text = DEFAULTS.replace("defaults\n", f"{_indented(case.settings)}defaults\n") + _indented(case.times)
    if case.whole:
        text += case.whole
    else:
        servers = case.servers or "\n".join(f"server {name} {{{name}}}" for name in case.origins)
        text += f"frontend f\n    bind {{bind}}\n    default_backend b\n{_indented(case.front)}"
        text += f"backend b\n{_indented(case.back)}{_indented(servers)}"
    for word, value in {**words, "mode": case.mode}.items():
        text = text.replace("{" + word + "}", value)
    return text


def _indented(lines: str) -> str:
    return "".join(f"    {line.strip()}\n" for line in lines.splitlines() if line.strip())


class Stage:
    """Everything around one proxy for one run of a case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.flags: dict[str, threading.Event] = {}
        self._stack = ExitStack()
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="wire"))
        for name, content in PAGES.items():
            (Path(folder) / name).write_bytes(content)
        self.origins = {
            name: Origin(scripts, self.flags, str(Path(folder) / name) if name.startswith("unix") else "")
            for name, scripts in case.origins.items()
        }
        self.refusing = Unreachable(True)
        self.hanging = Unreachable(False)
        self.sockets = [listening(), listening()]
        self.log = _Log(self.flags)
        self.words = {name: origin.address for name, origin in self.origins.items()}
        self.words |= {"refusing": self.refusing.address, "hanging": self.hanging.address, "folder": folder}
        self.words["log"] = f"fd@{self.log.writing}"
        self.descriptors = [self.log.writing, *(sock.fileno() for sock in self.sockets)]
        self.words["bind"] = f"fd@{self.sockets[0].fileno()}"
        self.words["bind2"] = f"fd@{self.sockets[1].fileno()}"

    @property
    def text(self) -> str:
        return configuration(self.case, self.words)

    @property
    def unbound_text(self) -> str:
        """For a proxy that is handed its listening sockets: the address of a bind line is never bound."""
        return re.sub(r"bind fd@\d+", "bind 127.0.0.1:1", self.text)

    def play(self) -> list[Peer]:
        peers: list[Peer] = []
        threads = []
        sources = self.case.sources or ("",) * len(self.case.clients)
        for script, source in zip(self.case.clients, sources, strict=True):
            sock = socket.socket()
            sock.settimeout(PATIENCE)
            if source:
                sock.bind((source, 0))
            # A proxy that resets may be faster than our call returns: the end that is read tells it then.
            with contextlib.suppress(ConnectionResetError):
                sock.connect(self.sockets[0].getsockname())
            peer = Peer(sock, self.flags)
            peers.append(peer)
            threads.append(threading.Thread(target=peer.run, args=(script,), daemon=True))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(15)
        for peer in peers:
            peer.answer_end()
        return peers

    def gather(self, peers: Sequence[Peer], run: Run) -> Facts:
        """What has happened, once nothing more happens: the proxy rests, and two looks show the same. On a busy machine
        that may be long after the time to settle."""
        case = self.case
        wanted = case.lines if case.lines >= 0 else len(case.clients)
        self.log.await_lines(wanted, PATIENCE)
        time.sleep(case.settle)
        deadline = time.monotonic() + PATIENCE
        found = self._look(peers)
        while time.monotonic() < deadline:
            rests, before = run.rests(), found
            time.sleep(0.01)
            for peer, script in zip(peers, case.clients, strict=True):
                if script and isinstance(script[-1], Quiet):
                    script[-1].go_on(peer)
            found = self._look(peers)
            if rests and found == before:
                break
        return found

    def _look(self, peers: Sequence[Peer]) -> Facts:
        case = self.case
        found: Facts = {}
        methods = [method.encode() for method in case.methods]
        for number, peer in enumerate(peers):
            fact.of_client(found, f"client{number}", peer, methods, case.raw)
        for name, origin in self.origins.items():
            fact.of_origin(found, name, origin.peers, case.raw)
        fact.of_log(found, self.log.lines)
        return {key: value for key, value in found.items() if not key.startswith(case.ignore or ("\0",))}

    def close(self) -> None:
        for origin in self.origins.values():
            origin.stop()
        self.refusing.stop()
        self.hanging.stop()
        for sock in self.sockets:
            sock.close()
        self.log.close()
        self._stack.close()
