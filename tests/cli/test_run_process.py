"""`maniple run` as a process: sockets of every kind through a soft stop, and what a supervisor keeps of reloads."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TEXT = """global
  nbgroup 2
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend f
{binds}
  default_backend b
backend b
  server s 127.0.0.1:9
"""
ANY_PORT = "  bind 127.0.0.1:0"


class Running:
    """One that serves, and what it has said."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log

    def said(self, pattern: str) -> list[str]:
        return re.findall(pattern, self.log.read_text())

    def wait_for(self, pattern: str, times: int = 1) -> None:
        deadline = time.monotonic() + 20
        while len(self.said(pattern)) < times:
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.005)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)

    @property
    def groups(self) -> int:
        return len(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split())

    @property
    def memory(self) -> int:
        """In KiB."""
        return int(re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())[0])


@contextmanager
def running(path: Path, binds: str, rest: str = "") -> Iterator[Running]:
    config, log = path / "x.cfg", path / "log"
    config.write_text(TEXT.format(binds=binds) + rest)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", "from maniple.cli.main import main; main()", "run", "-f", str(config)],
            env={**os.environ, "RUNTIME_DIRECTORY": str(path)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        one = Running(process, log)
        one.wait_for("listens on")
        yield one
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("kind", ["unix", "abns", "inet"])
def test_a_soft_stop_and_a_dropped_address_end(tmp_path: Path, kind: str) -> None:
    """Also where a socket cannot be filtered: the kernel says of a unix socket that refuses that it can be read."""
    name = f"maniple-test-{os.getpid()}"
    path = str(tmp_path / "s")
    line = {"unix": f"unix@{path}", "abns": f"abns@{name}", "inet": "127.0.0.1:0"}[kind]
    with running(tmp_path, f"{ANY_PORT}\n  bind {line} name second") as one:
        address: Any = {"unix": path, "abns": b"\0" + name.encode().ljust(107, b"\0")}.get(kind)
        if address is not None:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(address)
        (tmp_path / "x.cfg").write_text(TEXT.format(binds=ANY_PORT))
        one.process.send_signal(signal.SIGUSR2)
        one.wait_for("Reloaded in")
        deadline = time.monotonic() + 10
        while one.groups > 2:
            assert time.monotonic() < deadline, "those of the generation before go on"
            time.sleep(0.01)
        (tmp_path / "x.cfg").write_text(TEXT.format(binds=f"  bind {line}"))
        one.process.send_signal(signal.SIGUSR2)
        one.wait_for("Reloaded in", 2)
        assert one.end(signal.SIGUSR1) == 0


def test_what_reloads_replace_is_let_go(tmp_path: Path) -> None:
    """A configuration of 800 servers is some 800 KiB."""
    rest = "".join(
        f"backend b{number}\n" + "".join(f"  server s{server} 127.0.0.1:9\n" for server in range(20))
        for number in range(40)
    )
    with running(tmp_path, ANY_PORT, rest) as one:

        def reload(times: int) -> None:
            for _ in range(times):
                done = len(one.said("Reloaded in"))
                one.process.send_signal(signal.SIGUSR2)
                one.wait_for("Reloaded in", done + 1)
                deadline = time.monotonic() + 10
                while one.groups > 2:
                    assert time.monotonic() < deadline
                    time.sleep(0.005)

        reload(3)
        before = one.memory
        reload(5)
        assert one.memory - before < 2000
        assert one.end(signal.SIGTERM) == 0
