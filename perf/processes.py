"""Processes that the bench starts: their files, CPU time, memory and certain end.

Owns starting, pinning, sampling and killing. Knows nothing of proxies or load. Invariants: every child leads a
process session of its own, asks the kernel for a SIGTERM when the bench dies, and is ended with all its descendants,
by process id, when its `with` block is left in whatever way. Nothing is ended by name.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

import psutil

PR_SET_PDEATHSIG = 1
SLEEP = 0.002
"""Seconds between two looks at a condition that the kernel cannot announce."""


class ProcessFault(Exception):
    """A process could not be started, ended by itself, or did not do in time what it should."""


def raise_descriptor_limit(wanted: int) -> int:
    """Lift the soft limit of open files to `wanted`, and the hard one where permitted; returns what holds now."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return wanted
        except (ValueError, OSError):
            wanted = hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A loopback port that is free now. Somebody else may take it before it is used: start again then."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def all_cpus() -> frozenset[int]:
    """CPUs that we may use."""
    return frozenset(os.sched_getaffinity(0))


def share_cpus() -> tuple[frozenset[int], frozenset[int]]:
    """CPUs for the target (one) and for everything else. Both are all there is on a machine with a single CPU."""
    allowed = sorted(all_cpus())
    if len(allowed) < 2:
        return frozenset(allowed), frozenset(allowed)
    return frozenset(allowed[-1:]), frozenset(allowed[:-1])


class Child:
    """A started process and its descendants. Use as `with Child(...) as child`."""

    __slots__ = ("_popen", "errors", "name", "output")

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        *,
        cpus: frozenset[int] | None = None,
        environment: Mapping[str, str] | None = None,
        piped: bool = False,
    ) -> None:
        """Start it. What it says goes to files in `folder`; with `piped` its standard input and output are pipes."""
        self.name = name
        self.errors = folder / f"{name}.stderr"
        self.output = folder / f"{name}.stdout"
        with self.errors.open("wb") as errors, self.output.open("wb") as output:
            try:
                self._popen: subprocess.Popen[bytes] = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
                    stdout=subprocess.PIPE if piped else output,
                    stderr=errors,
                    cwd=folder,
                    env={**os.environ, **(environment or {})},
                    start_new_session=True,
                    preexec_fn=_before_exec(cpus),
                )
            except OSError as error:
                raise ProcessFault(f"{name} cannot be started: {error}") from error

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def stdin(self) -> IO[bytes]:
        assert self._popen.stdin is not None
        return self._popen.stdin

    @property
    def stdout(self) -> IO[bytes]:
        assert self._popen.stdout is not None
        return self._popen.stdout

    def alive(self) -> bool:
        return self._popen.poll() is None

    def wait(self, seconds: float) -> int:
        """The exit code, or ProcessFault when it has not ended in time."""
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise ProcessFault(f"{self.name} did not end within {seconds:g} s") from None

    def last_words(self) -> str:
        """The end of what it said on standard error or, if that is empty, on standard output; one line."""
        for path in (self.errors, self.output):
            text = path.read_text(errors="replace").strip() if path.exists() else ""
            if text:
                return " | ".join(text.splitlines()[-3:])[-400:]
        return "it said nothing"

    def family(self) -> list[int]:
        """Process ids of it and all its descendants, in ascending order; empty when it is gone."""
        try:
            root = psutil.Process(self.pid)
            return sorted([self.pid, *(child.pid for child in root.children(recursive=True))])
        except psutil.NoSuchProcess:
            return []

    def end(self) -> None:
        """SIGTERM and, after a moment, SIGKILL to whatever of the family is left. Safe to call twice."""
        family = self.family()
        if self.alive():
            self._popen.terminate()
            try:
                self._popen.wait(1.0)
            except subprocess.TimeoutExpired:
                self._popen.kill()
                self._popen.wait()
        for pid in family:
            # A descendant still in our child's session is ours; any other process of this number is a stranger.
            if pid != self.pid and _session_of(pid) == self.pid:
                _kill(pid)
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue


def module_command(module: str, *arguments: str) -> list[str]:
    """Command line that runs a module of this folder in a process of its own."""
    return [sys.executable, "-m", f"{__package__}.{module}", *arguments]


def cpu_ns(pids: Sequence[int]) -> int:
    """CPU time, user and system, that these processes have used: nanoseconds.

    /proc/<pid>/task/<tid>/schedstat counts in nanoseconds; /proc/<pid>/stat in ticks of 10 ms, which is too coarse for
    a round of a second and serves where the kernel was built without the former.
    """
    total = 0
    for pid in pids:
        try:
            for task in os.scandir(f"/proc/{pid}/task"):
                with open(f"{task.path}/schedstat", "rb") as stream:
                    total += int(stream.read().split()[0])
        except FileNotFoundError:
            times = psutil.Process(pid).cpu_times()
            total += int((times.user + times.system) * 1e9)
    return total


def busy_seconds(cpus: frozenset[int]) -> float:
    """Seconds that these CPUs have been at work since the machine started, whoever used them. Ticks of 10 ms."""
    wanted = {f"cpu{number}" for number in cpus}
    ticks = 0
    with open("/proc/stat", encoding="ascii") as stream:
        for line in stream:
            words = line.split()
            if words[0] in wanted:
                # user nice system idle iowait irq softirq steal; guests are in user already (proc(5)).
                ticks += sum(int(word) for word in words[1:9]) - int(words[4]) - int(words[5])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_kib(pids: Sequence[int]) -> tuple[float, float]:
    """Resident and proportional set size, summed over the processes: KiB."""
    resident = proportional = 0.0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as stream:
            for line in stream:
                word, _, rest = line.partition(":")
                if word == "Rss":
                    resident += float(rest.split()[0])
                elif word == "Pss":
                    proportional += float(rest.split()[0])
    return resident, proportional


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Look at `condition` until it holds; ProcessFault naming `what` when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise ProcessFault(f"{what}: not within {seconds:g} s")
        time.sleep(SLEEP)


def wait_answer(child: Child, port: int, path: str, seconds: float = 10.0) -> float:
    """Seconds until a GET on the port was answered with 200; ProcessFault when the child ends or time is up."""
    began = time.monotonic()

    def answered() -> bool:
        if not child.alive():
            raise ProcessFault(f"{child.name} ended with exit code {child.wait(1)}: {child.last_words()}")
        return fetch_status(port, path) == 200

    wait_until(answered, seconds, f"{child.name} answers on its port ({child.last_words()})")
    return time.monotonic() - began


def fetch_status(port: int, path: str, seconds: float = 1.0) -> int:
    """Status of one GET on a connection of its own; 0 when nothing that looks like an answer came back."""
    try:
        with socket.create_connection(("127.0.0.1", port), seconds) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while b"\r\n" not in answer:
                piece = connection.recv(65536)
                if not piece:
                    return 0
                answer += piece
    except OSError:
        return 0
    words = answer.split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0


def _before_exec(cpus: frozenset[int] | None) -> Callable[[], None]:
    """What the forked child does before it becomes the program: it must not outlive us, and runs on its CPUs."""
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if cpus:
            os.sched_setaffinity(0, cpus)

    return prepare


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
