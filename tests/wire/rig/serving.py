"""A running maniple as an operator has it: the command line, configuration files, its control socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PATIENCE = 10.0
"""Seconds until a condition that never comes fails a test."""
HOST = "127.0.0.1"
PROGRAM = "from maniple.cli.main import main; main()"
HAPROXY_PROGRAM = "from maniple.cli.compat import main; main()"


def wait_until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"not within {patience:g} s: {what}"
        time.sleep(0.005)


class Ports:
    """Ports that the kernel chose. They stay ours: each is bound, though nobody listens there, by a socket that lets
    others of this user join it (SO_REUSEPORT), as maniple's do."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []

    def take(self) -> int:
        sock = socket.socket()
        self._sockets.append(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((HOST, 0))
        port: int = sock.getsockname()[1]
        return port

    def close(self) -> None:
        for sock in self._sockets:
            sock.close()


class Serving:
    """`maniple run -f FILE`, or with `flags` `maniple-haproxy FLAGS -f FILE`. Nothing of it is left after `close`."""

    def __init__(
        self,
        folder: Path,
        text: str,
        environment: dict[str, str] | None = None,
        program: str = PROGRAM,
        flags: Sequence[str] | None = None,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.file = folder / "proxy.cfg"
        self.control = str(folder / "control")
        self.errors = folder / "stderr"
        self.write(text)
        self._environment = environment or self_compiled()
        words = [program, "run"] if flags is None else [HAPROXY_PROGRAM, *flags]
        self._command = [sys.executable, "-c", *words, "-f", str(self.file)]
        self.process = self._start()

    def write(self, text: str) -> None:
        """Another configuration, for the next start or reload. $control in it is the control socket."""
        self.file.write_text(text.replace("$control", self.control))

    def _start(self) -> subprocess.Popen[bytes]:
        with self.errors.open("ab") as errors:
            return subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                env=self._environment,
            )

    def start_again(self) -> None:
        assert self.process.poll() is not None
        self.process = self._start()

    def wait_ready(self) -> None:
        """Until it serves."""

        def serves() -> bool:
            assert self.process.poll() is None, f"ended before it was ready: {self.said}"
            try:
                return bool(self.status()["state"] == "running")
            except OSError:
                return False

        wait_until(serves, f"maniple serves: {self.said}")

    @property
    def said(self) -> str:
        return self.errors.read_text()

    @property
    def pid(self) -> int:
        return self.process.pid

    def groups(self) -> list[int]:
        """Process ids of all groups, in the order of their start."""
        return children(self.pid)

    # By its control socket.

    def ask(self, command: str, patience: float = PATIENCE) -> str:
        """The answer to one command. Raises OSError when nobody listens."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(patience)
            sock.connect(self.control)
            sock.sendall(command.encode() + b"\n")
            said = b""
            while piece := sock.recv(65536):
                said += piece
        return said.decode()

    def order(self, command: str, patience: float = PATIENCE) -> str:
        """A command that must succeed. Returns what it said."""
        verdict, _, said = self.ask(f"result {command}", patience).partition("\n--\n")
        assert verdict == "Success=1", f"{command}: {verdict} {said}"
        return said

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self.ask("show status json"))
        return status

    def pids(self) -> list[int]:
        """Of the groups that serve, by their numbers."""
        return [group["pid"] for group in self.status()["groups"] if group["state"] == "ready"]

    # Its end.

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self, patience: float = PATIENCE) -> int:
        return self.process.wait(patience)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)


def self_compiled() -> dict[str, str]:
    """Our environment, with byte code kept even where Python is told to keep none: a start takes a third of the time.
    It is kept beside the source, where `make` has put it already."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    """Also not for one that is dead and waits for its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Traffic:
    """A process with an origin and clients (rig/traffic), which counts what they meet."""

    def __init__(self, proxies: Sequence[int], *, keep: int = 64, connect: int = 64, think: float = 0.1) -> None:
        """`proxies`: ports; each client uses one after the other. `keep` clients keep their connection, `connect` open
        one for each request; between two requests each thinks `think` seconds on average."""
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("traffic.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._plan = {"ports": list(proxies), "keep": keep, "connect": connect, "think": think}
        self.origin: int = self._hear()["origin"]

    def begin(self) -> None:
        """Clients come from now on."""
        self._say(self._plan)
        assert self._hear() == {"begun": True}

    def counts(self) -> dict[str, int]:
        """What they met up to now: `ok` answers, and others by kind."""
        self._say({"counts": True})
        return dict(self._hear())

    def use(self, proxies: Sequence[int]) -> None:
        """The ports for all requests that begin from now on."""
        self._say({"ports": list(proxies)})
        self._hear()

    def wait_for(self, more: int, kind: str = "ok", patience: float = PATIENCE) -> None:
        """So many more answers."""
        wanted = self.counts().get(kind, 0) + more
        wait_until(lambda: self.counts().get(kind, 0) >= wanted, f"{more} more of {kind}", patience)

    def end(self) -> dict[str, int]:
        """Clients finish their requests; the final counts."""
        self._say({"end": True})
        counts = dict(self._hear())
        self.close()
        return counts

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def _say(self, what: dict[str, object]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        self._process.stdin.flush()

    def _hear(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())
