"""A HAProxy with a peers section: its configuration, its process, its tables."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

PROGRAMS = {
    "2.6": shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin"),
    "3.0": os.environ.get("HAPROXY3") or str(Path.home() / ".cache/haproxy3/haproxy"),
}
PATIENCE = 10.0


def program(version: str) -> str:
    """The program; skips the test without it, but fails in CI."""
    path = PROGRAMS[version]
    if path is None or not os.access(path, os.X_OK):
        if os.environ.get("CI"):
            pytest.fail(f"haproxy {version} is missing")
        pytest.skip(f"haproxy {version} is not installed")
    return path


class Haproxy:
    """`tables`: name -> what stands after `stick-table` (or, for names that start with `/`, after `table NAME`).

    It listens on a port that the kernel has chosen, and dials `port`, as peer `hap` of peer `man`."""

    def __init__(self, version: str, folder: Path, port: int, tables: dict[str, str], extra: str = "") -> None:
        self._program = program(version)
        self._folder = folder
        self._socket = folder / "cli"
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        inner = "".join(f" table {name[1:]} {text}\n" for name, text in tables.items() if name[0] == "/")
        outer = "".join(
            f"backend {name}\n stick-table {text} peers pp\n" for name, text in tables.items() if name[0] != "/"
        )
        (folder / "cfg").write_text(
            f"global\n stats socket {self._socket} level admin\n nbthread 1\n"
            "defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n"
            f"peers pp\n peer hap 127.0.0.1:{self.port}\n peer man 127.0.0.1:{port}\n{inner}{outer}{extra}"
        )

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-db", "-L", "hap", "-f", str(self._folder / "cfg")],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.ask("show version")
                return
            except OSError:
                assert self._process.poll() is None, (self._folder / "log").read_text()
                assert time.monotonic() < end
                time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ask(self, command: str) -> str:
        """One command on the stats socket."""
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self._socket))
            link.sendall(command.encode() + b"\n")
            found = b""
            while data := link.recv(65536):
                found += data
        return found.decode().strip()

    def table(self, name: str) -> dict[str, dict[str, str]]:
        """Key -> what `show table` prints of it; names of rates without their periods."""
        found = {}
        for line in self.ask(f"show table {name}").splitlines():
            if not line.startswith("0x"):
                continue
            pairs = [word.split("=", 1) for word in line.split()[1:]]
            fields = {re.sub(r"\(.*", "", key): value for key, value in pairs}
            found[fields.pop("key")] = fields
        return found
